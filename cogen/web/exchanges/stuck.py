"""Which code of the application a stop has to leave."""

import sys
import threading
import types
from collections.abc import Iterator
from typing import Final

from cogen.core.stacks import is_library, is_ours

__all__ = ["POOL", "threads_at_work"]

# How the names of the pool's threads begin.
POOL: Final = "cogen-"

# The method of ours that is called in the midst of an application's code, for a signal.
_HANDLER: Final = "_handle"


def threads_at_work(named: str = "") -> Iterator[str]:
    """The threads that a stop or Python waits for and that are at work, and where they are.

    Only those whose names begin with `named`.
    """
    frames = sys._current_frames()
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        waited_for = not thread.daemon or thread.name.startswith(POOL)
        if waited_for and frame is not None and thread.name.startswith(named):
            where = _at_work(frame)
            if where is not None:
                yield f"{thread.name}{where}"


def _at_work(frame: types.FrameType | None) -> str | None:
    """Where code of the application is that `frame` is in or was called from; None: in none."""
    # A handler of signals is called in the midst of it.
    if frame is not None and frame.f_code.co_name == _HANDLER:
        frame = frame.f_back
    # A thread may run a function in C that the standard library called.
    where = "" if frame is not None and frame.f_code.co_name == "run" else None
    while frame is not None:
        code = frame.f_code
        if is_ours(code.co_filename):
            return None  # it runs the loop
        if not is_library(code.co_filename):
            return f" at {code.co_filename}:{frame.f_lineno} in {code.co_name}"
        frame = frame.f_back
    return where
