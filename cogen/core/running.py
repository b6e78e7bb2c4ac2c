"""What a program's `Scheduler.run()` does: it ends when nothing is left, by `stop()` or a signal,
and where nobody can go on.
"""

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from cogen.core.deadlock import Deadlock, stuck
from cogen.core.dump import Dump

if TYPE_CHECKING:
    from cogen.core.schedulers import Scheduler

__all__ = ["Run"]

# The signals that end a run, and what they do where nobody has said otherwise.
_STOPS: Final = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}
# Seconds until it is looked whether somebody can go on, after something was done; then it is looked
# when it has stood still for twice as long, and again, up to a day.
_FIRST_LOOK: Final = 0.05
_LAST_LOOK: Final = 86_400.0


class Run:
    """One run of `scheduler`; `signal` is what ended it, if one did."""

    def __init__(self, scheduler: "Scheduler") -> None:
        self.signal: signal.Signals | None = None
        self._scheduler = scheduler
        self._loop = scheduler.loop
        self._stopping = False
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._turns = -1
        self._look: asyncio.TimerHandle | None = None
        self._before: dict[int, Any] = {}  # the handlers of signals that were there

    def run(self) -> signal.Signals | None:
        """Returns the signal that ended it; raises Deadlock, and what the loop does."""
        self._take_signals()
        self._look = self._loop.call_later(_FIRST_LOOK, self._look_at, _FIRST_LOOK)
        try:
            self._run()
        finally:
            self._look.cancel()
            for number in list(self._before):
                self._give_back(number)
        return self.signal

    def stop(self) -> None:
        """Have all cancelled; in any thread."""
        self._scheduler.post(self._stop)

    def _run(self) -> None:
        try:
            self._until(self._scheduler.idle)
        except (Deadlock, SystemExit, KeyboardInterrupt):
            if not self._stopping:
                self._stopping = True
                self._until(self._scheduler.cancel_these)
            raise
        if self._stopping:
            self._until(self._scheduler.cancel_these)

    def _until(self, done: "Callable[[], asyncio.Future[None]]") -> None:
        """Run the loop until no coroutine is left, or it is to stop and was not before; each of
        the futures that `done()` makes is awaited."""
        stopping = self._stopping
        while True:
            self._over = done()
            self._loop.run_until_complete(self._over)
            if not self._scheduler.coroutines or self._stopping is not stopping:
                return

    def _stop(self) -> None:
        if not self._stopping:
            self._stopping = True
            if not self._over.done():
                self._over.set_result(None)

    # Signals.

    def _take_signals(self) -> None:
        """Those that nobody handles; in another thread than the main one none can be taken."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number, default in _STOPS.items():
            if signal.getsignal(number) is default:
                self._before[number] = signal.signal(number, self._handle)
        if signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL:
            dump = Dump(self._scheduler)
            self._before[signal.SIGUSR2] = signal.signal(signal.SIGUSR2, lambda *_: dump.begin())

    def _give_back(self, number: int) -> None:
        signal.signal(number, self._before.pop(number))

    def _handle(self, number: int, frame: FrameType | None) -> None:
        """In the midst of anything; a second one does what it does by default."""
        self._give_back(number)
        self.signal = self.signal or signal.Signals(number)
        self.stop()

    # Whether somebody can go on.

    def _look_at(self, pause: float) -> None:
        """Called after `pause` seconds."""
        turns, self._turns = self._turns, self._scheduler.turns
        if turns != self._turns:
            pause = _FIRST_LOOK
        elif coroutines := stuck(self._scheduler, self._before):
            if not self._over.done():
                self._over.set_exception(Deadlock(coroutines))
            pause = _FIRST_LOOK  # at what they do now that they are cancelled
        else:
            pause *= 2
        if pause < _LAST_LOOK:
            self._look = self._loop.call_later(pause, self._look_at, pause)
