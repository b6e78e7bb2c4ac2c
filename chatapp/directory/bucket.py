"""A token bucket: so many at once, so many a second in the long run."""

__all__ = ["TokenBucket"]


class TokenBucket:
    """Holds up to `burst` tokens; `rate` come back each second. A rate of 0 is no limit."""

    __slots__ = ("_at", "_tokens")

    def __init__(self, burst: float, now: float) -> None:
        self._tokens = burst
        self._at = now

    def take(self, rate: float, burst: float, now: float) -> float:
        """Take a token: 0.0 if there was one, else the seconds until there will be."""
        if not rate:
            return 0.0
        self._tokens = min(burst, self._tokens + (now - self._at) * rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / rate
