"""Application code runs in greenlets, so that it can wait in the middle of a call.

A runner is a greenlet that runs the scheduler's turns. If application code waits in the middle of
a call, the runner belongs to its exchange until the wait is over, and the turn goes on in another
one. So a switch is paid once a turn, and a stack is kept only while somebody waits on it.

What greenlet 3.5 and the collector of garbage do to each other:

- A suspended greenlet is never collected, nor is what its frames hold: in a cycle it leaks.
- One that is let go of in another thread is ended when its own thread makes a greenlet next. While
  it is made, gc.get_objects() has it half-made, and to collect then crashes.
- As a thread ends, greenlet looks for whoever still holds the thread's main greenlet, and frees
  that if the collector knows of nobody. Of what gc.freeze() has put aside it knows nothing, nor of
  what the frames of suspended greenlets hold: they go on with an object that is gone, and crash.
  So that is turned off. It may keep a few hundred bytes for a thread that ends; none of ours do.
"""

from collections.abc import Callable
from contextvars import Context
from threading import get_ident
from typing import Any

from greenlet import GreenletExit, enable_optional_cleanup, getcurrent, greenlet

from cogen.core.coroutines import operation_of
from cogen.core.durations import Duration
from cogen.core.events import PARKED
from cogen.core.schedulers import Scheduler, Waiter

__all__ = ["Runners", "Straight"]

_KEPT = 4

enable_optional_cleanup(False)


class Straight(Waiter):
    """A waiter whose steps are application code, which can wait in the middle of a call.

    `runner` is the greenlet in which it does, if it does; `context` is that of its steps.
    """

    __slots__ = ("context", "runner", "runners")

    context: Context
    runner: greenlet | None
    runners: "Runners"

    def step(self) -> None:
        if self.runner is not None:
            # From the hub: this turn has a runner of its own.
            self.scheduler.loop.call_soon(self.runners.resume, self)
            return
        self.scheduler.stepping = self
        try:
            self.context.run(self.drive)
        finally:
            self.scheduler.stepping = None

    def drive(self) -> None:
        """Go on with the outcome of what was waited for."""
        raise NotImplementedError

    def wait(self, what: Any, /, *args: Any, timeout: Duration | None = None, **kwargs: Any) -> Any:
        """Called in a step, by `corolets.wait`: what that does."""
        raise NotImplementedError

    def parked(self) -> None:
        """It begins to wait."""

    def unparked(self) -> None:
        """It has waited, as `parked` said."""

    def wait_for(self, operation: Any) -> Any:
        """Called in a step: perform `operation` and return its result, or raise."""
        error: BaseException | None = None
        try:
            result = self.start_wait(operation_of(operation, self))
            if result is not PARKED:
                return result
            self.parked()
            self.runners.wait(self)
            self.unparked()
            value, error = self.value, self.error
            self.value = self.error = None
            if error is not None:
                raise error
            return value
        finally:
            # The error's traceback holds this frame, which may hold nothing that holds the error.
            del self, operation, error

    def end_wait(self, why: Callable[[], BaseException]) -> None:
        """End what is waited for: what `why()` makes is raised if that is in a call."""
        if self.runner is not None:
            self.leave(why)
        elif self.withdraw():
            self.scheduler.ready(self)

    def cut_wait(self, error: BaseException) -> None:
        """Undo what is waited for, now, unless its outcome is on its way or shielded: `error` is
        raised there."""
        if self.withdraw():
            self.error = error
            self.scheduler.ready(self)


class Runners:
    """The greenlets of the loop of `scheduler`, whose turns they run.

    Made in the greenlet that runs the loop, the hub.
    """

    __slots__ = ("_hub", "_idle", "scheduler")

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        scheduler.enter = self.run
        self._hub = getcurrent()
        self._idle: list[greenlet] = []

    def run(self, function: Callable[[], None]) -> None:
        """Called in the hub: run `function()` in a runner until it returns or waits."""
        runner = self._idle.pop() if self._idle else greenlet(self._work)
        self._switch(runner, function)

    def runs(self, steps: Straight) -> bool:
        """Whether this is a step of `steps`."""
        return self.scheduler.stepping is steps and get_ident() == steps.scheduler.thread

    def wait(self, steps: Straight) -> None:
        """Called in a step of `steps`: leave it; returns when `resume(steps)` is called."""
        steps.runner = getcurrent()
        self.scheduler.stepping = None
        self._hub.switch(steps)

    def resume(self, steps: Straight) -> None:
        """Called in the hub: go on where `steps` waits, if it still does."""
        runner, steps.runner = steps.runner, None
        if runner is not None:
            self.scheduler.stepping = steps
            self._switch(runner)

    def start(self) -> None:
        """End a runner that waits, as a client does that leaves: the code for it is loaded now."""
        runner = greenlet(self._work)
        self._switch(runner, lambda: self._hub.switch(self))
        runner.throw(GreenletExit)

    def trim(self) -> None:
        """Let go of the runners that are kept for turns to come."""
        self._idle.clear()

    def _switch(self, runner: greenlet, *args: Callable[[], None]) -> None:
        if runner.switch(*args) is None and len(self._idle) < _KEPT:
            self._idle.append(runner)

    def _work(self, function: Callable[[], None]) -> None:
        while True:
            function()
            function = self._hub.switch(None)
