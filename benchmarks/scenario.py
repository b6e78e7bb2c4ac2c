"""One run of one server with so many clients: everything that is measured, in order."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.client import LATENCY_UNIT
from benchmarks.generator import Generator
from benchmarks.publisher import Publisher
from benchmarks.servers import ROOT, Server
from benchmarks.stats import percentile
from benchmarks.wire import WIRES

__all__ = ["Plan", "Run", "Say", "Scenario", "faults", "run"]

Say = Callable[[str], None]

_FEW_SECONDS = 30.0  # for one client to hold a poll
_FIRST = 10  # pushes before those that are measured
_PAUSE = 0.002  # between two rounds, at least


@dataclasses.dataclass(frozen=True)
class Plan:
    """How long each part takes, in seconds unless it says so; 0 leaves it out."""

    alone: int = 0  # messages, one after the other, to nobody, and as many to one who waits
    warm: float = 1.0
    closed: float = 4.0
    fixed: float = 4.0
    rate: float = 10.0  # messages a second, in the part of the fixed rate
    idle: float = 0.0
    fair: float = 0.0
    least_rounds: int = 3
    connects: float = 2000.0  # a second
    settle: float = 1.0
    patience: float = 60.0  # until a message counts as lost


@dataclasses.dataclass
class Run:
    """What one run gave. None: not measured."""

    target: str
    clients: int
    cpu_us: float | None = None  # of the server, for each message delivered
    held_kib: float | None = None  # for each poll that is held, before the first message
    after_kib: float | None = None  # the same after the last
    base_kib: float | None = None  # the server with one client
    push_p50_ms: float | None = None  # from push to its answer while nobody waits
    push_p99_ms: float | None = None
    alone_p50_ms: float | None = None  # from push to delivery to the only one who waits
    alone_p99_ms: float | None = None
    p50_ms: float | None = None  # from push to delivery, at a fixed rate
    p99_ms: float | None = None
    closed_p50_ms: float | None = None
    closed_p99_ms: float | None = None
    idle_cpu: float | None = None  # share of a core, while all polls are held
    probe_idle_ms: float | None = None  # p99 of an unrelated GET while all polls are held
    probe_busy_ms: float | None = None  # the same while messages fan out
    rate: float | None = None  # deliveries a second in the closed loop
    reached_ms: float | None = None  # from push until the last has it, in the closed loop
    messages: int = 0
    deliveries: int = 0
    lost: int = 0
    empty: int = 0  # polls that ended without news while messages were counted
    repeated: int = 0
    reconnects: int = 0
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


class Scenario:
    """`server` with the clients of `load`; each part adds what it measures to `result`."""

    def __init__(self, server: Server, load: Generator, result: Run, plan: Plan, say: Say) -> None:
        self.server = server
        self.load = load
        self.result = result
        self.plan = plan
        self.say = say
        self.publisher = Publisher(server.port, WIRES[server.target.wire]())
        # Of the closed loop so far; in `took`, after how many seconds the last had each message.
        self._cpu = self._seconds = 0.0
        self._took: list[float | None] = []

    async def all_parts(self) -> None:
        plan, result = self.plan, self.result
        await self.start()
        result.base_kib = self.server.memory_kib()
        if plan.alone:
            await self.alone()
        await self.connect()
        result.held_kib = (self.server.memory_kib() - result.base_kib) / self.load.clients
        if plan.idle:
            await self.idle()
        if plan.fair:
            self.say("an unrelated GET at rest")
            result.probe_idle_ms = await self.probed()
        await self.warm_up()
        if plan.closed:
            await self.turn(plan.closed, plan.least_rounds)
            await self.closed_loop()
        if plan.fixed:
            await self.fixed_rate()
        if plan.fair:
            await self.fairness()
        result.after_kib = (self.server.memory_kib() - result.base_kib) / self.load.clients

    async def start(self) -> None:
        """Returns when the server answers."""
        await self.publisher.get(self.server.target.probe)
        if self.server.target.workers > 1:
            await asyncio.sleep(self.plan.settle)  # the others are still starting

    async def connect(self) -> None:
        """Returns when all clients hold a poll."""
        await self.load.connect(
            self.plan.connects,
            lambda joined: self.say(f"{joined} hold"),
            30 + self.load.clients / 100,
        )
        await asyncio.sleep(self.plan.settle)

    async def warm_up(self) -> None:
        self.say("warming up")
        await self.rounds(self.plan.warm, 1)
        await self.load.report()

    async def alone(self) -> None:
        """What a push takes while nobody waits, and until one who waits has it."""
        self.say("one waits")
        result, count = self.result, self.plan.alone
        await self.pushes(_FIRST)  # those find nothing ready
        result.push_p50_ms, result.push_p99_ms = _latencies(await self.pushes(count))
        async with self.load.another(1) as one:
            await one.connect(self.plan.connects, lambda joined: None, _FEW_SECONDS)
            await self.pushes(_FIRST, one)
            await one.report()
            await self.pushes(count, one)
            report = await one.report()
        result.lost += count - report["deliveries"]
        result.error = result.error or report["error"]
        if report["deliveries"]:
            result.alone_p50_ms, result.alone_p99_ms = _latencies(report["latencies"])

    async def pushes(self, count: int, to: Generator | None = None) -> Counter[int]:
        """How long each took to be answered, {unit: count}; each after the one before came."""
        took: Counter[int] = Counter()
        for _ in range(count):
            begun = time.monotonic_ns()
            seq = await self.publisher.push()
            took[(time.monotonic_ns() - begun) // LATENCY_UNIT] += 1
            if to is not None:
                await to.all_had(seq, self.plan.patience)
            await asyncio.sleep(_PAUSE)
        return took

    async def rounds(self, seconds: float, least: int) -> list[float | None]:
        """Push, wait until all have had it and hold again, and so on.

        Returns for each push after how many seconds the last had it; None: not all did.
        """
        took: list[float | None] = []
        start = time.monotonic()
        while len(took) < least or time.monotonic() < start + seconds:
            begun = time.monotonic()
            seq = await self.publisher.push()
            reached = await self.load.all_had(seq, self.plan.patience)
            took.append(None if reached is None else reached - begun)
            # The last have just sent their polls: let the server read them.
            await asyncio.sleep(max(_PAUSE, (time.monotonic() - begun) / 8))
        return took

    async def turn(self, seconds: float, least: int = 1) -> None:
        """So much more of the closed loop."""
        self.say("closed loop")
        cpu, begun = self.server.cpu_seconds(), time.monotonic()
        self._took += await self.rounds(seconds, least)
        self._cpu += self.server.cpu_seconds() - cpu
        self._seconds += time.monotonic() - begun

    @property
    def has_turned(self) -> bool:
        """Whether the closed loop had what is planned."""
        return self._seconds >= self.plan.closed and len(self._took) >= self.plan.least_rounds

    async def closed_loop(self) -> None:
        """The figures of its turns."""
        report = await self.counted(len(self._took))
        reached = [each for each in self._took if each is not None]
        if reached:
            self.result.reached_ms = statistics.median(reached) * 1e3
        if report["deliveries"]:
            self.result.cpu_us = self._cpu / report["deliveries"] * 1e6
            self.result.rate = report["deliveries"] / self._seconds
            self.result.closed_p50_ms, self.result.closed_p99_ms = _latencies(report["latencies"])

    async def fixed_rate(self) -> None:
        self.say("fixed rate")
        interval = 1 / self.plan.rate
        messages = max(3, round(self.plan.fixed * self.plan.rate))
        start = time.monotonic()
        for number in range(messages):
            await asyncio.sleep(max(0.0, start + number * interval - time.monotonic()))
            seq = await self.publisher.push()
        await self.load.all_had(seq, self.plan.patience)
        report = await self.counted(messages)
        if report["deliveries"]:
            self.result.p50_ms, self.result.p99_ms = _latencies(report["latencies"])

    async def idle(self) -> None:
        self.say("idle")
        cpu, begun = self.server.cpu_seconds(), time.monotonic()
        await asyncio.sleep(self.plan.idle)
        used = self.server.cpu_seconds() - cpu
        self.result.idle_cpu = used / (time.monotonic() - begun)

    async def fairness(self) -> None:
        self.say("an unrelated GET during a fan-out")
        probed = asyncio.create_task(self.probed())
        rounds = 0
        while not probed.done():
            rounds += len(await self.rounds(0, 1))
        self.result.probe_busy_ms = await probed
        await self.counted(rounds)

    async def probed(self) -> float:
        """The p99 of the probe's answers, in milliseconds."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.probe", str(self.server.port),
            self.server.target.probe, str(self.plan.fair),
            cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError("the probe failed")
        return percentile(Counter(json.loads(output)), 0.99) / 1e6

    async def counted(self, messages: int) -> dict[str, Any]:
        """The report on so many messages; what is missing or came twice is added to the result."""
        report = await self.load.report()
        result = self.result
        result.messages += messages
        result.deliveries += report["deliveries"]
        result.lost += messages * self.load.clients - report["deliveries"]
        result.empty += report["empty"]
        result.repeated += report["repeated"]
        result.reconnects += report["reconnects"]
        result.error = result.error or report["error"]
        return report


def _latencies(counts: Counter[int]) -> tuple[float, float]:
    """p50 and p99 in milliseconds."""
    unit = LATENCY_UNIT / 1e6
    return percentile(counts, 0.5) * unit, percentile(counts, 0.99) * unit


async def run(server: Server, clients: int, plan: Plan, where: set[int], say: Say) -> Run:
    """`where`: the cores of the clients. What goes wrong is in the result's `error`."""
    result = Run(server.target.name, clients)
    async with Generator(server.port, server.target.wire, clients, where) as load:
        scenario = Scenario(server, load, result, plan, say)
        with contextlib.closing(scenario.publisher), faults(result):
            await scenario.all_parts()
    return result


@contextlib.contextmanager
def faults(result: Run) -> Iterator[None]:
    """What goes wrong meanwhile is the `error` of `result`."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, TimeoutError) as error:
        result.error = result.error or f"{type(error).__name__}: {error}"
