"""Application code runs in greenlets, so that it can wait in the middle of a call.

A runner takes one step of an exchange after the other. If the application waits in a step, the
runner belongs to that exchange until the wait is over, and the next step gets another one. Two
switches a step cost a fraction of a microsecond; a stack is kept only while somebody waits on it.
"""

from contextvars import Context
from typing import Protocol

from greenlet import getcurrent, greenlet

__all__ = ["Runners", "Steps"]

_KEPT = 16


class Steps(Protocol):
    """What runners run."""

    context: Context
    runner: greenlet | None

    def drive(self) -> None:
        """Run application code."""


class Runners:
    """The greenlets of one loop. Made in the greenlet that runs the loop."""

    __slots__ = ("_hub", "_idle")

    def __init__(self) -> None:
        self._hub = getcurrent()
        self._idle: list[greenlet] = []

    def run(self, steps: Steps) -> None:
        """Run `steps.drive()` in its context until it returns or waits."""
        runner = steps.runner
        if runner is not None:
            steps.runner = None
        elif self._idle:
            runner = self._idle.pop()
            runner.gr_context = steps.context
        else:
            runner = greenlet(self._work)
            runner.gr_context = steps.context
        if runner.switch(steps) is None and len(self._idle) < _KEPT:
            self._idle.append(runner)

    def wait(self, steps: Steps) -> None:
        """Called in a runner: leave the step; returns when `run(steps)` is called again.

        Raises RuntimeError in code that runs outside a step.
        """
        runner = getcurrent()
        if runner is self._hub:
            raise RuntimeError("cogen.wait was called outside of the request it belongs to")
        steps.runner = runner
        self._hub.switch(steps)

    def _work(self, steps: Steps) -> None:
        while True:
            steps.drive()
            steps = self._hub.switch(None)
