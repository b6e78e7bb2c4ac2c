"""The book: all rooms that have a record, and how people stand, in the memory of each process.

    room:NAME      a room
    standing:ID    how a person stands
    ban:ADDRESS    an address that is banned
    changes        a mark of the state of all these, how many deeds there are, and which keys the
                   last changes were about, each with the mark that it made, in JSON

A process knows by the mark whether it is up to date, and reads what has changed since its own. Who
changes something does that from the state of a mark, which is another afterwards: of two who decide
by the same state one has to decide again. What was decided and the deed are kept together or not
at all.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Sequence

from chatapp.community.acts import KEEPER, MEMBER, OWNER, ROLES
from chatapp.community.deeds import deed_key, packed_deed
from chatapp.community.edits import Edit, records_of
from chatapp.community.rooms import Room, unpacked_room, unrecorded
from chatapp.community.standings import (
    NO_STANDING,
    Ban,
    Standing,
    unpacked_ban,
    unpacked_standing,
)
from chatapp.identity.person import Person
from chatapp.jsons import decode, encode
from chatapp.model import MessageLog, Record
from chatapp.model.message import handle
from chatapp.names import folded

__all__ = ["CHANGES", "Book"]

log = logging.getLogger(__name__)

CHANGES = "changes"
"""The key whose text is another after each change."""

_KINDS = ("room:", "standing:", "ban:")
# Changes of which is known what they were about. Who has missed more reads everything.
_RECENT = 200
# Characters of JSON that one of them has.
_CHANGE = 100


class Book:
    """That beside `log`. `keepers`: ids of people, or their handles, and `keeper_groups`: groups
    of those, who are keepers unless they were given another role here. `wall`: Unix seconds.

    `observers` are called with the keys of what is another than it was, on the event loop; they
    must not raise. `is_known`: whether it was read; until then nobody knows who may do what.
    """

    key = CHANGES

    def __init__(
        self,
        log: MessageLog,
        keepers: Iterable[str] = (),
        keeper_groups: Iterable[str] = (),
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._log = log
        self._keepers = frozenset(keepers)
        self._keeper_groups = frozenset(keeper_groups)
        self.wall = wall
        self.observers: list[Callable[[frozenset[str]], None]] = []
        self.is_known = False
        self.deeds = 0
        self._mark: str | None = None
        self._changes: str | None = None
        self._lock = asyncio.Lock()
        self._next: asyncio.Future[None] | None = None
        self._texts: dict[str, str] = {}
        self._rooms: dict[str, Room] = {}
        self._names: dict[str, str] = {}  # of rooms, by what they fold to
        self._rooms_of: dict[str, set[str]] = {}  # private ones, by the ids of members
        self._standings: dict[str, Standing] = {}
        self._handles: dict[str, str] = {}  # of those, their ids
        self._bans: dict[str, Ban] = {}
        self._departed: dict[str, set[str]] = {}

    # What is known.

    def room(self, name: str) -> Room:
        """The room that is called so, or whose name says the same."""
        called = self.called(name)
        return unrecorded(name) if called is None else self._rooms[called]

    def called(self, name: str) -> str | None:
        """What the room is called that is meant by that name; None: it has no record."""
        return name if name in self._rooms else self._names.get(folded(name))

    def keeps(self, name: str) -> bool:
        """Whether the room that is called exactly so has a record."""
        return name in self._rooms

    def holds(self, name: str) -> bool:
        """Whether the room that is called exactly so gives way to none."""
        room = self._rooms.get(name)
        return room is not None and not room.passing

    def rooms(self) -> list[Room]:
        """All that have a record."""
        return list(self._rooms.values())

    def rooms_of(self, person: str) -> list[Room]:
        """The private rooms that the person with that id is a member of."""
        return [self._rooms[name] for name in self._rooms_of.get(person, ())]

    def departed(self, name: str) -> set[str]:
        """The ids of who was a member of the room before the last change, and is not now."""
        return self._departed.get(name, set())

    def standing(self, person: str) -> Standing:
        """How the person with that id stands, now."""
        standing = self._standings.get(person, NO_STANDING)
        now = self.wall()
        if 0 < standing.muted_until <= now:
            standing = standing._replace(muted_until=0.0, mute_reason="")
        if 0 < standing.banned_until <= now:
            standing = standing._replace(banned_until=0.0, ban_reason="", addresses=())
        return standing

    def standings(self) -> list[tuple[str, Standing]]:
        """What was decided of people and holds, with their ids; the last decided first."""
        found = [(person, self.standing(person)) for person in self._standings]
        return sorted((each for each in found if each[1].holds), key=lambda each: -each[1].deed)

    def decided(self, who: str) -> str | None:
        """The id of who has that handle, if something was decided of them."""
        return self._handles.get(who)

    def known(self, person: Person) -> Person:
        """The person with the role that they have here, one of ROLES."""
        role = self.standing(person.id).role if self._standings else ""
        if not role and self._is_keeper(person) and person.role != OWNER:
            role = KEEPER
        if not role:
            role = person.role if person.role in ROLES else MEMBER
        return person if role == person.role else person._replace(role=role)

    def _is_keeper(self, person: Person) -> bool:
        if self._keepers and not self._keepers.isdisjoint((person.id, handle(person.id))):
            return True
        return not self._keeper_groups.isdisjoint(person.groups)

    def banned(self, person: str, address: str | None) -> Ban | None:
        """The ban that keeps out the person with that id, or who is at that address."""
        if not self._standings and not self._bans:
            return None
        standing = self.standing(person)
        if standing.banned_until:
            return Ban(standing.banned_until, standing.ban_reason, person)
        ban = None if address is None else self._bans.get(address)
        return ban if ban is not None and self.wall() < ban.until else None

    def banned_with(self, address: str) -> list[Ban]:
        """Those of people who are banned now, and that address with them."""
        return [
            Ban(standing.banned_until, standing.ban_reason, person)
            for person, standing in self.standings()
            if address in standing.addresses
        ]

    # Following.

    async def catch_up(self) -> None:
        """Know what was changed so far, by whichever process. Raises LogUnavailable.

        Who asks while a look or a change is under way shares the next look with all who do: nobody
        waits for more than one before it.
        """
        if self._next is None or self._next.done():
            self._next = asyncio.ensure_future(self._look_next())
            self._next.add_done_callback(_seen)
        await asyncio.shield(self._next)

    async def _look_next(self) -> None:
        async with self._lock:
            self._next = None
            await self._catch_up()

    async def look(self, changes: str | None, missed: bool = False) -> None:
        """The same, where this was just found under CHANGES. Raises LogUnavailable."""
        if not self.is_known or changes != self._changes:
            await self.catch_up()

    async def change(self, decide: Callable[[], Edit | None]) -> bool:
        """Keep what `decide` says, from the state that the book then has; called again where that
        has changed meanwhile.

        False: it said None. Raises what it raises, LogUnavailable.
        """
        async with self._lock:
            while True:
                await self._catch_up()
                edit = decide()
                if edit is None:
                    return False
                if await self._keep(edit):
                    await self._catch_up()
                    return True

    async def _keep(self, edit: Edit) -> bool:
        records = records_of(edit, self.wall())
        deeds = self.deeds + (edit.deed is not None)
        mark = secrets.token_urlsafe(6)
        recent = [*_recent(self._changes), [mark, list(records)]][-_RECENT:]
        told = {"mark": mark, "deeds": deeds, "recent": recent}
        records[CHANGES] = Record(encode(told, _CHANGE * len(recent)).decode())
        if edit.deed is not None:
            records[deed_key(deeds)] = Record(packed_deed(edit.deed))
        return await self._log.records.change({CHANGES: self._changes}, records)

    async def _catch_up(self) -> None:
        records = self._log.records
        changes = (await records.get([CHANGES])).get(CHANGES)
        if self.is_known and changes == self._changes:
            return
        keys = self._missed(changes)
        if keys is None:
            found = {}
            for kind in _KINDS:
                found.update(await records.all(kind))
            keys = {*found, *self._texts}
        else:
            found = await records.get(list(keys))
        self._departed.clear()
        changed = frozenset(key for key in keys if self._take(key, found.get(key)))
        told = {} if changes is None else decode(changes)
        self._changes, self._mark = changes, told.get("mark")
        self.deeds = told.get("deeds", 0)
        self.is_known = True
        if changed:
            for observer in self.observers:
                observer(changed)

    def _missed(self, changes: str | None) -> set[str] | None:
        """The keys that were changed since this book's mark; None: nobody knows."""
        recent = _recent(changes)
        marks = [mark for mark, _ in recent]
        if not self.is_known or self._mark not in marks:
            return None
        missed = recent[marks.index(self._mark) + 1 :]
        return {key for _, keys in missed for key in keys}

    def _take(self, key: str, text: str | None) -> bool:
        """Know that this is kept under that key; whether it is another than before."""
        if text == self._texts.get(key):
            return False
        if text is None:
            del self._texts[key]
        else:
            self._texts[key] = text
        try:
            self._put(key, text)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            log.error("the record %s is damaged, and counts as none: %s", key, error)
            self._put(key, None)
        return True

    def _put(self, key: str, text: str | None) -> None:
        kind, _, name = key.partition(":")
        if kind == "room":
            self._put_room(name, None if text is None else unpacked_room(name, text))
        elif kind == "standing":
            self._standings.pop(name, None)
            self._handles.pop(handle(name), None)
            if text is not None:
                self._standings[name] = unpacked_standing(text)
                self._handles[handle(name)] = name
        else:
            self._bans.pop(name, None)
            if text is not None:
                self._bans[name] = unpacked_ban(text)

    def _put_room(self, name: str, room: Room | None) -> None:
        before = self._rooms.pop(name, None)
        if before is not None:
            self._forget_members(before)
            staying = room.members if room is not None else ()
            self._departed[name] = set(before.members).difference(staying)
            if self._names.get(folded(name)) == name:
                del self._names[folded(name)]
        if room is not None:
            self._rooms[name] = room
            self._names[folded(name)] = name
            if room.is_private:
                for person in room.members:
                    self._rooms_of.setdefault(person, set()).add(name)

    def _forget_members(self, room: Room) -> None:
        if room.is_private:
            for person in room.members:
                rooms = self._rooms_of[person]
                rooms.discard(room.name)
                if not rooms:
                    del self._rooms_of[person]


def _seen(look: asyncio.Future[None]) -> None:
    """Whoever asked may have left: then nobody takes the error."""
    if not look.cancelled():
        look.exception()


def _recent(changes: str | None) -> Sequence[tuple[str, Iterable[str]]]:
    recent: Sequence[tuple[str, Iterable[str]]] = []
    if changes is not None:
        recent = decode(changes)["recent"]
    return recent
