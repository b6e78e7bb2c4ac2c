"""An event loop whose clock a test sets: ten seconds of waiting pass in microseconds."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from cogen.core.coroutines import Coroutine
from cogen.core.deadlock import Deadlock
from cogen.core.schedulers import Scheduler

__all__ = ["REAL_SECONDS", "FakeClock", "FakeClockLoop"]

REAL_SECONDS = 10.0
"""What threads and sockets of a test may really take."""


class FakeClockLoop(asyncio.SelectorEventLoop):
    """`time()` stands still while anything is ready and then jumps to the next timer.

    `settle()` runs what is ready and jumps nowhere; `advance(seconds)` runs so much of its time.
    Threads take real time, for which the clock waits: those of `run_in_executor`, and whatever
    else `busy()` tells of. Where there is no timer either, it waits for `patience` real seconds,
    as another thread may call, and then raises Deadlock, which names who waits for what.
    """

    def __init__(self, patience: float = REAL_SECONDS) -> None:
        self._now = 1000.0
        self._until: float | None = None  # where the clock has to stop
        self._in_threads = 0
        self.patience = patience
        self.busy: Callable[[], bool] = _never
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Seconds of its own clock."""
        return self._now

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Any, *args: Any
    ) -> Any:
        """As of asyncio; the clock waits until the thread is done."""
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

    def wait_for_threads(self, selector: _JumpingSelector, timeout: float | None) -> Any:
        """For its selector: what real time brings. That passes here too, beside what is set."""
        begun = time.monotonic()
        longest = self.patience if timeout is None else min(timeout, self.patience)
        events = selector.select_really(longest)
        if not events and longest == self.patience:
            raise self._deadlock()
        if self._in_threads == 0:
            passed = min(time.monotonic() - begun, longest) if events else longest
            self._now += passed
            if self._until is not None:
                self._until += passed
        return events

    def jump(self, selector: _JumpingSelector, timeout: float | None) -> Any:
        """For its selector: go on where the next timer is due."""
        until = self._until
        if until is None:
            if timeout is None:
                events = selector.select_really(self.patience)
                if not events:
                    raise self._deadlock()
                return events
            self._now += timeout
        elif timeout is None or self._now + timeout > until:
            self._now = until
            self.stop()
        else:
            self._now += timeout
        return []

    def _deadlock(self) -> Deadlock:
        return Deadlock(list(Scheduler.of(self).coroutines))


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: FakeClockLoop) -> None:
        super().__init__()
        self._loop = loop

    def select_really(self, timeout: float | None) -> Any:
        return super().select(timeout)

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0)
        loop = self._loop
        if events or (timeout is not None and timeout <= 0):
            return events
        if loop._in_threads:
            return loop.wait_for_threads(self, None)
        if loop.busy():
            return loop.wait_for_threads(self, timeout)
        return loop.jump(self, timeout)


def _never() -> bool:
    return False


async def _end_of(coroutine: Coroutine) -> Any:
    return await coroutine


class FakeClock:
    """A scheduler on a loop of its own with a fake clock, for the tests of a program.

        with FakeClock() as clock:
            guest = clock.add(coroutine_function)
            clock.settle()                           # until all are parked
            clock.advance(10)                        # ten seconds later
            assert guest.result() == "soup"

    At its end what still runs is cancelled, every `finally` block is run, and the loop is closed.
    """

    def __init__(self, patience: float = REAL_SECONDS) -> None:
        self.loop = FakeClockLoop(patience)
        self.scheduler = Scheduler(self.loop)

    def add(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Coroutine:
        """Start the coroutine function `function(*args, **kwargs)`."""
        return self.scheduler.add(function, args, kwargs)

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What `function(*args, **kwargs)` returns, or raises, at its end; the clock jumps on.

        Raises Deadlock where nothing could bring that about, and cancels it.
        """
        task = self.loop.create_task(_end_of(self.add(function, *args, **kwargs)))
        try:
            return self.loop.run_until_complete(task)
        finally:
            if not task.done():
                task.cancel()
                self.loop.run_until_complete(asyncio.wait([task]))
            del task

    def settle(self) -> None:
        """Run until all are parked; no time passes."""
        self.loop.settle()

    def advance(self, seconds: float) -> None:
        """Run for `seconds` of the clock."""
        self.loop.advance(seconds)

    def time(self) -> float:
        """Seconds of the clock."""
        return self.loop.time()

    def close(self) -> None:
        """Cancel what still runs, and close the loop."""
        if not self.loop.is_closed():
            self.scheduler.shutdown()
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()

    def __enter__(self) -> FakeClock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
