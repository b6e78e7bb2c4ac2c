"""A trace of one coroutine: each of its steps is told as it happens.

inner: begins at chat.py:7
inner: yields <Get <Queue 0/no limit> within 10 s> at chat.py:8
inner: goes on with 'hello'
inner: returns 'hello'
"""

import functools
import inspect
import logging
from collections.abc import Callable, Generator
from typing import Any, TextIO

from cogen.core.shown import shown
from cogen.core.stacks import chain

__all__ = ["trace_running", "traced"]

log = logging.getLogger(__name__)


def traced(function: Callable[..., Any], output: TextIO | None) -> Callable[..., Any]:
    """`function`, a generator function, plain function or `async def`, whose calls are told to
    `output`; None: to the log."""
    tell = _Teller(getattr(function, "__qualname__", repr(function)), output)

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        made = function(*args, **kwargs)
        if isinstance(made, Generator):
            return _told(made, tell)
        if inspect.isawaitable(made):
            return _awaited(made, tell)
        tell(f"returns {shown(made)}")
        return made

    return called


def trace_running(steps: Generator[Any, Any, Any], output: TextIO | None) -> Any:
    """A generator in place of `steps`, which has begun: what is sent goes to that, and is told."""
    name = getattr(steps, "__qualname__", repr(steps))
    following = _told(steps, _Teller(name, output), begun=True)
    next(following)
    return following


class _Teller:
    """Tells what the coroutine `name` does."""

    __slots__ = ("_name", "_output")

    def __init__(self, name: str, output: TextIO | None) -> None:
        self._name = name
        self._output = output

    def __call__(self, what: str) -> None:
        if self._output is None:
            log.warning("%s: %s", self._name, what)
        else:
            print(f"{self._name}: {what}", file=self._output, flush=True)


def _told(traced: Any, tell: _Teller, begun: bool = False) -> Generator[Any, Any, Any]:
    """Does what `traced`, a generator or what awaits, does, and tells it."""
    value: Any = None
    error: BaseException | None = None
    try:
        if begun:
            value, error = yield from _outcome(None, tell)
        else:
            tell("begins")
        while True:
            try:
                yielded = traced.send(value) if error is None else traced.throw(error)
            except StopIteration as stop:
                tell(f"returns {shown(stop.value)}")
                return stop.value
            except BaseException as raised:
                tell(f"dies of {shown(raised)}")
                raise
            finally:
                error = None
            tell(f"yields {shown(yielded)}{chain([traced]).at}")
            value, error = yield from _outcome(yielded, tell)
    except GeneratorExit:
        tell("is closed")
        traced.close()
        raise
    finally:
        del traced, value, error


def _outcome(yielded: Any, tell: _Teller) -> Generator[Any, Any, tuple[Any, BaseException | None]]:
    try:
        value = yield yielded
    except GeneratorExit:
        raise
    except BaseException as error:  # noqa: BLE001 (raised where it was yielded)
        tell(f"gets {shown(error)} raised")
        return None, error
    tell(f"goes on with {shown(value)}")
    return value, None


async def _awaited(made: Any, tell: _Teller) -> Any:
    return await _Steps(made, tell)


class _Steps:
    """What `made` awaits, told."""

    def __init__(self, made: Any, tell: _Teller) -> None:
        self._made = made
        self._tell = tell

    def __await__(self) -> Generator[Any, Any, Any]:
        return _told(self._made.__await__(), self._tell)
