"""Memory goes back to the system when a crowd of connections has gone.

The allocators keep what was freed for the next crowd, which may never come: on Linux the process
would stay as large as it once was. A page, or one of CPython's arenas of 1 MiB, goes back once it
is empty: what was made in the crowd and is kept for reuse must go as well. The last empty arena
CPython keeps: after its first crowd a process is larger by up to that, after another no more.
"""

import asyncio
import ctypes
import time
from collections.abc import Callable
from typing import Final

__all__ = ["Memory"]

# Seconds that the crowd has for coming back, and that pass for each second of CPU spent on it.
_DELAY: Final = 0.2
_PAUSE: Final = 20
# uvloop keeps up to 250 freed objects of a kind. Those are made now, while memory is compact:
# made in a crowd, a few of them would hold on to all the pages that they are scattered over.
_KEPT_BY_LOOP: Final = 250
# A crowd leaves a few small objects behind, and each holds on to an arena of the allocator, 1 MiB.
# Room for some hundred connections is made at the start, so that the first crowd adds none.
_ROOM: Final = 2 << 20
_BLOCK: Final = 440
_HOLDING: Final = 1000  # one of so many blocks is kept, about two in each arena, and holds it


class Memory:
    """Of the process that serves on `loop`; `trim()` lets go of what that need not keep."""

    def __init__(self, loop: asyncio.AbstractEventLoop, trim: Callable[[], None]) -> None:
        self._loop = loop
        self._trim = trim
        # Of the C library of Linux; elsewhere there is none.
        self._malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        self._count = self._peak = 0
        self._delay = _DELAY
        self._timer: asyncio.TimerHandle | None = None
        self._room: list[bytes] = []

    def start(self) -> None:
        """The first connection may come."""
        handles = [self._loop.call_soon(_nothing) for _ in range(_KEPT_BY_LOOP)]
        timers = [self._loop.call_later(60, _nothing) for _ in range(_KEPT_BY_LOOP)]
        for handle in (*handles, *timers):
            handle.cancel()
        self._room = [bytes(_BLOCK) for _ in range(_ROOM // _BLOCK)][::_HOLDING]

    def holds(self, count: int) -> None:
        """There are now `count` connections."""
        self._count = count
        if count > self._peak:
            self._peak = count
        elif self._timer is None and 2 * count <= self._peak and self._malloc_trim is not None:
            self._timer = self._loop.call_later(self._delay, self._give_back)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _give_back(self) -> None:
        self._timer = None
        self._peak = self._count
        began = time.thread_time()
        self._trim()
        if self._malloc_trim is not None:
            self._malloc_trim(0)
        self._delay = max(_DELAY, _PAUSE * (time.thread_time() - began))


def _nothing() -> None:
    """What the handles at the start would call."""
