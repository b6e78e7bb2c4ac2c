"""Token buckets: so many at once, so many a second in the long run, for each of many names."""

from typing import Final

from chatapp.directory.limits import Limit

__all__ = ["TokenBuckets"]

# Of a bucket that lacks no more than that of a token, in seconds, a token can be taken.
_ROUNDING: Final = 1e-7
_FEW: Final = 64


class TokenBuckets:
    """One for each name, of at most `most` names.

    Of a bucket no more is kept than when it will be full (the virtual scheduling of GCRA, ITU-T
    I.371), and of a full one nothing. Where there are too many names, the oldest are full again.
    """

    def __init__(self, limit: Limit, most: int = 10_000) -> None:
        self._limit = limit
        self._most = most
        self._full_at: dict[str, float] = {}  # in the order in which they were last taken from
        self._room = _FEW

    def __len__(self) -> int:
        return len(self._full_at)

    def wait(self, name: str, now: float, amount: float = 1.0) -> float:
        """Seconds until there are so many tokens; 0.0 if there are."""
        if not self._limit.rate:
            return 0.0
        wait = self._after(name, now, amount) - now - self._limit.burst / self._limit.rate
        return wait if wait > _ROUNDING else 0.0

    def take(self, name: str, now: float, amount: float = 1.0) -> None:
        """Take so many tokens, which are there."""
        if not self._limit.rate:
            return
        full_at = self._after(name, now, amount)
        if self._full_at.pop(name, None) is None and len(self._full_at) >= self._room:
            self._let_go(now)
        self._full_at[name] = full_at

    def trim(self, now: float) -> None:
        """Forget those that are full."""
        self._let_go(now)

    def _after(self, name: str, now: float, amount: float) -> float:
        """When it will be full if so many tokens are taken."""
        return max(now, self._full_at.get(name, now)) + amount / self._limit.rate

    def _let_go(self, now: float) -> None:
        """Of those that are full, and if that are too few, of the oldest."""
        kept = [(name, at) for name, at in self._full_at.items() if at > now]
        self._full_at = dict(kept[-(3 * self._most // 4) :])
        self._room = min(self._most, max(_FEW, 2 * len(self._full_at)))
