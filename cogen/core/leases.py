"""How long something is kept while nobody holds it."""

from collections.abc import Callable
from threading import get_ident
from typing import Protocol

from cogen.core.schedulers import Scheduler

__all__ = ["Lease", "Leased", "on_loop_of"]


class Leased(Protocol):
    """What is kept by a lease."""

    def expire(self, lease: "Lease") -> None:
        """The lease is over; called on its loop."""


class Lease:
    """How long it is kept while nobody holds it: `seconds`, on the loop of `scheduler`."""

    def __init__(self, seconds: float, scheduler: Scheduler) -> None:
        self._seconds = seconds
        self._scheduler = scheduler
        self._box: Leased | None = None  # while it runs

    def start(self, box: Leased) -> bool:
        """Nobody holds `box` any more. False if the loop is closed."""
        self._box = box
        return on_loop_of(self._scheduler, self._settle)

    def stop(self) -> None:
        """Somebody holds it, or it has ended."""
        if self._box is not None:
            self._box = None
            on_loop_of(self._scheduler, self._settle)

    def expire(self) -> None:
        """Nobody has come back."""
        box, self._box = self._box, None
        if box is not None:
            box.expire(self)

    def _settle(self) -> None:
        self._scheduler.timers.stop(self, self._seconds)
        if self._box is not None:
            self._scheduler.timers.start(self, self._seconds)


def on_loop_of(scheduler: Scheduler, function: Callable[[], object]) -> bool:
    """Call `function()` there, now if that is here. False if the loop is closed."""
    if get_ident() == scheduler.thread and not scheduler.loop.is_closed():
        function()
        return True
    return scheduler.post(function)
