"""An attack from one address, and how others fare meanwhile: python -m benchmarks.attack [SECONDS]

Against the chat with its default options, over TLS: connections that say nothing, handshakes, new
sessions, client places, rooms and pushes, all at once. One attacker takes all it can get; another,
at 127.0.0.1, asks for a sixth of that, as an office might: each request makes a session, so that is
half of what an address may have of them. Newcomers come in from an address of their own, and from
that office: each gets the page, gets in, opens a room, speaks and reads it. The attackers ask
160 times a second together: who asks much more often has all of the processor of one process.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from benchmarks.harness.certificates import certificate_files
from benchmarks.harness.chat import ChatServer
from benchmarks.servers import ROOT, raise_open_files
from benchmarks.stranger import Stranger, visit

__all__ = ["OFFICE", "OTHER", "Attack", "attacked"]

ATTACKER, OFFICE, OTHER = "127.0.0.9", "127.0.0.1", "127.0.0.2"
_NUMBERS = itertools.count()


class Attack:
    """From `address`, on the part `share` of what it may have; `told` counts what was answered."""

    def __init__(self, port: int, address: str, share: float, tls: bool) -> None:
        self._port, self._address, self._tls = port, address, tls
        self._share = share
        self.told: Counter[str] = Counter()
        self._held: list[Stranger] = []

    async def run(self, seconds: float) -> None:
        part = self._share
        works: list[tuple[Callable[[], Awaitable[None]], float, int]] = [
            (self._idle, 40 * part, int(2400 * part)),
            (self._session, 40 * part, int(2400 * part)),
            (self._place, 20 * part, int(1200 * part)),
            (self._room, 10 * part, int(600 * part)),
            (self._push, 30 * part, int(1800 * part)),
        ]
        tasks = [asyncio.create_task(self._repeat(*work)) for work in works]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for stranger in self._held:
            await stranger.__aexit__()

    async def _repeat(self, act: Callable[[], Awaitable[None]], rate: float, count: int) -> None:
        """So many times a second, whatever comes of it; at most `count` times."""
        running: set[asyncio.Task[None]] = set()
        try:
            for _ in range(count):
                task = asyncio.ensure_future(self._tried(act))
                running.add(task)
                task.add_done_callback(running.discard)
                await asyncio.sleep(1 / rate)
        finally:
            for task in running:
                task.cancel()

    async def _tried(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except (OSError, EOFError) as error:
            self.told[f"{act.__name__[1:]} {type(error).__name__}"] += 1

    async def _idle(self) -> None:
        """A connection that says nothing: over TLS it is a handshake that stalls."""
        stranger = await Stranger(self._port, self._address).__aenter__()
        self._held.append(stranger)
        self.told["idle"] += 1

    async def _asked(self, what: str, method: str, path: str, body: bytes = b"") -> None:
        async with Stranger(self._port, self._address, self._tls) as stranger:
            answer = await stranger.ask(method, path, body)
            self.told[f"{what} {answer.status}"] += 1

    async def _session(self) -> None:
        await self._asked("session", "GET", "/chat/nick")

    async def _room(self) -> None:
        room = f"{self._address}-{next(_NUMBERS)}".replace(".", "-")
        await self._asked("room", "POST", f"/chat/push/{room}", b"mine")

    async def _push(self) -> None:
        await self._asked("push", "POST", "/chat/push", b"x" * 4000)

    async def _place(self) -> None:
        """Held for good, with twenty rooms of its own."""
        stranger = await Stranger(self._port, self._address, self._tls).__aenter__()
        self._held.append(stranger)
        number = next(_NUMBERS)
        rooms = ",".join(f"r{number}x{each}" for each in range(20))
        while True:
            answer = await stranger.ask("GET", f"/chat/pull/{rooms}?client=t{number}")
            self.told[f"place {answer.status}"] += 1
            if answer.status != 200:
                return


def _attack(port: int, seconds: float, tls: bool) -> None:
    """Both attackers, in a process of their own: prints what they were told."""
    raise_open_files()
    attacks = [Attack(port, ATTACKER, 1.0, tls), Attack(port, OFFICE, 1 / 6, tls)]

    async def run() -> None:
        await asyncio.gather(*(attack.run(seconds) for attack in attacks))

    asyncio.run(run())
    print(json.dumps([attack.told for attack in attacks]))


async def _visits(port: int, address: str, seconds: float, tls: bool, took: list[float]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        room = f"honest-{address}-{next(_NUMBERS)}".replace(".", "-")
        took.append(await visit(port, address, room, tls))
        await asyncio.sleep(1.0)


def attacked(seconds: float, tls: bool = True) -> tuple[dict[str, list[float]], list[dict]]:
    """How long newcomers needed, by address, and what the attackers were told."""
    with tempfile.TemporaryDirectory() as folder:
        options: dict[str, object] = {}
        if tls:
            options["certificate"], options["key"] = certificate_files(folder)
        with ChatServer(server=options) as server:
            words = [str(server.port), str(seconds), "tls" if tls else "plain"]
            attackers = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "benchmarks.attack", *words],
                cwd=ROOT,
                stdout=subprocess.PIPE,
            )
            took: dict[str, list[float]] = {OTHER: [], OFFICE: []}

            async def visits() -> None:
                await asyncio.gather(
                    *(_visits(server.port, each, seconds, tls, took[each]) for each in took)
                )

            try:
                asyncio.run(visits())
                told = json.loads(attackers.communicate(timeout=30)[0])
            finally:
                attackers.kill()
                attackers.wait()
                attackers.stdout.close()
    return took, told


def main(seconds: float) -> None:
    took, told = attacked(seconds)
    for address, times in took.items():
        times.sort()
        print(
            f"{address}: {len(times)} newcomers, {times[len(times) // 2]:.3f} s in the middle, "
            f"{times[-1]:.3f} s at the worst"
        )
    for address, counts in zip((ATTACKER, OFFICE), told, strict=True):
        print(f"{address} took: {', '.join(f'{n} {what}' for what, n in sorted(counts.items()))}")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        _attack(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "tls")
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
