"""Event, Semaphore and Condition: waiting for one another without handing anything over.

    with (yield semaphore.acquire()):     # in an `async def`: async with semaphore.acquire():
        ...                               # in straight-line code: with wait(semaphore.acquire):

Coroutines of one loop need no lock for what they do between two waits: nobody else runs meanwhile.
What changes one of these, `set`, `release`, `notify`, may be called in any thread.
"""

from collections.abc import Callable
from functools import partial
from threading import RLock, get_ident
from types import TracebackType
from typing import Any, ClassVar, Final, NoReturn

from cogen.core.durations import Duration
from cogen.core.events import PARKED, Operation
from cogen.core.schedulers import Waiter

__all__ = [
    "Acquire",
    "Condition",
    "Event",
    "Permit",
    "Semaphore",
    "WaitEvent",
    "WaitNotified",
    "WouldBlock",
]

# Of those who wait: one for all, held for some microseconds. A finalizer may come back to it.
_lock: Final = RLock()


class WouldBlock(Exception):
    """`acquire_nowait` on a semaphore that is used up."""


def _have(waiter: Waiter, function: Callable[[], object]) -> bool:
    """Have `function()` called on the loop of `waiter`, now if this is its thread.

    False if that loop is closed.
    """
    if get_ident() == waiter.scheduler.thread:
        function()
        return True
    return waiter.scheduler.post(function)


class Event:
    """Something that happens once: who waits for it goes on when it is set, or at once if it is."""

    __slots__ = ("_set", "_waiters")

    def __init__(self) -> None:
        self._set = False
        self._waiters: dict[Waiter, WaitEvent] = {}

    def is_set(self) -> bool:
        """Whether it has happened."""
        return self._set

    def set(self) -> None:
        """It has happened: all who wait go on."""
        with _lock:
            self._set = True
            waiters, self._waiters = self._waiters, {}
        for waiter, operation in waiters.items():
            _have(waiter, partial(operation.happened, waiter))

    def clear(self) -> None:
        """It has not happened yet: who waits from now on, waits."""
        self._set = False

    def wait(self, timeout: Duration | None = None) -> "WaitEvent":
        """The operation that waits until it is set."""
        return WaitEvent(self, timeout)

    def statistics(self) -> dict[str, int]:
        """Counts: those who wait."""
        return {"waiters": len(self._waiters)}

    def __repr__(self) -> str:
        return f"<Event {'set' if self._set else f'not set, {len(self._waiters)} wait'}>"


class WaitEvent(Operation):
    """Result: None, once the event is set."""

    __slots__ = ("event",)

    by_coroutines: ClassVar[bool] = True

    def __init__(self, event: Event, timeout: Duration | None = None) -> None:
        super().__init__(timeout)
        self.event = event

    def run(self, waiter: Waiter) -> Any:
        with _lock:
            if self.event._set:
                return None
            self.event._waiters[waiter] = self
            return PARKED

    def undo(self, waiter: Waiter) -> None:
        with _lock:
            self.event._waiters.pop(waiter, None)

    def happened(self, waiter: Waiter) -> None:
        """The event is set; called on the loop of `waiter`, which may have left."""
        if waiter.operation is self:
            waiter.resume(None, crowd=True)

    def __repr__(self) -> str:
        return f"<WaitEvent {self.event!r}>"


class Semaphore:
    """At most `value` hold a permit of it at once; the others wait, and are served in order."""

    __slots__ = ("_free", "_waiters", "value")

    def __init__(self, value: int = 1) -> None:
        if value < 1:
            raise ValueError(f"Semaphore: value must be 1 or more, not {value!r}")
        self.value = value
        self._free = value
        self._waiters: dict[Waiter, Acquire] = {}

    def acquire(self, timeout: Duration | None = None) -> "Acquire":
        """The operation that waits for a permit; its result is a `Permit`."""
        return Acquire(self, timeout)

    def acquire_nowait(self) -> "Permit":
        """Take a permit. Raises WouldBlock where all are taken, or others wait for one."""
        with _lock:
            if self._waiters or not self._free:
                raise WouldBlock(f"{self!r} has no permit left")
            self._free -= 1
        return Permit(self)

    def give_back(self) -> None:
        """A permit is free: the next who waits has it. `Permit.release` calls it."""
        with _lock:
            while self._waiters:
                waiter = next(iter(self._waiters))
                operation = self._waiters.pop(waiter)
                if _have(waiter, partial(operation.granted, waiter)):
                    return
            self._free += 1

    def statistics(self) -> dict[str, int]:
        """Counts: permits that are free, and those who wait for one."""
        return {"free": self._free, "waiters": len(self._waiters)}

    def __repr__(self) -> str:
        return f"<Semaphore {self._free}/{self.value} free, {len(self._waiters)} wait>"


