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
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from typing import Final

__all__ = ["Watchdog"]

log = logging.getLogger(__name__)

# Status of a process that was ended because its stop took too long.
_LATE: Final = 1
_INTERRUPTED: Final = 128 + signal.SIGINT
# `paster serve --stop-daemon` repeats SIGINT every second while a process stops as it should; a
# second one that means it comes from a terminal, or sooner than this many seconds.
_TWICE: Final = 0.5
# Seconds for the last line of the log.
_LAST_WORDS: Final = 0.15
_STANDARD_ERROR: Final = 2
# Where code is that is not the application's.
_LIBRARY: Final = (os.path.dirname(threading.__file__) + os.sep, "<frozen ")
_OURS: Final = os.path.dirname(os.path.dirname(__file__)) + os.sep


class Watchdog:
    """From `listen` on: at SIGTERM or SIGINT the process has `patience` seconds to end.

    Then, or at a second SIGINT, `give_up` is called in a thread and the process ends at once. It
    watches until the process has ended, and is never taken back.
    """

    def __init__(self, patience: float, give_up: Callable[[], None]) -> None:
        self._patience = patience
        self._give_up = give_up
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
            faulthandler.dump_traceback_later(
                self._patience + _LAST_WORDS, exit=True, file=_STANDARD_ERROR
            )
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
                self._end(_LATE, f"did not stop within {self._patience:g} s")
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
        now = time.monotonic()
        if number in (signal.SIGTERM, signal.SIGINT) and self._deadline is None:
            self._deadline = now + self._patience
        if number == signal.SIGINT:
            self._interrupts += 1
            before, self._interrupted = self._interrupted, now
            if self._interrupts > 1 and (now - before < _TWICE or _on_terminal()):
                self._end(_INTERRUPTED, "was interrupted twice")

    def _end(self, status: int, why: str) -> None:
        """The log may be what is stuck: there is a moment for it."""
        faulthandler.dump_traceback_later(_LAST_WORDS, exit=True, file=_STANDARD_ERROR)
        self._give_up()
        left = ", ".join(_left()) or "no code of the application"
        log.error("process %d %s and ends at once; left: %s", os.getpid(), why, left)
        os._exit(status)


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


def _left() -> Iterator[str]:
    """The threads that Python waits for at its exit and that are at work, and where they are."""
    frames = sys._current_frames()
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        if not thread.daemon and frame is not None:
            where = _at_work(frame)
            if where is not None:
                yield f"{thread.name}{where}"


def _at_work(frame: types.FrameType | None) -> str | None:
    """Where code of the application is that `frame` is in or was called from; None: in none."""
    if frame is not None and frame.f_code is Watchdog._handle.__code__:
        frame = frame.f_back
    # A thread may run a function in C that the standard library called.
    where = "" if frame is not None and frame.f_code.co_name == "run" else None
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(_OURS):
            return None  # it runs the loop
        if not code.co_filename.startswith(_LIBRARY) or "site-packages" in code.co_filename:
            return f" at {code.co_filename}:{frame.f_lineno} in {code.co_name}"
        frame = frame.f_back
    return where
