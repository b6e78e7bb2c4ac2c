"""Where code of an application is: what a frame, an error or an iterator tells of it.

Cogen's own frames are left out. What mypyc compiled has none, but for those that it makes up
for a traceback.
"""

import asyncio
import functools
import gc
import linecache
import os
import threading
import types
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from greenlet import greenlet

__all__ = [
    "Line",
    "Stack",
    "called",
    "chain",
    "inner",
    "is_library",
    "is_ours",
    "raised",
    "stack_of",
    "suspended",
]

_STANDARD: Final = (os.path.dirname(threading.__file__) + os.sep, "<frozen ")
_INSTALLED: Final = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_OURS: Final = f"{Path(__file__).parents[1]}{os.sep}"
# mypyc names its sources as setup.py does.
_COMPILED: Final = ("cogen/core/", "cogen/web/")
# Iterators in iterators, and decorators around functions, that are looked into.
_DEPTH: Final = 12
# Generators that await each other: more are a recursion.
_DEPTHS: Final = 100
# What holds the __next__ of another iterator.
_FUNCTION: Final = types.FunctionType
_METHODS: Final = (types.MethodType, types.BuiltinMethodType, types.MethodWrapperType)

# In which asyncio's own loop calls what is not its own.
_CALLBACK: Final = asyncio.Handle._run.__code__


class Line(NamedTuple):
    """A line of code; `number` is 0 where it is not known, `file` empty then."""

    file: str
    number: int
    name: str

    def __str__(self) -> str:
        return f"{self.file}:{self.number} in {self.name}" if self.number else self.name


class Stack(tuple[Line, ...]):
    """Lines of code, the one that called the others first."""

    __slots__ = ()

    @property
    def line(self) -> Line | None:
        """The innermost that the application wrote itself; else of a library, else any."""
        innermost = None
        for line in reversed(self):
            if not is_library(line.file):
                if not any(part in line.file for part in _INSTALLED):
                    return line
                innermost = innermost or line
        return innermost or (self[-1] if self else None)

    @property
    def at(self) -> str:
        """' at FILE:LINE in NAME'; empty where nothing is known."""
        line = self.line
        return f" at {line}" if line is not None else ""

    def __str__(self) -> str:
        """As a traceback has it; reads the files."""
        return "\n".join(_told(line) for line in self)


def _told(line: Line) -> str:
    if not line.number:
        return f"  in {line.name}"
    source = linecache.getline(line.file, line.number).strip()
    told = f'  File "{line.file}", line {line.number}, in {line.name}'
    return f"{told}\n    {source}" if source else told


@functools.cache
def is_library(file: str) -> bool:
    """Whether it is of the standard library."""
    return file.startswith(_STANDARD) and not any(part in file for part in _INSTALLED)


@functools.cache
def is_ours(file: str) -> bool:
    """Whether it is of this package."""
    return file.startswith(_OURS) or (
        not os.path.isabs(file) and any(part in file for part in _COMPILED)
    )


def stack_of(frame: types.FrameType | None, base: int = 0) -> Stack:
    """What `frame` is in, down to the frame with the id `base`, or to a loop or a thread's start.

    Of nothing but the server's code its innermost line.
    """
    lines: list[Line] = []
    innermost = frame
    while frame is not None and id(frame) != base and frame.f_code is not _CALLBACK:
        if not is_ours(frame.f_code.co_filename):
            lines.append(_line(frame.f_code, frame.f_lineno))
        frame = frame.f_back
    while lines and is_library(lines[-1].file):
        lines.pop()
    if not lines and innermost is not None:
        lines = [_line(innermost.f_code, innermost.f_lineno)]
    return Stack(reversed(lines))


def _line(code: types.CodeType, number: int | None) -> Line:
    return Line(code.co_filename, number or code.co_firstlineno, code.co_qualname)


def raised(error: BaseException) -> Stack:
    """Through what `error` has come."""
    lines = []
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not is_ours(code.co_filename):
            lines.append(_line(code, traceback.tb_lineno))
        traceback = traceback.tb_next
    return Stack(lines)


def chain(steps: Iterable[Any]) -> Stack:
    """Where `steps`, suspended generators and coroutines each of which called the next, stand, with
    all that they await."""
    lines: list[Line] = []
    for step in steps:
        for _ in range(_DEPTHS):
            frame, code, step = _parts(step)
            if code is None:
                break
            if not is_ours(code.co_filename):
                lines.append(_line(code, None if frame is None else frame.f_lineno))
            elif frame is not None:
                lines.extend(_of_greenlet(frame))
                step = frame.f_locals.get("traced", step)  # in cogen.core.tracing
    return Stack(lines)


def _parts(step: Any) -> tuple[types.FrameType | None, types.CodeType | None, Any]:
    """Its frame, its code, and what it awaits; None for what is not there."""
    kind = type(step)
    if kind is types.GeneratorType:
        return step.gi_frame, step.gi_code, step.gi_yieldfrom
    if kind is types.CoroutineType:
        return step.cr_frame, step.cr_code, step.cr_await
    if kind is types.AsyncGeneratorType:
        return step.ag_frame, step.ag_code, step.ag_await
    return None, None, None


def _of_greenlet(frame: types.FrameType) -> Stack:
    """Where the straight-line code stands that `frame`, of ours, drives, if it does."""
    for value in frame.f_locals.values():
        if isinstance(value, greenlet) and value.gr_frame is not None:
            return stack_of(value.gr_frame)
    return Stack()


def suspended(iterator: Any) -> Stack:
    """Where generators stand, in whatever iterators they are: those of middleware first."""
    return Stack(_of_generator(each) for each in _iterators(iterator) if _is_code(each))


def _is_code(iterator: Any) -> bool:
    # Its class is asked, and not the object: a proxy of something that is not there would raise.
    if type(iterator) is types.GeneratorType:
        return not is_ours(iterator.gi_code.co_filename)
    return type(iterator).__name__.endswith("_gen")


def _of_generator(iterator: Any) -> Line:
    if type(iterator) is not types.GeneratorType:
        # mypyc makes a class for each.
        kind = type(iterator)
        return Line("", 0, f"{kind.__module__}.{kind.__name__.removesuffix('_gen')}")
    frame = iterator.gi_frame
    code = iterator.gi_code
    # The name of a generator expression tells where it is.
    return _line(code, None if frame is None else frame.f_lineno)


def _iterators(iterator: Any) -> Iterator[Any]:
    for _ in range(_DEPTH):
        if iterator is None:
            return
        yield iterator
        iterator = inner(iterator)


def inner(iterator: Any) -> Any:
    """The iterator that `iterator` asks: it holds it, a generator on the top of its stack."""
    for each in reversed(gc.get_referents(iterator)):
        for value in _contents(each):
            if type(value) in _METHODS:
                value = value.__self__
            if _is_iterator(value):
                return value
    return None


def _contents(value: Any) -> Collection[Any]:
    if type(value) is dict:
        return value.values()
    return value if type(value) in (tuple, list) else (value,)


def _is_iterator(value: Any) -> bool:
    return hasattr(type(value), "__next__")


def called(function: Any) -> Stack:
    """Where `function`, an application, is defined; empty where that cannot be told."""
    for _ in range(_DEPTH):
        if isinstance(function, functools.partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            break
    code = getattr(function, "__code__", None)
    if code is None and isinstance(call := vars(type(function)).get("__call__"), _FUNCTION):
        code = call.__code__
    if code is None or is_ours(code.co_filename):
        return Stack()
    return Stack([_line(code, None)])
