"""When the garbage collector runs.

By CPython's own rule it looks at all that was made since it last looked, once that is so many more
objects than were freed. Ten thousand polls that each give way to the next do not add up to any;
then a few come in faster than others leave, and it looks at all of them: 0.2 s in which nobody is
served. So here the young are looked at after every so many requests, while they are few and in the
processor's caches. All others are when the process has grown by half, which garbage would make it.
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

# Requests between two looks at the young.
_YOUNG: Final = 128
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
        self._active = False
        self._requests = 0
        self._least = 0  # blocks of memory, since the last whole collection

    def start(self) -> None:
        """What was made so far stays."""
        if self._options.gc_freeze:
            gc.collect()
            gc.freeze()
        self._least = sys.getallocatedblocks()
        # With another allocator than CPython's there is no count of blocks: its own rule has to do.
        self._active = bool(self._options.gc_threshold and self._least)
        if self._active:
            gc.set_threshold(self._options.gc_threshold, _NEVER, _NEVER)
            self._loop.call_later(_DELAY, self._check_size)

    def began(self, exchange: "Exchange | None", environ: dict[str, Any]) -> None:
        """A request has come; called by the server."""
        self._requests += 1
        if self._requests >= _YOUNG and self._active:
            self._requests = 0
            gc.collect(0)

    def _check_size(self) -> None:
        delay = _DELAY
        blocks = sys.getallocatedblocks()
        if blocks > _GROWN * self._least:
            began = time.thread_time()
            gc.collect()
            delay = max(_DELAY, _PAUSE * (time.thread_time() - began))
            blocks = self._least = sys.getallocatedblocks()
        self._least = min(self._least, blocks)
        self._loop.call_later(delay, self._check_size)
