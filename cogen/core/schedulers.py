"""The scheduler: FIFO queues of waiters that are ready, run in turns on an asyncio loop.

A turn runs at most some SLICE steps and then lets the loop serve its sockets and timers.
Those that one act wakes together, a message or a time that is up, are a crowd with a queue of its
own: ten thousand of them do not hold up an unrelated request.
"""

import asyncio
import gc
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from threading import RLock, get_ident
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from mypy_extensions import mypyc_attr

from cogen.core.durations import Duration, span_of
from cogen.core.events import FOREVER, PARKED, Operation, Signal
from cogen.core.gone import SCHEDULER, refusal
from cogen.core.posting import Posting
from cogen.core.timers import Timers

if TYPE_CHECKING:
    from signal import Signals

    from cogen.core.coroutines import Coroutine
    from cogen.core.running import Run
    from cogen.core.scopes import Scopes

__all__ = [
    "PROACTORS",
    "SLICE",
    "Scheduler",
    "Waiter",
    "new_event_loop",
    "running_for",
    "wait_in_asyncio",
]

log = logging.getLogger(__name__)

running_for: ContextVar["Scheduler"] = ContextVar("running_for")
"""The scheduler that a thread works for. Whoever runs code in threads sets it in its context."""

SLICE = 64
"""Steps that are run in one go before others have their turn."""

# Steps of the crowd in a turn, however many others are ready.
_LEAST_CROWD = 8

PROACTORS = ("any", "uvloop", "asyncio")
"""Whose loop a scheduler makes: `any` is uvloop where that can be imported."""


def new_event_loop(proactor: str = "any") -> asyncio.AbstractEventLoop:
    """Make an event loop: `uvloop`, `asyncio`, or `any` (uvloop where it imports).

    Raises ValueError for another name, ImportError where uvloop is asked for and missing.
    """
    if proactor not in PROACTORS:
        raise ValueError(f"proactor must be one of {', '.join(PROACTORS)}, not {proactor!r}")
    if proactor != "asyncio":
        try:
            import uvloop
        except ImportError:
            if proactor == "uvloop":
                raise
        else:
            return uvloop.new_event_loop()
    return asyncio.SelectorEventLoop()


