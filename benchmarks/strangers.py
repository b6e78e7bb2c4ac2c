"""Strangers who bring no cookie back: python -m benchmarks.strangers [SECONDS]

300 of them poll the chat, with its default options, as fast as it answers: half from one address,
half each from one of its own; every other one without a cursor, so that each poll is a first one.
Meanwhile newcomers with cookies come in, from the strangers' address and from another one: how long
they need. Who is in the room all the time sees who is present. It is done `again`, and the memory
compared with what there was before and with what the first time left.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections import Counter
from typing import NamedTuple

import uvloop

from benchmarks.harness.chat import ChatServer
from benchmarks.procfs import memory_kib
from benchmarks.stranger import Stranger, TooMany, visit

__all__ = ["COUNT", "Measured", "measured"]

COUNT = 300
CROWD, OTHER = "127.0.0.9", "127.0.0.2"
# Leases end within it, and memory that a crowd has left is given back a minute after.
_SETTLES = 70.0
_VISITS = 1.0  # seconds between two of them
_NUMBERS = itertools.count()
_HONEST = "honest-"


class Measured(NamedTuple):
    """`present`: the nicks that were shown of others than those who have cookies; `took`: seconds
    that each newcomer needed, by address; `refused`: newcomers whose address had no share left;
    `told`: the statuses of the strangers' polls; `memory`: KiB before, at the worst, after."""

    present: set[str]
    took: dict[str, list[float]]
    refused: Counter[str]
    told: Counter[int]
    memory: tuple[int, int, int]


async def _stranger(port: int, number: int, told: Counter[int]) -> None:
    address = CROWD if number % 2 else f"127.1.{number // 200}.{number % 200 + 1}"
    path = f"/chat/pull/lobby?client=t{number}"
    cursor = ""
    async with Stranger(port, address) as stranger:
        while True:
            answer = await stranger.ask("GET", path + cursor)
            stranger.cookies.clear()
            told[answer.status] += 1
            if answer.status == 200 and number % 4 < 2:
                cursor = f"&since={answer.json['cursor']}"
            await asyncio.sleep(0.01 if answer.status == 200 else 1.0)


async def _newcomers(port: int, address: str, took: list[float], refused: Counter[str]) -> None:
    while True:
        name = f"{_HONEST}{next(_NUMBERS)}"
        try:
            took.append(await visit(port, address, name, nick=name))
        except TooMany:
            refused[address] += 1
        await asyncio.sleep(_VISITS)


async def _watch(port: int, pid: int, seen: set[str], memory: list[int]) -> None:
    """Who is here all the time, and sees who else is."""
    async with Stranger(port, OTHER) as witness:
        await witness.ask("POST", "/chat/nick", f"{_HONEST}witness".encode())
        while True:
            await witness.ask("GET", "/chat/pull/lobby?client=witness&hold=0")
            people = (await witness.ask("GET", "/chat/people/lobby")).json["people"]
            seen.update(people)
            memory.append(memory_kib([pid]))
            await asyncio.sleep(0.5)


async def _come(server: ChatServer, seconds: float, count: int) -> Measured:
    assert server.process is not None
    pid, port = server.process.pid, server.port
    before = memory_kib([pid])
    seen: set[str] = set()
    memory: list[int] = []
    took: dict[str, list[float]] = {OTHER: [], CROWD: []}
    refused: Counter[str] = Counter()
    told: Counter[int] = Counter()
    strangers = [asyncio.create_task(_stranger(port, each, told)) for each in range(count)]
    others = [asyncio.create_task(_newcomers(port, *each, refused)) for each in took.items()]
    others.append(asyncio.create_task(_watch(port, pid, seen, memory)))
    done, _ = await asyncio.wait([*strangers, *others], timeout=seconds)
    for task in [*strangers, *others]:
        task.cancel()
    await asyncio.gather(*strangers, *others, return_exceptions=True)
    for task in done:
        task.result()  # one that has failed says so
    await asyncio.sleep(_SETTLES)
    present = {nick for nick in seen if not nick.startswith(_HONEST)}
    return Measured(present, took, refused, told, (before, max(memory), memory_kib([pid])))


def measured(server: ChatServer, seconds: float, count: int = COUNT) -> Measured:
    """What so many strangers do to that server."""
    return uvloop.run(_come(server, seconds, count))


async def _once(port: int) -> None:
    """What is made for the first is not counted."""
    await visit(port, OTHER, "first", nick=f"{_HONEST}first")


def main(seconds: float) -> None:
    with ChatServer() as server:
        uvloop.run(_once(server.port))
        time.sleep(1)
        for name in ("once", "again"):
            found = measured(server, seconds)
            polls = sum(found.told.values())
            print(f"{name}: {polls} polls of {COUNT} strangers, {dict(found.told)}")
            print(f"  {len(found.present)} of them shown as present")
            for address, times in found.took.items():
                times.sort()
                middle, most = times[len(times) // 2], times[-1]
                line = (
                    f"{len(times)} newcomers in, {middle:.3f} s in the middle, {most:.3f} s at most"
                )
                print(f"  {address}: {line}, {found.refused[address]} refused")
            before, worst, after = (kib / 1024 for kib in found.memory)
            change = f"{after / before - 1:+.1%} after"
            print(f"  memory {before:.1f} MiB, {worst:.1f} at the worst, {change}", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
