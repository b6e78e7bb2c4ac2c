"""Those who wait for a queue on other loops than that where it is at home.

Each of them tries again, on its own loop, when the queue tells that it has changed.
"""

from threading import RLock
from typing import Any, Final, Protocol

from cogen.core.events import PARKED
from cogen.core.schedulers import Scheduler, Waiter

__all__ = ["Attempts", "Away", "lock"]

# One for all queues: it is held for some microseconds. A finalizer may come back to it.
lock: Final = RLock()


class Attempts(Protocol):
    """An operation that can be tried in any thread."""

    def attempt(self) -> Any:
        """The result, or PARKED."""


class Away:
    """Who waits, by loop."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[Scheduler, dict[Waiter, Attempts]] = {}

    def run(self, operation: Attempts, waiter: Waiter) -> Any:
        """The result of `operation`, or PARKED: it is tried again when `tell` is called."""
        with lock:
            self._waiting.setdefault(waiter.scheduler, {})[waiter] = operation
            # Who changes the queue tells afterwards: one of the two sees it.
            return self._attempt(operation, waiter)

    def undo(self, waiter: Waiter) -> None:
        """Forget `waiter`, if it waits; called in any thread."""
        with lock:
            waiting = self._waiting.get(waiter.scheduler, {})
            waiting.pop(waiter, None)
            if not waiting:
                self._waiting.pop(waiter.scheduler, None)

    def tell(self) -> None:
        """The queue has changed; called in any thread."""
        for scheduler in list(self._waiting):
            if not scheduler.post(self._retry):
                self._waiting.pop(scheduler, None)

    def _retry(self) -> None:
        with lock:
            waiting = list(self._waiting.get(Scheduler.current(), {}).items())
        for waiter, operation in waiting:
            with lock:
                result = self._attempt(operation, waiter)
            if result is not PARKED:
                waiter.resume(result)

    def _attempt(self, operation: Attempts, waiter: Waiter) -> Any:
        result = operation.attempt()
        if result is not PARKED:
            self.undo(waiter)
        return result
