"""An event loop whose clock a test sets: ten seconds of waiting pass in microseconds."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any

__all__ = ["Deadlock", "FakeClockLoop"]

# What threads and sockets of a test may really take.
REAL_SECONDS = 10.0


class Deadlock(AssertionError):
    """The loop was to wait, and nothing that could end the wait is under way."""


class FakeClockLoop(asyncio.SelectorEventLoop):
    """`time()` stands still while anything is ready and then jumps to the next timer.

    `settle()` runs what is ready and jumps nowhere; `advance(seconds)` runs so much of its time.
    """

    def __init__(self) -> None:
        self._now = 1000.0
        self._until: float | None = None  # where the clock has to stop
        self._in_threads = 0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self._now

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """Threads take real time: the clock waits for them."""
        future = super().run_in_executor(executor, func, *args)
        self._in_threads += 1
        future.add_done_callback(self._thread_ended)
        return future

    def _thread_ended(self, future: Any) -> None:
        self._in_threads -= 1

    def settle(self) -> None:
        """Run until everything waits."""
        self.advance(0.0)

    def advance(self, seconds: float) -> None:
        """Run for `seconds` of the loop's own time."""
        self._until = self._now + seconds
        try:
            self.run_forever()
        finally:
            self._until = None

    def _jump(self, timeout: float | None) -> None:
        until = self._until
        if until is None:
            if timeout is not None:
                self._now += timeout
        elif timeout is None or self._now + timeout > until:
            self._now = until
            self.stop()
        else:
            self._now += timeout


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: FakeClockLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0)
        if events or (timeout is not None and timeout <= 0):
            return events
        alone = timeout is None and self._loop._until is None
        if self._loop._in_threads or alone:
            events = super().select(REAL_SECONDS)
            if not events:
                raise Deadlock("nothing is under way that could wake the loop")
            return events
        self._loop._jump(timeout)
        return events
