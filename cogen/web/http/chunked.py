"""Chunked request bodies (RFC 9112 section 7.1), without I/O.

Strict where senders and proxies could disagree: sizes are hexadecimal digits alone, every line ends
in CRLF, extensions and trailers follow their grammar. Both are read and dropped.
"""

import re
from collections.abc import Callable
from typing import Final

from cogen.web.http.errors import HTTPError
from cogen.web.http.tokens import TOKEN

__all__ = ["ChunkDecoder"]

_TOKEN = TOKEN.encode()
_QUOTED = rb"\"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*\""
# Whitespace around the parts of an extension is bad, but to be taken.
_SIZE_LINE = re.compile(
    rb"(?=[0-9a-fA-F])0*([0-9a-fA-F]{0,16})(?:[ \t]*;[ \t]*%s(?:[ \t]*=[ \t]*(?:%s|%s))?)*\r\n"
    % (_TOKEN, _TOKEN, _QUOTED)
)
_TRAILER = re.compile(rb"%s:[\t\x20-\x7e\x80-\xff]*\r\n" % _TOKEN)
# Bytes that are not content: sizes, extensions, trailers.
_OVERHEAD: Final = 16_384
_OVERHEAD_RATIO: Final = 16
# The longest line of a size and its extensions, or trailer (RFC 9112 section 7.1.1).
_LINE: Final = 8192
# Lines that are read in one go: a body of tiny chunks does not keep the server from others.
_LINES_AT_ONCE: Final = 2000


# The usual line of a chunk.
_PLAIN_LINE = re.compile(rb"([1-9a-fA-F][0-9a-fA-F]{0,7})\r\n")


def _whole(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the content of the chunk at `at` starts and ends, if it is plain and all there."""
    match = _PLAIN_LINE.match(data, at)
    if match is None:
        return None
    start = match.end()
    end = start + int(match[1], 16)
    return (start, end) if data.startswith(b"\r\n", end) else None


class ChunkDecoder:
    """Takes the framing off one body. `announced` counts bytes of content, of begun chunks all."""

    __slots__ = ("_in_trailers", "_left", "_line", "_overhead", "announced", "complete")

    def __init__(self) -> None:
        self._left = 0  # bytes of the chunk and its CRLF still to come
        self._line = b""
        self._in_trailers = False
        self._overhead = 0
        self.announced = 0
        self.complete = False

    def feed(self, data: bytes, take: Callable[[bytes], None]) -> int:
        """Hand the content in `data` to `take`; how many bytes were read.

        What is left belongs to what follows if the body is `complete`, else it is to be fed again
        when others have had their turn. Raises HTTPError 400.
        """
        at, size = 0, len(data)
        lines = _LINES_AT_ONCE
        while at < size and lines and not self.complete:
            whole = None if self._left or self._line or self._in_trailers else _whole(data, at)
            if whole is not None:
                start, end = whole
                take(data[start:end])
                self.announced += end - start
                self._overhead += start - at
                at = end + 2
                lines -= 1
                continue
            if self._left > 2:
                piece = data[at : at + self._left - 2]
                take(piece)
                at += len(piece)
                self._left -= len(piece)
            elif self._left:
                if data[at] != (13 if self._left == 2 else 10):
                    raise HTTPError(400, "A chunk is longer or shorter than its size says.")
                at += 1
                self._left -= 1
            else:
                at = self._read_line(data, at)
                lines -= 1
        return at

    def _read_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at) + 1
        part = data[at:end] if end else data[at:]
        if len(self._line) + len(part) > _LINE:
            raise HTTPError(400, f"A line of the chunked body is longer than {_LINE} bytes.")
        self._overhead += len(part)
        if self._overhead > _OVERHEAD + _OVERHEAD_RATIO * self.announced:
            raise HTTPError(400, "The chunks of the body are more framing than content.")
        self._line += part
        if not end:
            return len(data)
        line, self._line = self._line, b""
        if self._in_trailers:
            self._end_trailer(line)
        else:
            self._begin_chunk(line)
        return end

    def _begin_chunk(self, line: bytes) -> None:
        match = _SIZE_LINE.fullmatch(line)
        if match is None:
            raise HTTPError(400, "A chunk size is malformed.")
        size = int(match[1] or b"0", 16)
        self.announced += size
        if size:
            self._left = size + 2
        else:
            self._in_trailers = True

    def _end_trailer(self, line: bytes) -> None:
        if line == b"\r\n":
            self.complete = True
        elif not _TRAILER.fullmatch(line):
            raise HTTPError(400, "A trailer is malformed.")
