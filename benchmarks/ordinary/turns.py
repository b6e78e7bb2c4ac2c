"""Each kind of work for all servers, in turns of a second.

What slows the machine for a while slows all of them, so a ratio of two does not hang on the minute.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence

from benchmarks.ordinary.load import Load, load
from benchmarks.ordinary.works import Work, check
from benchmarks.servers import Server

__all__ = ["Turn", "in_turns"]

_SETTLE_SECONDS = 0.05  # what was under way when the clients left is done
Say = Callable[[str], None]
Ask = Callable[[int, Work, Callable[[], None]], Load]


@dataclasses.dataclass
class Turn:
    """`cpu_us`: of the server, for each request; `rate`: answers a second."""

    target: str
    work: str
    cpu_us: float | None = None
    rate: float | None = None
    failed: int = 0
    error: str = ""


def in_turns(
    servers: Sequence[Server], works: Sequence[Work], rounds: int, say: Say, ask: Ask = load
) -> Iterator[Turn]:
    """`rounds` of each server for each kind of work, after one that warms up and does not count.

    Forth and back, so that what grows slower in time weighs on all alike. A server that does not do
    the work has one turn, with its error.
    """
    for work in works:
        going = list(servers)
        for number in range(rounds + 1):
            for server in tuple(going):
                say(f"{work.title}, round {number} of {rounds}: {server.target.name}")
                turn = _turn(server, work, ask, first=not number)
                if turn.error:
                    going.remove(server)
                if number or turn.error:
                    yield turn
            going.reverse()


def _turn(server: Server, work: Work, ask: Ask, first: bool) -> Turn:
    turn = Turn(server.target.name, work.name)
    try:
        if first:
            check(server.port, work)
        clock: list[int] = []
        done = ask(server.port, work, lambda: clock.append(server.cpu_nanoseconds()))
        time.sleep(_SETTLE_SECONDS)
        used = server.cpu_nanoseconds() - clock[0]
    except (OSError, RuntimeError) as error:
        turn.error = f"{type(error).__name__}: {error}"
        return turn
    turn.failed = done.failed
    turn.rate = done.answered / done.seconds
    turn.cpu_us = used / 1e3 / done.answered if done.answered else None
    return turn
