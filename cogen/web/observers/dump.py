"""What the process is at: every thread and every held request, with its stack.

Those at the same place are told together. Requests are looked at on the loop, some at a time, so
that ten thousand of them hold nobody up. A loop that is held itself is seen among the threads,
which are told first.
"""

import logging
import sys
import threading
from collections import deque
from typing import Final

from cogen.web.connections.shared import Shared
from cogen.web.exchanges.exchange import Exchange
from cogen.web.exchanges.stacks import Stack, stack_of, suspended
from cogen.web.observers.groups import Groups

__all__ = ["Dump"]

log = logging.getLogger(__name__)

# Requests that are looked at in one go.
_SLICE: Final = 50
# Seconds between two looks whether a loop that does not answer was closed.
_PATIENCE: Final = 1.0


class Dump:
    """Of what `shared` holds; for the log."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._turn = threading.Lock()

    @property
    def tells(self) -> bool:
        """Whether a thread tells it now."""
        return self._turn.locked()

    def begin(self) -> None:
        """Have it told by a thread of its own; nothing happens while one does. In any thread."""
        if self._turn.acquire(blocking=False):
            try:
                threading.Thread(target=self._tell, name="cogen-dump", daemon=True).start()
            except RuntimeError as error:  # the system has no more
                self._turn.release()
                log.warning("nobody tells what there is: %s", error)

    def _tell(self) -> None:
        try:
            threads = _threads()
            log.warning("%d threads\n%s", threads.count, "\n".join(threads))
            held = _Held(self._shared)
            if self._shared.scheduler.post(held.begin):
                while not held.seen.wait(_PATIENCE):
                    if self._shared.scheduler.loop.is_closed():
                        return
                log.warning("%d requests are held\n%s", held.groups.count, "\n".join(held.groups))
        finally:
            self._turn.release()


def _threads() -> Groups:
    groups, frames = Groups(), sys._current_frames()
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        if frame is not None and thread is not threading.current_thread():
            groups.add("thread", thread.name, "", stack_of(frame))
    return groups


class _Held:
    """The requests that are held, in `groups` once all are `seen`."""

    def __init__(self, shared: Shared) -> None:
        self.groups = Groups()
        self.seen = threading.Event()
        self._loop = shared.scheduler.loop
        self._shared = shared
        self._left: deque[Exchange] = deque()

    def begin(self) -> None:
        """On the loop: look at those that are there now."""
        self._left.extend(self._shared.exchanges)
        self._go_on()

    def _go_on(self) -> None:
        frames, now = sys._current_frames(), self._loop.time()
        for _ in range(min(_SLICE, len(self._left))):
            exchange = self._left.popleft()
            if exchange.ended:
                continue
            frame = frames.get(exchange.worker)
            stack = _waiting(exchange) if frame is None else stack_of(frame)
            self.groups.add_request(exchange, stack, now)
        if self._left:
            self._loop.call_soon(self._go_on)
        else:
            self.seen.set()


def _waiting(exchange: Exchange) -> Stack:
    """Where the application of `exchange` waits."""
    held_up = exchange.suspended
    if held_up is None:
        return Stack()
    if hasattr(held_up, "gr_frame"):
        return stack_of(held_up.gr_frame)
    return suspended(held_up)
