"""Who holds the event loop, or all threads of the application: told once, with the line of code.

A thread looks every while. It asks a loop that it finds at work to answer; one that is idle is
left alone, and requests cost nothing. What does not answer in time is held, and the frame of the
loop's thread says where: also in a greenlet, whose frame is that of the thread while it runs. Code
in C that keeps the interpreter's lock keeps this thread too. It is told when that is over, as far
as the process has used its time: one that was stopped has not.
"""

import asyncio
import logging
import sys
import threading
import time
import types
from collections.abc import Callable, Mapping
from typing import Final

from cogen.core.alike import Groups
from cogen.core.coroutines import Coroutine
from cogen.core.dump import owner_of
from cogen.core.groups import TaskGroup
from cogen.core.shown import shown
from cogen.core.stacks import stack_of
from cogen.web.connections.shared import Shared
from cogen.web.observers.requests import add_request
from cogen.web.observers.slow import SlowRequests

__all__ = ["Stalls", "add_threads"]

log = logging.getLogger(__name__)

# Looks within the time that is warned of.
_LOOKS: Final = 4
# Seconds between two looks, at the least.
_LEAST_PAUSE: Final = 0.01
# The share of a processor that a process has, if any is to be had.
_USED: Final = 0.1
# Why nothing ran: by whether the process has had most of that time.
_LOCKED: Final = (
    "code in C kept the interpreter's lock, or others the processors",
    "code in C kept the interpreter's lock",
)
# Where the loop of asyncio waits for something to do.
_IDLE: Final = ("select", "_run_once")


