"""Operations: what a coroutine or a request can wait for.

An operation either has its result now (`run` returns it) or parks the waiter (`run` returns
PARKED) and calls `waiter.resume(value)` or `waiter.fail(error)` later. To park is to promise one
undo: a timeout, a cancelled coroutine and a client that hangs up all come to `leave`, and that to
`undo`, so an operation that is left before its end leaves nothing behind.

What runs by itself cannot be undone at once: an `async def` that is left is cancelled, and the wait
for it ends as it does. It may have its value all the same: then that is what the wait brings.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from mypy_extensions import mypyc_attr

from cogen.core.durations import Duration, seconds_of
from cogen.core.gone import PRIORITY, tell_of

if TYPE_CHECKING:
    from cogen.core.coroutines import Coroutine
    from cogen.core.groups import TaskGroup
    from cogen.core.schedulers import Scheduler, Waiter

__all__ = [
    "FOREVER",
    "PARKED",
    "AddCoro",
    "Await",
    "Join",
    "Operation",
    "OperationTimeout",
    "Owned",
    "Signal",
    "Sleep",
    "WaitForSignal",
]


class _Parked:
    def __repr__(self) -> str:
        return "PARKED"


PARKED: Final = _Parked()
"""What `run` returns where the waiter is resumed later."""


FOREVER: Final = -1.0
"""The timeout of what waits for ever, whatever the scheduler's default is."""


class OperationTimeout(Exception):
    """An operation did not end within its `timeout`; `args[0]` is the operation."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Operation:
    """Base of all operations. `timeout`: how long to wait, None for ever.

    It is seconds (monotonic), a timedelta, or the datetime at which they are over; -1 is for ever,
    also where the scheduler has a `default_timeout`.

    `shields`: only its own timeout undoes it; a cancellation waits until it has ended.

    Its methods are called on the waiter's loop, and `waiter.resume` and `.fail` have to be: another
    thread does it by `waiter.scheduler.post`.

    `by_coroutines`: without a timeout only other code that runs can end it, a coroutine or a
    thread, and nothing that comes from outside: where none can, that is a deadlock.
    """

    __slots__ = ("timeout",)

    by_coroutines: ClassVar[bool] = False
    shields: ClassVar[bool] = False

    def __init__(self, timeout: Duration | None = None) -> None:
        if timeout is None:
            self.timeout: float | None = None
        elif type(timeout) is float and timeout >= 0:
            self.timeout = timeout
        else:
            self.timeout = self._seconds(timeout)

    def _seconds(self, timeout: Any) -> float:
        what = f"{type(self).__name__}: timeout"
        seconds = float(timeout) if type(timeout) is int else seconds_of(timeout, what)
        if not seconds >= 0 and timeout != FOREVER:
            raise ValueError(f"{what} must be 0 or more seconds, not {timeout!r}")
        return seconds

    @property
    def has_end(self) -> bool:
        """Whether it has a timeout."""
        return self.timeout is not None and self.timeout >= 0

    def run(self, waiter: "Waiter") -> Any:
        """Return the result, or keep `waiter` to resume later and return PARKED."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say how it runs: it has to have run(waiter)"
        )

    def undo(self, waiter: "Waiter") -> None:
        """Forget `waiter`, which `run` parked and nothing has resumed."""
        raise NotImplementedError(f"{type(self).__name__} parks without an undo")

    def leave(
        self, waiter: "Waiter", why: Callable[[], BaseException], crowd: bool = False
    ) -> None:
        """End the wait of `waiter`: what `why()` makes is raised there, now or later.

        `crowd`: others are left by the same act, a time that is up; it changes nothing where the
        wait is being left already.
        """
        self.undo(waiter)
        waiter.fail(why(), crowd)

    def expire(self, waiter: "Waiter") -> None:
        """The timeout has passed: by default OperationTimeout is raised in the waiter."""
        self.leave(waiter, partial(OperationTimeout, self), crowd=True)

    def __await__(self) -> Generator[Any, None, Any]:
        """Await the operation from asyncio code that runs on a scheduler's loop."""
        from cogen.core.schedulers import wait_in_asyncio

        try:
            return wait_in_asyncio(self).__await__()
        finally:
            del self

    def __repr__(self) -> str:
        within = f" within {self.timeout:g} s" if self.has_end else ""
        return f"<{type(self).__name__}{within}>"


class Sleep(Operation):
    """Resume after `seconds`, a timedelta, or at a datetime."""

    __slots__ = ()

    def __init__(self, seconds: Duration) -> None:
        if seconds is None:
            raise TypeError("Sleep: None is for ever; say how many seconds")
        super().__init__(seconds)
        if self.timeout == FOREVER:
            raise ValueError(f"Sleep: timeout must be 0 or more seconds, not {seconds!r}")

    def run(self, waiter: "Waiter") -> Any:
        return PARKED

    def undo(self, waiter: "Waiter") -> None:
        """Nothing else knows of a sleeper."""

    def expire(self, waiter: "Waiter") -> None:
        waiter.resume(None, crowd=True)


