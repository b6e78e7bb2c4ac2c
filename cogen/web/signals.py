"""What signals ask of a process that serves: SIGTERM and SIGINT to stop, SIGHUP to reload."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["Signals"]

_Result = TypeVar("_Result")


class Signals:
    """Of this process, from now on: made on its first line, taken by the loop once it serves.

    Until then SIGTERM and SIGINT end it, as there is nothing to answer yet, and SIGHUP is
    remembered: a reload follows the start.
    """

    def __init__(self) -> None:
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        with contextlib.suppress(ValueError):  # not in the main thread
            signal.signal(signal.SIGHUP, lambda *_: self._reload.set())
            for number in (signal.SIGTERM, signal.SIGINT):
                # The kernel does not end the first process of a container by default.
                signal.signal(number, _end if os.getpid() == 1 else signal.SIG_DFL)

    def take(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on they are what `reload` and `unless_stopped` wait for, on `loop`."""
        for number, event in (
            (signal.SIGTERM, self._stop),
            (signal.SIGINT, self._stop),
            (signal.SIGHUP, self._reload),
        ):
            with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread
                loop.add_signal_handler(number, event.set)

    async def reload(self) -> bool:
        """Wait until it is asked for: True to reload, False to stop."""
        asked = await self.unless_stopped(self._reload.wait())
        self._reload.clear()
        return bool(asked)

    async def unless_stopped(self, work: Coroutine[Any, Any, _Result]) -> _Result | None:
        """The result of `work`; None if the process is to stop: `work` is cancelled then."""
        task, stop = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        task.cancel()
        await asyncio.wait((task,))
        return None if task.cancelled() else task.result()


def _end(number: int, frame: object) -> None:
    raise SystemExit(128 + number)
