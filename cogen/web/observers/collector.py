"""When the garbage collector runs, and at what it looks.

By CPython's own rule it looks at all that was made since it last looked, once that is so many more
objects than were freed. Ten thousand polls that each give way to the next do not add up to any;
then a few come in faster than others leave, and it looks at all of them: 0.2 s in which nobody is
served. So here the young are dealt with after every so many requests, while they are few. As long
as they hold garbage they are looked at; from an application that leaves none most are put with what
lasts unseen. All is looked at when the process has grown, as garbage would make it: by half, or to
three times the size if the last time hardly any was found, for that takes 0.5 s with ten thousand
polls.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from typing import Final
from wsgiref.types import WSGIEnvironment

from cogen.web.options import Options

__all__ = ["Collector"]

# Requests that make a generation; how much garbage of it is as good as none; and how many that
# follow are taken to be no worse.
_REQUESTS: Final = 128
_CLEAN: Final = 32
_TRUSTED: Final = 15
# Seconds between two looks at the size, and that pass for each second that a whole collection took.
_DELAY: Final = 1.0
_PAUSE: Final = 20
# How many times as large it has become then, and if less than a hundredth was garbage before.
_GROWN, _GROWN_CLEAN = 1.5, 3.0
_NEVER: Final = 1_000_000_000


class Collector:
    """Of the process that serves on `loop`, by the options `gc_freeze` and `gc_threshold`.

    `blocks()`: how many blocks of memory are in use, 0 if the allocator does not count them; `told`
    is called with that now and then.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        options: Options,
        told: Callable[[int], None],
        blocks: Callable[[], int] = sys.getallocatedblocks,
    ) -> None:
        self._loop = loop
        self._options = options
        self._told = told
        self._blocks = blocks
        self._active = self._freezes = False
        self._requests = 0
        self._trusted = 0  # generations to come that are not looked at
        self._least = 0  # blocks of memory, since the last whole collection
        self._grown = _GROWN
        self._began = self._ended = 0.0  # of the last search of all

    @property
    def collected(self) -> tuple[float, float]:
        """When the last search of all ended (time.monotonic), and the seconds that it took; of one
        that goes on as if it ended now. In any thread."""
        ended = self._ended if self._ended >= self._began else time.monotonic()
        return ended, ended - self._began

    def start(self) -> None:
        """What was made so far stays."""
        self._freezes = self._options.gc_freeze
        self.collect()
        self._least = self._blocks()
        # Where they are not counted CPython's own rule has to do.
        self._active = bool(self._options.gc_threshold and self._least)
        if self._active:
            gc.set_threshold(self._options.gc_threshold, _NEVER, _NEVER)
            self._loop.call_later(_DELAY, self._check_size)

    def began(self, environ: WSGIEnvironment) -> None:
        """A request has come; called by the server."""
        self._requests += 1
        if self._requests >= _REQUESTS and self._active:
            self._requests = 0
            self._end_generation()

    def _end_generation(self) -> None:
        if self._trusted:
            self._trusted -= 1
            gc.freeze()
        elif gc.collect(0) < _CLEAN and self._freezes:
            self._trusted = _TRUSTED

    def _check_size(self) -> None:
        delay = _DELAY
        blocks = self._blocks()
        if blocks > self._grown * self._least:
            began = time.thread_time()
            clean = self.collect() < blocks / 100
            self._grown = _GROWN_CLEAN if clean else _GROWN
            delay = max(_DELAY, _PAUSE * (time.thread_time() - began))
            blocks = self._least = self._blocks()
        self._least = min(self._least, blocks)
        self._told(blocks)
        self._loop.call_later(delay, self._check_size)

    def collect(self) -> int:
        """Look at all, what was put aside too: how many objects were garbage."""
        self._began = time.monotonic()
        if self._freezes:
            gc.unfreeze()
        found = gc.collect()
        if self._freezes:
            gc.freeze()
        self._ended = time.monotonic()
        return found
