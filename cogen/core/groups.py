"""Task groups: coroutines that have one owner and end together.

    with TaskGroup() as group:                 # in a generator
        group.start(fetch, "a")
        group.start(fetch, "b")
        yield group.join()

    async with TaskGroup() as group:           # in an `async def`: waits at the end of the block
        group.start(fetch, "a")

The first coroutine that fails has the others cancelled; when all have ended, what they failed with
is raised as one ExceptionGroup (PEP 654): at the join, or at whatever else its block waits for.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from threading import RLock
from types import TracebackType
from typing import Any, ClassVar, Final

from cogen.core.coroutines import Coroutine, call
from cogen.core.durations import Duration
from cogen.core.events import PARKED, Operation
from cogen.core.schedulers import Scheduler, Waiter
from cogen.core.scopes import Scope, Scopes, current_owner

__all__ = ["JoinGroup", "TaskGroup"]

log = logging.getLogger(__name__)

# Of what other threads start and cancel: one for all groups, held for some microseconds.
_lock: Final = RLock()
_NO_FAILURE: Final = (type(None), asyncio.CancelledError)
# Names of coroutines that a message tells.
_TOLD: Final = 5


class TaskGroup(Scope):
    """Coroutines that end together, run by `scheduler` (None: that of whoever starts the first).

    `independent`: one that fails is logged, and the others go on; nothing is raised by `join`.
    `len(group)` is how many run, and iterating gives them. `start` and `cancel` may be called in
    any thread, all else in that of the loop.

    A group is over once it was cancelled, one of its coroutines has failed, or the block of its
    `with` was left: it starts no more. What one failed with while nobody was in its block or joined
    it is logged.
    """

    __slots__ = (
        "_failures",
        "_idle",
        "_joiners",
        "_members",
        "_untold",
        "_waits_at_end",
        "independent",
        "over",
        "scheduler",
    )

    def __init__(self, scheduler: Scheduler | None = None, *, independent: bool = False) -> None:
        super().__init__()
        self.scheduler = scheduler
        self.independent = independent
        self.over = False
        self._members: dict[Coroutine, None] = {}
        self._failures: list[tuple[str, BaseException]] = []
        self._joiners: dict[Waiter, JoinGroup] = {}
        self._untold = False  # a failure was not logged: somebody was there to be told of it
        self._waits_at_end = False  # as `async with` does
        self._idle: asyncio.Future[None] | None = None

    def start(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Coroutine:
        """Start the coroutine function `function(*args, **kwargs)` as one of the group.

        Raises RuntimeError if the group is over, and what `Scheduler.add` raises.
        """
        coroutine = call(function, args, kwargs)
        with _lock:
            if self.over:
                raise RuntimeError(
                    f"{self!r} is over and cannot start {coroutine.name}: start it in a group "
                    "that is open, or with AddCoro"
                )
            if self.scheduler is None:
                self.scheduler = Scheduler.current()
            coroutine.group = self
            self._members[coroutine] = None
            try:
                coroutine.start(self.scheduler)  # before another thread can cancel it
            except BaseException:
                self._members.pop(coroutine, None)
                raise
        return coroutine

    def cancel(self) -> None:
        """Cancel all that run, once, and start no more."""
        with _lock:
            if self.over:
                return
            self.over = True
            members = list(self._members)
        for coroutine in members:
            coroutine.cancel()

    def join(self, timeout: Duration | None = None) -> "JoinGroup":
        """The operation that waits until all of the group have ended."""
        return JoinGroup(self, timeout)

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Coroutine]:
        return iter(list(self._members))

    def __bool__(self) -> bool:
        """A group is something, also one that is empty."""
        return True

    def statistics(self) -> dict[str, int]:
        """Counts: coroutines that run, and those who join them."""
        return {"coroutines": len(self._members), "joiners": len(self._joiners)}

    # A block of a generator, or of straight-line code.

    def __enter__(self) -> "TaskGroup":
        scheduler, _ = current_owner()
        if self.scheduler is None:
            self.scheduler = scheduler
        elif self.scheduler is not scheduler:
            raise RuntimeError(f"{self!r} runs on another loop: enter its block there")
        self._enter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Cancel what is left, without waiting for it; raise failures that nobody was told of."""
        try:
            self.cancel()
            if self._leave(error) or error is None:
                self._raise_failures()
            else:
                self._log_failures()
        finally:
            del self, error, traceback

    # A block of an `async def`.

    async def __aenter__(self) -> "TaskGroup":
        self._waits_at_end = True
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait until all have ended, after cancelling them if the block has raised.

        As with asyncio.TaskGroup an error of the block is one of the ExceptionGroup, and a
        CancelledError goes on as it is if nothing has failed.
        """
        try:
            if error is not None:
                self.cancel()
                if not isinstance(error, asyncio.CancelledError):
                    self._failures.insert(0, ("the block", error))
            cancelled = await self._all_ended()
            self.over = True
            ours = self._leave(error)
            self._raise_failures()
            if cancelled and error is None and not ours:
                raise asyncio.CancelledError
        finally:
            del self, error, traceback

    async def _all_ended(self) -> bool:
        """Wait for the end of all, however often it is cancelled; whether it was."""
        cancelled = False
        while self._members:
            assert self.scheduler is not None
            self._idle = self.scheduler.loop.create_future()
            try:
                await self._idle
            except asyncio.CancelledError:
                cancelled = True
                self.cancel()
            finally:
                self._idle = None
        return cancelled

    # The group of a request.

    def bind(self, owner: Any) -> None:
        """Have its failure raised at what `owner`, as of Waiter, waits for; until `release`."""
        assert self.scheduler is not None
        self._scopes = Scopes.of(self.scheduler, owner)
        self._scopes.add(self, outermost=True)

    @property
    def owner(self) -> Any:
        """Whose block it is in, or whose it is: as Waiter.owner; None if it is nobody's."""
        return self._scopes.owner if self._scopes is not None else None

    def release(self) -> None:
        """Cancel what is left; what failed and nobody was told of is logged."""
        self.cancel()
        scopes, self._scopes = self._scopes, None
        if scopes is not None:
            scopes.remove(self)
        self._log_failures()

    # For its scope.

    def has_ended(self) -> bool:
        return bool(self._failures) and (self._waits_at_end or not self._members)

    def error(self) -> BaseException:
        failures, self._failures = self._failures, []
        return _failure_of(failures)

    # For its coroutines and operations, on the loop.

    def ended(self, coroutine: Coroutine) -> bool:
        """`coroutine` has ended; whether its error, if it died of one, is told by the group."""
        self._members.pop(coroutine, None)
        told = False
        if not self.independent and not isinstance(coroutine.error, _NO_FAILURE):
            told = self._scopes is not None or bool(self._joiners)
            self._untold = self._untold or told
            self._failures.append((coroutine.name, coroutine.error))
            self.cancel()
        if not self._members:
            self._tell_that_all_ended()
        if self._scopes is not None and self.has_ended() and self._idle is None:
            self._scopes.interrupt(self)
        return told

    def _tell_that_all_ended(self) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)
        joiners, self._joiners = self._joiners, {}
        if not joiners:
            if self._untold and self._scopes is None:  # whoever was there has left
                self._log_failures()
            return
        failures, self._failures = self._failures, []
        for waiter in joiners:
            if failures:
                waiter.fail(_failure_of(failures))
            else:
                waiter.resume(None)

    def _raise_failures(self) -> None:
        try:
            if self._failures:
                raise self.error()
        finally:
            del self

    def _log_failures(self) -> None:
        failures, self._failures, self._untold = self._failures, [], False
        for name, error in failures:
            log.error("coroutine %s died of %r", name, error, exc_info=error)
            del error
        del failures

    def __repr__(self) -> str:
        names = _names([coroutine.name for coroutine in self])
        state = "over" if self.over else "open"
        return f"<TaskGroup: {state}, {len(self)} run{': ' if names else ''}{names}>"


