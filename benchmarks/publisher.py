"""The one who speaks, on a connection that is kept."""

import asyncio
import time

from benchmarks.answers import Answers, cookies
from benchmarks.wire import Wire

__all__ = ["Publisher"]

_PADDING = b"x" * 60


class Publisher:
    """`push` numbers what it sends from 1, as the server does; `seq` is the last."""

    def __init__(self, port: int, wire: Wire) -> None:
        self.seq = 0
        self._port = port
        self._wire = wire
        self._cookie = b""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def push(self) -> int:
        """Say something, with the time in it; returns its seq. Raises ValueError, OSError."""
        text = b"sent %d as %d %b" % (time.monotonic_ns(), self.seq + 1, _PADDING)
        status, head, body = await self._ask(self._wire.push(text, self._cookie))
        if not 200 <= status < 300:
            raise ValueError(f"push: {status}: {body[:200]!r}")
        self._cookie = self._cookie or cookies(head)
        self.seq += 1
        return self.seq

    async def get(self, path: str) -> None:
        """Something else than a poll. Raises ValueError, OSError."""
        request = b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\n%b\r\n" % (path.encode(), self._cookie)
        status, _, body = await self._ask(request)
        if status != 200:
            raise ValueError(f"GET {path}: {status}: {body[:200]!r}")

    async def _ask(self, request: bytes) -> tuple[int, bytes, bytes]:
        if self._streams is None or self._streams[0].at_eof():
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        answers = Answers()
        while data := await reader.read(65536):
            answer = answers.feed(data)
            if answer is not None:
                return answer
        raise ConnectionError("the server hung up on the publisher")

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
