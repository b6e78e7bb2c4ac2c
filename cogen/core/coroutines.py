"""Coroutines: functions that wait by yielding operations.

    @coro
    def greet(queue):
        name = yield queue.get(timeout=10)      # an operation
        text = yield translate(name)            # another coroutine: its return value
        reply = yield redis.get(name)           # any asyncio awaitable
        return text                             # a bare `yield` lets the others run

`coro` takes a generator function, a plain function or an `async def`. Calling what it returns
runs nothing yet: yield the result in a coroutine, await it in asyncio code, or hand the function
to `Scheduler.add` or `AddCoro`.

Between two steps a coroutine is in one of these states, by what it has:

    state     started  done  _generator  _task  operation   error
    made      no       no    -           -      -           -
    to begin  yes      no    -           -      -           ends it
    ready     yes      no    yes         -      -           to be raised at the yield
    parked    yes      no    yes         -      yes         -
    a task    yes      no    -           yes    -           -
    done      yes      yes   -           -      -           what it died of

A step goes on where it was until it parks, ends, gives way, or has had its slice. A coroutine that
it yields it calls: that one's generator takes the place of its own, which waits in `_callers`, and
the call is `done` from the start, so that a second use is refused. An `async def` runs as a task,
for asyncio alone can drive it. Who cancels one sets `_cancelling`, until CancelledError is raised
in it: one that is ready, or whose wait brings its value all the same, gets that outcome, and
CancelledError at its next yield that is no shield's.

An ended coroutine keeps what it died of, and that keeps the frames of its traceback, and they their
callers'. So a frame in which that can be drops `self` and the error: nothing is left to collect.
"""

import asyncio
import contextvars
import functools
import inspect
import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from threading import get_ident
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from cogen.core.events import PARKED, Await, Join, Operation, Owned
from cogen.core.gone import tell_of
from cogen.core.interpreted import awaiting, calling
from cogen.core.local import local
from cogen.core.schedulers import SLICE, Scheduler, Waiter
from cogen.core.shown import shown
from cogen.core.slips import ended_by_stop_iteration, explain
from cogen.core.tracing import trace_running, traced

if TYPE_CHECKING:
    from cogen.core.groups import TaskGroup

__all__ = [
    "Coroutine",
    "call",
    "coro",
    "coroutine",
    "debug_coro",
    "debug_coroutine",
    "local",
    "operation_of",
]

log = logging.getLogger(__name__)

# These go on to whoever runs the loop, as in asyncio.
_ENDS_ALL = (KeyboardInterrupt, SystemExit)
_TOLD_ELSEWHERE = (asyncio.CancelledError, *_ENDS_ALL)

Function = TypeVar("Function", bound=Callable[..., Any])


def coro(function: Callable[..., Any]) -> Callable[..., "Coroutine"]:
    """Make a coroutine function of a generator function, plain function or `async def`."""
    return calling(function, Coroutine)


coroutine = coro
"""The same by the name that cogen 0.2 has for it."""


def debug_coroutine(function: Any, output: Any = None) -> Any:
    """As `coro`, and each step of the coroutines is told to `output`, a file; None: to the log.

    It takes a `Coroutine` too, which is traced from then on, and returned. Raises RuntimeError for
    one that has ended, or is an `async def` that has begun.
    """
    if not isinstance(function, Coroutine):
        return coro(traced(function, output))
    function.trace(output)
    return function


debug_coro = debug_coroutine
"""The same by the other name that cogen 0.2 has for it."""


