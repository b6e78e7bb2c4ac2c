"""Which runs there are, and in which order: repeats apart, targets in turn within each."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

from benchmarks.criteria import JUDGED
from benchmarks.scenario import Plan, Run, run
from benchmarks.servers import Server, cores
from benchmarks.targets import Target

__all__ = ["Job", "Watcher", "jobs", "perform", "why_not"]

# From here on a message takes a server whole seconds; from there on longer than the next one waits.
MANY, MOST = 1000, 20_000
FULL = {False: Plan(alone=200, closed=3, fixed=3), True: Plan(closed=4, fixed=6, rate=0.5)}
QUICK = {
    False: Plan(alone=100, warm=0.5, closed=2, fixed=2),
    True: Plan(warm=0, closed=2, least_rounds=2, fixed=0),
}
EXTRA = {"idle": 10.0, "fair": 3.0}  # of many clients; a poll is held for 10 s
SPARE_FILES = 500


@dataclasses.dataclass(frozen=True)
class Job:
    """One run that is to be made."""

    target: Target
    clients: int
    plan: Plan
    repeat: int


class Watcher(Protocol):
    """Whom to tell: `progress` while a run goes on, `done` at its end."""

    def progress(self, job: Job, number: int, text: str) -> None: ...
    def done(self, job: Job, number: int, result: Run, seconds: float) -> None: ...


def jobs(
    targets: Sequence[Target], clients: Sequence[int], repeats: int, quick: bool
) -> Iterator[Job]:
    """What idle polls cost and how fair it is: of those that are judged by it in each repeat, of
    the others once."""
    plans = QUICK if quick else FULL
    for repeat in range(repeats):
        for count in clients:
            plan = plans[count > MANY]
            if count > MOST:
                plan = dataclasses.replace(plan, fixed=0)
            for target in targets:
                judged = target.name in JUDGED
                extra = MANY < count <= MOST and (judged or (repeat == 0 and not quick))
                yield Job(
                    target,
                    count,
                    dataclasses.replace(plan, **EXTRA) if extra else plan,
                    repeat,
                )


def why_not(job: Job, open_files: int) -> str:
    """Why it cannot be run here; empty if it can."""
    each = -(-job.clients // job.target.workers)
    if each + SPARE_FILES > open_files:
        return f"{each} connections a process, and {open_files} files may be open"
    return ""


def perform(todo: Sequence[Job], watcher: Watcher) -> Iterator[Run]:
    """One after the other; a run that went wrong says so in its `error`."""
    server_cores, client_cores = cores()
    everywhere = server_cores | client_cores
    os.sched_setaffinity(0, client_cores)
    for number, job in enumerate(todo, 1):
        begun = time.monotonic()

        def say(text: str, job: Job = job, number: int = number) -> None:
            watcher.progress(job, number, text)

        say("starts")
        where = server_cores if job.target.workers == 1 else everywhere
        try:
            with Server(job.target, where) as server:
                result = asyncio.run(run(server, job.clients, job.plan, client_cores, say))
        except RuntimeError as error:
            result = Run(job.target.name, job.clients, error=str(error))
        watcher.done(job, number, result, time.monotonic() - begun)
        yield result
