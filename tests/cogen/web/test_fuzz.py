"""Bytes that nobody wrote by hand, put to a connection without a socket.

The named request files are cut at random places and mutated at random. Hypothesis prints the
example that fails and how to run it again.
"""

import asyncio
import re
import unittest
from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cogen.core.schedulers import Scheduler
from cogen.web.connections.connection import Connection
from cogen.web.options import Options
from cogen.web.server import Server
from tests.cogen.states import check_connection
from tests.cogen.web.support import Records, echo
from tests.cogen.web.test_requests import FOLDER, Case

CORPUS = [Case(path).raw for path in sorted(FOLDER.glob("*/*.http"))]
# Those that are long are cut in fewer places than would be interesting.
SHORT = [raw for raw in CORPUS if len(raw) < 2000]
# What a mutation puts in: what means something to the parser, and what means nothing.
WORDS = st.sampled_from(
    [b"\r\n", b"\r", b"\n", b"\0", b" ", b"\t", b":", b",", b";", b'"', b"0", b"-", b"\xff", b"%",
     b"\r\n\r\n", b"chunked", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n",
     b"Host: other\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"0\r\n\r\n",
     b"5\r\nhello\r\n", b"GET / HTTP/1.1\r\n", b"fffffffffffffffff", b"Upgrade: a\r\n",
     b"Proxy-Connection: close\r\n"]
)  # fmt: skip


class MemoryTransport:
    """What a connection writes to; its client takes everything at once."""

    def __init__(self):
        self.written = bytearray()
        self.closed = self.ended = False

    def write(self, data):
        assert not self.ended, "written behind the end"
        self.written += data

    def write_eof(self):
        self.ended = True

    def close(self):
        self.closed = True

    abort = close

    def can_write_eof(self):
        return True

    def get_extra_info(self, name):
        return ("127.0.0.1", 1) if name == "peername" else None

    def nothing(self, *args):
        """Buffers and flow: there is none."""

    set_write_buffer_limits = pause_reading = resume_reading = nothing


class Fuzz(unittest.TestCase):
    def setUp(self):
        self.scheduler = Scheduler(proactor="asyncio")
        self.addCleanup(self.scheduler.shutdown)
        self.loop = self.scheduler.loop
        self.failures = []
        self.loop.set_exception_handler(lambda loop, context: self.failures.append(context))
        self.server = Server(echo, self.scheduler, Options(threads="0"))
        records = Records()
        records.__enter__()
        self.addCleanup(records.__exit__)

    def turns(self, connection):
        """Some turns of the loop, after each of which the connection is in one of its states."""

        async def some():
            for _ in range(6):
                await asyncio.sleep(0)
                check_connection(connection)

        self.loop.run_until_complete(some())

    def answers(self, pieces):
        """The status and content of each answer to `pieces` and the end of the client's side."""
        connection, transport = Connection(self.server.shared), MemoryTransport()
        connection.connection_made(transport)
        for piece in pieces:
            if not transport.closed:
                connection.data_received(piece)
                check_connection(connection)
                self.turns(connection)
        if not transport.closed and not connection.eof_received():
            transport.close()
        for _ in range(100):
            if transport.closed or (connection.closing and transport.ended):
                break
            self.turns(connection)
        else:
            self.fail("the connection hangs")
        connection.connection_lost(None)
        self.turns(connection)
        self.assertEqual(self.failures, [])
        self.assertEqual(self.server.shared.statistics()["exchanges"], 0)
        return self.parsed(bytes(transport.written))

    def parsed(self, written):
        found = []
        while written:
            head, _, written = written.partition(b"\r\n\r\n")
            self.assertTrue(head.startswith(b"HTTP/1.1 "), head)
            status = int(head[9:12])
            length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
            if status == 100:
                continue
            size = int(length[1]) if length else 0
            content = written[:size]
            # The answer to HEAD has a length and no content.
            if content.startswith(b"HTTP/1.1 "):
                content, size = b"", 0
            written = written[size:]
            # Of what is wrong with a request, a piece may show the one first, the whole the other.
            found.append((status, content if status == 200 else b""))
        return found

    @settings(max_examples=200, deadline=None, database=None)
    @given(st.sampled_from(SHORT), st.data())
    def test_any_cut_gives_the_same_answers(self, raw, data):
        places = data.draw(st.lists(st.integers(0, len(raw)), max_size=12).map(sorted))
        bounds = [0, *places, len(raw)]
        pieces = [raw[start:end] for start, end in pairwise(bounds)]
        self.assertEqual(self.answers([each for each in pieces if each]), self.answers([raw]))

    def test_a_byte_at_a_time_gives_the_same_answers(self):
        for raw in SHORT[::7]:
            with self.subTest(raw=raw):
                pieces = [raw[at : at + 1] for at in range(len(raw))]
                self.assertEqual(self.answers(pieces), self.answers([raw]))

    @settings(max_examples=500, deadline=None, database=None)
    @given(st.sampled_from(CORPUS), st.sampled_from(SHORT), st.data())
    def test_mutations_are_answered_or_refused(self, raw, other, data):
        mutated = bytearray(raw)
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(mutated)))
            size = data.draw(st.integers(0, 8))
            cut = data.draw(st.integers(0, len(other)))
            mutated[at : at + size] = data.draw(
                st.one_of(
                    WORDS, st.binary(max_size=4), st.just(other[cut : cut + 40]), st.just(other)
                )
            )
        for status, _ in self.answers([bytes(mutated)]):
            self.assertIn(status, (200, 400, 408, 413, 414, 417, 431, 501, 505))
        # Heads of all connections go through one parser.
        ((status, _),) = self.answers([b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"])
        self.assertEqual(status, 200, "it spoils the next")

    @settings(max_examples=200, deadline=None, database=None)
    @given(st.binary(max_size=300))
    def test_garbage_is_refused(self, raw):
        # `! / HTTP/1.0` and an empty line are a request: a method is any token.
        assume(b"HTTP/1." not in raw)
        for status, _ in self.answers([raw]):
            self.assertIn(status, (400, 505))