class WaitForSignal(Operation):
    """Wait for the next signal of that name (any hashable); the result is its value.

    `Signal` and `Scheduler.signal` send it.
    """

    __slots__ = ("name",)

    by_coroutines: ClassVar[bool] = True

    def __init__(self, name: Any, timeout: Duration | None = None) -> None:
        super().__init__(timeout)
        self.name = name

    def run(self, waiter: "Waiter") -> Any:
        scheduler = waiter.scheduler
        if scheduler.posted:  # signals that were sent before this wait
            scheduler.do_posted()
        if scheduler.signalling:
            sent = self._sent(scheduler)
            if sent is not None:
                return sent.value
        scheduler.signals.setdefault(self.name, {})[waiter] = None
        return PARKED

    def _sent(self, scheduler: "Scheduler") -> "Signal | None":
        """The signal that has waited for one more, and is sent now."""
        senders = scheduler.signalling.get(self.name, {})
        for sender, signal in senders.items():
            if len(scheduler.signals.get(self.name, ())) + 1 >= signal.recipients:
                signal.undo(sender)
                sender.resume(scheduler.signal(self.name, signal.value) + 1)
                return signal
        return None

    def undo(self, waiter: "Waiter") -> None:
        signals = waiter.scheduler.signals
        waiters = signals[self.name]
        del waiters[waiter]
        if not waiters:
            del signals[self.name]

    def __repr__(self) -> str:
        return f"<WaitForSignal {self.name!r}>"


class Signal(Operation):
    """Resume all that wait for `name` with `value`; the result is how many there were.

    It waits until there are `recipients` of them, 0: for nobody.
    """

    __slots__ = ("name", "recipients", "value")

    by_coroutines: ClassVar[bool] = True

    def __init__(
        self,
        name: Any,
        value: Any = None,
        recipients: int = 0,
        timeout: Duration | None = None,
    ) -> None:
        super().__init__(timeout)
        if recipients < 0:
            raise ValueError(f"Signal: recipients must be 0 or more, not {recipients!r}")
        self.name = name
        self.value = value
        self.recipients = recipients

    def run(self, waiter: "Waiter") -> Any:
        scheduler = waiter.scheduler
        if self.recipients > 0:
            if scheduler.posted:  # signals that were sent before this one
                scheduler.do_posted()
            if len(scheduler.signals.get(self.name, ())) < self.recipients:
                scheduler.signalling.setdefault(self.name, {})[waiter] = self
                return PARKED
        return scheduler.signal(self.name, self.value)

    def undo(self, waiter: "Waiter") -> None:
        signalling = waiter.scheduler.signalling
        senders = signalling[self.name]
        del senders[waiter]
        if not senders:
            del signalling[self.name]

    def __repr__(self) -> str:
        if not self.recipients:
            return f"<Signal {self.name!r}>"
        return f"<Signal {self.name!r} to {self.recipients}>"


class AddCoro(Operation):
    """Start the coroutine function `function(*args, **kwargs)` on its own, or in `group`.

    The result is the running `Coroutine`, which can be joined or cancelled.
    """

    __slots__ = ("args", "function", "group", "kwargs")

    def __init__(
        self,
        function: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        group: "TaskGroup | None" = None,
    ) -> None:
        super().__init__()
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.group = group

    def run(self, waiter: "Waiter") -> "Coroutine":
        if self.group is not None:
            return self.group.start(self.function, *self.args, **(self.kwargs or {}))
        return waiter.scheduler.add(self.function, self.args, self.kwargs)


