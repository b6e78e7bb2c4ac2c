"""A portal from threads to a loop: a call is made there, and its result comes back.

    portal = Portal(scheduler)                     # in a program, before its threads begin

    def in_a_thread():
        item = portal.call(queue.get, timeout=5)   # waits, and the loop goes on
        portal.call(queue.put, "more")             # waits for room
        return portal.call(asyncio.gather, fetch(1), fetch(2))

So a queue is one that both sides wait on, and whatever else a coroutine can wait for a thread can.
"""

import contextlib
import math
import threading
import time
from asyncio import CancelledError
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent import futures
from inspect import isgeneratorfunction
from typing import Any, Final

from cogen.core.corolets import to_wait_for
from cogen.core.coroutines import Coroutine, coro
from cogen.core.durations import Duration, seconds_of
from cogen.core.events import Join, OperationTimeout
from cogen.core.schedulers import Scheduler

__all__ = ["Portal", "background"]

# Seconds between two looks whether the loop was closed, which tells nobody.
_LOOK: Final = 0.5


class Portal:
    """Calls functions on the loop of `scheduler`, by default that which the caller works for.

    Raises RuntimeError where there is none.
    """

    __slots__ = ("scheduler",)

    def __init__(self, scheduler: Scheduler | None = None) -> None:
        self.scheduler = scheduler if scheduler is not None else Scheduler.current()

    def call(self, what: Any, /, *args: Any, timeout: Duration | None = None, **kwargs: Any) -> Any:
        """Wait in this thread for what `what(*args, **kwargs)`, called on the loop, comes to.

        What the function returns is waited for if it is an operation, a coroutine or an awaitable,
        and `what` may itself be one of these. Its result is returned and its exception raised here.
        It runs as a coroutine in a copy of this thread's context.

        After `timeout` seconds, 0 for what is there at once, it is cancelled, and when it has ended
        OperationTimeout is raised; if it had its result by then, that is returned: nothing is lost.
        An exception in this thread, KeyboardInterrupt for one, cancels it as well.

        Raises concurrent.futures.CancelledError if it is cancelled there, as `shutdown` does,
        RuntimeError in the thread of the loop itself, and if the loop is or gets closed.
        """
        scheduler = self.scheduler
        if threading.get_ident() == scheduler.thread:
            raise RuntimeError(
                f"Portal.call({what!r:.80}) was called in the thread of its own loop, which would "
                "wait for itself: `yield` or `await` it there, or call it in another thread"
            )
        seconds = None if timeout is None else seconds_of(timeout, "Portal.call: timeout")
        if seconds is not None and not seconds >= 0:
            raise ValueError(f"Portal.call: timeout must be 0 or more seconds, not {timeout!r}")
        coroutine = scheduler.add(_calling(what, args, kwargs))
        try:
            in_time = self._awaited(coroutine, seconds)
            return _outcome(coroutine, None if in_time else seconds)
        finally:
            del coroutine  # a traceback that it holds leads here

    def _awaited(self, coroutine: Coroutine, timeout: float | None) -> bool:
        """Wait until it has ended; False if it was cancelled since the time was up."""
        ended = threading.Lock()
        ended.acquire()
        coroutine.add_done_callback(lambda _: ended.release())
        try:
            if self._ends(coroutine, ended, timeout):
                return True
            # Behind its first step: what is there at once is had within no time.
            loop = self.scheduler.loop
            self.scheduler.post(lambda: loop.call_soon(coroutine.cancel))
            self._ends(coroutine, ended, None)
            return False
        except BaseException:
            coroutine.cancel()
            raise

    def _ends(self, coroutine: Coroutine, ended: threading.Lock, timeout: float | None) -> bool:
        """Wait until it has; False if that is not within `timeout` seconds."""
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while not ended.acquire(timeout=max(0.0, min(_LOOK, deadline - time.monotonic()))):
            if self.scheduler.loop.is_closed():
                raise RuntimeError(f"the loop was closed while a thread waited for {coroutine!r}")
            if time.monotonic() >= deadline:
                return False
        return True


def _calling(what: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Callable[[], Any]:
    """A coroutine function that returns what comes of it: the value, or an exception behind None.

    One that it raised would be logged, as nobody on the loop waits for it.
    """
    function = coro(what) if isgeneratorfunction(what) else what

    def called() -> Any:
        try:
            made = to_wait_for(function, args, kwargs, None)
        except Exception as error:  # noqa: BLE001 (raised in the thread)
            return _failure(error)
        return _outcome_of(made)

    called.__qualname__ = getattr(what, "__qualname__", f"{what!r:.80}")
    return called


def _failure(error: Exception) -> Generator[Any, Any, tuple[Any, Exception | None]]:
    """By a step of its own: the frame that has called what failed is not to hold the error."""
    yield from ()
    return None, error


def _outcome_of(made: Any) -> Generator[Any, Any, tuple[Any, Exception | None]]:
    try:
        return (yield made), None
    except Exception as error:  # noqa: BLE001 (raised in the thread)
        return None, error


def _outcome(coroutine: Coroutine, timeout: float | None) -> Any:
    """What came of it; `timeout`, if there is one, was over."""
    error: BaseException | None = None
    try:
        try:
            value, error = coroutine.result()
        except CancelledError:
            if timeout is None:
                raise futures.CancelledError(
                    f"{coroutine.name} was cancelled on the loop"
                ) from None
            raise OperationTimeout(Join(coroutine, timeout)) from None
        if error is not None:
            raise error
        return value
    finally:
        del coroutine, error  # a traceback holds this frame


@contextlib.contextmanager
def background(proactor: str = "any") -> Iterator[Portal]:
    """The portal to a scheduler that runs in a thread of its own, for a program of threads.

    At the end of the block what still runs there is cancelled, every `finally` is run, and the loop
    is closed. `proactor`: as of Scheduler.
    """
    scheduler = Scheduler(proactor=proactor)
    begun = threading.Event()

    def run() -> None:
        scheduler.loop.call_soon(begun.set)
        scheduler.loop.run_forever()
        scheduler.shutdown()

    thread = threading.Thread(target=run, name="cogen portal", daemon=True)
    thread.start()
    begun.wait()
    try:
        yield Portal(scheduler)
    finally:
        scheduler.loop.call_soon_threadsafe(scheduler.loop.stop)
        thread.join()
