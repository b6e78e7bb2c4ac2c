"""Which runs there are, and in which order: repeats apart, the targets one after the other in each.

The closed loop is one run of all targets, in turns.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

from benchmarks.criteria import JUDGED
from benchmarks.scenario import Plan, Run, Say, run
from benchmarks.servers import Server, cores
from benchmarks.targets import POLL_SECONDS, Target
from benchmarks.turns import HELD_SECONDS, in_turns

__all__ = ["Job", "Watcher", "jobs", "perform", "why_not"]

# From here on a message takes a server whole seconds; from there on longer than the next one waits.
MANY, MOST = 1000, 20_000
FULL = {False: Plan(alone=200, closed=0, fixed=3), True: Plan(closed=0, fixed=6, rate=0.5)}
QUICK = {
    False: Plan(alone=100, warm=0.5, closed=0, fixed=2),
    True: Plan(warm=0, closed=0, fixed=0),
}
TURNS = {False: Plan(closed=4, settle=0.1), True: Plan(closed=5)}
QUICK_TURNS = {
    False: Plan(warm=0.5, closed=2, settle=0.1),
    True: Plan(warm=0, closed=2, least_rounds=2),
}
EXTRA = {"idle": 10.0, "fair": 3.0}  # of many clients; a poll is held for 10 s
SPARE_FILES = 500


@dataclasses.dataclass(frozen=True)
class Job:
    """Runs that are to be made at once: of one target, or of several in turns."""

    targets: tuple[Target, ...]
    clients: int
    plan: Plan
    in_turns: bool = False


class Watcher(Protocol):
    """Whom to tell: `progress` while a run goes on, `done` at its end."""

    def progress(self, job: Job, number: int, text: str) -> None: ...
    def done(self, job: Job, number: int, result: Run, seconds: float) -> None: ...


def jobs(targets: Sequence[Target], clients: int, repeat: int, quick: bool) -> Iterator[Job]:
    """Those of one repeat with so many clients.

    What idle polls cost and how fair it is: of those that are judged by it in each repeat, of the
    others once.
    """
    many = clients > MANY
    yield Job(tuple(targets), clients, (QUICK_TURNS if quick else TURNS)[many], in_turns=True)
    plan = (QUICK if quick else FULL)[many]
    if clients > MOST:
        plan = dataclasses.replace(plan, fixed=0)
    for target in targets:
        judged = target.name in JUDGED
        extra = MANY < clients <= MOST and (judged or (repeat == 0 and not quick))
        yield Job((target,), clients, dataclasses.replace(plan, **EXTRA) if extra else plan)


def why_not(target: Target, clients: int, open_files: int) -> str:
    """Why it cannot have so many clients here; empty if it can."""
    each = -(-clients // target.workers)
    if each + SPARE_FILES > open_files:
        return f"{each} connections a process, and {open_files} files may be open"
    return ""


def perform(todo: Sequence[Job], watcher: Watcher) -> Iterator[Run]:
    """One after the other. A run that went wrong says so in its `error`."""
    _, client_cores = cores()
    os.sched_setaffinity(0, client_cores)
    for number, job in enumerate(todo, 1):
        begun = time.monotonic()

        def say(text: str, job: Job = job, number: int = number) -> None:
            watcher.progress(job, number, text)

        say("starts")
        for result in _runs(job, say):
            watcher.done(job, number, result, time.monotonic() - begun)
            yield result


def _runs(job: Job, say: Say) -> list[Run]:
    """One for each target."""
    server_cores, client_cores = cores()
    everywhere = server_cores | client_cores
    failed = []
    with contextlib.ExitStack() as stack:
        servers = []
        for target in job.targets:
            where = server_cores if target.workers == 1 else everywhere
            seconds = HELD_SECONDS if job.in_turns else POLL_SECONDS
            try:
                server = stack.enter_context(Server(target, where, poll_seconds=seconds))
            except RuntimeError as error:
                failed.append(Run(target.name, job.clients, error=str(error)))
            else:
                servers.append(server)
        if job.in_turns:
            steps = in_turns(servers, job.clients, job.plan, client_cores, say)
            return failed + asyncio.run(steps)
        return failed + [
            asyncio.run(run(server, job.clients, job.plan, client_cores, say)) for server in servers
        ]
