"""The plan of capacity in docs/scaling.md, from measured figures."""

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.report import table, titles
from benchmarks.stats import Summary, summarize

__all__ = ["plan"]

_PEOPLE = (10_000, 100_000, 1_000_000)
# What is assumed of them, and of the ini: seconds of a poll and of a lease.
_ROOM = 100
_A_MINUTE = 1.0  # messages that each is given
_POLL_SECONDS = _LEASE_SECONDS = 60.0
_WORKER = 16_000  # `max_connections`
_LOAD = 0.5  # share of a core that may be used
# The polls that `idle_cpu` is measured with here, and whose.
_IDLE_CLIENTS, _IDLE_POLL_SECONDS = 10_000, 10.0
_IDLE_TARGETS = ("chat-redis", "chat-redis-2")
# Microseconds of CPU, measured apart: of Redis for a lease that is renewed, for a message that is
# stored and for each worker that hears of it; of that worker. Each message by itself, at 200 a
# second; at 1,000 a second, many in one read, the last two are less than a fifth.
_LEASE_US, _STORED_US, _TOLD_US, _HEARD_US = 11.0, 350.0, 35.0, 200.0


@dataclasses.dataclass(frozen=True)
class _Figures:
    """`large`: where `delivery_us` and `held_kib` are from; `idle`: where `idle_cpu` is from."""

    large: Summary
    idle: Summary
    delivery_us: float
    held_kib: float
    idle_cpu: float
    process_kib: float


def plan(report: Mapping[str, Any]) -> str:
    """`report` as it is in the JSON file; Markdown, which says so if the figures are not there."""
    figures = _found(report["runs"])
    if figures is None:
        return "The figures that it takes were not measured.\n"
    columns = [_column(figures, people) for people in _PEOPLE]
    rows = [(name, *(column[name] for column in columns)) for name in columns[0]]
    head = ("people", *(f"{people:,}" for people in _PEOPLE))
    return _said(figures) + "\n\n" + "\n".join(table(head, rows)) + "\n"


def _found(runs: Sequence[Mapping[str, Any]]) -> _Figures | None:
    """Of the chat on Redis, where the most clients were."""
    ours = [each for each in summarize(runs) if each.target.startswith("chat-redis")]
    ours.sort(key=lambda each: (each.clients, each.target), reverse=True)
    large = [each for each in ours if each.value("cpu_us") and each.value("after_kib")]
    idle = [
        each
        for each in ours
        if (each.target in _IDLE_TARGETS and each.clients == _IDLE_CLIENTS)
        and each.value("idle_cpu")
    ]
    alone = [run["base_kib"] for run in runs if run["target"] == "chat" and run["base_kib"]]
    if not (large and idle and alone):
        return None
    return _Figures(
        large[0], idle[0], large[0].figures["cpu_us"].median, large[0].figures["after_kib"].median,
        idle[0].figures["idle_cpu"].median, statistics.median(alone),
    )  # fmt: skip


def _said(figures: _Figures) -> str:
    return (
        f"A delivery takes {figures.delivery_us:.0f} µs, so a core makes"
        f" {1e6 / figures.delivery_us:,.0f} a second, and a held poll {figures.held_kib:.1f} KiB"
        f" ({_row_of(figures.large)}); 10,000 polls of 10 s that nobody has news for take"
        f" {figures.idle_cpu:.2f} of a core ({_row_of(figures.idle)}); a process without clients"
        f" has {figures.process_kib / 1024:.0f} MiB."
    )


def _row_of(summary: Summary) -> str:
    return f"the row *{titles()[summary.target]}*, {summary.clients:,} clients"


def _column(figures: _Figures, people: int) -> dict[str, str]:
    workers = math.ceil(people / _WORKER)
    memory = people * figures.held_kib + workers * figures.process_kib
    hold = figures.idle_cpu * people / _IDLE_CLIENTS * _IDLE_POLL_SECONDS / _POLL_SECONDS
    deliver = people * _A_MINUTE / 60 * figures.delivery_us / 1e6
    stored = people * _A_MINUTE / 60 / _ROOM
    hear = stored * workers * _HEARD_US / 1e6
    cores = math.ceil((hold + deliver + hear) / _LOAD)
    redis = stored * (_STORED_US + workers * _TOLD_US) + 2 * people / _LEASE_SECONDS * _LEASE_US
    return {
        "workers": f"{workers}",
        "their memory, GiB": _short(memory / 1024**2),
        "cores that hold their polls": _short(hold),
        "cores that deliver": _short(deliver),
        "cores that read what is stored, in every worker": _short(hear),
        "cores to have, half of each in use": f"{cores}",
        "a message to all: the last has it after, s": _short(
            people * figures.delivery_us / 1e6 / min(cores, workers)
        ),
        "share of Redis's core": _short(redis / 1e6),
    }


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
