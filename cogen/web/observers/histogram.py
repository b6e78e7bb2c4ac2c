"""Durations, counted by how long they were."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily

__all__ = ["Histogram"]


class Histogram:
    """Counts of durations up to each of `bounds`, in seconds, and of longer ones."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._seconds = 0.0

    def observe(self, seconds: float) -> None:
        """Count a duration."""
        self._seconds += seconds
        self._counts[bisect_left(self._bounds, seconds)] += 1

    def family(self, name: str, documentation: str) -> HistogramMetricFamily:
        """As Prometheus has it."""
        bounds = [*map(str, self._bounds), "+Inf"]
        buckets = list(zip(bounds, accumulate(self._counts), strict=True))
        return HistogramMetricFamily(name, documentation, buckets=buckets, sum_value=self._seconds)
