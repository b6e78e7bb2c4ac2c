"""Whether nobody can go on: every coroutine waits for another one, and none is left that runs.

A false alarm would be worse than silence. So nobody is said to stand still unless all that could
wake somebody can be seen and is not there: what is ready or posted, deadlines, other threads,
handlers of signals, tasks of asyncio, and what the loop has of timers, sockets and processes. All
coroutines have to wait for operations of cogen that nothing from outside can end (`by_coroutines`).
"""

import asyncio
import gc
import signal
import sys
import threading
from collections import deque
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

from cogen.core.events import Join
from cogen.core.shown import shown

if TYPE_CHECKING:
    from cogen.core.coroutines import Coroutine
    from cogen.core.schedulers import Scheduler

__all__ = ["Deadlock", "stuck"]

# Coroutines that the message names.
_TOLD: Final = 20
# Handlers of signals that wake nobody.
_DEFAULT: Final = (signal.SIG_DFL, signal.SIG_IGN, signal.default_int_handler, None)
# What there is of uvloop for a loop that has nothing to do. All else may wake somebody.
_IDLE: Final = frozenset(
    {"FileSystemEvent", "Handle", "Loop", "LruCache", "Server", "TimerHandle"}
    | {"UVAsync", "UVCheck", "UVIdle", "UVTimer"}
)
# How the closures of its own functions are named.
_SCOPE: Final = "__pyx_scope"


class Deadlock(RuntimeError):
    """Nobody can go on: `coroutines` wait, and nothing is under way that could wake one of them."""

    def __init__(self, coroutines: "Sequence[Coroutine]") -> None:
        self.coroutines = coroutines
        lines = [f"  {shown(each)}" for each in coroutines[:_TOLD]]
        if coroutines[_TOLD:]:
            lines.append(f"  and {len(coroutines) - _TOLD:,} more")
        count = len(coroutines)
        whom = "1 coroutine waits" if count == 1 else f"{count:,} coroutines wait"
        super().__init__("\n".join([f"{whom}, and nothing is left to end that:", *lines]))


def stuck(scheduler: "Scheduler", signals: Collection[int]) -> "list[Coroutine]":
    """The coroutines of `scheduler` if none can go on; empty where one may.

    Called on its loop, by a timer. `signals` are those whose handlers wake nobody.
    """
    coroutines = list(scheduler.coroutines)
    if (
        scheduler.posted
        or len(scheduler.timers)
        or not all(_waits_for_others(each, scheduler) for each in coroutines)
        or _has_tasks(scheduler)
        or _handles_signals(signals)
        or _has_threads()
        or not _is_idle(scheduler.loop, scheduler.frozen)
    ):
        return []
    return coroutines


def _waits_for_others(coroutine: "Coroutine", scheduler: "Scheduler") -> bool:
    operation = coroutine.awaited
    if operation is None or not operation.by_coroutines:
        return False
    if isinstance(operation, Join) and operation.coroutine.started:
        return operation.coroutine.scheduler is scheduler
    return True


def _has_tasks(scheduler: "Scheduler") -> bool:
    """Whether asyncio runs something that waits for none of those operations."""
    for task in asyncio.all_tasks(scheduler.loop):
        waiter = scheduler.awaiting.get(task)
        operation = waiter.operation if waiter is not None else None
        if operation is None or not operation.by_coroutines:
            return True
    return False


def _handles_signals(known: Collection[int]) -> bool:
    return any(
        signal.getsignal(number) not in _DEFAULT
        for number in signal.valid_signals()
        if number not in known
    )


def _has_threads() -> bool:
    """Whether there is another thread than this one and those of pools that have nothing to do."""
    frames = sys._current_frames()
    frames.pop(threading.get_ident(), None)
    return any(
        (frame.f_code.co_name, frame.f_globals.get("__name__"))
        != ("_worker", "concurrent.futures.thread")
        for frame in frames.values()
    )


def _is_idle(loop: Any, frozen: int) -> bool:
    """Whether `loop` has nothing that could call something; False where that cannot be seen.

    `frozen`: how many objects were kept from the collector before it was made.
    """
    if isinstance(loop, asyncio.SelectorEventLoop):
        scheduled: list[asyncio.TimerHandle] = loop._scheduled  # type: ignore[attr-defined]
        sockets = loop._selector.get_map()  # type: ignore[attr-defined]
        ready = loop._ready  # type: ignore[attr-defined]
        # Its own socket wakes it.
        return len(sockets) <= 1 and not ready and all(each.cancelled() for each in scheduled)
    return type(loop).__module__.partition(".")[0] == "uvloop" and _uvloop_is_idle(loop, frozen)


def _uvloop_is_idle(loop: asyncio.AbstractEventLoop, frozen: int) -> bool:
    # It tells nothing of what it holds, but that is all there for the collector to see.
    if gc.get_freeze_count() > frozen:  # those cannot be seen
        return False
    if any(map(_calls_soon, gc.get_referents(loop))):
        return False
    polls, now = 0, loop.time()
    for each in gc.get_objects():
        kind = type(each)
        if kind.__module__ not in ("uvloop", "uvloop.loop"):
            continue
        if kind.__name__ == "UVPoll":
            polls += 1  # its own socket wakes it
        elif kind.__name__ == "TimerHandle":
            if not each.cancelled() and each.when() > now:
                return False
        elif kind.__name__ not in _IDLE and not kind.__name__.startswith(_SCOPE):
            return False
    return polls <= 1


def _calls_soon(held: Any) -> bool:
    """Whether `held`, of the loop, is its queue of what it calls next, and there is something."""
    return isinstance(held, deque) and not all(each.cancelled() for each in held)
