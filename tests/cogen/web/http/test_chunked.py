"""The framing of chunked bodies, without a connection."""

import unittest

from cogen.web.http.chunked import ChunkDecoder
from cogen.web.http.errors import HTTPError


class TurnTest(unittest.TestCase):
    def test_a_body_of_tiny_chunks_is_read_in_turns(self):
        data = b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\nrest"
        decoder, content, turns = ChunkDecoder(), bytearray(), 0
        while not decoder.complete:
            data = data[decoder.feed(data, content.extend) :]
            turns += 1
        self.assertEqual((bytes(content), data), (b"x" * 10_000, b"rest"))
        self.assertGreater(turns, 4)


class LineTest(unittest.TestCase):
    def feed(self, *pieces):
        decoder, content = ChunkDecoder(), bytearray()
        for piece in pieces:
            decoder.feed(piece, content.extend)
        return content

    def test_a_long_extension_is_refused_however_much_content_was_sent(self):
        content = b"%x\r\n%b\r\n" % (1 << 20, b"x" * (1 << 20))
        for pieces in ([b"1;" + b"a" * 9000], [b"1;", *[b"a" * 1000] * 9]):
            with self.assertRaisesRegex(HTTPError, "longer than 8192 bytes"):
                self.feed(content, *pieces)

    def test_a_long_trailer_is_refused(self):
        with self.assertRaisesRegex(HTTPError, "longer than 8192 bytes"):
            self.feed(b"%x\r\n%b\r\n0\r\n" % (1 << 20, b"x" * (1 << 20)), b"a: " + b"b" * 9000)

    def test_an_extension_within_the_limit_is_read_over(self):
        self.assertEqual(self.feed(b"1;a=" + b"b" * 8000 + b"\r\nx\r\n0\r\n\r\n"), b"x")
