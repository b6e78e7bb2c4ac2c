"""How long a request has waited: what is left of its time is the application's."""

import time

__all__ = ["Stopwatch"]


class Stopwatch:
    """Of one request: `waited` are the seconds of the waits that are over, those of several threads
    at a time counted once. `seen` is where a thread has seen its code at work."""

    __slots__ = ("_drains", "_since", "_waits", "seen", "waited")

    def __init__(self) -> None:
        self.waited = 0.0
        self.seen = ""
        self._since = 0.0
        self._waits = 0
        self._drains = False

    def begin(self, drains: bool = False) -> None:
        """A wait begins; `drains`: for the client to take what was sent, which the next step
        ends."""
        self._waits += 1
        self._drains = self._drains or drains
        if self._waits == 1:
            self._since = time.monotonic()

    def end(self) -> None:
        """One of those that have begun is over."""
        self._waits -= 1
        if self._waits == 0:
            self.waited += time.monotonic() - self._since

    def step(self) -> None:
        """The exchange goes on."""
        if self._drains:
            self._drains = False
            self.end()

    def busy(self, now: float, begun: float) -> float:
        """Seconds that the application has had since `begun`, at `now` (time.monotonic)."""
        waited = self.waited + (now - self._since if self._waits else 0.0)
        return now - begun - waited