@mypyc_attr(allow_interpreted_subclasses=True)
class Waiter:
    """What an operation parks: a coroutine, an HTTP exchange, an asyncio task.

    It waits for one operation at a time and is resumed once: `step` is called in a later turn
    with the outcome in `value` or `error`.
    """

    __slots__ = ("error", "operation", "scheduler", "value")

    def __init__(self, scheduler: "Scheduler") -> None:
        self.scheduler = scheduler
        self.operation: Operation | None = None
        self.value: Any = None
        self.error: BaseException | None = None

    @property
    def owner(self) -> Any:
        """Who waits, over several operations; it has `add_done_callback`, and
        `remove_done_callback`."""
        return self

    def cancelling(self) -> int:
        """How often it was told that it is cancelled, as of asyncio's tasks."""
        return 0

    def cancelled(self) -> BaseException:
        """What tells it that."""
        return asyncio.CancelledError()

    def step(self) -> None:
        """Go on with the outcome; called by the scheduler."""
        raise NotImplementedError

    def perform(self, operation: Operation) -> Any:
        """Run `operation`: its result, or PARKED and `step` is called later."""
        try:
            result = operation.run(self)
            if result is PARKED:
                self.operation = operation
                if operation.timeout is not None:
                    self.scheduler.timers.start(self, operation.timeout)
            return result
        finally:
            del self, operation

    def start_wait(self, operation: Operation) -> Any:
        """`perform` for code that waits: in the scopes that it has entered, if any.

        Raises what has ended one of them.
        """
        try:
            if self.scheduler.scopes:
                self.check_scopes(operation)
            return self.perform(operation)
        finally:
            del self, operation

    def check_scopes(self, operation: Operation | None) -> None:
        """It is about to wait for `operation`, None: its turn. Raises what has ended a scope."""
        try:
            if operation is not None and operation.timeout is None:
                operation.timeout = self.scheduler.default_timeout
            scopes = self.scheduler.scopes.get(self.owner)
            if scopes is not None and not (operation is not None and operation.shields):
                scopes.begin(self, operation)
        finally:
            del self, operation

    def resume(self, value: Any, crowd: bool = False) -> None:
        """The operation has its result; `crowd`: others are resumed by the same act."""
        self._unpark()
        self.value = value
        self.scheduler.ready(self, crowd)

    def fail(self, error: BaseException, crowd: bool = False) -> None:
        """The operation failed: `error` is raised in the waiter."""
        self._unpark()
        self.error = error
        self.scheduler.ready(self, crowd)

    def expire(self) -> None:
        """The timeout of the operation has passed; called by the timers."""
        if self.scheduler.posted:  # it may have its outcome
            self.scheduler.do_posted()
        if self.operation is not None:
            self.operation.expire(self)

    def touch(self) -> None:
        """Begin the timeout of the operation anew, if it has one: there was progress."""
        operation = self.operation
        if operation is not None and operation.timeout is not None:
            self.scheduler.timers.start(self, operation.timeout)

    def leave(self, why: Callable[[], BaseException], crowd: bool = False) -> None:
        """End the wait, as Operation.leave does, unless the outcome is on its way or shielded."""
        operation = self.operation
        if operation is not None and not operation.shields:
            operation.leave(self, why, crowd)

    def withdraw(self) -> bool:
        """Undo the parking, and nothing is raised; False: the outcome is on its way or shielded."""
        operation = self.operation
        if operation is None or operation.shields:
            return False
        self._unpark()
        operation.undo(self)
        return True

    def _unpark(self) -> None:
        operation = self.operation
        if operation is None:
            raise RuntimeError(f"{self!r} was resumed, but it waits for nothing")
        self.operation = None
        if operation.timeout is not None:
            self.scheduler.timers.stop(self, operation.timeout)


