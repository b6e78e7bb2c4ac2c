"""What ordinary work has to show, as ratios and differences within one run of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.criteria import AT_REST_MS, Verdict
from benchmarks.stats import Figure, figure_of

__all__ = ["Figures", "figures", "judge"]

# By target and work.
Figures = dict[tuple[str, str], Figure]
_THREADED_PEERS = ("waitress", "gthread", "cheroot")


def figures(turns: Sequence[Mapping[str, Any]], measure: str) -> Figures:
    """The medians of what has been measured."""
    values: dict[tuple[str, str], list[float]] = {}
    for turn in turns:
        if turn.get(measure) is not None:
            values.setdefault((turn["target"], turn["work"]), []).append(turn[measure])
    return {key: figure_of(each) for key, each in values.items()}


def judge(report: Mapping[str, Any]) -> list[Verdict]:
    """One verdict for each thing that has to be shown."""
    cpu = figures(report["turns"], "cpu_us")

    def ratio(ours: str, others: Sequence[str], work: str = "hello") -> float | None:
        """To the best of the others."""
        theirs = [cpu[other, work].median for other in others if (other, work) in cpu]
        known = (ours, work) in cpu and theirs
        return cpu[ours, work].median / min(theirs) if known else None

    return [
        Verdict(
            "CPU per hello world, default options : best of waitress, gunicorn gthread, cheroot",
            0.5, ratio("cogen", _THREADED_PEERS),
        ),
        Verdict(
            "CPU per hello world, on the loop : granian", 1.3, ratio("cogen-loop", ["granian"]),
        ),
        Verdict(
            "CPU per hello world, default options : on the loop", 1.6,
            ratio("cogen", ["cogen-loop"]),
        ),
        Verdict(
            "CPU per 10 MB upload, default options : gunicorn gthread", 0.7,
            ratio("cogen", ["gthread"], "upload"),
        ),
        Verdict(
            "CPU per 1 MB file, default options : gunicorn gthread", 0.7,
            ratio("cogen", ["gthread"], "file"),
        ),
        Verdict(
            "p99 of a fast view beside six that block, default options, above that at rest",
            5.0, _slower(report["beside"]), " ms",
        ),
        Verdict(
            "memory of a held request that yields its wait, default options : on the loop",
            1.3, _heavier(report["held"]),
        ),
    ]  # fmt: skip


def _slower(besides: Sequence[Mapping[str, Any]]) -> float | None:
    for each in besides:
        if each["target"] == "cogen" and each["idle_ms"] <= AT_REST_MS:
            slower: float = each["busy_ms"] - each["idle_ms"]
            return slower
    return None


def _heavier(helds: Sequence[Mapping[str, Any]]) -> float | None:
    kib = {each["mode"]: each["kib"] for each in helds if each["wait"] == "yielded"}
    return kib["threads"] / kib["loop"] if {"threads", "loop"} <= kib.keys() else None