class Stalls:
    """Watches the loop and the threads of `shared`: who holds them for `seconds` is told.

    `counts` are how often, by `loop` and `threads`; `lasted` the seconds that those of the loop
    that are over took. `looks` and `questions`: how often it looked, and asked the loop.
    `slow` requests are looked at too. `collected()`: when all was last searched for garbage
    (time.monotonic), and the seconds that it took. `names` are those of task groups.
    """

    def __init__(
        self,
        shared: Shared,
        seconds: float,
        slow: SlowRequests,
        collected: Callable[[], tuple[float, float]],
        names: Mapping[TaskGroup, str] | None = None,
    ) -> None:
        self.counts = {"loop": 0, "threads": 0}
        self.lasted = 0.0
        self.slow = slow
        self.looks = 0
        self.questions = 0
        self._shared = shared
        self._loop = shared.scheduler.loop
        self._seconds = seconds
        self._collected = collected
        self._names = names or {}
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._base = 0  # the frame that runs the loop
        self._loop_thread = 0
        self._turns = 0
        self._asked: float | None = None  # since when the loop owes an answer
        self._told: float | None = None  # since when it was held, if that was told
        self._threads_told = False

    def start(self) -> None:
        """Called on the loop: watch from its next turn on."""
        self._loop.call_soon(self._begin)

    def stop(self) -> None:
        """Watch no more; called on the loop."""
        self._over.set()

    @property
    def watches(self) -> bool:
        """Whether there is a thread that does."""
        return self._thread is not None and self._thread.is_alive()

    def _begin(self) -> None:
        if not self._over.is_set():
            self._base = id(sys._getframe().f_back)
            self._loop_thread = threading.get_ident()
            self._thread = threading.Thread(target=self._watch, name="cogen-stalls", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as error:  # the system has no more
                log.warning("nobody looks for stalls: %s", error)

    def _answer(self) -> None:
        self._asked = None

    # In the thread.

    def _watch(self) -> None:
        pause = max(self._seconds / _LOOKS, _LEAST_PAUSE)
        before, used = time.monotonic(), time.process_time()
        while not self._over.wait(pause) and not self._loop.is_closed():
            now = time.monotonic()
            late = now - before - pause
            if late >= self._seconds:
                self._was_late(late, now, time.process_time() - used)
            else:
                self._look(now)
            before, used = time.monotonic(), time.process_time()

    def _was_late(self, late: float, now: float, used: float) -> None:
        """Nothing ran for `late` seconds, in which the process `used` so much of the processor."""
        if self._asked is not None:
            self._asked = now
        ended, took = self._collected()
        collected = now - ended < late and took > late / 2
        if used < late * _USED and not collected:
            log.warning("the process stood still for %.1f s: stopped, or short of processors", late)
            return
        groups = Groups()
        self._add_loop(groups, late)
        add_threads(groups, self._shared, now)
        why = "garbage was collected" if collected else _LOCKED[used > late / 2]
        text = "".join(f"\n{each}" for each in groups)
        if collected or used > late / 2:
            self.counts["loop"] += 1
            self.lasted += late
        text = f"; now{text}" if text else ", which is over"
        log.warning("the process stood still for %.1f s: %s%s", late, why, text)

    def _look(self, now: float) -> None:
        self.looks += 1
        asked = self._asked
        if asked is None:
            self._goes_on(now)
            if self._works():
                self._asked = now
                self.questions += 1
                self._loop.call_soon_threadsafe(self._answer)
        elif self._told is None and now - asked >= self._seconds:
            self._tell_loop(now - asked)
            self._told = asked
        self._look_at_threads(now)
        self.slow.look(now, self._loop_thread)

    def _works(self) -> bool:
        """Whether the loop's thread is anywhere but where it waits."""
        turns, before = self._shared.scheduler.turns, self._turns
        self._turns = turns
        frame = self._frame()
        return frame is not None and (turns != before or not self._is_idle(frame))

    def _frame(self) -> types.FrameType | None:
        return sys._current_frames().get(self._loop_thread)

    def _is_idle(self, frame: types.FrameType) -> bool:
        if id(frame) == self._base:
            return True
        at: types.FrameType | None = frame
        while at is not None and id(at) != self._base:  # a selector may call another one
            caller = at.f_back
            if caller is not None and (at.f_code.co_name, caller.f_code.co_name) == _IDLE:
                return True
            at = caller
        return False

    def _tell_loop(self, seconds: float) -> None:
        groups = Groups()
        self._add_loop(groups, seconds)
        if groups.count:
            self.counts["loop"] += 1
            log.warning("the event loop is held by\n%s", "\n".join(groups))

    def _add_loop(self, groups: Groups, seconds: float) -> None:
        frame = self._frame()
        if frame is None or self._is_idle(frame):
            return
        stack = stack_of(frame, self._base)
        stepping = self._shared.scheduler.stepping
        task = asyncio.current_task(self._loop)
        if isinstance(stepping, Coroutine):
            whose = owner_of(stepping.group, self._names)
            groups.add("coroutine", f"{stepping.name}{whose}", "runs", stack, seconds)
        elif stepping is not None:
            groups.add(shown(stepping), "", "runs", stack, seconds)
        elif task is not None:
            groups.add("task", task.get_name(), "runs", stack, seconds)
        else:
            groups.add("a callback", stack[0].name, "runs", stack, seconds)

    def _goes_on(self, now: float) -> None:
        if self._told is not None:
            seconds, self._told = now - self._told, None
            self.lasted += seconds
            log.info("the event loop goes on after %.1f s", seconds)

    def _look_at_threads(self, now: float) -> None:
        pool = self._shared.pool
        since = pool.waiting_since() if pool is not None else None
        figures = pool.statistics() if pool is not None else {}
        if pool is None or since is None or now - since < self._seconds:
            self._threads_told = False
        elif pool.grows or figures["threads_busy"] < figures["threads"]:
            # One that is free, or the next one, comes to it, however busy the machine is.
            self._threads_told = False
        elif not self._threads_told and self._told is None:
            self._threads_told = True
            self.counts["threads"] += 1
            groups = Groups()
            add_threads(groups, self._shared, now)
            log.warning(
                "all %d threads of the application are held; %d requests wait for one, the first "
                "for %.1f s\n%s",
                figures["threads"],
                figures["threads_waiting"],
                now - since,
                "\n".join(groups),
            )


def add_threads(groups: Groups, shared: Shared, now: float) -> None:
    """Add the requests that are in a thread of the pool; in any thread."""
    frames = sys._current_frames()
    for exchange in list(shared.exchanges):
        frame = frames.get(exchange.worker)
        if frame is not None:
            add_request(groups, exchange, stack_of(frame), now)
