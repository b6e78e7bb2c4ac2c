"""What one address can take of the chat, measured: python -m benchmarks.budget [--keep]

Against `paster serve` with default options, from 127.0.0.1: what each thing costs the server, how
much of it one address gets, and after how long it is given back. --keep puts the table into
docs/limits.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable

from benchmarks import procfs
from benchmarks.harness.certificates import certificate_files
from benchmarks.harness.chat import ChatServer
from benchmarks.keep import DOCS, between
from benchmarks.servers import raise_open_files
from benchmarks.stranger import Stranger
from chatapp.options import ChatOptions
from cogen.web.options import Options

__all__ = ["Budget", "Row", "measured", "table"]

MEBIBYTE = 1 << 20
_PAGES = ("count", "size")
Row = tuple[str, str, str, str]
_HEAD: Row = ("what", "one address gets", "each costs", "given back")


class Budget:
    """Takes things of `server` and says what they cost; `most`: of each, for a short run."""

    def __init__(self, server: ChatServer, tls: bool, most: int) -> None:
        assert server.process is not None
        self._server = server
        self._pid = server.process.pid
        self._tls = tls
        self._most = most
        self._options = ChatOptions()

    def _memory(self) -> float:
        return procfs.memory_kib([self._pid])

    def _cpu(self) -> float:
        return procfs.cpu_seconds([self._pid])

    async def _held(self, count: int, act: Callable[[], Awaitable[Stranger]]) -> tuple[str, float]:
        """What each of `count` that are held costs, and seconds until the server ends the first."""
        before, held = self._memory(), []
        began = time.monotonic()
        for _ in range(count):
            held.append(await act())
        await asyncio.sleep(0.5)
        cost = (self._memory() - before) / count
        await asyncio.wait_for(held[0].ended(), 30)
        seconds = time.monotonic() - began
        for each in held:
            await each.__aexit__()
        return f"{max(0.0, cost):.1f} KiB", seconds

    async def _connection(self) -> Stranger:
        """One that says nothing; over TLS, a handshake that stalls."""
        return await Stranger(self._server.port).__aenter__()

    async def connections(self) -> Row:
        what = "TLS handshakes that stall" if self._tls else "connections that say nothing"
        cost, seconds = await self._held(self._most, self._connection)
        most = f"{Options().max_connections:,} of all"
        return what, most, cost, f"after {seconds:.0f} s"

    async def _until_refused(
        self, what: str, count: int, act: Callable[[int], Awaitable[int]]
    ) -> tuple[int, float, float]:
        """How many were answered with 200 of `count`, and what memory and CPU each took."""
        memory, cpu, taken = self._memory(), self._cpu(), 0
        for number in range(count):
            status = await act(number)
            assert status in (200, 429), (what, status)
            if status == 429:
                break
            taken += 1
        used = self._cpu() - cpu
        return taken, (self._memory() - memory) / taken, 1000 * used / taken

    async def sessions(self) -> Row:
        async with Stranger(self._server.port, tls=self._tls) as stranger:

            async def session(number: int) -> int:
                stranger.cookies.clear()
                return (await stranger.ask("GET", "/chat/nick")).status

            count = min(self._most, self._options.address_sessions + 1)
            taken, memory, cpu = await self._until_refused("session", count, session)
        most = f"{self._options.address_sessions:,}, then as many an hour"
        cost = f"{memory:.1f} KiB, {cpu:.1f} ms"
        return "new sessions", self._got(taken, most), cost, "20 s later"

    async def rooms(self) -> Row:
        before = self._disk()

        async def room(number: int) -> int:
            async with Stranger(self._server.port, tls=self._tls) as stranger:
                while True:
                    await stranger.ask("GET", "/")
                    answer = await stranger.ask("POST", f"/chat/push/budget-{number}", b"mine")
                    if answer.status == 200 or b"rooms" in answer.body:
                        return answer.status
                    # It may not say so much at once.
                    await asyncio.sleep(0.2)

        count = min(self._most, self._options.address_rooms + 1)
        taken, memory, cpu = await self._until_refused("room", count, room)
        disk = (self._disk() - before) / taken / 1024
        most = f"{self._options.address_rooms:,}, then as many an hour"
        cost = f"{max(0.0, memory):.1f} KiB, {disk:.1f} KiB of disk, {cpu:.1f} ms"
        return "new rooms", self._got(taken, most), cost, "when 10,000 are younger"

    async def places(self) -> Row:
        """Held polls of a hundred rooms, of clients with a cookie."""
        memory, cpu, held, status = self._memory(), self._cpu(), [], 200
        most = self._options.address_clients
        while status == 200 and len(held) <= min(self._most, most):
            stranger = await Stranger(self._server.port, tls=self._tls).__aenter__()
            await stranger.ask("GET", "/")
            rooms = ",".join(f"p{len(held)}x{number}" for number in range(100))
            answer = await stranger.ask("GET", f"/chat/pull/{rooms}?client=tab&hold=0")
            status = answer.status
            if status == 200:
                stranger.send("GET", f"/chat/pull/{rooms}?client=tab")
            held.append(stranger)
        await asyncio.sleep(0.5)
        each, used = (self._memory() - memory) / len(held), 1000 * (self._cpu() - cpu) / len(held)
        for stranger in held:
            await stranger.__aexit__()
        got = self._got(len(held) - (status != 200), f"{most:,} at once")
        cost = f"{each:.0f} KiB, {used:.1f} ms"
        return "client places, each in 100 rooms", got, cost, "20 s later"

    async def pushes(self, seconds: float) -> Row:
        """The longest messages there are, by sessions of its own, for some seconds."""
        before, cpu, taken = self._disk(), self._cpu(), 0
        text = "\U0001f600" * self._options.max_message
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            async with Stranger(self._server.port, tls=self._tls) as stranger:
                await stranger.ask("GET", "/")
                for _ in range(10):
                    answer = await stranger.ask("POST", "/chat/push", text.encode())
                    taken += answer.status == 200
                    await asyncio.sleep(0.02)
        disk, used = (self._disk() - before) / taken / 1024, 1000 * (self._cpu() - cpu) / taken
        rate, most = self._options.address_push_rate, self._options.address_bytes // MEBIBYTE
        day = f"{rate:.0f} a second, {most} MiB, then as much a day"
        cost = f"{disk:.1f} KiB of disk, {used:.1f} ms"
        return "messages of the most bytes", day, cost, "behind 10,000 newer in the room"

    async def requests(self) -> Row:
        """The shortest request, as many as fit into one write, again and again."""
        async with Stranger(self._server.port, tls=self._tls) as stranger:
            cpu, block, count = self._cpu(), b"GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 0
            for _ in range(max(2, self._most // 100)):
                stranger.write(50 * block)
                for _ in range(50):
                    await stranger.answer()
                count += 50
        used = self._cpu() - cpu
        each = f"{1000 * used / count:.2f} ms, {1e6 * used / count / len(block):.1f} us a byte"
        return "requests", "what the processor does", each, "at once"

    async def handshakes(self) -> Row:
        cpu, count = self._cpu(), max(5, self._most // 10)
        for _ in range(count):
            async with Stranger(self._server.port, tls=True):
                pass
        each = f"{1000 * (self._cpu() - cpu) / count:.1f} ms"
        return "TLS handshakes", "what the processor does", each, "at once"

    def _got(self, taken: int, most: str) -> str:
        return f"{most} ({taken:,} measured)"

    def _disk(self) -> int:
        """Bytes of the log, whatever of it is still in its write-ahead log."""
        path = f"file:{self._server.folder}/chat.db?mode=ro"
        with contextlib.closing(sqlite3.connect(path, uri=True)) as log:
            [(count,)], [(size,)] = (log.execute(f"pragma page_{each}") for each in _PAGES)
        return int(count * size)


def measured(most: int = 3000, seconds: float = 5.0) -> list[Row]:
    """The rows of the table."""
    raise_open_files()
    rows: list[Row] = []
    with ChatServer() as server:
        budget = Budget(server, False, most)

        async def run() -> None:
            await Stranger.once(server.port)
            rows.append(await budget.requests())
            rows.append(await budget.connections())
            rows.append(await budget.pushes(seconds))
            rows.append(await budget.rooms())
            rows.append(await budget.places())
            rows.append(await budget.sessions())

        asyncio.run(run())
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = certificate_files(folder)
        with ChatServer(server={"certificate": certificate, "key": key}) as server:
            budget = Budget(server, True, min(most, 500))

            async def run_tls() -> None:
                await Stranger.once(server.port, tls=True)
                rows.append(await budget.handshakes())
                rows.append(await budget.connections())

            asyncio.run(run_tls())
    return rows


def table(rows: list[Row]) -> str:
    head, *lines = (f"| {' | '.join(row)} |\n" for row in (_HEAD, *rows))
    return "".join((head, "|---|---|---|---|\n", *lines))


def main(arguments: list[str]) -> None:
    text = table(measured())
    print(text)
    if "--keep" in arguments:
        page = DOCS / "limits.md"
        page.write_text(between(page.read_text(), "budget", f"\n{text}\n"))


if __name__ == "__main__":
    main(sys.argv[1:])
