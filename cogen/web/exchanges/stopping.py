"""How a held answer is told that the server stops.

A poll is answered by its application, or as if its time were up. A stream has no end of its own:
what it waits for ends with ServerStopping, and it ends itself.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from cogen.core.durations import Duration
from cogen.core.events import PARKED, Operation
from cogen.core.schedulers import Scheduler, Waiter
from cogen.core.scopes import current_owner
from cogen.web.exchanges.exchange import Exchange
from cogen.web.http.errors import ServerStopping

__all__ = ["Stopping", "WaitForStop"]

# Seconds after which those are told that have begun to wait meanwhile.
_AGAIN: Final = 0.1


class Stopping:
    """environ['cogen.stopping']: true once the server stops, or another process takes its place.

    `wait()` waits for that. With `raises()` a request says that what it waits for then is to end
    with ServerStopping; a response of the type text/event-stream has that without.
    """

    __slots__ = ("_again", "_begun", "_exchanges", "_raising", "_scheduler", "_told", "waiters")

    def __init__(self, scheduler: Scheduler, exchanges: Callable[[], Iterable[Exchange]]) -> None:
        self._scheduler = scheduler
        self._exchanges = exchanges
        self._begun = False
        self._raising: set[Exchange] = set()
        self._told: set[Exchange] = set()
        self._again: asyncio.TimerHandle | None = None
        self.waiters: dict[Waiter, None] = {}

    def __bool__(self) -> bool:
        return self._begun

    def wait(self, timeout: Duration | None = None) -> "WaitForStop":
        """The operation that waits until the server stops. Result: None."""
        return WaitForStop(self, timeout)

    def raises(self) -> None:
        """From now on this request is told by ServerStopping, at what it waits for.

        Raises RuntimeError outside of a request.
        """
        _, owner = current_owner()
        if not isinstance(owner, Exchange) or owner.ended:
            raise RuntimeError("environ['cogen.stopping'].raises() was called outside of a request")
        if owner not in self._raising:
            self._raising.add(owner)
            owner.add_done_callback(self._raising.discard)

    # For the server, on the loop.

    def begin(self) -> None:
        """The server stops."""
        self._begun = True
        waiters, self.waiters = self.waiters, {}
        for waiter in waiters:
            waiter.resume(None, crowd=True)

    def tell(self) -> None:
        """Have streams end themselves: those that wait now, and each that does until `end`."""
        for exchange in list(self._exchanges()):
            if exchange in self._raising or exchange.streams_events:
                self._tell(exchange)
        self._again = self._scheduler.loop.call_later(_AGAIN, self.tell)

    def _tell(self, exchange: Exchange) -> None:
        goes_on = exchange in self._told  # it took the error for one like any other
        if not (goes_on and exchange.streams_events and exchange.end_stream()):
            exchange.interrupt(partial(self._why, exchange))

    def _why(self, exchange: Exchange) -> ServerStopping:
        """What `exchange` is told."""
        if exchange not in self._told:
            self._told.add(exchange)
            exchange.add_done_callback(self._told.discard)
        return ServerStopping()

    def end(self) -> None:
        """All have ended, or are cut."""
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def __repr__(self) -> str:
        return f"<the server {'stops' if self._begun else 'serves'}>"


class WaitForStop(Operation):
    """Result: None, once the server stops."""

    __slots__ = ("_stopping",)

    def __init__(self, stopping: Stopping, timeout: Duration | None = None) -> None:
        super().__init__(timeout)
        self._stopping = stopping

    def run(self, waiter: Waiter) -> object:
        if self._stopping:
            return None
        self._stopping.waiters[waiter] = None
        return PARKED

    def undo(self, waiter: Waiter) -> None:
        del self._stopping.waiters[waiter]
