"""Token buckets: so many at once, so many a second in the long run, for each of many keys."""

from typing import Final

from chatapp.directory.limits import Limit

__all__ = ["TokenBuckets"]

# A token can be taken from a bucket that lacks no more than that of it, in seconds.
_ROUNDING: Final = 1e-7
_FEW: Final = 64


class TokenBuckets:
    """A bucket of `limit` for each key, for at most `most` keys.

    What is kept of a bucket is when it will be full (the virtual scheduling of GCRA, ITU-T I.371);
    of a full one nothing is kept. Where there are too many keys, the oldest are full again.
    """

    def __init__(self, limit: Limit, most: int = 10_000) -> None:
        self._limit = limit
        self._most = most
        self._full_at: dict[str, float] = {}  # in the order in which they were last taken from
        self._evict_at = _FEW

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str, now: float, amount: float = 1.0) -> float:
        """Take `amount` tokens if they are there; else the seconds until they are.

        `now` is of any monotonic clock, in seconds. Returns 0.0 where they were taken.
        """
        if not self._limit.rate:
            return 0.0
        full_at = max(now, self._full_at.get(key, now)) + amount / self._limit.rate
        wait = full_at - now - self._limit.burst / self._limit.rate
        if wait > _ROUNDING:
            return wait
        if self._full_at.pop(key, None) is None and len(self._full_at) >= self._evict_at:
            self._evict(now)
        self._full_at[key] = full_at
        return 0.0

    def give_back(self, key: str, amount: float = 1.0) -> None:
        """Put back `amount` tokens, which were the last to be taken."""
        if self._limit.rate:
            self._full_at[key] -= amount / self._limit.rate

    def trim(self, now: float) -> None:
        """Forget the buckets that are full."""
        self._evict(now)

    def _evict(self, now: float) -> None:
        """Forget the full buckets, and if those are too few, the oldest."""
        kept = [(key, at) for key, at in self._full_at.items() if at > now]
        self._full_at = dict(kept[-(3 * self._most // 4) :])
        self._evict_at = min(self._most, max(_FEW, 2 * len(self._full_at)))
