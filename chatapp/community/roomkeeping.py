"""What people do with rooms: make them, let others in, leave, rename and close them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from chatapp.community.acts import EXPEL, GUEST, INVITE, MAKE, SEE, SETTLE
from chatapp.community.asking import (
    Allow,
    Asking,
    Impossible,
    NoSuch,
    NotAllowed,
    Unfit,
    checked_reason,
    checked_title,
)
from chatapp.community.book import Book
from chatapp.community.edits import Edit
from chatapp.community.rooms import (
    ANNOUNCE,
    ANYWHERE,
    CLOSED,
    DIRECT,
    MEMBERS,
    MOST_MEMBERS,
    OPEN,
    Room,
    direct_name,
    new_private_name,
)
from chatapp.identity.person import Person
from chatapp.model import MessageLog

__all__ = ["MOST_ROOMS_OF_ONE", "MOST_TOGETHER", "RoomKeeping"]

MOST_TOGETHER = 9
"""People of a direct room."""
MOST_ROOMS_OF_ONE = 1000
"""Private rooms that somebody is a member of."""

# A guest's room that somebody has spoken in since gives way to none.
_SILENT_SECONDS = 300.0
_POLICIES = (OPEN, MEMBERS, ANNOUNCE)
_NO_SUCH_MEMBER = "They are not in this room."


class RoomKeeping(Asking):
    """`key`: names direct rooms; `most_private`: rooms that a person may make which others cannot
    see, `most_rooms`: rooms that have a record."""

    def __init__(
        self,
        log: MessageLog,
        book: Book,
        allow: Allow,
        key: bytes,
        most_private: int,
        most_rooms: int,
        wall: Callable[[], float],
    ) -> None:
        super().__init__(log, book, allow, wall)
        self._key = key
        self._most_private = most_private
        self._most_rooms = most_rooms

    async def make_room(
        self, by: Person, title: str, policy: str, others: Sequence[Person] = (), name: str = ""
    ) -> Room:
        """A new room. `others`: members beside who makes it; `name`: of a room that is not private.

        Raises NotAllowed, Impossible, Unfit, LogUnavailable.
        """
        if policy not in _POLICIES:
            raise Unfit(f"A room's policy is {', '.join(_POLICIES[:-1])} or {_POLICIES[-1]}.")
        title = checked_title(title)
        await self._book.catch_up()
        if policy == MEMBERS:
            name = new_private_name()
        members = {} if policy == OPEN else _members([by, *others])
        room = Room(
            name, policy, title, members=members, by=by.id, at=self._now(), passing=by.role == GUEST
        )
        await self._must(by, ANYWHERE, MAKE)
        if not room.is_private:
            await self._must(by, room, MAKE)
            await self._unless_taken(by, name)
        gone = await self._giving_way()

        def decide() -> Edit:
            passing = self._passing(gone)
            self._unless_too_many(by, room, members, passing)
            if self._book.called(name) is not None:
                raise Impossible(_taken(name))
            deed = self._deed(by, "make", room) if policy == ANNOUNCE else None
            return Edit([room], passing, deed=deed)

        await self._book.change(decide)
        return room

    def is_together(self, by: Person, others: Sequence[Person]) -> bool:
        """Whether there is a room of them, in which those write to each other."""
        return self._book.keeps(direct_name(self._key, _members([by, *others])))

    async def direct(self, by: Person, others: Sequence[Person]) -> Room:
        """The room in which those write to each other, made if there is none.

        Who had left it is in it again. Raises NotAllowed, Impossible, Unfit, LogUnavailable.
        """
        people = _members([by, *others])
        if not 2 <= len(people) <= MOST_TOGETHER:
            raise Unfit(f"Choose 1 to {MOST_TOGETHER - 1} people beside you.")
        await self._book.catch_up()
        await self._must(by, ANYWHERE, MAKE)
        name = direct_name(self._key, people)
        gone = [] if self._book.keeps(name) else await self._giving_way()

        def decide() -> Edit | None:
            room = self._book.room(name)
            new = {each: called for each, called in people.items() if each not in room.members}
            if not new:
                return None
            is_passing = by.role == GUEST
            made = Room(name, MEMBERS, kind=DIRECT, by=by.id, at=self._now(), passing=is_passing)
            room = room if self._book.keeps(name) else made
            passing = self._passing(gone)
            self._unless_too_many(by, room, new, passing)
            return Edit([room._replace(members={**room.members, **new})], passing)

        await self._book.change(decide)
        return self._book.room(name)

    async def invite(self, by: Person, name: str, person: Person, reason: str = "") -> Room:
        """The person is a member of the room; in one that all read they may speak.

        Raises NoSuch, NotAllowed, Impossible, Unfit, LogUnavailable.
        """
        reason = checked_reason(reason)

        def edit(room: Room) -> Edit | None:
            if room.purpose == OPEN:
                raise Impossible("Everybody may speak in this room already.")
            if room.policy == CLOSED:
                raise Impossible("This room is closed.")
            if person.id in room.members:
                return None
            new = _members([person])
            self._unless_too_many(None, room, new)
            changed = room._replace(members={**room.members, **new})
            return Edit([changed], deed=self._deed(by, INVITE, room, person, reason=reason))

        return await self._change_room(by, name, INVITE, edit)

    async def expel(self, by: Person, name: str, person: Person, reason: str = "") -> Room:
        """The person is a member no longer. Raises NoSuch, NotAllowed, Unfit, LogUnavailable."""
        reason = checked_reason(reason)

        def edit(room: Room) -> Edit:
            if person.id not in room.members:
                raise NoSuch(_NO_SUCH_MEMBER)
            deed = self._deed(by, EXPEL, room, person, reason=reason)
            return self._without(room, person.id)._replace(deed=deed)

        return await self._change_room(by, name, EXPEL, edit)

    async def leave(self, by: Person, name: str) -> Room:
        """Who asks is a member no longer. Raises NoSuch, LogUnavailable."""

        def edit(room: Room) -> Edit:
            if by.id not in room.members:
                raise NoSuch(_NO_SUCH_MEMBER)
            return self._without(room, by.id)

        return await self._change_room(by, name, SEE, edit)

    async def settle(
        self,
        by: Person,
        name: str,
        title: str | None = None,
        policy: str | None = None,
        reason: str = "",
    ) -> Room:
        """Rename the room, close it, open it again; who reads it is another in none of that.

        Raises NoSuch, NotAllowed, Impossible, Unfit, LogUnavailable.
        """
        title = None if title is None else checked_title(title)
        reason = checked_reason(reason)

        def edit(room: Room) -> Edit | None:
            changed, acts = room, []
            if policy is not None and policy != room.policy:
                changed = _with_policy(changed, policy, reason, by)
                acts.append(changed.policy)
            if title is not None and title != room.title:
                changed = changed._replace(title=title)
                acts.append("rename")
            if changed == room:
                return None
            if not self._book.keeps(room.name):
                self._unless_too_many(None, room, {})
            if by.role != GUEST:
                changed = changed._replace(passing=False)
            deed = self._deed(by, " ".join(acts), room, more=title or "", reason=reason)
            return Edit([changed], deed=deed)

        return await self._change_room(by, name, SETTLE, edit)

    # How.

    def _without(self, room: Room, person: str) -> Edit:
        members = {each: called for each, called in room.members.items() if each != person}
        if room.is_private and not members:
            return Edit(removed=[room.name])
        return Edit([room._replace(members=members)])

    async def _unless_taken(self, by: Person, name: str) -> None:
        called = await self._called(name)
        if called is not None:
            await self._must(by, self._book.room(called), SEE)
            raise Impossible(_taken(called))

    async def _giving_way(self) -> list[str]:
        """Where there are as many rooms as there may be, the guests' that is silent for longest."""
        if len(self._book.rooms()) < self._most_rooms:
            return []
        spoken = {head.name: head.at for head in await self._log.rooms()}
        silent = {
            room.name: max(room.at, spoken.get(room.name, 0.0))
            for room in self._book.rooms()
            if room.passing
        }
        name = min(silent, key=silent.__getitem__, default="")
        return [name] if name and silent[name] + _SILENT_SECONDS <= self._wall() else []

    def _passing(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that may give way yet: one may have been settled meanwhile."""
        return [name for name in names if self._book.room(name).passing]

    def _unless_too_many(
        self,
        by: Person | None,
        room: Room,
        new: Mapping[str, str],
        gone: Sequence[str] = (),
    ) -> None:
        """Raises Impossible if that is one room too many, or one person."""
        book = self._book
        if not book.keeps(room.name):
            if len(book.rooms()) - sum(map(book.keeps, gone)) >= self._most_rooms:
                raise Impossible("There are as many rooms as there may be.")
            if by is not None and room.is_private:
                # Whether or not they are in them: who leaves one that they made has made it.
                own = sum(each.by == by.id and each.is_private for each in book.rooms())
                if own >= self._most_private:
                    raise NotAllowed(f"You have made {own} private rooms, which is the most.")
        if len({*room.members, *new}) > MOST_MEMBERS:
            raise Impossible(f"A room has at most {MOST_MEMBERS} members.")
        if room.is_private:
            for person, called in new.items():
                if len(book.rooms_of(person)) >= MOST_ROOMS_OF_ONE:
                    raise Impossible(f"{called} is in as many rooms as one can be.")

    def _now(self) -> float:
        return round(self._wall(), 3)


def _members(people: Iterable[Person]) -> dict[str, str]:
    return {person.id: person.name or person.id for person in people}


def _taken(name: str) -> str:
    return f"There is a room called {name} already; choose another title."


def _with_policy(room: Room, policy: str, reason: str, by: Person) -> Room:
    """The room with another policy than it has. Raises Impossible, Unfit."""
    if policy == CLOSED:
        return room._replace(policy=CLOSED, was=room.policy, reason=reason)
    if policy not in _POLICIES:
        raise Unfit("A policy is open, announce or closed.")
    if room.is_private and (policy == ANNOUNCE or room.policy != CLOSED):
        raise Impossible("A private room stays one: make a new one that all can see.")
    if policy == MEMBERS and not room.is_private:
        raise Impossible("The room's name is known to all: make a new one that is private.")
    members = room.members or {by.id: by.name or by.id}
    if room.is_private or policy == OPEN:
        members = room.members
    purpose = MEMBERS if room.is_private else policy
    return room._replace(policy=purpose, was="", reason="", members=members)
