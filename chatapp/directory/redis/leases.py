"""Tells the engine which clients are here and in which rooms, and renews their leases."""

import asyncio
import contextlib
from collections.abc import Callable
from math import ceil

from chatapp.directory.directory import DirectoryObserver, DirectoryUnavailable, Person
from chatapp.directory.redis.calls import Calls, looks_of
from chatapp.directory.redis.scripts import RENEW, SEAT, SWEEP
from chatapp.directory.redis.seats import Seat, Seats
from chatapp.names import folded
from chatapp.redis.commands import Argument

__all__ = ["AT_ONCE", "Leases"]

# Clients in one call: each call is a step in which the engine does nothing else.
AT_ONCE = 100
_RENEWED_AT_ONCE = 200
_SWEPT_AT_ONCE = 500


class Leases:
    """Of the clients in `seats`, which are at `worker`, each for `milliseconds`.

    `refused(person)` is called for somebody whose nick turned out to be another's: their clients
    are not known to the engine.
    """

    def __init__(
        self,
        calls: Calls,
        observer: DirectoryObserver,
        worker: str,
        milliseconds: int,
        refused: Callable[[Person], None],
    ) -> None:
        self.seats = Seats()
        self._calls = calls
        self._observer = observer
        self._worker = worker
        self._milliseconds = milliseconds
        self._refused = refused
        self.telling: asyncio.Task[None] | None = None

    def tell_soon(self) -> None:
        """Tell what has changed, many clients at once."""
        if self.telling is None:
            self.telling = asyncio.create_task(self._tell())

    async def renew(self, count: int) -> None:
        """Renew the leases of the `count` clients whose turn it is. Raises DirectoryUnavailable."""
        while count > 0:
            seats = self.seats.next(min(count, _RENEWED_AT_ONCE))
            count -= _RENEWED_AT_ONCE
            await self._renew_some(seats)

    async def sweep(self) -> None:
        """End the leases that ran out, wherever the client was. Raises DirectoryUnavailable."""
        swept = _SWEPT_AT_ONCE
        while swept == _SWEPT_AT_ONCE:
            swept = await self._calls.run(SWEEP, _SWEPT_AT_ONCE, self._milliseconds)

    async def _tell(self) -> None:
        try:
            with contextlib.suppress(DirectoryUnavailable):
                while self.seats.untold:
                    await self._tell_some(self.seats.take(AT_ONCE))
        finally:
            self.telling = None

    async def _tell_some(self, seats: list[Seat]) -> None:
        words: list[Argument] = [self._worker, self._milliseconds]
        for seat in seats:
            nick = seat.person.nick
            words += [seat.person.id, seat.tab, nick, looks_of(nick), ",".join(seat.rooms)]
            words.append("".join(f"{folded(room)}\n" for room in seat.rooms))
        try:
            refused = await self._calls.run(SEAT, *words)
        except DirectoryUnavailable:
            self.seats.tell(seats)
            raise
        for position in refused:
            self._refused(seats[position - 1].person)

    async def _renew_some(self, seats: list[Seat]) -> None:
        words: list[Argument] = []
        alive = []
        for seat in seats:
            seconds = self._observer.lease(seat.person.id, seat.tab)
            if seconds is not None:
                alive.append(seat)
                words += [f"{seat.person.id}/{seat.tab}", ceil(seconds * 1000)]
        if alive:
            unknown = await self._calls.run(RENEW, *words)
            self.seats.tell(alive[position - 1] for position in unknown)
