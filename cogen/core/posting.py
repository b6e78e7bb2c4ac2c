"""How other threads reach a loop: what they post is called there, in the order they posted it.

Containers of waiters are touched in the thread of their loop only and need no lock: one would cost
the loop as much as what it protects. `get_ident() == thread` asks whether this is that thread; it
is a third of the price of asyncio's running loop.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from threading import get_ident

from mypy_extensions import mypyc_attr

__all__ = ["Posting"]


@mypyc_attr(allow_interpreted_subclasses=True)
class Posting:
    """What other threads post to `loop`.

    `thread`: the identifier of the one that runs the loop, 0 until it has. `posted`: what has not
    been called yet; it comes before whatever else happens on the loop that others can tell apart.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.thread = 0
        self.posted: deque[Callable[[], object]] = deque()
        self._poked = False  # `do_posted` is due
        # What is called would keep that of who poked.
        self._context = copy_context()

    def post(self, function: Callable[[], object]) -> bool:
        """Have `function()`, which does not raise, called on the loop, at once if that is idle.

        May be called in any thread. False if the loop is closed: it will not be called.
        """
        if self.loop.is_closed():
            return False
        self.posted.append(function)
        # The loop resets this before it looks: it sees the function, or this is seen to be False.
        return self._poked or self._poke()

    def do_posted(self) -> None:
        """Call what has been posted by now; called on the loop."""
        self.thread = get_ident()
        self._poked = False
        try:
            for _ in range(len(self.posted)):
                if not self.posted:  # one of them has called the rest
                    break
                self.posted.popleft()()
        finally:
            if self.posted and not self._poked:
                self._poke()

    def _poke(self) -> bool:
        self._poked = True
        try:
            self.loop.call_soon_threadsafe(self.do_posted, context=self._context)
        except RuntimeError:
            if not self.loop.is_closed():
                raise
            return False
        return True
