"""The processes of clients, as one crowd."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from benchmarks.servers import ROOT, confined

__all__ = ["Generator", "split"]

CLIENTS_PER_PROCESS = 12_500
CLIENTS_PER_ADDRESS = 20_000  # the kernel has 28,000 ports for each, as a rule
REPORT_SECONDS = 20
_LINE_LIMIT = 1 << 26


def split(clients: int, most: int) -> list[int]:
    """`clients` in parts of at most `most`, as equal as they can be."""
    parts = -(-clients // most)
    return [clients // parts + (number < clients % parts) for number in range(parts)]


class Generator:
    """An async context manager; `port`, `wire`: of the server. `where`: the cores it may use."""

    def __init__(self, port: int, wire: str, clients: int, where: set[int]) -> None:
        self.clients = clients
        self._port = port
        self._wire = wire
        self._where = where
        self._parts = split(clients, CLIENTS_PER_PROCESS)
        self._processes: list[asyncio.subprocess.Process] = []
        self._readers: list[asyncio.Task[None]] = []
        self._joined: dict[int, int] = {}
        self._held = asyncio.Event()
        self._reports: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        # By seq: how many processes have all had the message, and when the last of them had.
        self._had: Counter[int] = Counter()
        self._last: dict[int, int] = {}
        self._news = asyncio.Condition()

    def another(self, clients: int) -> Generator:
        """Other clients of the same server, on the same cores."""
        return Generator(self._port, self._wire, clients, self._where)

    async def __aenter__(self) -> Generator:
        with confined(self._where):
            for number in range(len(self._parts)):
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "benchmarks.load",
                    cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                    env={**os.environ, "PYTHONPATH": str(ROOT)}, limit=_LINE_LIMIT,
                )  # fmt: skip
                self._processes.append(process)
                self._readers.append(asyncio.create_task(self._read(number, process)))
        return self

    async def __aexit__(self, *exc: object) -> None:
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in self._processes:
            await process.wait()
        await asyncio.gather(*self._readers)

    async def _read(self, number: int, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            said = json.loads(line)
            if "delivered" in said:
                async with self._news:
                    seq = said["delivered"]
                    self._had[seq] += 1
                    self._last[seq] = max(said["at"], self._last.get(seq, 0))
                    self._news.notify_all()
            elif "report" in said:
                self._reports.put_nowait(said["report"])
            else:
                self._joined[number] = said.get("held", said.get("progress", 0))
                if self.joined == self.clients:
                    self._held.set()

    @property
    def joined(self) -> int:
        """How many clients wait for news or have done so."""
        return sum(self._joined.values())

    def _order(self, number: int, **order: Any) -> None:
        stdin = self._processes[number].stdin
        assert stdin is not None
        stdin.write(json.dumps(order).encode() + b"\n")

    async def connect(self, rate: float, progress: Callable[[int], None], within: float) -> None:
        """Returns when all clients wait for news. Raises RuntimeError: they do not."""
        count = len(self._parts)
        for number, size in enumerate(self._parts):
            addresses = [f"127.0.0.{number + 2}"] if count > 1 else []
            self._order(number, connect={
                "port": self._port, "clients": size, "rate": rate / count, "wire": self._wire,
                "addresses": addresses,
            })  # fmt: skip
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        while not self._held.is_set():
            if any(reader.done() for reader in self._readers):
                raise RuntimeError("a process of clients has ended")
            if loop.time() > end:
                error = (await self.report())["error"]
                raise RuntimeError(f"{self.joined} of {self.clients} clients hold: {error}")
            progress(self.joined)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._held.wait(), 0.5)

    async def all_had(self, seq: int, within: float) -> float | None:
        """When the last client had the message, in seconds of time.monotonic().

        None: not all had it within so many seconds.
        """
        try:
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(lambda: self._had[seq] == len(self._parts))
        except TimeoutError:
            return None
        return self._last[seq] / 1e9

    async def report(self) -> dict[str, Any]:
        """Counts since the last, all processes together, and `latencies`: {unit: count}.

        Raises TimeoutError: a process does not answer.
        """
        for number in range(len(self._parts)):
            self._order(number, report=True)
        total: Counter[str] = Counter()
        latencies: Counter[int] = Counter()
        error = ""
        for _ in self._parts:
            report = await asyncio.wait_for(self._reports.get(), REPORT_SECONDS)
            error = error or report.pop("error")
            latencies.update({int(unit): n for unit, n in report.pop("latencies").items()})
            report.pop("error", None)
            total.update(report)
        return {**total, "error": error, "latencies": latencies}
