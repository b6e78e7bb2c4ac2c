"""Application code runs in greenlets, so that it can wait in the middle of a call.

A runner is a greenlet that runs the scheduler's turns. If application code waits in the middle of
a call, the runner belongs to its exchange until the wait is over, and the turn goes on in another
one. So a switch is paid once a turn, and a stack is kept only while somebody waits on it.
"""

from collections.abc import Callable
from typing import Protocol

from greenlet import GreenletExit, getcurrent, greenlet

__all__ = ["Runners", "Steps"]

_KEPT = 4


class Steps(Protocol):
    """Whose steps are run; `runner` is the greenlet in which it waits, if it does."""

    runner: greenlet | None


class Runners:
    """The greenlets of one loop. Made in the greenlet that runs the loop, the hub.

    `current`: whose step is running.
    """

    __slots__ = ("_hub", "_idle", "current")

    def __init__(self) -> None:
        self._hub = getcurrent()
        self._idle: list[greenlet] = []
        self.current: Steps | None = None

    def run(self, function: Callable[[], None]) -> None:
        """Called in the hub: run `function()` in a runner until it returns or waits."""
        runner = self._idle.pop() if self._idle else greenlet(self._work)
        self._switch(runner, function)

    def wait(self, steps: Steps) -> None:
        """Called in a step of `steps`: leave it; returns when `resume(steps)` is called.

        Raises RuntimeError anywhere else.
        """
        if self.current is not steps:
            raise RuntimeError("cogen.wait was called outside of the request it belongs to")
        steps.runner = getcurrent()
        self.current = None
        self._hub.switch(steps)

    def resume(self, steps: Steps) -> None:
        """Called in the hub: go on where `steps` waits, if it still does."""
        runner, steps.runner = steps.runner, None
        if runner is not None:
            self.current = steps
            self._switch(runner)

    def end(self, steps: Steps) -> None:
        """Raise GreenletExit where `steps` waits, if it does."""
        runner, steps.runner = steps.runner, None
        if runner is not None:
            current, self.current = self.current, steps
            runner.parent = getcurrent()
            runner.throw(GreenletExit)
            self.current = current

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
