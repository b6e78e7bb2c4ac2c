"""What signals ask of a process that serves: SIGTERM and SIGINT to stop, SIGHUP to reload, SIGUSR1
to reopen log files, SIGUSR2 to tell what it is at. And what a change of files asks, which is no
signal.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from cogen.web.processes.watchdog import Watchdog

__all__ = ["Signalled", "Signals"]

_Result = TypeVar("_Result")


class Signalled(SystemExit):
    """A signal ends the process before it serves."""


class Signals:
    """Of this process, from now on: made on its first line, taken by the loop once it serves, or
    supervises those that start to.

    Until then SIGTERM and SIGINT end it, as there is nothing to answer yet, SIGHUP is remembered: a
    reload follows the start. SIGUSR1 and SIGUSR2 do nothing: the log files have just been opened,
    and there is nothing to tell.
    """

    def __init__(self) -> None:
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watchdog: Watchdog | None = None
        with contextlib.suppress(ValueError):  # not in the main thread
            signal.signal(signal.SIGHUP, lambda *_: self._reload.set())
            for number in (signal.SIGUSR1, signal.SIGUSR2):
                signal.signal(number, _ignore)
            for number in (signal.SIGTERM, signal.SIGINT):
                # The kernel does not end the first process of a container by default.
                signal.signal(number, _end if os.getpid() == 1 else signal.SIG_DFL)

    def take(
        self,
        loop: asyncio.AbstractEventLoop,
        patience: float,
        give_up: Callable[[], None],
        reopen: Callable[[], None],
        dump: Callable[[], None],
    ) -> None:
        """From now on they are what `reload` and `unless_stopped` wait for, on `loop`, which runs.

        `reopen` is called for SIGUSR1; `dump` for SIGUSR2, in a thread. `patience`: seconds that a
        stop may take; then, or at a second SIGINT, `give_up` is called, in a thread, and the
        process ended.
        """
        with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread
            for number, act in (
                (signal.SIGTERM, self._stop.set),
                (signal.SIGINT, self._stop.set),
                (signal.SIGHUP, self._reload.set),
                (signal.SIGUSR1, reopen),
                (signal.SIGUSR2, _ignore),  # the watchdog acts on it
            ):
                loop.add_signal_handler(number, act)
            self._watchdog = Watchdog(patience, give_up, dump)
            self._watchdog.listen()
        self._loop = loop

    def changed(self, start_anew: Callable[[], object]) -> None:
        """Files of the program have changed; called in a thread, which no code that hangs holds up.

        A reload is asked for, and what an earlier one has begun is given up. `start_anew()` is
        called instead where the signals are not taken yet: nothing is served that would go on.
        """
        if self._loop is None:
            start_anew()
        else:
            with contextlib.suppress(RuntimeError):  # it is closed
                self._loop.call_soon_threadsafe(self._outdate)

    def _outdate(self) -> None:
        self._changed.set()
        self._reload.set()

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop.is_set()

    def asked_before(self) -> float:
        """Seconds since a stop was asked for: the loop may have heard of it late."""
        return self._watchdog.asked_before() if self._watchdog is not None else 0.0

    def release(self) -> None:
        """The loop is about to stop running."""
        if self._watchdog is not None:
            self._watchdog.release()

    def close(self) -> None:
        """The loop is closed; from now on they only see to it that the process ends."""
        if self._watchdog is not None:
            self._watchdog.keep_on()

    async def reload(self) -> bool:
        """Wait until it is asked for: True to reload, False to stop."""
        asked = await self.unless_stopped(self._reload.wait())
        self._reload.clear()
        self._changed.clear()
        return bool(asked)

    async def unless_stopped(self, work: Coroutine[Any, Any, _Result]) -> _Result | None:
        """The result of `work`; None if the process is to stop: `work` is cancelled then."""
        return await _unless((self._stop,), work)

    async def unless_outdated(self, work: Coroutine[Any, Any, _Result]) -> _Result | None:
        """As `unless_stopped`; None also if files have changed since `reload` returned."""
        return await _unless((self._stop, self._changed), work)


async def _unless(
    events: Iterable[asyncio.Event], work: Coroutine[Any, Any, _Result]
) -> _Result | None:
    """The result of `work`; None if one of `events` comes first: `work` is cancelled then."""
    task = asyncio.ensure_future(work)
    others = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait((task, *others), return_when=asyncio.FIRST_COMPLETED)
    for each in (task, *others):
        each.cancel()
    await asyncio.wait((task,))
    return None if task.cancelled() else task.result()


def _ignore(*_: object) -> None:
    """Nothing."""


def _end(number: int, frame: object) -> None:
    raise Signalled(128 + number)
