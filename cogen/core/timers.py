"""Deadlines for many waiters at the price of one loop timer for each distinct duration.

Ten thousand polls of ten seconds are one lane: a dict in order of deadline, for their durations
are equal. A loop timer each would cost half a kilobyte a waiter; starting or stopping one here is
one dict operation. A stopped deadline leaves the loop timer armed: it fires once for nothing.
Those of a lane are swept together a little late, not each at its own moment: a poll that is woken
by itself costs a turn of the loop and twice as much as one of many.
"""

import asyncio
from contextvars import copy_context
from typing import Protocol

__all__ = ["Expires", "Timers"]

# uvloop's clock counts whole milliseconds: a timer may fire that much before its time.
_CLOCK_GRAIN = 0.001
# How late a deadline may be, as a share of its duration and in seconds, to be swept with others.
_LATE_SHARE, _LATE_MOST = 0.005, 0.05


class Expires(Protocol):
    """What can be given a deadline."""

    def expire(self) -> None:
        """Called on the loop, once, at the deadline."""


class _Lane:
    """The deadlines of one duration, the earliest first; `timer`: the loop's, while it is set."""

    __slots__ = ("deadlines", "timer")

    def __init__(self) -> None:
        self.deadlines: dict[Expires, float] = {}
        self.timer: asyncio.TimerHandle | None = None

    @property
    def armed(self) -> bool:
        return self.timer is not None


class Timers:
    """Starts and stops deadlines on `loop`; a waiter has at most one of each duration.

    Waiters expire in the context that this was made in: in that of who armed the loop timer, it
    would be held for as long as there are others.
    """

    __slots__ = ("_context", "_lanes", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._context = copy_context()
        self._lanes: dict[float, _Lane] = {}

    def start(self, waiter: Expires, duration: float) -> None:
        """Have `waiter.expire()` called once, `duration` seconds (monotonic) from now; not if < 0.

        It is called late by up to 0.5 %, at most 0.05 s, where others expire just before.
        """
        lane = self._lanes.get(duration)
        if lane is None:
            if duration < 0:  # for ever
                return
            lane = self._lanes[duration] = _Lane()
        deadline = self._loop.time() + duration
        # A waiter that starts again goes to the end: the lane stays in order.
        lane.deadlines.pop(waiter, None)
        lane.deadlines[waiter] = deadline
        if lane.timer is None:
            self._arm(lane, duration, deadline)

    def stop(self, waiter: Expires, duration: float) -> None:
        """Forget the deadline; nothing happens if `waiter` has none of that duration."""
        lane = self._lanes.get(duration)
        if lane is not None:
            lane.deadlines.pop(waiter, None)

    def left(self, waiter: Expires, duration: float) -> float | None:
        """Seconds until its deadline of that duration; None if it has none."""
        lane = self._lanes.get(duration)
        deadline = lane.deadlines.get(waiter) if lane is not None else None
        return None if deadline is None else deadline - self._loop.time()

    def trim(self) -> None:
        """Let go of the loop timers that would fire for nothing, and of what they hold."""
        for duration, lane in list(self._lanes.items()):
            if not lane.deadlines and lane.timer is not None:
                lane.timer.cancel()
                del self._lanes[duration]

    def __len__(self) -> int:
        return sum(len(lane.deadlines) for lane in list(self._lanes.values()))

    def _arm(self, lane: _Lane, duration: float, deadline: float) -> None:
        lane.timer = self._loop.call_at(
            deadline, self._sweep, lane, duration, context=self._context
        )

    def _sweep(self, lane: _Lane, duration: float) -> None:
        lane.timer = None
        now = self._loop.time() + _CLOCK_GRAIN
        next_sweep = now + min(duration * _LATE_SHARE, _LATE_MOST)
        due = []
        for waiter, deadline in lane.deadlines.items():
            if deadline > now:
                self._arm(lane, duration, max(deadline, next_sweep))
                break
            due.append(waiter)
        for waiter in due:
            # One that expires may stop another that is due as well.
            if lane.deadlines.pop(waiter, None) is not None:
                waiter.expire()
        if lane.armed:  # for those that are not due yet, or by one that expired and waits anew
            return
        if lane.deadlines:
            self._arm(lane, duration, max(next_sweep, next(iter(lane.deadlines.values()))))
        else:
            del self._lanes[duration]
