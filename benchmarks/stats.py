"""Medians, spreads and percentiles."""

import statistics
from collections.abc import Mapping, Sequence

__all__ = ["median_and_spread", "percentile"]


def median_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """The median, and the distance from the least to the greatest as a share of it."""
    middle = statistics.median(values)
    return middle, (max(values) - min(values)) / middle if middle else 0.0


def percentile(counts: Mapping[int, int], share: float) -> int:
    """The least value that `share` (0 to 1) of the counted values do not exceed."""
    left = share * sum(counts.values())
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    raise ValueError("there are no values")