class Coroutine(Waiter):
    """One call of a coroutine function: not started, running, or `done`.

    `group` is the task group that owns it, None if it is on its own. `begun`: when it was started,
    by the clock of the loop.
    """

    __slots__ = (
        "_args",
        "_callbacks",
        "_callers",
        "_cancelling",
        "_cancels",
        "_context",
        "_function",
        "_generator",
        "_kwargs",
        "_task",
        "_traceback",
        "begun",
        "done",
        "group",
        "joiners",
        "started",
    )

    def __init__(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        self.operation = None
        self.value = None
        self.error = None
        self.begun = 0.0
        self.started = False
        self.done = False
        self.group: TaskGroup | None = None
        self.joiners: dict[Waiter, Join] = {}
        self._function = function
        self._args = args
        self._kwargs = kwargs
        self._callbacks: list[Callable[[Coroutine], None]] | None = None
        self._callers: list[Generator[Any, Any, Any]] | None = None
        self._cancelling = False
        self._cancels = 0  # that were raised in it
        self._generator: Generator[Any, Any, Any] | None = None
        self._task: asyncio.Task[Any] | None = None
        self._traceback: TracebackType | None = None

    @property
    def name(self) -> str:
        """Of its function, with those it is nested in."""
        return getattr(self._function, "__qualname__", repr(self._function))

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended, as cogen 0.2 had it."""
        return self.started and not self.done

    def start(self, scheduler: Scheduler) -> None:
        """Run on `scheduler`, in a copy of the caller's context, from its next turn on.

        Raises RuntimeError if it was started before, or the loop is closed and of another thread.
        """
        if self.started:
            raise RuntimeError(f"{self!r} was started before: call its function again")
        self.started = True
        self.begun = scheduler.loop.time()
        self.scheduler = scheduler
        self._context = contextvars.copy_context()
        scheduler.coroutines[self] = None
        if get_ident() == scheduler.thread:
            scheduler.ready(self)
        elif not scheduler.post(functools.partial(scheduler.ready, self)):
            del scheduler.coroutines[self]
            raise RuntimeError(f"{self!r} cannot be started: the loop is closed")

    def result(self) -> Any:
        """What the ended coroutine returned; raises what it raised."""
        try:
            if not self.done:
                raise RuntimeError(f"{self!r} has not ended: yield Join(it) to wait for it")
            if self.error is not None:
                # As it was at the end: else it would grow with each who asks.
                raise self.error.with_traceback(self._traceback)
            return self.value
        finally:
            del self

    def cancel(self) -> None:
        """Raise asyncio.CancelledError in it, at the yield it waits at.

        One whose outcome is on its way gets that first and is cancelled at its next yield. In
        another thread than the loop's it is cancelled soon after.
        """
        if self.done or not self.started:
            return
        if get_ident() != self.scheduler.thread:
            self.scheduler.post(self._cancel)
        else:
            self._cancel()

    def _cancel(self) -> None:
        if self.done:
            return
        if self._task is not None:
            self._task.cancel()
        else:
            self._cancelling = True
            self.leave(asyncio.CancelledError)

    def cancelling(self) -> int:
        return self._cancels if self._task is None else self._task.cancelling()

    def add_done_callback(self, callback: Callable[["Coroutine"], None]) -> None:
        """Have `callback(self)` called when it ends, on the loop; here and now if it has ended."""
        if self.started and not self.done and get_ident() != self.scheduler.thread:
            self.scheduler.post(functools.partial(self._add_done_callback, callback))
        else:
            self._add_done_callback(callback)

    def _add_done_callback(self, callback: Callable[["Coroutine"], None]) -> None:
        if self.done:
            callback(self)
        elif self._callbacks is None:
            self._callbacks = [callback]
        else:
            self._callbacks.append(callback)

    def remove_done_callback(self, callback: Callable[["Coroutine"], None]) -> None:
        """Have `callback`, if it is one, not called at its end."""
        if self.started and not self.done and get_ident() != self.scheduler.thread:
            self.scheduler.post(functools.partial(self._remove_done_callback, callback))
        else:
            self._remove_done_callback(callback)

    def _remove_done_callback(self, callback: Callable[["Coroutine"], None]) -> None:
        if self._callbacks is not None and callback in self._callbacks:
            self._callbacks.remove(callback)

    def __await__(self) -> Generator[Any, None, Any]:
        """Run it and wait for its end from asyncio code; cancelled with the awaiting task."""
        if not self.started:
            self.start(Scheduler.current())
        return Owned(self).__await__()

    def step(self) -> None:
        scheduler = self.scheduler
        scheduler.stepping = self
        try:
            if self._generator is not None or self._begin():
                self._context.run(self._advance)
        finally:
            scheduler.stepping = None
            del self

    def _spend(self) -> None:
        """It goes on as part of another coroutine: a second use is a slip."""
        self.started = True
        self.error = RuntimeError(f"{self.name} was called once and yielded twice: call it again")
        self.done = True

    def _begin(self) -> bool:
        """The first step: call the function; True if that made a generator, to advance now."""
        try:
            if self.error is not None:
                self._end(None, self.error)
                return False
            if self._cancelling:
                self._end(None, asyncio.CancelledError())
                return False
            try:
                made = self._context.run(self._function, *self._args, **self._kwargs)
            except StopIteration as error:
                self._end(None, ended_by_stop_iteration(error))
                return False
            except BaseException as error:
                explain(error)
                self._end(None, error)
                if isinstance(error, _ENDS_ALL):
                    raise
                return False
            if isinstance(made, Generator):
                self._generator = made
                return True
            if inspect.isawaitable(made):
                self._task = self._context.run(
                    asyncio.ensure_future, awaiting(made), loop=self.scheduler.loop
                )
                self._task.set_name(self.name)  # for asyncio's own tools
                self._task.add_done_callback(self._task_ended)
            else:
                self._end(made, None)
            return False
        finally:
            del self

    def _task_ended(self, task: "asyncio.Task[Any]") -> None:
        self._task = None
        if task.cancelled():
            self._end(None, asyncio.CancelledError())
        elif (error := task.exception()) is not None:
            self._end(None, error)
        else:
            self._end(task.result(), None)

    def _advance(self) -> None:
        """Run the generators until they park, end, or have had their share of the turn."""
        value, self.value = self.value, None
        yielded: Any = None
        try:
            for _ in range(SLICE):
                generator = self._generator
                assert generator is not None
                try:
                    if self.error is None:
                        yielded = generator.send(value)
                    else:
                        yielded = generator.throw(self._take_error())
                except StopIteration as stop:
                    if not self._callers:
                        self._end(stop.value, None)
                        return
                    self._generator = self._callers.pop()
                    value = stop.value
                    continue
                except BaseException as raised:
                    explain(raised)
                    if not self._callers:
                        self._end(None, raised)
                        if isinstance(raised, _ENDS_ALL):
                            raise
                        return
                    self._generator = self._callers.pop()
                    self.error = raised
                    continue
                if self._cancelling and not _is_shielded(yielded):
                    self.error = _cancelled_at(yielded)
                    continue
                try:
                    value = self._perform(yielded)
                except BaseException as raised:  # noqa: BLE001 (raised at the yield)
                    self.error = raised
                    continue
                if value is PARKED:
                    return
                if yielded is None:
                    break
            self.value = value
            self.scheduler.ready(self)
        finally:
            del self, yielded

    def _take_error(self) -> BaseException:
        """What is to be raised in the generator; no local variable holds it."""
        error, self.error = self.error, None
        assert error is not None
        if self._cancelling and isinstance(error, asyncio.CancelledError):
            self._cancelling = False
            self._cancels += 1
        return error

    def _perform(self, yielded: Any) -> Any:
        """The result of what the generator yielded, or PARKED."""
        try:
            if isinstance(yielded, Operation):
                return self.start_wait(yielded)
            if yielded is None:
                if self.scheduler.scopes:
                    self.check_scopes(None)
                return None
            if isinstance(yielded, Coroutine):
                return self._call(yielded)
            return self.start_wait(operation_of(yielded, self))
        finally:
            del self, yielded

    def _call(self, callee: "Coroutine") -> Any:
        """Go on in `callee`; its return value comes back to the generator that yielded it."""
        try:
            if callee.started:
                return self.start_wait(Join(callee))
            callee._spend()
            try:
                made = callee._function(*callee._args, **callee._kwargs)
            except StopIteration as error:
                raise ended_by_stop_iteration(error) from error
            if isinstance(made, Generator):
                assert self._generator is not None
                if self._callers is None:
                    self._callers = []
                self._callers.append(self._generator)
                self._generator = made
                return None
            if inspect.isawaitable(made):
                return self.start_wait(Await(made))
            return made
        finally:
            del self, callee

    def _end(self, value: Any, error: BaseException | None) -> None:
        self.value = value
        self.error = error
        self._traceback = error.__traceback__ if error is not None else None
        self.done = True  # a thread that sees this reads the others
        self._generator = None
        self._callers = None
        self.scheduler.ended(self)
        heard = bool(self.joiners) or isinstance(error, _TOLD_ELSEWHERE)
        for waiter, join in self.joiners.items():
            if waiter.scheduler is self.scheduler:
                join.ended(waiter)
            else:
                waiter.scheduler.post(functools.partial(join.ended, waiter))
        self.joiners.clear()
        if self.group is not None:
            heard = self.group.ended(self) or heard
        if error is not None and not heard:
            self._tell(error)
        callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            callback(self)

    def _tell(self, error: BaseException) -> None:
        """It died of `error`, and nobody waits for it."""
        try:
            if self.scheduler.on_error is None:
                log.error("coroutine %s died of %r", self.name, error, exc_info=error)
            else:
                self.scheduler.on_error(self, error)
        except Exception as failed:
            log.error("on_error failed: %r", failed, exc_info=failed)
        finally:
            del self, error

    @property
    def steps(self) -> list[Any]:
        """What it consists of while it runs: generators, each called by the one before, or the
        coroutine of its asyncio task."""
        if self._task is not None:
            return [self._task.get_coro()]
        own = [self._generator] if self._generator is not None else []
        return [*(self._callers or ()), *own]

    def trace(self, output: Any) -> None:
        """Tell each step to `output`, a file, None: the log. Raises RuntimeError if it is late."""
        if not self.started:
            self._function = traced(self._function, output)
        elif self._generator is not None:
            self._generator = trace_running(self._generator, output)
        elif self.done or self._task is not None:
            raise RuntimeError(f"{self!r} cannot be traced any more: trace its function")
        else:
            self._function = traced(self._function, output)

    @property
    def in_asyncio(self) -> bool:
        """Whether it is an `async def`, which asyncio runs as a task."""
        return self._task is not None

    @property
    def awaited(self) -> Operation | None:
        """What it waits for, also in an `async def`; None if it is ready, or that is asyncio's."""
        if self._task is None:
            return self.operation
        waiter = self.scheduler.awaiting.get(self._task)
        return waiter.operation if waiter is not None else None

    def __repr__(self) -> str:
        if self.done:
            state = "ended"
        elif not self.started:
            state = "not started"
        elif (operation := self.awaited) is not None:
            state = f"waits for {shown(operation)}"
        elif self._task is not None:
            state = "in asyncio"
        else:
            state = "ready"
        return f"<Coroutine {self.name}: {state}>"


def _is_shielded(yielded: Any) -> bool:
    """Whether the wait for `yielded` is not broken off."""
    return isinstance(yielded, Operation) and yielded.shields


def _cancelled_at(yielded: Any) -> asyncio.CancelledError:
    """What to raise in place of waiting for `yielded`."""
    if inspect.iscoroutine(yielded):
        yielded.close()  # nobody will await it
    return asyncio.CancelledError()


def call(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Coroutine:
    """Make the coroutine `function(*args, **kwargs)`.

    Raises TypeError, with the remedy, for what is no coroutine function.
    """
    if isinstance(function, Coroutine):
        raise TypeError(
            f"{function!r} is a call already: hand over the function itself, {function.name}, "
            "and its arguments apart from it"
        )
    called: Any = function
    if inspect.isgenerator(called) or inspect.iscoroutine(called):
        name = called.__qualname__
        called.close()  # nobody will run it
        raise TypeError(
            f"{name}() is a call already: hand over the function itself, {name}, "
            "and its arguments apart from it"
        )
    if not callable(function):
        raise TypeError(f"{function!r} is not a coroutine function: decorate one with @coro")
    if getattr(function, "is_coro", False):
        made: Coroutine = function(*args, **kwargs)
        return made
    return Coroutine(function, args, kwargs)


def operation_of(yielded: Any, waiter: Waiter) -> Operation:
    """The operation that waits for `yielded`: itself, a coroutine's end, or an awaitable.

    A coroutine that is started for that is cancelled where the operation is undone.
    Raises TypeError, with the remedy, for anything else.
    """
    if isinstance(yielded, Operation):
        return yielded
    if isinstance(yielded, Coroutine):
        if yielded.started:
            return Join(yielded)
        yielded.start(waiter.scheduler)
        return Owned(yielded)
    if inspect.isawaitable(yielded):
        return Await(yielded)
    if inspect.isgenerator(yielded):
        hint = "decorate its function with @coro"
    elif inspect.isroutine(yielded):
        hint = "call it, and yield what it returns"
    elif isinstance(yielded, list | tuple):
        hint = "several at once are a TaskGroup, or one asyncio.gather"
    else:
        hint = "what has its value already, as after get_nowait(), needs no yield"
    raise TypeError(f"{waiter!r} yielded {yielded!r}, which is no operation: {hint}")


# As a function of that name it would have mypy take every name for one of these.
globals()["__getattr__"] = tell_of(
    __name__,
    {
        "CoroutineException": "an error is raised at the yield, and is Coroutine.error afterwards",
        "CoroutineInstance": "what calling a coroutine function makes is a Coroutine",
    },
)
