"""Straight-line code that waits: `wait` returns the result, however deep below it is called.

    @corolet
    def greet(queue):
        name = wait(queue.get, timeout=10)             # a function, called on the loop
        text, mood = wait(asyncio.gather, translate(name), ask(name))
        return wait(redis.get(name))                   # or what is to be waited for itself

A corolet is a coroutine whose code runs in a greenlet: what it waits for is yielded in its name, so
everything that holds for coroutines holds for it. `wait` is one function for corolets and for
requests, where `cogen.web` has it too: it finds who runs the code that calls it.
"""

import asyncio
import functools
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextvars import copy_context
from inspect import isawaitable, isgenerator
from typing import Any, Protocol

from greenlet import getcurrent, greenlet

from cogen.core.coroutines import Coroutine, coro
from cogen.core.durations import Duration
from cogen.core.events import Await, Join, Operation, Owned
from cogen.core.greenlets import Straight
from cogen.core.schedulers import Scheduler, Waiter

__all__ = ["StraightThread", "Waits", "corolet", "to_wait_for", "wait"]


class Waits(Protocol):
    """For whom straight-line code may wait."""

    def wait(self, what: Any, /, *args: Any, timeout: Duration | None = None, **kwargs: Any) -> Any:
        """As the function `wait`."""


class StraightThread(threading.Thread):
    """A thread whose code may wait, while it works for one that `waits`."""

    waits: Waits | None = None


class _Corolet(greenlet):  # type: ignore[misc]
    """Runs the function of a corolet; its parent is whoever drives it."""


def corolet(function: Callable[..., Any]) -> Callable[..., Coroutine]:
    """Make a coroutine function of a plain function that waits by `wait`.

    It runs in a context of its own, a copy of that of its first step.
    """

    @functools.wraps(function)
    def driven(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        return _drive(_Corolet(function), args, kwargs)

    return coro(driven)


def _drive(
    straight: _Corolet, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Generator[Any, Any, Any]:
    """What the greenlet waits for is yielded, and what comes of that is handed to it."""
    straight.gr_context = copy_context()
    straight.parent = getcurrent()
    yielded = straight.switch(*args, **kwargs)
    while not straight.dead:
        try:
            result = yield yielded
        except BaseException as error:  # noqa: BLE001 (raised where it waits)
            straight.parent = getcurrent()
            yielded = straight.throw(error)
        else:
            straight.parent = getcurrent()
            yielded = straight.switch(result)
    return yielded


def wait(what: Any, /, *args: Any, timeout: Duration | None = None, **kwargs: Any) -> Any:
    """Wait, in straight-line code of a request or a corolet: the result, or what was raised.

    `what` is an operation, a coroutine or an awaitable of asyncio, or a function: that is called on
    the event loop, `what(*args, **kwargs)`, and what it returns is waited for, or is the result if
    it is none of these. `timeout`: seconds, after which OperationTimeout is raised and what was
    waited for is undone; an operation that has a timeout of its own takes no second one.

    The request, or the corolet, waits and others go on. When the client leaves GreenletExit is
    raised here; in a corolet that is cancelled, CancelledError. Raises RuntimeError in any other
    code, and TypeError for what cannot be waited for.
    """
    try:
        # No name for it: an error that is raised here would keep it, beyond the end of its thread.
        if type(getcurrent()) is _Corolet:
            return getcurrent().parent.switch(to_wait_for(what, args, kwargs, timeout))
        return _who_waits().wait(what, *args, timeout=timeout, **kwargs)
    finally:
        del what, args, kwargs


def _who_waits() -> Waits:
    """Whose straight-line code is running. Raises RuntimeError if it is nobody's."""
    loop = asyncio._get_running_loop()
    if loop is not None:
        if asyncio.current_task(loop) is not None:
            raise RuntimeError("wait() was called in code of asyncio: `await` the operation there")
        stepping = Scheduler.of(loop).stepping
        if isinstance(stepping, Straight):
            return stepping
        raise RuntimeError(
            "wait() was called on the event loop outside of a request: `yield` the operation in a "
            "coroutine, or make the function that calls it a @corolet"
        )
    thread = threading.current_thread()
    if isinstance(thread, StraightThread) and thread.waits is not None:
        return thread.waits
    raise RuntimeError(
        "wait() was called outside of a request and of a corolet. A thread that a request has "
        "started calls environ['cogen.wait'], which it has to be given; any other thread "
        "Portal.call"
    )


def to_wait_for(
    what: Any, args: Sequence[Any], kwargs: Mapping[str, Any], timeout: Duration | None
) -> Any:
    """On the loop: the operation, coroutine or awaitable that `wait` with these arguments means."""
    if _is_waitable(what):
        if args or kwargs:
            raise TypeError(
                f"wait({what!r:.80}, ...) was given arguments, and that is called already: hand "
                "over the function itself and its arguments, wait(queue.get)"
            )
        made = what
    elif callable(what):
        made = what(*args, **kwargs)
        if isgenerator(made):
            raise TypeError(
                f"{what!r:.80} returned a generator, which nothing runs: decorate it with @coro"
            )
        if not _is_waitable(made):
            return _Given(made)
    else:
        raise TypeError(f"{what!r:.80} is no operation, coroutine, awaitable or function")
    return made if timeout is None else _limited(made, timeout)


def _is_waitable(what: Any) -> bool:
    return isinstance(what, (Operation, Coroutine)) or isawaitable(what)


def _limited(made: Any, timeout: Duration) -> Operation:
    if isinstance(made, Coroutine):
        if made.started:
            return Join(made, timeout)
        made.start(Scheduler.current())
        return Owned(made, timeout)
    if not isinstance(made, Operation):
        return Await(made, timeout)
    if made.timeout is not None:
        raise TypeError(f"{made!r} has a timeout of its own already")
    Operation.__init__(made, timeout)
    return made


class _Given(Operation):
    """Has its result, and waits for nothing."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value

    def run(self, waiter: Waiter) -> Any:
        return self.value
