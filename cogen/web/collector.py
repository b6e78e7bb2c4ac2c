"""When the garbage collector runs, and at what it looks.

By CPython's own rule it looks at all that was made since it last looked, once that is so many more
objects than were freed. Ten thousand polls that each give way to the next do not add up to any;
then a few come in faster than others leave, and it looks at all of them: 0.2 s in which nobody is
served. So here the young are dealt with after every so many requests, while they are few. As long
as they hold garbage they are looked at; from an application that leaves none most are put with what
lasts unseen. All is looked at when the process has grown by half, which garbage would make it.
"""

import asyncio
import gc
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from cogen.web.options import Options

if TYPE_CHECKING:
    from cogen.web.exchange import Exchange

__all__ = ["Collector"]

# Requests that make a generation; how much garbage of it is as good as none; and how many that
# follow are taken to be no worse.
_REQUESTS: Final = 128
_CLEAN: Final = 32
_TRUSTED: Final = 15
# Seconds between two looks at the size, and that pass for each second that a whole collection took.
_DELAY: Final = 1.0
_PAUSE: Final = 20
_GROWN: Final = 1.5
_NEVER: Final = 1_000_000_000


class Collector:
    """Of the process that serves on `loop`, by the options `gc_freeze` and `gc_threshold`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, options: Options) -> None:
        self._loop = loop
        self._options = options
        self._active = self._freezes = False
        self._requests = 0
        self._trusted = 0  # generations to come that are not looked at
        self._least = 0  # blocks of memory, since the last whole collection

    def start(self) -> None:
        """What was made so far stays."""
        self._freezes = self._options.gc_freeze
        self._collect_all()
        self._least = sys.getallocatedblocks()
        # With another allocator than CPython's there is no count of blocks: its own rule has to do.
        self._active = bool(self._options.gc_threshold and self._least)
        if self._active:
            gc.set_threshold(self._options.gc_threshold, _NEVER, _NEVER)
            self._loop.call_later(_DELAY, self._check_size)

    def began(self, exchange: "Exchange | None", environ: dict[str, Any]) -> None:
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
        blocks = sys.getallocatedblocks()
        if blocks > _GROWN * self._least:
            began = time.thread_time()
            self._collect_all()
            delay = max(_DELAY, _PAUSE * (time.thread_time() - began))
            blocks = self._least = sys.getallocatedblocks()
        self._least = min(self._least, blocks)
        self._loop.call_later(delay, self._check_size)

    def _collect_all(self) -> None:
        if self._freezes:
            gc.unfreeze()
        gc.collect()
        if self._freezes:
            gc.freeze()
