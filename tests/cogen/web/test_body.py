"""What has arrived of a body, without a connection."""

from __future__ import annotations

import unittest

from cogen.web.body import Body, NoSource


class Counted(bytearray):
    """Counts the bytes that are searched."""

    searched = 0

    def find(self, sub: bytes, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
        at = super().find(sub, start, len(self) if end is None else end)
        self.searched += (at if at >= 0 else min(len(self), end or len(self))) - start
        return at


class LineTest(unittest.TestCase):
    def test_a_line_that_comes_in_pieces_is_searched_once(self) -> None:
        body = Body(NoSource())
        body._data = data = Counted()
        for _ in range(1000):
            body.feed(b"x" * 100)
            self.assertEqual(body.line_end(1 << 30), 0)
        body.feed(b"\nrest")
        self.assertEqual(body.line_end(1 << 30), 100_001)
        self.assertLess(data.searched, 200_000)

    def test_what_was_searched_is_forgotten_with_what_is_taken(self) -> None:
        body = Body(NoSource())
        body.feed(b"abc")
        self.assertEqual(body.line_end(100), 0)
        self.assertEqual(body.some(2), b"ab")
        body.feed(b"\n")
        self.assertEqual(body.line_end(100), 2)
        body.all()
        body.feed(b"\n")
        self.assertEqual(body.line_end(100), 1)

    def test_a_limit_that_is_reached_ends_a_line(self) -> None:
        body = Body(NoSource())
        body.feed(b"abcdef\n")
        self.assertEqual(body.line_end(3), 3)
        self.assertEqual(body.line_end(100), 7)
