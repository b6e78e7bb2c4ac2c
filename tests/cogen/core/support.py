"""A scheduler on a fake clock, and what other threads do to it."""

from __future__ import annotations

import threading
import unittest
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from cogen.core.coroutines import Coroutine, coro
from cogen.core.schedulers import Scheduler
from cogen.testing.clock import REAL_SECONDS, FakeClockLoop


class CoreCase(unittest.TestCase):
    """`run_(generator function)` runs a coroutine to its end and gives its result back."""

    def setUp(self) -> None:
        self.loop = FakeClockLoop()
        self.scheduler = Scheduler(self.loop)
        self.addCleanup(self.loop.close)
        self.addCleanup(self.scheduler.shutdown)

    def start(self, function: Callable[..., Any], *args: Any) -> Coroutine:
        return self.scheduler.add(function, args)

    def run_(self, function: Callable[..., Any], *args: Any) -> Any:
        coroutine = self.start(coro(function), *args)
        for _ in range(1000):
            if coroutine.done:
                break
            self.loop.advance(1)
        return coroutine.result()

    def assert_nothing_is_left(self) -> None:
        self.loop.settle()
        counts = {"coroutines": 0, "ready": 0, "deadlines": 0, "signal_waiters": 0}
        self.assertEqual(counts, self.scheduler.statistics())


class OperationCase(CoreCase):
    """Coroutines that wait for one operation."""

    def parked(self, operation: Any) -> Coroutine:
        """A coroutine that waits for it."""
        coroutine = self.start(coro(lambda: (yield operation)))
        self.loop.settle()
        self.assertFalse(coroutine.done, coroutine)
        self.addCleanup(self.loop.settle)
        self.addCleanup(coroutine.cancel)
        return coroutine

    def ended(self, coroutine: Coroutine) -> Coroutine:
        """The same, which has ended by now."""
        self.loop.settle()
        self.assertTrue(coroutine.done, coroutine)
        return coroutine


def elsewhere(function: Callable[..., Any], *args: Any) -> Any:
    """What `function(*args)` gives in a thread of its own, while the loops of this one stand."""
    outcome: Future[Any] = Future()

    def run() -> None:
        try:
            outcome.set_result(function(*args))
        except Exception as error:  # noqa: BLE001 (raised where it was called)
            outcome.set_exception(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(REAL_SECONDS)
    return outcome.result(0)


class LoopThread:
    """A context manager: a scheduler, `scheduler`, whose loop runs in a thread of its own."""

    def __init__(self, proactor: str = "any") -> None:
        self.scheduler = Scheduler(proactor=proactor)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> LoopThread:
        self._thread.start()
        self.idle()
        return self

    def __exit__(self, *exc: object) -> None:
        self.scheduler.loop.call_soon_threadsafe(self.scheduler.loop.stop)
        self._thread.join(REAL_SECONDS)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        self.scheduler.loop.run_forever()
        self.scheduler.shutdown()

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """What `function(*args)` gives on the loop."""
        outcome: Future[Any] = Future()
        self.scheduler.loop.call_soon_threadsafe(lambda: outcome.set_result(function(*args)))
        return outcome.result(REAL_SECONDS)

    def idle(self) -> None:
        """Return when nothing is ready on the loop: it waits for what comes from outside."""
        scheduler = self.scheduler
        while self.call(lambda: scheduler.posted or scheduler.statistics()["ready"]):
            pass

    def start(self, function: Callable[..., Any], *args: Any) -> Coroutine:
        """A coroutine, started on the loop, that waits or has ended by now."""
        coroutine: Coroutine = self.call(self.scheduler.add, function, args)
        self.idle()
        return coroutine


def end_of(coroutine: Coroutine) -> Any:
    """Wait in real time for the end of a coroutine of another thread: its result."""
    ended = threading.Event()
    coroutine.add_done_callback(lambda _: ended.set())
    if not ended.wait(REAL_SECONDS):
        raise AssertionError(f"{coroutine!r} does not end")
    return coroutine.result()
