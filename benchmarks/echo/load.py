"""Clients of echo servers: many that are silent, and some that ask again as soon as they may."""

from __future__ import annotations

import contextlib
import dataclasses
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from benchmarks.echo.hold import LINE, answer, connected
from benchmarks.servers import ROOT, Server

__all__ = ["Echoed", "idle", "in_turns"]

Say = Callable[[str], None]
_SETTLE_SECONDS = 0.5


@dataclasses.dataclass
class Echoed:
    """`idle_kib`: memory of each silent connection; `cpu_us`: of the server, and `rate`, of round
    trips, a pair for each turn."""

    target: str
    idle_kib: float
    turns: list[tuple[float, float]] = dataclasses.field(default_factory=list)


@contextlib.contextmanager
def idle(server: Server, count: int) -> Iterator[float]:
    """Hold `count` silent connections: the memory of each, in KiB."""
    with contextlib.ExitStack() as stack:
        for _ in range(64):  # what the first ones take stays
            stack.enter_context(connected(server.port))
        before = server.memory_kib()
        holder = stack.enter_context(_holder(server.port, count))
        assert holder.stdin is not None and holder.stdout is not None
        stack.callback(holder.stdin.close)
        if holder.stdout.readline() != b"held\n":
            raise RuntimeError(f"{server.target.name} does not hold {count} connections")
        time.sleep(_SETTLE_SECONDS)
        yield (server.memory_kib() - before) / count


def _holder(port: int, count: int) -> subprocess.Popen[bytes]:
    words = ["-m", "benchmarks.echo.hold", str(port), str(count)]
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, *words], cwd=ROOT, stdin=pipe, stdout=pipe)


def in_turns(
    servers: Sequence[Server], silent: int, clients: int, rounds: int, seconds: float, say: Say
) -> Iterator[Echoed]:
    """All servers hold `silent` connections, and are asked in turn, forth and back."""
    with contextlib.ExitStack() as stack:
        found = {}
        for server in servers:
            say(f"{server.target.name}: {silent} silent connections")
            held = stack.enter_context(idle(server, silent))
            found[server] = Echoed(server.target.name, held)
        going = list(servers)
        for number in range(rounds + 1):
            for server in going:
                say(f"{server.target.name}: turn {number} of {rounds}")
                turn = _turn(server, clients, seconds)
                if number:  # the first one warms up
                    found[server].turns.append(turn)
            going.reverse()
        yield from found.values()


def _turn(server: Server, clients: int, seconds: float) -> tuple[float, float]:
    """Microseconds of the server's processor for each round trip, and round trips a second."""
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for _ in range(clients):
            client = stack.enter_context(connected(server.port))
            selector.register(client, selectors.EVENT_READ)
        used = server.cpu_nanoseconds()
        began = time.perf_counter()
        for key in selector.get_map().values():
            key.fileobj.sendall(LINE)  # type: ignore[union-attr]
        done = 0
        while time.perf_counter() - began < seconds:
            for key, _ in selector.select():
                client = key.fileobj  # type: ignore[assignment]
                answer(client)
                client.sendall(LINE)
                done += 1
        took = time.perf_counter() - began
        for key in selector.get_map().values():  # else the server would see a reset
            answer(key.fileobj)  # type: ignore[arg-type]
        used = server.cpu_nanoseconds() - used
    return used / 1e3 / done, done / took
