"""HTTP answers in a stream of bytes: only what the servers of this benchmark send."""

import re

__all__ = ["Answers", "cookies"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_COOKIE = re.compile(rb"\r\nset-cookie: *([^;\r]+)", re.IGNORECASE)


class Answers:
    """`feed` gives back (status, head, body) once an answer is complete; one at a time."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> tuple[int, bytes, bytes] | None:
        """Raises ValueError: an answer of unknown length, or more than was asked for."""
        if self._buffer:
            data = self._buffer + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._buffer = data
            return None
        head = data[:end]
        length = _LENGTH.search(head)
        if length is None:
            return self._chunked(head, data, end + 4)
        whole = end + 4 + int(length[1])
        if len(data) < whole:
            self._buffer = data
            return None
        if len(data) > whole:
            raise ValueError(f"more than one answer: {data!r}")
        self._buffer = b""
        return int(head[9:12]), head, data[end + 4 :]

    def _chunked(self, head: bytes, data: bytes, start: int) -> tuple[int, bytes, bytes] | None:
        if _CHUNKED.search(head) is None:
            raise ValueError(f"neither Content-Length nor chunks in {head!r}")
        body = b""
        while (line := data.find(b"\r\n", start)) >= 0:
            size = int(data[start:line], 16)
            start = line + 2 + size + 2
            if len(data) < start:
                break
            if not size:
                self._buffer = b""
                return int(head[9:12]), head, body
            body += data[line + 2 : line + 2 + size]
        self._buffer = data
        return None


def cookies(head: bytes) -> bytes:
    """The Cookie line that a client of that answer sends from now on, or nothing."""
    pairs = _COOKIE.findall(head)
    return b"Cookie: %b\r\n" % b"; ".join(pairs) if pairs else b""
