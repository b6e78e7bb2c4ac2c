"""Timeouts as programs write them: seconds, a timedelta, or a moment as a datetime."""

from datetime import datetime, timedelta
from typing import TypeAlias

__all__ = ["Duration", "seconds_of", "span_of"]

Duration: TypeAlias = float | timedelta | datetime
"""Seconds, a timedelta, or the moment at which they are over (without a zone: local time)."""


def seconds_of(duration: object, what: str) -> float:
    """The seconds (monotonic, from now) that `duration` is; a moment that has passed is 0.

    Raises TypeError for what is no `Duration`, with `what` as that which it is of.
    """
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    if isinstance(duration, datetime):
        return max(0.0, (duration - datetime.now(duration.tzinfo)).total_seconds())
    if isinstance(duration, int | float) and not isinstance(duration, bool):
        return float(duration)
    raise TypeError(f"{what} is seconds, a timedelta or a datetime, not {duration!r}")


def span_of(duration: object, what: str) -> float:
    """The same, of what cannot be negative. Raises ValueError for less than 0."""
    seconds = seconds_of(duration, what)
    if not seconds >= 0:
        raise ValueError(f"{what} must be 0 or more seconds, not {duration!r}")
    return seconds
