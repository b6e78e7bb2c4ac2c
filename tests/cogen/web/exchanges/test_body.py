"""What has arrived of a body, without a connection."""

import unittest

from cogen.core.events import WaitForSignal
from cogen.testing.memory import MemoryServer, MemoryTransport
from cogen.web.exchanges.body import Body, NoSource


class Counted(bytearray):
    """Counts the bytes that are searched."""

    searched = 0

    def find(self, sub, start=0, end=None):  # type: ignore[override]
        at = super().find(sub, start, len(self) if end is None else end)
        self.searched += (at if at >= 0 else min(len(self), end or len(self))) - start
        return at


class LineTest(unittest.TestCase):
    def test_a_line_that_comes_in_pieces_is_searched_once(self):
        body = Body(NoSource())
        body._data = data = Counted()
        for _ in range(1000):
            body.feed(b"x" * 100)
            self.assertEqual(body.line_end(1 << 30), 0)
        body.feed(b"\nrest")
        self.assertEqual(body.line_end(1 << 30), 100_001)
        self.assertLess(data.searched, 200_000)

    def test_what_was_searched_is_forgotten_with_what_is_taken(self):
        body = Body(NoSource())
        body.feed(b"abc")
        self.assertEqual(body.line_end(100), 0)
        self.assertEqual(body.some(2), b"ab")
        body.feed(b"\n")
        self.assertEqual(body.line_end(100), 2)
        body.all()
        body.feed(b"\n")
        self.assertEqual(body.line_end(100), 1)

    def test_a_limit_that_is_reached_ends_a_line(self):
        body = Body(NoSource())
        body.feed(b"abcdef\n")
        self.assertEqual(body.line_end(3), 3)
        self.assertEqual(body.line_end(100), 7)


class AnyTransport(MemoryTransport):
    """Tells whether who sends was told to wait."""

    paused = False

    def pause_reading(self):
        self.paused = True

    def resume_reading(self):
        self.paused = False


class ReadTest(unittest.TestCase):
    """environ['cogen.input'] of a body that comes in pieces, each when the ones before are read."""

    SIZE = 300_000

    def results(self, reads):
        """The lengths of what `reads` gave, each a method of the input and its arguments."""
        lengths = []

        def application(environ, start):
            for method, *arguments in reads:
                yield getattr(environ["cogen.input"], method)(*arguments)
                lengths.append(len(environ["cogen.wsgi"].result))
            start("200 OK", [])
            yield b"done"

        server = MemoryServer(application)
        self.addCleanup(server.close)
        client = server.connect()
        client.__class__ = AnyTransport
        head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {self.SIZE}\r\n\r\n"
        client.protocol.data_received(head.encode())
        for _ in range(self.SIZE // 10_000):
            server.loop.settle()
            if b"done" not in client.written:
                self.assertFalse(client.paused, f"nobody reads on after {lengths}")
                client.protocol.data_received(b"x" * 10_000)
        server.loop.settle()
        self.assertIn(b"done", client.written)
        return lengths

    def test_a_read_gives_as_many_bytes_as_it_asks_for(self):
        self.assertEqual(
            [25_000, 1, 274_999], self.results([("read", 25_000), ("read", 1), ("read", self.SIZE)])
        )

    def test_a_read_of_all_or_of_more_than_is_held_ahead_gets_it(self):
        self.assertEqual([self.SIZE, 0], self.results([("read",), ("read", 5)]))
        self.assertEqual([200_000, 100_000], self.results([("read", 200_000), ("read",)]))

    def test_read1_gives_what_is_there(self):
        # An application is called when so much is there.
        self.assertEqual(
            [65_536, 4, 4_460, 10_000],
            self.results([("read1",), ("read1", 4), ("read1",), ("read1",)]),
        )


class WaitingBodyTest(unittest.TestCase):
    """A request with a body that came while another one was answered."""

    def test_the_rest_of_it_is_read_when_its_turn_comes(self):
        def application(environ, start):
            if environ["PATH_INFO"] == "/held":
                yield environ["cogen.call"](WaitForSignal)("go")
            start("200 OK", [])
            yield b"%d" % len(environ["wsgi.input"].read())

        server = MemoryServer(application)
        self.addCleanup(server.close)
        client = server.connect()
        paused = []

        class Pausing(MemoryTransport):
            def pause_reading(self):
                paused.append(True)

            def resume_reading(self):
                paused.clear()

        client.__class__ = Pausing
        receive = client.protocol.data_received
        receive(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        server.loop.settle()
        # More than is held of requests that wait, and not more than is taken in of a body.
        receive(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n" + b"x" * 65_500)
        self.assertTrue(paused)
        server.scheduler.signal("go")
        server.loop.settle()
        self.assertFalse(paused, "nobody reads the rest of the body")
        receive(b"x" * 4_500)
        server.loop.settle()
        self.assertTrue(client.written.endswith(b"\r\n5\r\n70000\r\n0\r\n\r\n"), client.written)
