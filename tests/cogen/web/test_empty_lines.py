"""Empty lines before a request (RFC 9112 section 2.2): a few are skipped, and no time is given."""

import unittest

from cogen.testing.memory import MemoryServer
from cogen.web.options import Options
from tests.cogen.web.support import Records, echo

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello"
MOST = 8


class EmptyLinesTest(unittest.TestCase):
    def setUp(self):
        records = Records()
        records.__enter__()
        self.addCleanup(records.__exit__)
        self.server = MemoryServer(
            echo, Options(threads="0", header_timeout=10, keep_alive_timeout=75)
        )
        self.addCleanup(self.server.close)
        self.client = self.server.connect()

    def send(self, *pieces):
        for piece in pieces:
            self.client.protocol.data_received(piece)
            self.server.loop.settle()

    def statuses(self):
        """Of the answers since the last call."""
        parts = bytes(self.client.written).split(b"HTTP/1.1 ")[1:]
        self.client.written.clear()
        return [part[:3] for part in parts]

    def bytes_of(self, data):
        return [data[i : i + 1] for i in range(len(data))]

    def test_a_few_are_skipped_however_they_come(self):
        lines = MOST * b"\r\n"
        one_by_one = [b"\r\n"] * MOST + [GET]
        for pieces in ([lines + GET], [lines, GET], one_by_one, self.bytes_of(lines + GET)):
            self.client = self.server.connect()
            self.send(*pieces)
            self.assertEqual([b"200"], self.statuses(), pieces)

    def test_one_more_is_refused_however_they_come(self):
        lines = (MOST + 1) * b"\r\n"
        for pieces in ([lines + GET], [lines], [b"\r\n"] * (MOST + 1), self.bytes_of(lines)):
            self.client = self.server.connect()
            self.send(*pieces)
            self.assertEqual([b"400"], self.statuses(), pieces)
            self.assertTrue(self.client.protocol.closing)

    def test_a_bare_line_feed_is_no_empty_line(self):
        for before in (b"\n", b"\r\n\n", b"\r\n\r\n\n\n"):
            for pieces in ([before + GET], self.bytes_of(before)):
                self.client = self.server.connect()
                self.send(*pieces)
                self.assertEqual([b"400"], self.statuses(), pieces)

    def test_each_request_of_a_connection_has_a_few(self):
        lines = MOST * b"\r\n"
        self.send(3 * (lines + GET) + 3 * (lines + POST) + lines)
        self.assertEqual(6 * [b"200"], self.statuses())
        self.send(GET, lines, GET, lines, POST, b"\r\n", GET)
        self.assertEqual(4 * [b"200"], self.statuses())
        self.send(lines, b"\r\n")
        self.assertEqual([b"400"], self.statuses())

    def test_too_many_between_pipelined_requests_are_refused(self):
        self.send(GET + (MOST + 1) * b"\r\n" + GET)
        self.assertEqual([b"200", b"400"], self.statuses())
        self.assertTrue(self.client.protocol.closing)

    def test_a_new_connection_gets_no_more_time_for_them(self):
        for _ in range(3):
            self.server.loop.advance(3)
            self.send(b"\r\n")
        self.assertFalse(self.client.closed)
        self.server.loop.advance(1.5)
        self.assertTrue(self.client.closed)
        self.assertEqual([], self.statuses())

    def test_an_idle_connection_gets_no_more_time_for_them(self):
        for stray in ([GET, b"\r\n"], [GET + b"\r\n"], [POST, b"\r\n"], [POST + b"\r\n"]):
            self.client = self.server.connect()
            self.send(*stray)
            self.assertEqual([b"200"], self.statuses())
            self.server.loop.advance(40)
            self.send(b"\r\n")
            self.server.loop.advance(30)
            self.assertFalse(self.client.closed, stray)
            self.server.loop.advance(6)
            self.assertTrue(self.client.closed, stray)
            self.assertEqual([], self.statuses())

    def test_a_client_that_ends_behind_them_is_let_go(self):
        for stray in ([GET, b"\r\n"], [GET + b"\r\n"], [POST + b"\r\n"]):
            self.client = self.server.connect()
            for piece in stray:
                self.client.protocol.data_received(piece)
            if not self.client.protocol.eof_received():
                self.client.close()
            self.server.loop.settle()
            self.assertEqual([b"200"], self.statuses(), stray)
            self.assertTrue(self.client.closed, stray)
