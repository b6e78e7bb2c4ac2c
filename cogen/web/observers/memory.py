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
# Seconds after which it is done once more: an application may keep something of who is gone.
_AGAIN: Final = 60.0
# uvloop keeps up to 250 freed objects of a kind. Those are made now, while memory is compact:
# made in a crowd, a few of them would hold on to all the pages that they are scattered over.
_KEPT_BY_LOOP: Final = 250
# A crowd leaves a few small objects behind, and each holds on to an arena of the allocator, 1 MiB.
# Room for some hundred connections is made at the start, so that the first crowd adds none.
_ROOM: Final = 2 << 20
_BLOCK: Final = 440
_HOLDING: Final = 1000  # one of so many blocks is kept, about two in each arena, and holds it

# So many blocks more than there were at the least, about 4 MiB, are no crowd.
_FEW_BLOCKS: Final = 50_000


class _Crowd:
    """How many there are of something, and the most there were since memory was given back."""

    __slots__ = ("count", "most")

    def __init__(self) -> None:
        self.count = self.most = 0

    def left(self, count: int) -> bool:
        """There are `count` now; whether at least half of the crowd is gone."""
        self.count = count
        if count > self.most:
            self.most = count
            return False
        return 2 * count <= self.most and self.most > 0


class Memory:
    """Of the process that serves on `loop`; `trim()` lets go of what that need not keep."""

    def __init__(self, loop: asyncio.AbstractEventLoop, trim: Callable[[], None]) -> None:
        self._loop = loop
        self._trim = trim
        # Of the C library of Linux; elsewhere there is none.
        self._malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        self._connections, self._blocks = _Crowd(), _Crowd()
        self._least = 0  # blocks that were ever in use
        self._delay = _DELAY
        self._timer: asyncio.TimerHandle | None = None
        self._again: asyncio.TimerHandle | None = None
        self._room: list[bytes] = []

    def start(self) -> None:
        """The first connection may come."""
        handles = [self._loop.call_soon(_nothing) for _ in range(_KEPT_BY_LOOP)]
        timers = [self._loop.call_later(60, _nothing) for _ in range(_KEPT_BY_LOOP)]
        for handle in (*handles, *timers):
            handle.cancel()
        self._room = [bytes(_BLOCK) for _ in range(_ROOM // _BLOCK)][::_HOLDING]

    def holds(self, connections: int) -> None:
        """There are so many connections now."""
        if self._connections.left(connections):
            self._soon()

    def uses(self, blocks: int) -> None:
        """So many blocks of memory are in use now: not only connections hold some."""
        self._least = min(self._least or blocks, blocks)
        if self._blocks.left(max(0, blocks - self._least - _FEW_BLOCKS)):
            self._soon()

    def _soon(self) -> None:
        if self._timer is None and self._malloc_trim is not None:
            self._timer = self._loop.call_later(self._delay, self._crowd_gone)

    def stop(self) -> None:
        """Give back nothing more: the process ends."""
        for timer in (self._timer, self._again):
            if timer is not None:
                timer.cancel()

    def _crowd_gone(self) -> None:
        self._timer = None
        self._give_back()
        if self._again is None:
            self._again = self._loop.call_later(_AGAIN, self._once_more)

    def _once_more(self) -> None:
        self._again = None
        self._give_back()

    def _give_back(self) -> None:
        for crowd in (self._connections, self._blocks):
            crowd.most = crowd.count
        began = time.thread_time()
        self._trim()
        if self._malloc_trim is not None:
            self._malloc_trim(0)
        self._delay = max(_DELAY, _PAUSE * (time.thread_time() - began))


def _nothing() -> None:
    """What the handles at the start would call."""
