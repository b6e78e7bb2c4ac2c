"""Requests whose application took long, by the time that it did not wait in an operation.

So a poll that is held is not slow. The thread that looks for stalls sees where they are meanwhile.
"""

import logging
import sys
import time
import types

from cogen.core.stacks import stack_of
from cogen.web.connections.shared import Shared
from cogen.web.exchanges.exchange import Exchange
from cogen.web.exchanges.stopwatch import Stopwatch

__all__ = ["SlowRequests"]

log = logging.getLogger(__name__)


class SlowRequests:
    """Tells of those of `shared` that took the application `seconds` or more; `count` of them."""

    def __init__(self, shared: Shared, seconds: float) -> None:
        self.count = 0
        self._shared = shared
        self._seconds = seconds
        if seconds:
            shared.when_timed = self._began

    def _began(self, exchange: Exchange) -> None:
        exchange.stopwatch = Stopwatch()
        exchange.add_done_callback(self._ended)

    def _ended(self, exchange: Exchange) -> None:
        stopwatch = exchange.stopwatch
        if stopwatch is None or not exchange.begun:
            return
        busy = stopwatch.busy(time.monotonic(), exchange.begun)
        if busy >= self._seconds:
            self.count += 1
            log.warning(
                "%s: slow: %.2f s, and %.2f s in which it waited; status %d%s",
                exchange,
                busy,
                stopwatch.waited,
                exchange.status,
                f"; seen{stopwatch.seen}" if stopwatch.seen else "",
            )

    def look(self, now: float, loop_thread: int) -> None:
        """See where those are that are about to be slow; called in a thread, now and then."""
        if not self._seconds:
            return
        frames = sys._current_frames()
        current = self._shared.scheduler.stepping
        if isinstance(current, Exchange):
            self._see(current, now, frames.get(loop_thread))
        if self._shared.pool is not None:
            for exchange in list(self._shared.exchanges):
                if exchange.worker:
                    self._see(exchange, now, frames.get(exchange.worker))

    def _see(self, exchange: Exchange, now: float, frame: types.FrameType | None) -> None:
        stopwatch = exchange.stopwatch
        if stopwatch is None or stopwatch.busy(now, exchange.begun) < self._seconds / 2:
            return
        stopwatch.seen = stack_of(frame).at
