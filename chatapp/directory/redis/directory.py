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
from collections.abc import Callable
from itertools import islice
from math import ceil
from typing import Any

from chatapp.directory.directory import (
    CROWD,
    Directory,
    DirectoryObserver,
    DirectoryUnavailable,
    NickTaken,
    OtherSecret,
    Person,
    folded,
)
from chatapp.directory.redis.news import Entry, News
from chatapp.directory.redis.scripts import (
    CHARGE,
    JOIN,
    PEOPLE,
    RECALL,
    REMEMBER,
    RENAME,
    RENEW,
    SEAT,
    SWEEP,
    VOUCH,
)
from chatapp.directory.redis.seats import Seat, Seats
from chatapp.model import LogUnavailable
from chatapp.model.redis.commands import Argument, Commands, Script
from chatapp.model.redis.engine import Engine

__all__ = ["RedisDirectory"]

log = logging.getLogger(__name__)

_PREFIX = "chat:directory:"
# A lease is so many beats. Each client's is renewed every so many, the news and crowds are looked
# after every so many, and so many after the engine came back all workers have told who is there.
_LEASE_BEATS = 20
_RENEW_BEATS = 10
_CHECK_BEATS = 5
_GRACE_BEATS = 8
# Clients in one call: each call is a step in which the engine does nothing else.
_SEATS_AT_ONCE = 100
_LEASES_AT_ONCE = 200
_SWEPT_AT_ONCE = 500


class _Count:
    """A room whose people are being counted, and what was heard of it meanwhile."""

    task: "asyncio.Task[None]"

    def __init__(self) -> None:
        self.entries: list[Entry] = []


