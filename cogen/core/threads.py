"""Blocking functions in worker threads, as operations."""

import functools
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from cogen.core.durations import Duration
from cogen.core.events import Await, Operation
from cogen.core.schedulers import Waiter, running_for

__all__ = ["RunInThread"]


class RunInThread(Await):
    """Run `function(*args, **kwargs)` in a thread of the loop's pool; its result, or exception.

    It runs in a copy of the waiter's context. Undone while it runs, the thread goes on and its
    result is dropped.
    """

    __slots__ = ("_call",)

    def __init__(
        self,
        function: Callable[..., Any],
        *args: Any,
        timeout: Duration | None = None,
        **kwargs: Any,
    ) -> None:
        Operation.__init__(self, timeout)
        if not callable(function):
            raise TypeError(
                f"RunInThread: {function!r} is no function: hand over the function itself, "
                "and its arguments behind it"
            )
        self._call = functools.partial(function, *args, **kwargs)

    def run(self, waiter: Waiter) -> Any:
        context = copy_context()
        context.run(running_for.set, waiter.scheduler)
        self.awaitable = waiter.scheduler.loop.run_in_executor(None, context.run, self._call)
        return super().run(waiter)

    def __repr__(self) -> str:
        return f"<RunInThread {self._call.func!r}>"