class JoinGroup(Operation):
    """Result: None, once no coroutine of the group runs; raises what they failed with.

    That is an ExceptionGroup, or BaseExceptionGroup where one is no Exception, and is raised once.
    A CancelledError is no failure. Who leaves it, by a timeout, a deadline, or because it is
    cancelled or hung up, cancels the group: then the `finally` blocks of its coroutines have
    not ended, and need not have begun, when the waiter goes on. To wait for them it joins again,
    `yield Shield(group.join(), timeout=5)` (cogen.core.shields).
    """

    __slots__ = ("group",)

    by_coroutines: ClassVar[bool] = True

    def __init__(self, group: TaskGroup, timeout: Duration | None = None) -> None:
        super().__init__(timeout)
        self.group = group

    def run(self, waiter: Waiter) -> Any:
        group = self.group
        try:
            if group.scheduler is not None and group.scheduler is not waiter.scheduler:
                raise RuntimeError(f"{group!r} runs on another loop: join it there")
            if group._members:
                group._joiners[waiter] = self
                return PARKED
            group._raise_failures()
            return None
        finally:
            del self, waiter, group

    def undo(self, waiter: Waiter) -> None:
        self.group._joiners.pop(waiter, None)
        self.group.cancel()

    def __repr__(self) -> str:
        return f"<JoinGroup {self.group!r}>"


def _failure_of(failures: list[tuple[str, BaseException]]) -> BaseException:
    """One error for the `failures` of coroutines, each with its name."""
    names = _names([name for name, _ in failures])
    return BaseExceptionGroup(f"failed in a TaskGroup: {names}", [error for _, error in failures])


def _names(names: list[str]) -> str:
    told = ", ".join(names[:_TOLD])
    return told if len(names) <= _TOLD else f"{told} and {len(names) - _TOLD} more"
