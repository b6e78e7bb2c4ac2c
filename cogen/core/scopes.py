"""Scopes: what can end the waits of a block of code, a deadline or the failure of a task group.

A scope belongs to whoever runs its block, a coroutine, a request or an asyncio task, which
`Waiter.owner` names: so the code may be a generator, an `async def` or straight-line code, in a
thread too. Who has entered none pays for none: the scheduler's table of them is empty.
"""

import asyncio
import threading
from collections.abc import Callable
from threading import RLock, get_ident
from typing import Any, Final

from cogen.core.corolets import StraightThread
from cogen.core.events import Operation
from cogen.core.greenlets import Straight
from cogen.core.schedulers import Scheduler, Waiter

__all__ = ["Scope", "Scopes", "current_owner", "on_loop"]

# Of the table of scopes, which other threads change too; held for some microseconds.
_lock: Final = RLock()


def current_owner() -> tuple[Scheduler, Any]:
    """Whose code calls this, as `Waiter.owner`, and the scheduler that it waits by.

    Raises RuntimeError outside of a coroutine, a request and an asyncio task.
    """
    if asyncio._get_running_loop() is None:
        thread = threading.current_thread()
        if isinstance(thread, StraightThread) and isinstance(thread.waits, Straight):
            return thread.waits.scheduler, thread.waits.owner
    else:
        scheduler = Scheduler.current()
        if scheduler.stepping is not None:
            return scheduler, scheduler.stepping.owner
        task = asyncio.current_task()
        if task is not None:
            return scheduler, task
    raise RuntimeError("this is no code of a coroutine, a request or an asyncio task: nobody waits")


class Scopes:
    """The scopes that `owner` has entered, the innermost last, and what its code waits for."""

    __slots__ = ("_waits", "entered", "owner", "scheduler")

    def __init__(self, scheduler: Scheduler, owner: Any) -> None:
        self.scheduler = scheduler
        self.owner = owner
        self.entered: list[Scope] = []
        self._waits: dict[Waiter, Operation] = {}

    @classmethod
    def of(cls, scheduler: Scheduler, owner: Any) -> "Scopes":
        """Those of `owner`, made if it has none."""
        with _lock:
            scopes = scheduler.scopes.get(owner)
            if scopes is None:
                scopes = scheduler.scopes[owner] = cls(scheduler, owner)
            return scopes

    def add(self, scope: "Scope", outermost: bool = False) -> None:
        """`owner` enters `scope`."""
        with _lock:
            self.scheduler.scopes[self.owner] = self
            self.entered.insert(0 if outermost else len(self.entered), scope)

    def remove(self, scope: "Scope") -> bool:
        """It leaves `scope`; whether that is the innermost."""
        with _lock:
            innermost = self.entered[-1:] == [scope]
            self.entered.remove(scope)
            if not self.entered:
                self.scheduler.scopes.pop(self.owner, None)
            return innermost

    def begin(self, waiter: Waiter, operation: Operation | None) -> None:
        """`waiter` is about to wait for `operation`, None: for its turn.

        Raises what ends the waits of the outermost scope that has ended.
        """
        try:
            for scope in tuple(self.entered):
                if scope.has_ended():
                    _refuse(operation)
                    raise scope.cancelled() if self._in_task() else scope.error()
            if operation is not None and not self._in_task():
                self._waits = {each: at for each, at in self._waits.items() if each.operation is at}
                self._waits[waiter] = operation
        finally:
            del self, waiter

    def interrupt(self, scope: "Scope") -> None:
        """`scope` has ended: end what is waited for in it; called on the loop."""
        if self.scheduler.posted:  # it may have its outcome
            self.scheduler.do_posted()
        if isinstance(self.owner, asyncio.Task):
            scope.cancel_task(self.owner)
            return
        for waiter, operation in self._waits.items():
            if waiter.operation is operation and scope.has_ended():
                operation.leave(waiter, self._error, crowd=True)

    def _error(self) -> BaseException:
        """Of the outermost scope that has ended; what one failed with may have been told since."""
        for scope in tuple(self.entered):
            if scope.has_ended():
                return scope.error()
        return asyncio.CancelledError()

    def _in_task(self) -> bool:
        return isinstance(self.owner, asyncio.Task)


def _refuse(operation: Operation | None) -> None:
    """It is not waited for: else an `async def` would tell that nobody has awaited it."""
    awaitable = getattr(operation, "awaitable", None)
    if asyncio.iscoroutine(awaitable):
        awaitable.close()


class Scope:
    """A block, `with`, whose waits something can end. Base of deadlines and task groups.

    In an asyncio task, as that of an `async def`, the wait ends with CancelledError, and the error
    of the scope is raised at the end of the block, as with `asyncio.timeout`.
    """

    __slots__ = ("_cancels", "_had", "_scopes", "_task")

    def __init__(self) -> None:
        self._scopes: Scopes | None = None
        self._cancels = False  # a CancelledError of the block stands for the end of the scope
        self._task: asyncio.Task[Any] | None = None  # that was cancelled for it
        self._had = 0  # cancellations of the owner before the block

    def has_ended(self) -> bool:
        """Whether waits in the block have to end."""
        raise NotImplementedError

    def error(self) -> BaseException:
        """What is raised at a wait then."""
        raise NotImplementedError

    def cancelled(self) -> BaseException:
        """What is raised at a wait of an asyncio task then."""
        self._cancels = True
        return asyncio.CancelledError()

    def cancel_task(self, task: "asyncio.Task[Any]") -> None:
        """End what `task`, which runs the block, awaits."""
        if not self._cancels:
            self._cancels = True
            self._task = task
            task.cancel()

    def _enter(self) -> Scopes:
        """Raises RuntimeError where nobody waits, or in the midst of another use."""
        if self._scopes is not None:
            raise RuntimeError(f"{self!r} is in use: each block needs one of its own")
        self._scopes = scopes = Scopes.of(*current_owner())
        scopes.add(self)
        self._had = scopes.owner.cancelling()
        return scopes

    def _leave(self, error: BaseException | None) -> bool:
        """Whether `error` is how the scope has ended the wait of a task.

        Raises RuntimeError, if there is no error already, where another's block is left.
        """
        try:
            scopes, self._scopes = self._scopes, None
            if scopes is None:
                raise RuntimeError(f"{self!r} is left, and nobody has entered it")
            innermost = scopes.remove(self)
            if error is None and not innermost:
                raise RuntimeError(f"{self!r} was left before what was entered within it")
            if error is None and _owner_or_none() not in (None, scopes.owner):
                raise RuntimeError(f"{self!r} was left by another than who has entered it")
            return self._uncancel(scopes.owner) and isinstance(error, asyncio.CancelledError)
        finally:
            del self, error

    def _uncancel(self, owner: Any) -> bool:
        """Take back the cancellation of `owner`; False if others have cancelled it in the block."""
        cancels, self._cancels = self._cancels, False
        task, self._task = self._task, None
        if task is not None:
            task.uncancel()
        return cancels and not self._is_cancelled(owner)

    def _is_cancelled(self, owner: Any) -> bool:
        """Whether others have cancelled `owner` in the block."""
        return bool(owner.cancelling() > self._had)


def _owner_or_none() -> Any:
    try:
        return current_owner()[1]
    except RuntimeError:
        return None


def on_loop(scheduler: Scheduler, function: Callable[[], object]) -> None:
    """Call `function()` now, or soon where this is another thread than that of the loop."""
    if get_ident() == scheduler.thread:
        function()
    else:
        scheduler.post(function)
