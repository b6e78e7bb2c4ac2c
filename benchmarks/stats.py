"""Medians, spreads and percentiles, and the summary of many runs."""

import dataclasses
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["MEASURES", "Figure", "Summary", "figure_of", "percentile", "summarize"]

# Those of a run's fields that are figures; the others count.
MEASURES = (
    "cpu_us", "rate", "reached_ms", "held_kib", "after_kib", "p50_ms", "p99_ms", "closed_p50_ms",
    "closed_p99_ms", "idle_cpu", "probe_idle_ms", "probe_busy_ms", "push_p50_ms", "push_p99_ms",
    "alone_p50_ms", "alone_p99_ms",
)  # fmt: skip
_COUNTS = ("messages", "deliveries", "lost", "repeated", "reconnects")


@dataclasses.dataclass(frozen=True)
class Figure:
    """The median of repeats, and the least and greatest of them."""

    median: float
    least: float
    most: float
    repeats: int

    @property
    def spread(self) -> float:
        """From the least to the greatest, as a share of the median."""
        return (self.most - self.least) / self.median if self.median else 0.0


@dataclasses.dataclass
class Summary:
    """All runs of one target with so many clients."""

    target: str
    clients: int
    figures: dict[str, Figure]
    counts: dict[str, int]
    errors: list[str]

    def value(self, measure: str) -> float | None:
        """The median, if it was measured."""
        figure = self.figures.get(measure)
        return None if figure is None else figure.median


def figure_of(values: Sequence[float]) -> Figure:
    return Figure(statistics.median(values), min(values), max(values), len(values))


def percentile(counts: Mapping[int, int], share: float) -> int:
    """The least value that `share` (0 to 1) of the counted values do not exceed."""
    left = share * sum(counts.values())
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    raise ValueError("there are no values")


def summarize(runs: Iterable[Mapping[str, Any]]) -> list[Summary]:
    """One of each target and number of clients, in the order of their first runs."""
    groups: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for run in runs:
        groups.setdefault((run["target"], run["clients"]), []).append(run)
    return [_summary(*key, group) for key, group in groups.items()]


def _summary(target: str, clients: int, runs: Sequence[Mapping[str, Any]]) -> Summary:
    figures = {}
    for measure in MEASURES:
        values = [run[measure] for run in runs if run.get(measure) is not None]
        if values:
            figures[measure] = figure_of(values)
    counts = {name: sum(run[name] for run in runs) for name in _COUNTS}
    errors = [run["error"] for run in runs if run["error"]]
    return Summary(target, clients, figures, counts, errors)
