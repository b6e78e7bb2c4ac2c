"""Registers this worker's clients at the engine, with their rooms, and renews their leases."""

import asyncio
import contextlib
from collections.abc import Callable
from math import ceil

from chatapp.directory.directory import DirectoryObserver, DirectoryUnavailable, Somebody
from chatapp.directory.redis.registrations import Registration, Registrations
from chatapp.directory.redis.runner import ScriptRunner, looks_of
from chatapp.directory.redis.scripts import REGISTER, RENEW, SWEEP
from chatapp.names import folded
from chatapp.redis.commands import Argument

__all__ = ["BATCH", "Leases"]

BATCH = 100
"""Clients in one call: each call is a step in which the engine does nothing else."""

_RENEWED_AT_ONCE = 200
_SWEPT_AT_ONCE = 500


class Leases:
    """Those of the clients in `registrations`, which are at `worker`, each for `milliseconds`.

    `refused(person)` is called for a participant whose nick turned out to be another's: the engine
    has not registered their clients.
    """

    def __init__(
        self,
        runner: ScriptRunner,
        observer: DirectoryObserver,
        worker: str,
        milliseconds: int,
        refused: Callable[[Somebody], None],
    ) -> None:
        self.registrations = Registrations()
        self._runner = runner
        self._observer = observer
        self._worker = worker
        self._milliseconds = milliseconds
        self._refused = refused
        self.sending: asyncio.Task[None] | None = None

    def send_soon(self) -> None:
        """Send what has changed, many clients at once."""
        if self.sending is None:
            self.sending = asyncio.create_task(self._send())

    async def renew(self, count: int) -> None:
        """Renew the leases of the `count` clients whose turn it is. Raises DirectoryUnavailable."""
        while count > 0:
            registrations = self.registrations.next(min(count, _RENEWED_AT_ONCE))
            count -= _RENEWED_AT_ONCE
            await self._renew_batch(registrations)

    async def sweep(self) -> bool:
        """End the leases that ran out, wherever the client was.

        False: none ends, for the engine was away, and may lack those of workers that have yet to
        come back. Raises DirectoryUnavailable.
        """
        swept: int | None = _SWEPT_AT_ONCE
        while swept == _SWEPT_AT_ONCE:
            swept = await self._runner.run(SWEEP, _SWEPT_AT_ONCE, self._milliseconds)
        return swept is not None

    async def _send(self) -> None:
        try:
            with contextlib.suppress(DirectoryUnavailable):
                while self.registrations.unsent:
                    await self._send_batch(self.registrations.take_unsent(BATCH))
        finally:
            self.sending = None

    async def _send_batch(self, batch: list[Registration]) -> None:
        words: list[Argument] = [self._worker, self._milliseconds]
        for each in batch:
            nick = each.person.nick
            words += [each.person.id, each.tab, nick, looks_of(nick), ",".join(each.rooms)]
            words.append("".join(f"{folded(room)}\n" for room in each.rooms))
        try:
            refused = await self._runner.run(REGISTER, *words)
        except DirectoryUnavailable:
            self.registrations.send_again(batch)
            raise
        for position in refused:
            self._refused(batch[position - 1].person)

    async def _renew_batch(self, batch: list[Registration]) -> None:
        words: list[Argument] = []
        alive = []
        for each in batch:
            seconds = self._observer.lease(each.person.id, each.tab)
            if seconds is not None:
                alive.append(each)
                words += [f"{each.person.id}/{each.tab}", ceil(seconds * 1000)]
        if alive:
            unknown = await self._runner.run(RENEW, *words)
            self.registrations.send_again(alive[position - 1] for position in unknown)
