"""The directory of a cluster: any worker sees who is at any other.

The engine holds the leases and decides, in scripts, who comes and who goes; every worker hears of
it and keeps a copy for the rooms it has clients in. So a poll waits for the engine only where a
client is new here and carries no cursor. What a client does is told to the engine soon after,
many clients at once. A worker that dies tells nothing any more, and its leases run out.

While the engine is down everybody stays as they were. Once it is back every worker tells again
who is with it; until they have had the time nobody's lease ends and no copy is compared.
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
    Person,
)
from chatapp.directory.guests import guest_nicks
from chatapp.directory.limits import Charge, Limits, Refusal
from chatapp.directory.redis.calls import PREFIX, Calls, looks_of
from chatapp.directory.redis.copies import Copies
from chatapp.directory.redis.leases import AT_ONCE, Leases
from chatapp.directory.redis.news import Entry, News
from chatapp.directory.redis.scripts import (
    CHARGE,
    JOIN,
    LEAVE,
    NAME,
    RECALL,
    REMEMBER,
    RENAME,
    VOUCH,
)
from chatapp.names import folded
from chatapp.redis.commands import Argument
from chatapp.redis.engine import Engine

__all__ = ["RedisDirectory"]

log = logging.getLogger(__name__)

# A lease is so many beats. Each client's is renewed every so many, the news and crowds are looked
# after every so many, and so many after the engine came back all workers have told who is there.
_LEASE_BEATS = 20
_RENEW_BEATS = 10
_CHECK_BEATS = 5
_GRACE_BEATS = 8


class RedisDirectory(Directory):
    """`lease`, `poll_timeout`: seconds; `fingerprint`: of the secret that this worker signs with.

    `clock`: seconds, in place of the engine's own.
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
        self._beat_seconds = lease / _LEASE_BEATS
        # Somebody who joined has to have a client before twice the lease is over.
        self._joined_for = ceil(2000 * lease)
        self._remembered_for = self._joined_for + ceil(1000 * poll_timeout)
        self._fingerprint = fingerprint
        self._worker = secrets.token_urlsafe(6)
        self._calls = Calls(Engine(url), clock)
        self._copies = Copies(self._calls, observer)
        self._leases = Leases(
            self._calls, observer, self._worker, ceil(1000 * lease), self._refused
        )
        self._seats = self._leases.seats
        self._unproven: dict[str, str] = {}  # by id: nicks that the engine has not agreed to
        self._beating: asyncio.Task[None] | None = None
        self._beats = 0
        self._trusted_from = _GRACE_BEATS  # the beat from which the leases are right
        self._recount = False

    # Opening and closing.

    async def open(self) -> None:
        self._calls.open()
        self._news = News(
            self._calls.engine,
            f"{PREFIX}news",
            f"{PREFIX}moves:{self._worker}",
            heard=self._heard,
            moved=lambda entry: self._observer.moved(entry["id"], entry["tab"]),
            missed=self._distrust,
        )
        try:
            await self._vouch()
        except DirectoryUnavailable:
            pass  # it is told, and tried again with the next beat
        except OtherSecret:
            await self.close()
            raise
        await self._news.start()
        self._beating = asyncio.create_task(self._beat_on())

    async def close(self) -> None:
        tasks = [self._beating, self._leases.telling, *self._copies.under_way()]
        for task in [each for each in tasks if each is not None]:
            task.cancel()
            await asyncio.wait([task])
        await self._news.close()
        await self._calls.close()

    # Participants and their nicks.

    async def join(self, identity: str, nick: str | None) -> str:
        try:
            return await self._claimed(identity, nick)
        except DirectoryUnavailable:
            self._unproven[identity] = nick or next(guest_nicks(identity))
            return self._unproven[identity]

    async def _claimed(self, identity: str, nick: str | None) -> str:
        guests = guest_nicks(identity)
        while True:
            words = identity, nick or "", looks_of(nick or ""), self._joined_for
            given = await self._calls.run(JOIN, *words)
            if given is not None:
                return str(given, "utf-8", "replace")
            nick = next(guests)

    def part(self, person: Person) -> None:
        self._unproven.pop(person.id, None)

    async def leave(self, identity: str) -> None:
        await self._calls.run(LEAVE, self._worker, identity, self._joined_for)

    async def rename(self, person: Person, nick: str) -> None:
        words = person.id, nick, looks_of(nick), self._joined_for
        taken = await self._calls.run(RENAME, *words)
        if taken is not None:
            raise NickTaken(str(taken, "utf-8", "replace") or nick)
        self._observer.renamed(person.id, nick)

    def _refused(self, person: Person) -> None:
        self._unproven[person.id] = person.nick

    async def _prove(self) -> None:
        """Have those whose nick the engine has not agreed to given one that it has."""
        while self._unproven:
            some = dict(islice(self._unproven.items(), AT_ONCE))
            await asyncio.gather(*(self._prove_one(*each) for each in some.items()))
            self._seats.tell(self._seats.of(some))

    async def _prove_one(self, identity: str, wanted: str) -> None:
        nick = await self._claimed(identity, wanted)
        self._unproven.pop(identity, None)
        if nick != wanted:
            self._observer.renamed(identity, nick)

    # Rooms.

    def entered(self, person: Person, tab: str, room: str) -> None:
        self._seats.enter(person, tab, room)
        self._leases.tell_soon()

    def left(self, person: Person, tab: str, room: str) -> None:
        self._seats.leave(person, tab, room)
        self._leases.tell_soon()

    def gone(self, person: Person, tab: str, room: str) -> None:
        self._seats.drop(person, tab, room)

    async def know(self, room: str) -> None:
        await self._copies.know(room)

    def forget(self, room: str) -> None:
        self._copies.forget(room)

    async def called(self, rooms: Sequence[str]) -> Mapping[str, str]:
        words = [word for room in rooms for word in (room, folded(room))]
        try:
            names = await self._calls.run(NAME, self._joined_for, *words)
        except DirectoryUnavailable:
            return {}
        return {room: str(name, "utf-8") for room, name in zip(rooms, names, strict=True)}

    async def people(self, room: str) -> list[str]:
        return await self._copies.people(room)

    # Limits.

    async def charge(
        self, charges: Sequence[Charge], person: Person | None = None
    ) -> Refusal | None:
        counted = [charge for charge in charges if self._limits[charge.limit].rate]
        if not counted and person is None:
            return None
        words: list[Argument] = ["" if person is None else person.id]
        for limit, whose, amount in counted:
            words += [f"{limit}:{whose}", amount, *self._limits[limit]]
        try:
            refused, wait, nick = await self._calls.run(CHARGE, *words)
        except DirectoryUnavailable:
            if person is None:
                return None
            raise
        if person is not None and nick is not None:
            self._correct(person, nick.decode(errors="replace"))
        return Refusal(counted[refused - 1].limit, float(wait)) if refused else None

    def _correct(self, person: Person, nick: str) -> None:
        if person.nick != nick:
            self._observer.renamed(person.id, nick)

    # Clients that carry no cursor.

    async def recall(self, person: Person, tab: str) -> str | None:
        cursor = await self._calls.run(RECALL, person.id, tab)
        return None if cursor is None else str(cursor, "utf-8")

    async def remember(self, person: Person, tab: str, cursor: str) -> None:
        # If it cannot be, the client may get some of it twice at another worker.
        with contextlib.suppress(DirectoryUnavailable):
            await self._calls.run(REMEMBER, person.id, tab, cursor, self._remembered_for)

    def trim(self) -> None:
        """What is to be remembered the engine does."""

    # What is heard.

    def _heard(self, entry: Entry) -> None:
        if entry["what"] == "nick":
            self._observer.renamed(entry["id"], entry["nick"])
        self._copies.heard(entry)

    def _distrust(self) -> None:
        """Something was not heard, or not told: compare once all workers have told who is there."""
        self._trusted_from = self._beats + _GRACE_BEATS
        self._recount = True

    # What is done again and again.

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(self._beat_seconds)
            try:
                await self._beat()
            except DirectoryUnavailable:
                pass  # that is told already
            except Exception:
                # Whatever it is, without a beat everybody here would be gone soon.
                log.exception("a beat of the directory failed")

    async def _beat(self) -> None:
        """Tell, renew, end and compare what is due. Raises DirectoryUnavailable."""
        self._beats += 1
        if self._calls.down or self._beats % _CHECK_BEATS == 0:
            await self._check()
        if self._calls.down:
            log.info("the directory answers again")
            self._calls.down = False
            self._distrust()
            await self._leases.renew(len(self._seats))
        await self._prove()
        self._leases.tell_soon()
        await self._leases.renew(ceil(len(self._seats) / _RENEW_BEATS))
        if self._beats >= self._trusted_from:
            await self._leases.sweep()
            self._compare()

    def _compare(self) -> None:
        if self._recount:
            self._recount = False
            self._copies.count_all()
        elif self._beats % _CHECK_BEATS == 0:
            self._copies.count_crowds()

    async def _check(self) -> None:
        try:
            told = await self._vouch()
        except OtherSecret as error:
            log.error("%s: who is known to one is a stranger to the other", error)
        else:
            await self._news.expect(told)

    async def _vouch(self) -> int:
        """The number of the last news that were told. Raises OtherSecret."""
        words = self._fingerprint, self._joined_for, self._news.highest
        known, told = await self._calls.run(VOUCH, *words)
        if str(known, "utf-8") != self._fingerprint:
            raise OtherSecret(f"the workers at {self._calls.engine} sign with another secret")
        return int(told)
