"""The framing of chunked bodies, without a connection."""

from __future__ import annotations

import unittest

from cogen.web.chunked import ChunkDecoder


class TurnTest(unittest.TestCase):
    def test_a_body_of_tiny_chunks_is_read_in_turns(self) -> None:
        data = b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\nrest"
        decoder, content, turns = ChunkDecoder(), bytearray(), 0
        while not decoder.complete:
            data = data[decoder.feed(data, content.extend) :]
            turns += 1
        self.assertEqual((bytes(content), data), (b"x" * 10_000, b"rest"))
        self.assertGreater(turns, 4)
