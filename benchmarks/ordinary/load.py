"""Asks a server for one kind of work: wrk where it is installed, else clients of our own.

wrk is faster than any of the servers, but leaves when its time is over, whatever is under way. Our
own clients ask a number of times: for what is large or many at once, and for instructions.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.answers import Answers
from benchmarks.ordinary.works import Work

__all__ = ["Load", "asked", "generator", "load"]

# The least that wrk can; beyond it each request may take so long, on a server that others wait for.
TURN_SECONDS = 1
_PATIENCE = 30
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_SETTLE_SECONDS = 0.05  # until connections are accepted
Ready = Callable[[], None]
_SCRIPT = """\
wrk.method = {method}
wrk.headers["Content-Type"] = {kind}
local file = io.open({body}, "rb")
wrk.body = file:read("*a")
"""
_TOLD = """\
done = function(summary)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format('TOLD {"answered": %d, "seconds": %f, "failed": %d}\\n',
    summary.requests - e.status, summary.duration / 1e6, failed))
end
"""


@dataclasses.dataclass
class Load:
    answered: int
    seconds: float
    failed: int


def generator() -> str:
    """Which one there is."""
    return "wrk" if shutil.which("wrk") else "asyncio"


def load(port: int, work: Work, ready: Ready) -> Load:
    """A turn; `ready()` is called at its start. Raises RuntimeError, OSError: no answer."""
    if work.count:
        return asked(port, work, work.count, ready=ready)
    if generator() == "wrk":
        ready()
        return _by_wrk(port, work, TURN_SECONDS)
    return asked(port, work, seconds=TURN_SECONDS, ready=ready)


def _by_wrk(port: int, work: Work, seconds: int) -> Load:
    headers = [f"--header={name}: {value}" for name, value in work.headers.items()]
    with _script(work) as script:
        done = subprocess.run(
            ["wrk", "--threads", "1", "--connections", str(work.connections),
             "--duration", f"{seconds}s", "--timeout", f"{_PATIENCE}s", "--script", script,
             *headers, f"http://127.0.0.1:{port}{work.path}"],
            capture_output=True, text=True, timeout=seconds + 2 * _PATIENCE, check=False,
        )  # fmt: skip
    _, told, line = done.stdout.partition("TOLD ")
    if not told:
        raise RuntimeError(f"wrk: {done.stderr or done.stdout}")
    return Load(**json.loads(line))


@contextlib.contextmanager
def _script(work: Work) -> Iterator[str]:
    """The path of what tells wrk what to send and how to tell what came."""
    with tempfile.TemporaryDirectory() as folder:
        script, body = Path(folder, "script.lua"), Path(folder, "body")
        text = _TOLD
        if work.body is not None:
            body.write_bytes(work.body)
            quoted = {"method": work.method, "kind": work.kind, "body": str(body)}
            text += _SCRIPT.format(**{name: json.dumps(word) for name, word in quoted.items()})
        script.write_text(text)
        yield str(script)


def asked(
    port: int, work: Work, count: int = 0, seconds: float = 0, ready: Ready = lambda: None
) -> Load:
    """So many requests, or as many as are answered in so many seconds; connections that are kept
    are made before `ready()`.
    """
    return uvloop.run(_asked(port, work, count, seconds, ready))


async def _asked(port: int, work: Work, count: int, seconds: float, ready: Ready) -> Load:
    crowd = _Crowd(work, count)
    loop = asyncio.get_running_loop()
    clients = min(work.connections, count or work.connections)

    async def connected() -> _Client:
        _, client = await loop.create_connection(lambda: _Client(crowd), "127.0.0.1", port)
        return client

    async def asks(client: _Client | None) -> None:
        while crowd.take():
            client = client or await connected()
            try:
                client.ask()
                await asyncio.wait_for(client.ended, _PATIENCE + seconds)
            finally:
                client.close()
            client = None

    first = [None if work.close else await connected() for _ in range(clients)]
    await asyncio.sleep(_SETTLE_SECONDS)
    ready()
    begun = time.monotonic()
    crowd.end = begun + seconds
    ends = await asyncio.gather(*map(asks, first), return_exceptions=True)
    crowd.failed += sum(isinstance(end, BaseException) for end in ends)
    return Load(crowd.answered, time.monotonic() - begun, crowd.failed)


class _Crowd:
    """What is asked, and how much of it: `count` requests, or 0 and until the time `end`."""

    def __init__(self, work: Work, count: int) -> None:
        lines = [f"{work.method} {work.path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in work.headers.items()]
        if work.body is not None:
            lines.append(f"Content-Length: {len(work.body)}")
        self.request = "\r\n".join([*lines, "", ""]).encode() + (work.body or b"")
        self.close = work.close
        self.answered = self.failed = 0
        self.end = 0.0
        self._count = self._left = count

    def take(self) -> bool:
        """Whether one more is to be asked."""
        if not self._count:
            return time.monotonic() < self.end
        self._left -= 1
        return self._left >= 0


class _Client(asyncio.Protocol):
    """One connection: `ended` is done when nothing more is to be asked on it."""

    def __init__(self, crowd: _Crowd) -> None:
        self._crowd = crowd
        self.ended = asyncio.get_running_loop().create_future()
        self._answers = Answers()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def ask(self) -> None:
        self._transport.write(self._crowd.request)

    def close(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        answer = self._answers.feed(data)
        if answer is None:
            return
        if answer[0] == 200:
            self._crowd.answered += 1
        else:
            self._crowd.failed += 1
        if self._crowd.close or _CLOSES.search(answer[1]) or not self._crowd.take():
            self._end()
        else:
            self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self._crowd.failed += 1
        self._end()

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