class RedisDirectory(Directory):
    """`rate`, `burst`: pushes a second and at once; `lease`, `poll_timeout`: seconds;
    `fingerprint`: of the secret that this worker signs with.

    `clock`: seconds, in place of the engine's own.
    """

    shared = True

    def __init__(
        self,
        url: str,
        observer: DirectoryObserver,
        rate: float,
        burst: int,
        lease: float,
        poll_timeout: float,
        fingerprint: str,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._engine = Engine(url)
        self._observer = observer
        self._limits = (rate, burst)
        self._lease = lease
        self._poll_timeout = poll_timeout
        self._fingerprint = fingerprint
        self._clock = clock
        self._worker = secrets.token_urlsafe(6)
        self._seats = Seats()
        self._rooms: dict[str, int] = {}  # whose people are known here: the mark of the last change
        self._crowds: set[str] = set()
        self._unproven: dict[str, str] = {}  # by id: nicks that the engine has not agreed to
        self._counting: dict[str, _Count] = {}
        self._telling: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._beats = 0
        self._trusted_from = _GRACE_BEATS  # the beat from which the leases are right
        self._recount = False
        self._down = False

    # Opening and closing.

    async def open(self) -> None:
        self._commands = Commands(self._engine)
        self._news = News(
            self._engine,
            f"{_PREFIX}news",
            f"{_PREFIX}moves:{self._worker}",
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
        tasks = [self._beating, self._telling, *(count.task for count in self._counting.values())]
        for task in [each for each in tasks if each is not None]:
            task.cancel()
            await asyncio.wait([task])
        await self._news.close()
        await self._commands.close()

    # Participants and their nicks.

    async def join(self, identity: str, nick: str | None) -> str:
        try:
            return await self._claimed(identity, nick)
        except DirectoryUnavailable:
            self._unproven[identity] = nick or _guest()
            return self._unproven[identity]

    async def _claimed(self, identity: str, nick: str | None) -> str:
        while True:
            fold = folded(nick) if nick else ""
            given = await self._run(JOIN, identity, nick or "", fold, self._of_person)
            if given is not None:
                return str(given, "utf-8")
            nick = _guest()

    def part(self, person: Person) -> None:
        self._unproven.pop(person.id, None)

    async def rename(self, person: Person, nick: str) -> None:
        done = await self._run(RENAME, person.id, nick, folded(nick), self._of_person)
        if not done:
            raise NickTaken(nick)
        self._observer.renamed(person.id, nick)

    # Rooms.

    def entered(self, person: Person, tab: str, room: str) -> None:
        self._seats.enter(person, tab, room)
        self._tell_soon()

    def left(self, person: Person, tab: str, room: str) -> None:
        self._seats.leave(person, tab, room)
        self._tell_soon()

    def gone(self, person: Person, tab: str, room: str) -> None:
        self._seats.drop(person, tab, room)

    async def know(self, room: str) -> None:
        self._rooms.setdefault(room, 0)
        await asyncio.wait([self._count_soon(room)])

    def forget(self, room: str) -> None:
        self._rooms.pop(room, None)
        self._crowds.discard(room)
        self._counting.pop(room, None)

    async def people(self, room: str) -> list[str]:
        _, people = await self._people(room)
        return list(people.values())[:CROWD]

    async def _people(self, room: str) -> tuple[int, dict[str, str]]:
        mark, *words = await self._run(PEOPLE, room)
        texts = [str(word, "utf-8") for word in words]
        return mark, dict(zip(texts[::2], texts[1::2], strict=True))

    def _count_soon(self, room: str) -> "asyncio.Task[None]":
        count = self._counting.get(room)
        if count is None:
            count = self._counting[room] = _Count()
            count.task = asyncio.create_task(self._count(room, count))
        return count.task

    async def _count(self, room: str, count: "_Count") -> None:
        """Have the observer know who is there; what is heard meanwhile comes after it."""
        try:
            mark, people = await self._people(room)
        except DirectoryUnavailable:
            people = None
        if self._counting.get(room) is not count:
            return  # the room was forgotten meanwhile
        del self._counting[room]
        if people is not None:
            if len(people) > CROWD:
                self._crowds.add(room)
            else:
                self._crowds.discard(room)
            self._rooms[room] = mark
            self._observer.counted(room, people, mark)
        for entry in count.entries:
            self._heard(entry)

    # Pushes.

    async def charge(self, person: Person) -> float:
        wait, nick = await self._run(CHARGE, person.id, *self._limits, person.id)
        if nick is not None and (right := nick.decode()) != person.nick:
            self._observer.renamed(person.id, right)
        return float(wait)

    async def charge_address(self, address: str) -> float:
        wait, _ = await self._run(CHARGE, f"@{address}", *self._limits, "")
        return float(wait)

    # Clients that carry no cursor.

    async def recall(self, person: Person, tab: str) -> str | None:
        cursor = await self._run(RECALL, person.id, tab)
        return None if cursor is None else str(cursor, "utf-8")

    async def remember(self, person: Person, tab: str, cursor: str) -> None:
        try:
            milliseconds = self._of_person + ceil(self._poll_timeout * 1000)
            await self._run(REMEMBER, person.id, tab, cursor, milliseconds)
        except DirectoryUnavailable:
            pass  # at another worker the client may get some of it twice

    # What is heard.

    def _heard(self, entry: Entry) -> None:
        room, identity, nick, mark = entry["room"], entry["id"], entry["nick"], int(entry["n"])
        if entry["what"] == "nick":
            self._observer.renamed(identity, nick)
        if room in self._counting:
            self._counting[room].entries.append(entry)
        elif mark > self._rooms.get(room, mark):
            self._rooms[room] = mark
            self._tell_observer(entry["what"], room, identity, nick, mark)
            if int(entry["size"]) > CROWD:
                self._crowds.add(room)

    def _tell_observer(self, what: str, room: str, identity: str, nick: str, mark: int) -> None:
        if what == "leave":
            self._observer.absent(room, identity, mark)
        elif what == "count":
            self._count_soon(room)
        else:
            self._observer.present(room, identity, nick, mark)

    def _distrust(self) -> None:
        """Something was not heard, or not told: compare once all workers have told who is there."""
        self._trusted_from = self._beats + _GRACE_BEATS
        self._recount = True

    # What is told.

    def _tell_soon(self) -> None:
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        try:
            with contextlib.suppress(DirectoryUnavailable):
                while self._seats.untold:
                    await self._tell_some(self._seats.take(_SEATS_AT_ONCE))
        finally:
            self._telling = None

    async def _tell_some(self, seats: list[Seat]) -> None:
        words: list[Argument] = [self._worker, self._of_client]
        for seat in seats:
            nick = seat.person.nick
            words += [seat.person.id, seat.tab, nick, folded(nick), ",".join(seat.rooms)]
        try:
            refused = await self._run(SEAT, *words)
        except DirectoryUnavailable:
            self._seats.tell(seats)
            raise
        for position in refused:
            person = seats[position - 1].person
            self._unproven[person.id] = person.nick

    # What is done again and again.

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(self._lease / _LEASE_BEATS)
            try:
                await self._beat()
            except DirectoryUnavailable:
                pass  # that is told already
            except Exception:
                # Whatever it is, without a beat everybody here would be gone soon.
                log.exception("a beat of the directory failed")

    async def _beat(self) -> None:
        """One beat of the engine's and this worker's common heart. Raises DirectoryUnavailable."""
        self._beats += 1
        if self._down or self._beats % _CHECK_BEATS == 0:
            await self._check()
        if self._down:
            log.info("the directory answers again")
            self._down = False
            self._distrust()
            await self._renew(len(self._seats))
        await self._prove()
        self._tell_soon()
        await self._renew(ceil(len(self._seats) / _RENEW_BEATS))
        if self._beats >= self._trusted_from:
            await self._sweep()
            self._compare()

    async def _renew(self, count: int) -> None:
        """Renew the leases of the `count` clients whose turn it is."""
        while count > 0:
            seats = self._seats.next(min(count, _LEASES_AT_ONCE))
            count -= _LEASES_AT_ONCE
            await self._renew_some(seats)

    async def _renew_some(self, seats: list[Seat]) -> None:
        words: list[Argument] = []
        alive = []
        for seat in seats:
            seconds = self._observer.lease(seat.person.id, seat.tab)
            if seconds is not None:
                alive.append(seat)
                words += [f"{seat.person.id}/{seat.tab}", ceil(seconds * 1000)]
        if alive:
            unknown = await self._run(RENEW, *words)
            self._seats.tell(alive[position - 1] for position in unknown)

    async def _sweep(self) -> None:
        swept = _SWEPT_AT_ONCE
        while swept == _SWEPT_AT_ONCE:
            swept = await self._run(SWEEP, _SWEPT_AT_ONCE, self._of_client)

    def _compare(self) -> None:
        """Count again the rooms whose people are not told, or all if something was missed."""
        if self._recount:
            self._recount = False
            due = list(self._rooms)
        elif self._beats % _CHECK_BEATS == 0:
            due = list(self._crowds)
        else:
            return
        for room in due:
            self._count_soon(room)

    async def _prove(self) -> None:
        """Have those whose nick the engine has not agreed to given one that it has."""
        while self._unproven:
            some = dict(islice(self._unproven.items(), _SEATS_AT_ONCE))
            await asyncio.gather(*(self._prove_one(*each) for each in some.items()))
            self._seats.tell(self._seats.of(some))

    async def _prove_one(self, identity: str, wanted: str) -> None:
        nick = await self._claimed(identity, wanted)
        self._unproven.pop(identity, None)
        if nick != wanted:
            self._observer.renamed(identity, nick)

    async def _check(self) -> None:
        try:
            told = await self._vouch()
        except OtherSecret as error:
            log.error("%s: who is known to one is a stranger to the other", error)
        else:
            await self._news.expect(told)

    async def _vouch(self) -> int:
        """The number of the last news that were told. Raises OtherSecret."""
        known, told = await self._run(VOUCH, self._fingerprint, self._of_person, self._news.highest)
        if str(known, "utf-8") != self._fingerprint:
            raise OtherSecret(f"the workers at {self._engine} sign with another secret")
        return int(told)

    @property
    def _of_client(self) -> int:
        """Milliseconds of a client's lease."""
        return ceil(self._lease * 1000)

    @property
    def _of_person(self) -> int:
        """Milliseconds in which somebody who joined has to have a client."""
        return 2 * self._of_client

    async def _run(self, script: Script, *words: Argument) -> Any:
        now: Argument = "" if self._clock is None else round(self._clock() * 1000)
        try:
            return await self._commands.run(script, [_PREFIX], [now, *words])
        except LogUnavailable as error:
            if not self._down:
                log.error("the directory does not answer: %s", error)
            self._down = True
            raise DirectoryUnavailable(str(error)) from error


def _guest() -> str:
    return f"guest-{secrets.token_hex(2)}"
