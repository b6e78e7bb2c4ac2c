"""What crowds leave in the memory of the chat: python -m benchmarks.crowds [CLIENTS [CROWDS]]

Each client has a session and a poll of twenty new rooms; all go, and come no more. Memory is looked
at when the server has forgotten them and given back what it can. PYTHONMALLOC=malloc shows how much
of it is CPython's arenas, which a few objects keep.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator

from benchmarks.harness.chat import ChatServer
from benchmarks.procfs import memory_kib
from benchmarks.servers import raise_open_files
from benchmarks.stranger import Stranger

__all__ = ["left"]

ROOMS = 20
_ADDRESSES = 4
_AT_ONCE = 20
# A client is gone after a lease, and what it had is given back up to a minute later.
PAUSE_SECONDS = 100.0


async def _crowd(port: int, count: int, name: str) -> None:
    """`count` clients, that have all polled, and go."""
    held: list[Stranger] = []
    for first in range(0, count, _AT_ONCE):
        some = range(first, min(first + _AT_ONCE, count))
        held += await asyncio.gather(*(_client(port, f"{name}{each}", each) for each in some))
    for each in held:
        await each.__aexit__()


async def _client(port: int, name: str, number: int) -> Stranger:
    client = await Stranger(port, f"127.0.0.{2 + number % _ADDRESSES}").__aenter__()
    rooms = ",".join(f"{name}x{each}" for each in range(ROOMS))
    for path in ("/chat/nick", f"/chat/pull/{rooms}?client={name}"):
        answer = await client.ask("GET", path)
        assert answer.status == 200, answer
    return client


def left(count: int, crowds: int, pause: float = PAUSE_SECONDS) -> Iterator[int]:
    """KiB that the server has more than at first, after each of `crowds` crowds of `count`."""
    with ChatServer() as server:
        assert server.process is not None
        pids = [server.process.pid]
        asyncio.run(_crowd(server.port, 1, "first"))
        before = memory_kib(pids)
        for number in range(crowds):
            asyncio.run(_crowd(server.port, count, f"c{number}x"))
            time.sleep(pause)
            yield memory_kib(pids) - before


def main(count: int, crowds: int) -> None:
    raise_open_files()
    for number, kib in enumerate(left(count, crowds), 1):
        print(f"{number} x {count} clients left {kib / 1024:.1f} MiB", flush=True)


if __name__ == "__main__":
    given = dict(enumerate(map(int, sys.argv[1:])))
    main(given.get(0, 1200), given.get(1, 3))
