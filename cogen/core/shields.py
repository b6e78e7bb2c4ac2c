"""Waits for clean-up, which are not broken off.

finally:
    yield Shield(connection.close(), timeout=5)
"""

from collections.abc import Callable
from typing import Any, ClassVar

from cogen.core.coroutines import Coroutine, operation_of
from cogen.core.durations import Duration
from cogen.core.events import PARKED, Operation, Owned
from cogen.core.schedulers import Waiter

__all__ = ["Shield"]


class Shield(Operation):
    """Wait for `awaited`, an operation, a coroutine or an awaitable; the result is its outcome.

    A cancellation, a deadline, or that the client has left does not undo it: that is raised at the
    next wait, a cancellation at the next that is no Shield. Only its own `timeout` does, and then
    OperationTimeout is raised; give one where what is waited for may never come.
    """

    __slots__ = ("_inner", "awaited")

    shields: ClassVar[bool] = True

    def __init__(self, awaited: Any, timeout: Duration | None = None) -> None:
        super().__init__(timeout)
        self.awaited = awaited
        self._inner: _Inner | None = None

    def run(self, waiter: Waiter) -> Any:
        inner = _Inner(waiter)
        try:
            made = isinstance(self.awaited, Coroutine) and not self.awaited.started
            operation = operation_of(self.awaited, waiter)
            result = inner.perform(Owned(self.awaited) if made else operation)
            if result is PARKED:
                self._inner = inner
            return result
        finally:
            del self, waiter, inner

    def undo(self, waiter: Waiter) -> None:
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.withdraw()

    def leave(self, waiter: Waiter, why: Callable[[], BaseException], crowd: bool = False) -> None:
        """Its timeout is over; an outcome that is on its way comes."""
        inner = self._inner
        if inner is not None and inner.operation is not None:
            inner.operation.leave(inner, why, crowd)

    def __repr__(self) -> str:
        return f"<Shield {self.awaited!r}>"


class _Inner(Waiter):
    """Waits in the place of `outer`."""

    __slots__ = ("outer",)

    def __init__(self, outer: Waiter) -> None:
        super().__init__(outer.scheduler)
        self.outer = outer

    @property
    def owner(self) -> Any:
        return self.outer.owner

    def step(self) -> None:
        outer, error, self.error = self.outer, self.error, None
        try:
            if not isinstance(outer.operation, Shield) or outer.operation._inner is not self:
                return
            outer.operation._inner = None
            if error is not None:
                outer.fail(error)
            else:
                outer.resume(self.value)
        finally:
            del self, outer, error