class Join(Operation):
    """Wait for `coroutine` to end: its return value, or its exception raised here."""

    __slots__ = ("coroutine",)

    by_coroutines: ClassVar[bool] = True

    def __init__(self, coroutine: "Coroutine", timeout: Duration | None = None) -> None:
        super().__init__(timeout)
        self.coroutine = coroutine

    def run(self, waiter: "Waiter") -> Any:
        coroutine = self.coroutine
        try:
            try:
                done = coroutine.done
            except AttributeError:
                raise TypeError(
                    f"Join: {coroutine!r} is no Coroutine: join what AddCoro, Scheduler.add or a "
                    "group's start has returned"
                ) from None
            if done:
                return coroutine.result()
            if self._is_here(waiter):
                coroutine.joiners[waiter] = self
            elif not coroutine.scheduler.post(partial(self._join, waiter)):
                raise RuntimeError(f"{coroutine!r} cannot end: its loop is closed")
            return PARKED
        finally:
            del self, waiter, coroutine

    def undo(self, waiter: "Waiter") -> None:
        if self._is_here(waiter):
            del self.coroutine.joiners[waiter]
        else:
            self.coroutine.scheduler.post(partial(self._leave, waiter))

    def _is_here(self, waiter: "Waiter") -> bool:
        """Whether the coroutine is one of the waiter's loop, or of none yet."""
        return not self.coroutine.started or self.coroutine.scheduler is waiter.scheduler

    def _join(self, waiter: "Waiter") -> None:
        """On the coroutine's loop, for `waiter` on its own."""
        if self.coroutine.done:
            waiter.scheduler.post(partial(self.ended, waiter))
        else:
            self.coroutine.joiners[waiter] = self

    def _leave(self, waiter: "Waiter") -> None:
        self.coroutine.joiners.pop(waiter, None)

    def ended(self, waiter: "Waiter") -> None:
        """Give `waiter` the outcome, if it still waits; called on its loop."""
        if waiter.operation is not self:
            return
        if self.coroutine.error is not None:
            waiter.fail(self.coroutine.error)
        else:
            waiter.resume(self.coroutine.value)

    def __repr__(self) -> str:
        return f"<Join {self.coroutine.name}>"  # it may wait for who joins it


class Owned(Join):
    """A Join that cancels the coroutine when it is left, and waits for its end then."""

    __slots__ = ("_why",)

    def __init__(self, coroutine: "Coroutine", timeout: Duration | None = None) -> None:
        super().__init__(coroutine, timeout)
        self._why: Callable[[], BaseException] | None = None  # it is left

    def undo(self, waiter: "Waiter") -> None:
        super().undo(waiter)
        self.coroutine.cancel()

    def leave(
        self, waiter: "Waiter", why: Callable[[], BaseException], crowd: bool = False
    ) -> None:
        if not self._is_here(waiter):  # its loop may end before it
            super().leave(waiter, why, crowd)
        elif self._why is None or not crowd:
            self._why = why
            self.coroutine.cancel()

    def ended(self, waiter: "Waiter") -> None:
        why, self._why = self._why, None
        if why is not None and isinstance(self.coroutine.error, asyncio.CancelledError):
            waiter.fail(why())
        else:
            super().ended(waiter)


@mypyc_attr(allow_interpreted_subclasses=True)
class Await(Operation):
    """Wait for an asyncio awaitable (coroutine, task, future).

    When it is left that is cancelled, and waited for until it has ended.
    """

    __slots__ = ("_future", "_waiter", "_why", "awaitable")

    def __init__(self, awaitable: Awaitable[Any], timeout: Duration | None = None) -> None:
        super().__init__(timeout)
        self.awaitable = awaitable

    def run(self, waiter: "Waiter") -> Any:
        future = asyncio.ensure_future(self.awaitable, loop=waiter.scheduler.loop)
        try:
            if future.done():
                return future.result()
            self._future = future
            self._waiter: Waiter | None = waiter
            self._why: Callable[[], BaseException] | None = None  # it is left
            future.add_done_callback(self._ended)
            return PARKED
        finally:
            del self, waiter, future

    def _ended(self, future: "asyncio.Future[Any]") -> None:
        waiter = self._waiter
        why, self._why = self._why, None
        if waiter is None:
            # Undone in the moment between the future's end and this call of it.
            if not future.cancelled():
                future.exception()
        elif future.cancelled():
            waiter.fail(asyncio.CancelledError() if why is None else why())
        elif (error := future.exception()) is not None:
            # A gather that is cancelled ends with that as its exception.
            cancelled = isinstance(error, asyncio.CancelledError)
            waiter.fail(why() if cancelled and why is not None else error)
        else:
            waiter.resume(future.result())

    def undo(self, waiter: "Waiter") -> None:
        self._waiter = None
        self._future.cancel()

    def leave(
        self, waiter: "Waiter", why: Callable[[], BaseException], crowd: bool = False
    ) -> None:
        if self._why is None or not crowd:
            self._why = why
            self._future.cancel()

    def __repr__(self) -> str:
        return f"<Await {self.awaitable!r}>"


# As a function of that name it would have mypy take every name for one of these.
globals()["__getattr__"] = tell_of(
    __name__,
    {
        "Call": "yield the call itself, `result = yield other(...)`",
        "ConnectionClosed": "it is in cogen.core.sockets",
        "ConnectionError": "it is cogen.core.sockets.SocketError",
        "TimedOperation": "every Operation takes timeout=; one of your own has run(waiter)",
        "priority": PRIORITY,
    },
)
