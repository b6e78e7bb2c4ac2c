"""Ends a process whose stop takes too long, whatever keeps it.

The event loop acts on a signal when it comes to run. Application code that blocks it, or a thread
that Python joins at its exit, would hold up the end for as long. So a thread reads what the
interpreter writes down of each signal at once (signal.set_wakeup_fd), passes it on to the loop, and
keeps the time. Code in C that keeps the interpreter's lock keeps this thread too; faulthandler's
watchdog needs no lock, and is set wherever such code lets a handler of signals run.
"""

import contextlib
import faulthandler
import logging
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from typing import Final

from cogen.web.exchanges.stuck import threads_at_work

__all__ = ["Watchdog"]

log = logging.getLogger(__name__)

# Status of a process that was ended because its stop took too long.
_LATE: Final = 1
_INTERRUPTED: Final = 128 + signal.SIGINT
# `paster serve --stop-daemon` repeats SIGINT every second while a process stops as it should; a
# second one that means it comes from a terminal, or sooner than this many seconds.
_TWICE: Final = 0.5
# Seconds for the last line of the log, which may be what is stuck.
_LAST_WORDS: Final = 0.3
_INTERRUPTED_LAST_WORDS: Final = 1.0
# Seconds that this thread may be late before it counts as stuck itself.
_LATENESS: Final = 0.2
_STANDARD_ERROR: Final = 2


class Watchdog:
    """From `listen` on: at SIGTERM or SIGINT the process has `patience` seconds to end.

    At SIGUSR2 `dump` is called, which only begins something, whatever the loop does.
    Then, or at a second SIGINT, `give_up` is called in a thread and the process ends at once. It
    watches until the process has ended, and is never taken back.
    """

    def __init__(
        self, patience: float, give_up: Callable[[], None], dump: Callable[[], None]
    ) -> None:
        self._patience = patience
        self._give_up = give_up
        self._dump = dump
        self._deadline: float | None = None
        self._interrupted = -_TWICE
        self._interrupts = 0
        self._armed = False
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._loops = -1  # where the loop hears of signals
        self._lock = threading.Lock()  # of what is written there
        threading.Thread(target=self._watch, name="cogen-watchdog", daemon=True).start()

    def listen(self) -> None:
        """Hear of signals before the loop does, which runs and has its handlers."""
        self.keep_on()
        self._loops = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def asked_before(self) -> float:
        """Seconds that have passed since the first signal to stop; 0.0 if there was none."""
        if self._deadline is None:
            return 0.0
        return time.monotonic() + self._patience - self._deadline

    def release(self) -> None:
        """The loop stops running: it closes where it hears of signals."""
        with self._lock:
            loops, self._loops = self._loops, -1
        if loops >= 0:
            signal.set_wakeup_fd(loops)

    def keep_on(self) -> None:
        """Hear of SIGTERM and SIGINT, also where the loop has given them up."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: object) -> None:
        if not self._armed:
            self._armed = True
            _end_after(self._patience + _LATENESS)
        if self._loops < 0:
            with contextlib.suppress(BlockingIOError):
                os.write(self._writer, bytes([number]))

    # In the thread.

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        while True:
            left = None if self._deadline is None else self._deadline - time.monotonic()
            if left is not None and left <= 0:
                self._end(_LATE, f"did not stop within {self._patience:g} s", _LAST_WORDS)
            if poll.poll(None if left is None else left * 1000):
                heard = os.read(self._reader, 4096)
                self._pass_on(heard)
                for number in heard:
                    self._heard(number)

    def _pass_on(self, heard: bytes) -> None:
        with self._lock, contextlib.suppress(BlockingIOError):
            if self._loops >= 0:
                os.write(self._loops, heard)

    def _heard(self, number: int) -> None:
        if number == signal.SIGUSR2:
            self._dump()
        now = time.monotonic()
        if number in (signal.SIGTERM, signal.SIGINT) and self._deadline is None:
            self._deadline = now + self._patience
        if number == signal.SIGINT:
            self._interrupts += 1
            before, self._interrupted = self._interrupted, now
            if self._interrupts > 1 and (now - before < _TWICE or _on_terminal()):
                self._end(_INTERRUPTED, "was interrupted twice", _INTERRUPTED_LAST_WORDS)

    def _end(self, status: int, why: str, seconds: float) -> None:
        """End with `status`; if the log does not take a line within `seconds`, with 1."""
        _end_after(seconds)
        self._give_up()
        left = ", ".join(threads_at_work()) or "no code of the application"
        log.error("process %d %s and ends at once; left: %s", os.getpid(), why, left)
        os._exit(status)


def _end_after(seconds: float) -> None:
    """Whatever has the interpreter's lock. Where there is no thread to spare, nobody sees to it."""
    with contextlib.suppress(RuntimeError):
        faulthandler.dump_traceback_later(seconds, exit=True, file=_STANDARD_ERROR)


def _on_terminal() -> bool:
    """Whether this process is in the foreground of a terminal, whose keys interrupt it."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
