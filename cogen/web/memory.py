"""Memory goes back to the system when a crowd of connections has gone.

The allocators keep what was freed for the next crowd, which may never come: on Linux the process
would stay as large as it once was.
"""

import asyncio
import ctypes
import gc
from typing import Final

__all__ = ["Memory"]

# Seconds that the crowd has for coming back.
_DELAY: Final = 0.2
# What is worth the while: this much above what the process had before.
_WORTH: Final = 1.01
# uvloop keeps up to 250 freed objects of a kind. Those are made now, while memory is compact:
# made in a crowd, a few of them would hold on to all the pages that they are scattered over.
_KEPT_BY_LOOP: Final = 250


class Memory:
    """Of the process that serves on `loop`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        self._count = self._peak = 0
        self._check: asyncio.TimerHandle | None = None
        self._resident = 0

    def start(self) -> None:
        """The first connection may come."""
        handles = [self._loop.call_soon(_nothing) for _ in range(_KEPT_BY_LOOP)]
        timers = [self._loop.call_later(60, _nothing) for _ in range(_KEPT_BY_LOOP)]
        for handle in (*handles, *timers):
            handle.cancel()
        self._resident = _resident()

    def holds(self, count: int) -> None:
        """There are now `count` connections."""
        self._count = count
        if count > self._peak:
            self._peak = count
        elif self._check is None and 2 * count <= self._peak and self._trim is not None:
            self._check = self._loop.call_later(_DELAY, self._give_back)

    def stop(self) -> None:
        if self._check is not None:
            self._check.cancel()

    def _give_back(self) -> None:
        self._check = None
        self._peak = self._count
        if self._trim is not None and _resident() > _WORTH * self._resident:
            gc.collect()
            self._trim(0)
            self._resident = _resident()


def _nothing() -> None:
    """What the handles at the start would call."""


def _resident() -> int:
    """Pages of the process in memory, 0 where the system does not tell."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1])
    except OSError:
        return 0