class Permit:
    """One of a semaphore's; given back by `release`, at the end of its `with`, or with its last
    reference: a client that leaves at that moment takes none away."""

    __slots__ = ("_semaphore",)

    def __init__(self, semaphore: Semaphore) -> None:
        self._semaphore: Semaphore | None = semaphore

    def release(self) -> None:
        """Give it back; nothing happens if it was."""
        semaphore, self._semaphore = self._semaphore, None
        if semaphore is not None:
            semaphore.give_back()

    def __enter__(self) -> "Permit":
        if self._semaphore is None:
            raise RuntimeError("this permit was given back before")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()


class Acquire(Operation):
    """Result: a `Permit`. `async with` waits for it, and gives it back at the end of the block."""

    __slots__ = ("_permit", "semaphore")

    by_coroutines: ClassVar[bool] = True

    def __init__(self, semaphore: Semaphore, timeout: Duration | None = None) -> None:
        super().__init__(timeout)
        self.semaphore = semaphore

    def run(self, waiter: Waiter) -> Any:
        semaphore = self.semaphore
        with _lock:
            if semaphore._free and not semaphore._waiters:
                semaphore._free -= 1
                return Permit(semaphore)
            semaphore._waiters[waiter] = self
            return PARKED

    def undo(self, waiter: Waiter) -> None:
        with _lock:
            self.semaphore._waiters.pop(waiter, None)

    def __enter__(self) -> NoReturn:
        """Raises TypeError: nobody has waited for it."""
        raise TypeError(
            f"{self!r} has not been waited for: write `with (yield semaphore.acquire()):`, in an "
            "`async def` `async with`, in straight-line code `with wait(semaphore.acquire()):`"
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Never called; without it Python would tell nothing but that."""

    async def __aenter__(self) -> Permit:
        permit: Permit = await self
        self._permit: Permit | None = permit
        return permit

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        permit, self._permit = self._permit, None
        if permit is not None:
            permit.release()

    def granted(self, waiter: Waiter) -> None:
        """A permit is free; called on the loop of `waiter`, which may have left."""
        if waiter.operation is self:
            waiter.resume(Permit(self.semaphore))
        else:
            self.semaphore.give_back()

    def __repr__(self) -> str:
        return f"<Acquire {self.semaphore!r}>"


class Condition:
    """Something that becomes true: who waits for it looks again whenever that is notified.

    It has no lock: between two waits of a coroutine nobody else of its loop runs.
    """

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: dict[Waiter, WaitNotified] = {}

    def wait(self, timeout: Duration | None = None) -> "WaitNotified":
        """The operation that waits for the next notification."""
        return WaitNotified(self, None, timeout)

    def wait_for(
        self, predicate: Callable[[], object], timeout: Duration | None = None
    ) -> "WaitNotified":
        """The operation that waits until `predicate()` is true, which is its result.

        It is asked at once, and when there is a notification, on the loop of the waiter.
        """
        if not callable(predicate):
            raise TypeError(
                f"Condition.wait_for: {predicate!r} is no function: write lambda: and what is to "
                "become true"
            )
        return WaitNotified(self, predicate, timeout)

    def notify(self, count: int = 1) -> None:
        """Have the first `count` who wait go on; those whose predicate is not true stay."""
        with _lock:
            waiters = list(self._waiters.items())
        for waiter, operation in waiters:
            if count < 1:
                break
            if get_ident() != waiter.scheduler.thread:
                count -= waiter.scheduler.post(partial(operation.notified, waiter))
            elif operation.notified(waiter):
                count -= 1

    def notify_all(self) -> None:
        """Have all who wait go on, if their predicates are true."""
        self.notify(len(self._waiters))

    def statistics(self) -> dict[str, int]:
        """Counts: those who wait."""
        return {"waiters": len(self._waiters)}

    def __repr__(self) -> str:
        return f"<Condition, {len(self._waiters)} wait>"


class WaitNotified(Operation):
    """Result: what the predicate gave that is true; True without one."""

    __slots__ = ("condition", "predicate")

    by_coroutines: ClassVar[bool] = True

    def __init__(
        self,
        condition: Condition,
        predicate: Callable[[], object] | None,
        timeout: Duration | None = None,
    ) -> None:
        super().__init__(timeout)
        self.condition = condition
        self.predicate = predicate

    def run(self, waiter: Waiter) -> Any:
        with _lock:
            self.condition._waiters[waiter] = self
        try:
            held = self.predicate() if self.predicate is not None else False
        except BaseException:
            self.undo(waiter)
            raise
        if held:
            self.undo(waiter)
            return held
        return PARKED

    def undo(self, waiter: Waiter) -> None:
        with _lock:
            self.condition._waiters.pop(waiter, None)

    def notified(self, waiter: Waiter) -> bool:
        """Look again; whether `waiter` goes on. Called on its loop; it may have left."""
        if waiter.operation is not self:
            return False
        try:
            held = self.predicate() if self.predicate is not None else True
        except Exception as error:  # noqa: BLE001 (raised in who waits)
            self.undo(waiter)
            waiter.fail(error)
            return True
        if held:
            self.undo(waiter)
            waiter.resume(held, crowd=True)
        return bool(held)

    def __repr__(self) -> str:
        return f"<WaitNotified {self.condition!r}>"