class Scheduler(Posting):
    """Runs coroutines on `loop`, or on a new loop of the kind `proactor` names.

    `default_timeout` is that of what coroutines and requests wait for without one; None or -1: they
    wait for ever.

    `statistics()` tells what it holds. Several schedulers may exist, each on a loop of its own.

    `enter` is what runs the steps of a turn, given as a function: by default it just calls it. One
    that returns before the function does has put its stack aside: the others' steps go on in the
    next turn, and that stack runs none but its own when it goes on.

    `turns` counts those that have begun. `stepping`: whose step is running, None: nobody's.
    `on_error(coroutine, error)` is called for what a coroutine died of that nobody waits for;
    None: it is logged. `awaiting` are asyncio tasks that wait for an operation. `frozen`: how many
    objects the collector could not see any more when the loop was made.

    `add`, `signal`, `stop` and `statistics` may be called in any thread, all else in that of the
    loop.
    """

    _by_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, "Scheduler"]] = (
        WeakKeyDictionary()
    )
    _making: ClassVar = RLock()

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop | None = None,
        proactor: str = "any",
        default_timeout: Duration | None = None,
        **gone: Any,
    ) -> None:
        if gone:
            raise refusal("Scheduler", gone, SCHEDULER)
        default = _default_of(default_timeout)
        super().__init__(loop if loop is not None else new_event_loop(proactor))
        self._owns_loop = loop is None
        self.frozen = gc.get_freeze_count() if loop is None else 0
        self.timers = Timers(self.loop)
        self.signals: dict[Any, dict[Waiter, None]] = {}
        self.signalling: dict[Any, dict[Waiter, Signal]] = {}  # those that wait for recipients
        self._signalled: set[Any] = set()  # names of those that are posted
        self._lock = RLock()  # of `_signalled`
        self.coroutines: dict[Coroutine, None] = {}
        self._ready: deque[Waiter] = deque()
        self._crowd: deque[Waiter] = deque()
        self._turn_due = False
        self.turns = 0
        self.stepping: Waiter | None = None
        # By Waiter.owner, of those who have entered one.
        self.scopes: dict[Any, Scopes | None] = {}
        self.default_timeout = default
        if default is not None:
            self.scopes[self] = None  # so that each wait is looked at
        self._next_turn, self._next_steps = self._turn, self._steps  # bound once
        self.enter: Callable[[Callable[[], None]], None] = _call
        self.awaiting: dict[Any, Waiter] = {}
        # Sides of sockets, by descriptor and whether they write (cogen.core.descriptors).
        self.watched: dict[tuple[int, bool], Any] = {}
        self.on_error: Callable[[Coroutine, BaseException], object] | None = None
        self._idle: list[asyncio.Future[None]] = []
        self._cancelled: set[Coroutine] = set()  # they have been told, and end
        self._running: Run | None = None
        with Scheduler._making:
            # A scheduler holds its loop: nothing else would let go of the two.
            for each in [each for each in Scheduler._by_loop if each.is_closed()]:
                del Scheduler._by_loop[each]
            Scheduler._by_loop[self.loop] = self

    @classmethod
    def current(cls) -> "Scheduler":
        """The scheduler of the running loop, made if it has none yet.

        In a thread that works for one (an application of the server, RunInThread) it is that.
        Raises RuntimeError elsewhere.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            scheduler = running_for.get(None)
            if scheduler is not None:
                return scheduler
        else:
            scheduler = cls.of(loop)
            scheduler.thread = get_ident()
            return scheduler
        raise RuntimeError(
            "no loop runs in this thread, and it works for no scheduler: ask for "
            "Scheduler.current() where one does, and hand it over"
        )

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> "Scheduler":
        """The scheduler of `loop`, made if it has none yet."""
        scheduler = cls._by_loop.get(loop)
        if scheduler is None:
            with cls._making:
                scheduler = cls._by_loop.get(loop) or cls(loop)
        return scheduler

    def signal(self, name: Any, value: Any = None) -> int:
        """Resume all that wait for `name` with `value`; returns how many waited.

        In another thread the count may miss those who begin or cease to wait at that moment.
        """
        if get_ident() == self.thread:
            if self.posted:
                self.do_posted()
            return self._signal(name, value)
        with self._lock:
            # Those that wait hear one that was posted before.
            waiting = 0 if name in self._signalled else len(self.signals.get(name, ()))
            self._signalled.add(name)
            return waiting if self.post(partial(self._signal_posted, name, value)) else 0

    def _signal(self, name: Any, value: Any) -> int:
        waiters = self.signals.pop(name, {})
        for waiter in waiters:
            waiter.resume(value, crowd=True)
        return len(waiters)

    def _signal_posted(self, name: Any, value: Any) -> None:
        with self._lock:
            self._signalled.discard(name)
            self._signal(name, value)

    def add(
        self,
        function: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> "Coroutine":
        """Start `function(*args, **kwargs)`, a coroutine function; it first runs in a later turn.

        Raises TypeError where `function` is none, or is an already called one, RuntimeError in
        another thread than the loop's if the loop is closed.
        """
        from cogen.core.coroutines import call

        coroutine = call(function, args, kwargs or {})
        coroutine.start(self)
        return coroutine

    def ready(self, waiter: Waiter, crowd: bool = False) -> None:
        """Have `waiter.step()` called, after all that are ready already, or in the crowd."""
        (self._crowd if crowd else self._ready).append(waiter)
        if not self._turn_due:
            self._turn_due = True
            self.loop.call_soon(self._next_turn)

    def ready_next(self, waiter: Waiter) -> None:
        """Have `waiter.step()` called before all that are ready already."""
        self._ready.appendleft(waiter)
        if not self._turn_due:
            self._turn_due = True
            self.loop.call_soon(self._next_turn)

    def _turn(self) -> None:
        self.thread = get_ident()
        self.turns += 1
        try:
            self.enter(self._next_steps)
        finally:
            self._turn_due = bool(self._ready or self._crowd)
            if self._turn_due:
                self.loop.call_soon(self._next_turn)

    def _steps(self) -> None:
        done = self._run(self._ready, SLICE)
        # A step of the crowd makes others ready: taken in faster than those are served, it would
        # grow their queue until they wait for all of it.
        if done is not None:
            self._run(self._crowd, max(SLICE - done, _LEAST_CROWD))

    def _run(self, queue: deque[Waiter], most: int) -> int | None:
        """Run at most `most` steps of `queue`: how many; None if this stack was put aside."""
        turn = self.turns
        count = min(len(queue), most)
        for _ in range(count):
            queue.popleft().step()
            if self.turns != turn:
                return None
        return count

    def ended(self, coroutine: "Coroutine") -> None:
        """`coroutine` has ended; called by itself."""
        self.coroutines.pop(coroutine, None)
        if self._idle and not self.coroutines:
            idle, self._idle = self._idle, []
            for future in idle:
                if not future.done():
                    future.set_result(None)

    def idle(self) -> "asyncio.Future[None]":
        """A future that is done when no coroutine is left."""
        future = self.loop.create_future()
        if self.coroutines:
            self._idle.append(future)
        else:
            future.set_result(None)
        return future

    async def wait_idle(self) -> None:
        """Return when no coroutine is left."""
        while self.coroutines:
            await self.idle()

    def run(self) -> "Signals | None":
        """Run the loop until no coroutine is left, or it is to stop; the signal that said so.

        `stop()`, SIGINT and SIGTERM cancel every coroutine, and it returns when all have ended, so
        their `finally` blocks have run. Signals are taken in the main thread, where nobody else
        handles them, and only once each: a second SIGINT raises KeyboardInterrupt, a second SIGTERM
        ends the process. A SystemExit of a coroutine is raised after the others were cancelled.

        At SIGUSR2 the log is told what all threads and coroutines are at (cogen.core.dump).

        Raises Deadlock (cogen.core.deadlock) where nobody can go on, RuntimeError where the loop is
        running.
        """
        self._check_stands("run")
        from cogen.core.running import Run

        self._running = Run(self)
        try:
            return self._running.run()
        finally:
            self._running = None

    def stop(self) -> None:
        """Have `run` cancel every coroutine and return; nothing happens where it does not run.

        May be called in any thread, and by a coroutine.
        """
        running = self._running
        if running is not None:
            running.stop()

    async def cancel_all(self, patience: float | None = None) -> None:
        """Cancel every coroutine, once, also those that others start meanwhile; return when all
        have ended.

        Those that have not within `patience` seconds are left, and that is logged; None: however
        long it takes.
        """
        try:
            async with asyncio.timeout(patience):
                while self.coroutines:
                    await self.cancel_these()
        except TimeoutError:
            self._cancelled.clear()
            log.error("coroutines that did not end: %s", list(self.coroutines))

    def cancel_these(self) -> "asyncio.Future[None]":
        """Cancel those that there are now; a future that is done when they have ended."""
        coroutines = list(self.coroutines)
        left = len(coroutines)
        ended = self.loop.create_future()
        if not left:
            ended.set_result(None)

        def count(coroutine: "Coroutine") -> None:
            nonlocal left
            left -= 1
            self._cancelled.discard(coroutine)
            if not left and not ended.done():
                ended.set_result(None)

        for coroutine in coroutines:
            coroutine.add_done_callback(count)
            if coroutine not in self._cancelled:
                self._cancelled.add(coroutine)
                coroutine.cancel()
        return ended

    def shutdown(self, patience: float | None = None) -> None:
        """Cancel every coroutine, run their `finally` blocks, close the loop if it is ours.

        `patience`: as of `cancel_all`. Threads of RunInThread are waited for, however long they
        take. Raises RuntimeError where the loop is running.
        """
        self._check_stands("shutdown")
        if not self.loop.is_closed():
            self.loop.run_until_complete(self.cancel_all(patience))
            if self._owns_loop:
                self.loop.run_until_complete(self.loop.shutdown_asyncgens())
                self.loop.run_until_complete(self.loop.shutdown_default_executor())
                self.loop.close()
                self.thread = 0

    def _check_stands(self, act: str) -> None:
        # asyncio would have begun when it says so: everything would be cancelled.
        if self.loop.is_running():
            raise RuntimeError(f"Scheduler.{act}() was called while the loop runs: who runs it may")
        if asyncio._get_running_loop() is not None and not self.loop.is_closed():
            raise RuntimeError(
                f"Scheduler.{act}() was called in code that another loop runs, which would stand "
                "still: add the coroutines to Scheduler.current(), or call it in another thread"
            )

    def statistics(self) -> dict[str, int]:
        """Counts of what is held: coroutines, ready waiters, deadlines, signal waiters."""
        return {
            "coroutines": len(self.coroutines),
            "ready": len(self._ready) + len(self._crowd),
            "deadlines": len(self.timers),
            "signal_waiters": sum(map(len, self.signals.values()))
            + sum(map(len, self.signalling.values())),
        }


class _AsyncioWaiter(Waiter):
    """An asyncio task that awaits one operation.

    A cancellation that comes to a shield, or as the outcome is on its way, or that does not end
    what is awaited, is put off: the task gets the outcome, and hears of it at its next await.
    `heard`: how many it has heard of before.
    """

    __slots__ = ("_future", "_task", "heard")

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__(scheduler)
        self._task: asyncio.Task[Any] | None = asyncio.current_task()
        self._future: asyncio.Future[Any] | None = scheduler.loop.create_future()
        self.heard = self._task.cancelling() if self._task is not None else 0

    @property
    def owner(self) -> Any:
        return self._task

    async def wait(self) -> Any:
        """The outcome of the operation it is parked in."""
        assert self._future is not None
        put_off = False
        self.scheduler.awaiting[self._task] = self
        try:
            while True:
                try:
                    return await self._future
                except asyncio.CancelledError:
                    put_off = self._put_off()
                    if not put_off:
                        raise
        finally:
            self.scheduler.awaiting.pop(self._task, None)
            self.withdraw()
            if put_off and self._task is not None:
                # Not at once: who leaves the block of a deadline now has no await to be told at.
                self.scheduler.loop.call_soon(
                    _cancel_again, self.scheduler, self._task, self.heard + 1
                )
            # An error's traceback holds this frame: nothing here may hold the error.
            self._task = self._future = self.error = None

    def _put_off(self) -> bool:
        """Wait on for the outcome, though the task is cancelled; False if that is to be raised."""
        self.leave(asyncio.CancelledError)
        if isinstance(self.error, asyncio.CancelledError):
            return False
        self._future = self.scheduler.loop.create_future()
        if self.operation is None:  # its step was for the one before
            self.step()
        return True

    def step(self) -> None:
        future = self._future
        if future is None or future.done():  # cancelled
            return
        if self.error is not None:
            future.set_exception(self.error)
        else:
            future.set_result(self.value)


def _cancel_again(scheduler: Scheduler, task: "asyncio.Task[Any]", wanted: int) -> None:
    """`task` had what it waited for, and went on to its next await, where it is cancelled now.

    It has to have been cancelled `wanted` times still: whoever has taken theirs back meanwhile, as
    `asyncio.timeout` does at the end of its block, wants it no more.
    """
    if not task.done() and task.cancelling() >= wanted:
        waiter = scheduler.awaiting.get(task)
        if isinstance(waiter, _AsyncioWaiter):
            waiter.heard = wanted - 1  # not of this one yet
        task.uncancel()
        task.cancel()


async def _ended(result: Any) -> Any:
    return result


def wait_in_asyncio(operation: Operation) -> Awaitable[Any]:
    """Perform `operation` for the running asyncio task, which awaits what is returned; cancelling
    the task undoes it."""
    waiter = _AsyncioWaiter(Scheduler.current())
    try:
        result = waiter.start_wait(operation)
        return waiter.wait() if result is PARKED else _ended(result)
    finally:
        del operation, waiter


def _default_of(timeout: Duration | None) -> float | None:
    """The seconds of a `default_timeout`; None: there is none. Raises ValueError, TypeError."""
    if timeout is None:
        return None
    return None if timeout == FOREVER else span_of(timeout, "Scheduler: default_timeout")


def _call(function: Callable[[], None]) -> None:
    function()
