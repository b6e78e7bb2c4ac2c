"""The directory of a cluster: any worker sees who is at any other.

The engine holds the leases and decides, in scripts, who comes and who goes. Every worker reads the
events of that, and keeps a replica of each room that it has clients in. So a poll waits for the
engine only where a client is new at this worker and carries no cursor. A client is registered at
the engine soon after it came, together with others. A worker that dies renews nothing any more, and
its leases run out.

While the engine is down, everybody stays as they were. Once it is back, every worker registers its
clients again; until all have had the time of a lease for it, which the engine itself counts, no
lease ends and nobody is missing from a replica because the engine does not know them yet.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from math import ceil

from chatapp.directory.directory import (
    Directory,
    DirectoryObserver,
    DirectoryUnavailable,
    NickTaken,
    OtherSecret,
    Somebody,
)
from chatapp.directory.guests import guest_nicks, other_nicks
from chatapp.directory.limits import Cost, Limits, Refusal
from chatapp.directory.redis.events import EventReader, StreamEntry
from chatapp.directory.redis.leases import BATCH, Leases
from chatapp.directory.redis.replicas import Replicas
from chatapp.directory.redis.runner import PREFIX, ScriptRunner, looks_of
from chatapp.directory.redis.scripts import (
    CONSUME,
    COUNTS,
    HEARTBEAT,
    JOIN,
    LEAVE,
    LOAD_CURSOR,
    RENAME,
    ROOM_NAMES,
    SAVE_CURSOR,
    WHOSE,
)
from chatapp.names import folded
from chatapp.redis.commands import Argument
from chatapp.redis.engine import Engine

__all__ = ["RedisDirectory"]

log = logging.getLogger(__name__)

# A lease is so many ticks, and within so many every client's is renewed once. The heartbeat and the
# snapshots of crowded rooms come every so many; so many after the engine came back, this worker
# has registered its clients.
_LEASE_TICKS = 20
_RENEW_TICKS = 10
_HEARTBEAT_TICKS = 5
_GRACE_TICKS = 8


class RedisDirectory(Directory):
    """`lease`, `poll_timeout`: seconds; `fingerprint`: of the secret that this worker signs with.

    `clock`: seconds, in place of the engine's own. Raises ValueError for a wrong `url`, which is
    that of an Engine.
    """

    shared = True

    def __init__(
        self,
        url: str,
        observer: DirectoryObserver,
        limits: Limits,
        lease: float,
        poll_timeout: float,
        fingerprint: str,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._observer = observer
        self._limits = limits._asdict()
        self._tick_seconds = lease / _LEASE_TICKS
        # A participant who joined has to have a client before twice the lease is over.
        self._participant_milliseconds = ceil(2000 * lease)
        self._cursor_milliseconds = self._participant_milliseconds + ceil(1000 * poll_timeout)
        self._fingerprint = fingerprint
        self._worker = secrets.token_urlsafe(6)
        self._runner = ScriptRunner(Engine(url), clock)
        self._replicas = Replicas(self._runner, observer)
        self._leases = Leases(
            self._runner, observer, self._worker, ceil(1000 * lease), self._refused
        )
        self._registrations = self._leases.registrations
        self._unclaimed: dict[str, str] = {}  # by id: nicks that the engine has not agreed to
        self._ticking: asyncio.Task[None] | None = None
        self._ticks = 0
        self._synced_at = 0  # the tick from which the engine has the leases of this worker
        self._resync = False

    # Opening and closing.

    async def open(self) -> None:
        self._runner.open()
        self._events = EventReader(
            self._runner.engine,
            f"{PREFIX}news",
            f"{PREFIX}moves:{self._worker}",
            event=self._apply,
            moved=lambda entry: self._observer.moved(entry["id"], entry["tab"]),
            missed=self._resync_later,
        )
        try:
            await self._heartbeat()
        except DirectoryUnavailable:
            pass  # that is logged, and the next tick tries again
        except OtherSecret:
            await self.close()
            raise
        await self._events.start()
        self._ticking = asyncio.create_task(self._tick_on())

    async def close(self) -> None:
        tasks = [self._ticking, self._leases.sending, *self._replicas.pending()]
        for task in [each for each in tasks if each is not None]:
            task.cancel()
            await asyncio.wait([task])
        await self._events.close()
        await self._runner.close()

    # Participants and their nicks.

    async def join(self, identity: str, nick: str | None, numbered: bool = False) -> str:
        try:
            return await self._claim(identity, nick, numbered)
        except DirectoryUnavailable:
            self._unclaimed[identity] = nick or next(guest_nicks(identity))
            return self._unclaimed[identity]

    async def _claim(self, identity: str, nick: str | None, numbered: bool = False) -> str:
        others = other_nicks(identity, nick, numbered)
        while True:
            words = identity, nick or "", looks_of(nick or ""), self._participant_milliseconds
            given = await self._runner.run(JOIN, *words)
            if given is not None:
                return str(given, "utf-8", "replace")
            nick = next(others)

    def release(self, person: Somebody) -> None:
        self._unclaimed.pop(person.id, None)

    async def leave(self, identity: str) -> None:
        await self._runner.run(LEAVE, self._worker, identity, self._participant_milliseconds)

    async def rename(self, person: Somebody, nick: str) -> None:
        words = person.id, nick, looks_of(nick), self._participant_milliseconds
        taken = await self._runner.run(RENAME, *words)
        if taken is not None:
            raise NickTaken(str(taken, "utf-8", "replace") or nick)
        self._observer.renamed(person.id, nick)

    def _refused(self, person: Somebody) -> None:
        self._unclaimed[person.id] = person.nick

    async def whose(self, nick: str) -> str | None:
        found = await self._runner.run(WHOSE, looks_of(nick))
        if found is None:
            return None
        owner, owned = (str(each, "utf-8", "replace") for each in found)
        return owner if folded(owned) == folded(nick) else None

    async def _claim_nicks(self) -> None:
        """Give those whose nick the engine has not agreed to one that it has."""
        while self._unclaimed:
            some = dict(islice(self._unclaimed.items(), BATCH))
            await asyncio.gather(*(self._claim_late(*each) for each in some.items()))
            self._registrations.send_again(self._registrations.of(some))

    async def _claim_late(self, identity: str, wanted: str) -> None:
        nick = await self._claim(identity, wanted)
        self._unclaimed.pop(identity, None)
        if nick != wanted:
            self._observer.renamed(identity, nick)

    # Rooms.

    def entered(self, person: Somebody, tab: str, room: str) -> None:
        self._registrations.enter(person, tab, room)
        self._leases.send_soon()

    def left(self, person: Somebody, tab: str, room: str) -> None:
        self._registrations.leave(person, tab, room)
        self._leases.send_soon()

    def expired(self, person: Somebody, tab: str, room: str) -> None:
        self._registrations.drop(person, tab, room)

    async def subscribe(self, room: str) -> None:
        await self._replicas.subscribe(room)

    def unsubscribe(self, room: str) -> None:
        self._replicas.unsubscribe(room)

    async def canonical_names(self, rooms: Sequence[str]) -> Mapping[str, str]:
        words = [word for room in rooms for word in (room, folded(room))]
        try:
            names = await self._runner.run(ROOM_NAMES, self._participant_milliseconds, *words)
        except DirectoryUnavailable:
            return {}
        return {room: str(name, "utf-8") for room, name in zip(rooms, names, strict=True)}

    async def people(self, room: str) -> list[str]:
        return await self._replicas.people(room)

    async def counts(self, rooms: Sequence[str]) -> Mapping[str, int]:
        counts = await self._runner.run(COUNTS, *rooms)
        return dict(zip(rooms, map(int, counts), strict=True))

    # Limits.

    async def consume(
        self, costs: Sequence[Cost], person: Somebody | None = None
    ) -> Refusal | None:
        limited = [cost for cost in costs if self._limits[cost.limit].rate]
        if not limited and person is None:
            return None
        words: list[Argument] = ["" if person is None else person.id]
        for limit, key, amount in limited:
            words += [f"{limit}:{key}", amount, *self._limits[limit]]
        try:
            refused, wait, nick = await self._runner.run(CONSUME, *words)
        except DirectoryUnavailable:
            if person is None:
                return None
            raise
        if person is not None and nick is not None:
            self._correct(person, nick.decode(errors="replace"))
        return Refusal(limited[refused - 1].limit, float(wait)) if refused else None

    def _correct(self, person: Somebody, nick: str) -> None:
        if person.nick != nick:
            self._observer.renamed(person.id, nick)

    # Clients that carry no cursor.

    async def load_cursor(self, person: Somebody, tab: str) -> str | None:
        cursor = await self._runner.run(LOAD_CURSOR, person.id, tab)
        return None if cursor is None else str(cursor, "utf-8")

    async def save_cursor(self, person: Somebody, tab: str, cursor: str) -> None:
        # If it cannot be saved, the client may get some messages twice at another worker.
        with contextlib.suppress(DirectoryUnavailable):
            await self._runner.run(SAVE_CURSOR, person.id, tab, cursor, self._cursor_milliseconds)

    def trim(self) -> None:
        """The engine keeps the cursors and buckets."""

    # Events.

    def _apply(self, event: StreamEntry) -> None:
        if event["what"] == "nick":
            self._observer.renamed(event["id"], event["nick"])
        self._replicas.apply(event)

    def _resync_later(self) -> None:
        """An event was missed, or the engine was away: take snapshots once it has the leases."""
        self._synced_at = self._ticks + _GRACE_TICKS
        self._resync = True

    # Ticks.

    async def _tick_on(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            await asyncio.sleep(self._tick_seconds)
            before, began = began, loop.time()
            try:
                await self._tick((began - before) / self._tick_seconds)
            except DirectoryUnavailable:
                pass  # that is logged
            except Exception:
                # Whatever it is, without renewals everybody here would be gone soon.
                log.exception("the directory's leases could not be renewed")

    async def _tick(self, due: float = 1.0) -> None:
        """Register, renew, sweep and compare what is due. Raises DirectoryUnavailable.

        `due`: ticks since the last one began, more than one where that took long.
        """
        self._ticks += 1
        if self._runner.down or self._ticks % _HEARTBEAT_TICKS == 0:
            await self._check()
        if self._runner.down:
            log.info("the directory answers again")
            self._runner.down = False
            self._resync_later()
            await self._leases.renew(len(self._registrations))
        await self._claim_nicks()
        self._leases.send_soon()
        await self._leases.renew(ceil(len(self._registrations) * min(due / _RENEW_TICKS, 1.0)))
        all_are_back = await self._leases.sweep()
        if self._ticks >= self._synced_at:
            self._compare(all_are_back)

    def _compare(self, all_are_back: bool) -> None:
        if not self._resync:
            if self._ticks % _HEARTBEAT_TICKS == 0:
                self._replicas.refresh_crowded()
        elif all_are_back:
            self._resync = False
            self._replicas.refresh_all()
        elif self._ticks == self._synced_at:
            self._replicas.add_all()

    async def _check(self) -> None:
        try:
            last = await self._heartbeat()
        except OtherSecret as error:
            log.error("%s: who has a session at one is a stranger to the other", error)
        else:
            await self._events.expect(last)

    async def _heartbeat(self) -> int:
        """Say which secret this worker has; returns the number of the last event.

        Raises OtherSecret, DirectoryUnavailable.
        """
        words = self._fingerprint, self._participant_milliseconds, self._events.highest
        fingerprint, last = await self._runner.run(HEARTBEAT, *words)
        if str(fingerprint, "utf-8") != self._fingerprint:
            raise OtherSecret(f"the workers at {self._runner.engine} sign with another secret")
        return int(last)
