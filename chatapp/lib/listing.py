"""The list of rooms: what somebody may see of them, and how much is new."""

import asyncio
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any
from wsgiref.types import WSGIEnvironment

from chatapp.community.acts import (
    CLEAR,
    EXPEL,
    INVITE,
    OVERSEE,
    SEE,
    SETTLE,
    SPEAK,
)
from chatapp.community.rooms import CLOSED, DIRECT, OPEN, Room
from chatapp.identity.person import Person
from chatapp.lib.gate import Gate
from chatapp.lib.outcomes import done, logged, of_directory
from chatapp.live.cursor import Cursor
from chatapp.live.hub import Hub
from chatapp.live.participant import Participant
from chatapp.model import LOBBY
from chatapp.model.log import Head
from chatapp.model.message import handle

__all__ = ["MOST_LISTED", "Listing", "title_for"]

MOST_LISTED = 500
"""Rooms of one list: one's own, those with a record, and of the others those spoken in last."""

_ACTS = (SPEAK, INVITE, EXPEL, SETTLE, CLEAR, OVERSEE)
# For so long the heads of all rooms are not asked for again.
_FRESH_SECONDS = 0.5


class Listing:
    """Of the rooms of `hub` and of its gate's book."""

    def __init__(self, hub: Hub, gate: Gate) -> None:
        self._hub = hub
        self._gate = gate
        self._heads: Mapping[str, Head] = {}
        self._read_at = -_FRESH_SECONDS

    def rooms(
        self, environ: WSGIEnvironment, participant: Participant, since: Cursor | None
    ) -> Generator[bytes, None, list[dict[str, Any]]]:
        """Those that they may see. Raises BadInput."""
        yield from self._gate.know(environ)
        if not self._hub.now() < self._read_at + _FRESH_SECONDS:
            yield environ["cogen.call"](self._hub.log.rooms)()
            self._heads = {head.name: head for head in logged(environ, self._hub.figures)}
            self._read_at = self._hub.now()
        person = self._gate.person(participant)
        candidates = list(self._candidates(person))
        yield from self._find_out(environ, person, candidates, (SEE, SPEAK))
        seen = [room for room in candidates if self._gate.allows(person, room, SEE)]
        return (yield from self._told(environ, person, seen[:MOST_LISTED], since, self._heads))

    def room(
        self, environ: WSGIEnvironment, participant: Participant, room: Room, since: Cursor | None
    ) -> Generator[bytes, None, dict[str, Any]]:
        """One that they may see. Raises BadInput."""
        yield environ["cogen.call"](self._hub.log.before)(room.name, None, 1)
        held = logged(environ, self._hub.figures)
        at = held.messages[-1].at if held.messages else 0.0
        person = self._gate.person(participant)
        yield from self._find_out(environ, person, [room], (SEE, *_ACTS))
        heads = {room.name: Head(room.name, held.last, at)}
        [told] = yield from self._told(environ, person, [room], since, heads)
        return told

    def _candidates(self, person: Person) -> Iterable[Room]:
        """At most as many as are looked at, in the order in which they are listed."""
        book = self._gate.book
        names = dict.fromkeys(
            [
                *(room.name for room in book.rooms_of(person.id)),
                LOBBY,
                *(room.name for room in book.rooms() if not room.is_private),
                *(name for name in self._heads if not name.startswith("~")),
            ]
        )
        for name in list(names)[: 2 * MOST_LISTED]:
            yield book.room(name)

    def _find_out(
        self, environ: WSGIEnvironment, person: Person, rooms: Sequence[Room], acts: Sequence[str]
    ) -> Generator[bytes, None, None]:
        """Have a site's rule say what is asked of `rooms`, all at once. Raises BadInput."""
        if not self._gate.asks_again:
            return

        async def ask() -> None:
            asked = (self._gate.find_out(person, room, act) for room in rooms for act in acts)
            await asyncio.gather(*asked)

        yield environ["cogen.call"](ask)()
        done(environ, self._hub.figures)

    def _told(
        self,
        environ: WSGIEnvironment,
        person: Person,
        rooms: Sequence[Room],
        since: Cursor | None,
        heads: Mapping[str, Head],
    ) -> Generator[bytes, None, list[dict[str, Any]]]:
        directory = self._hub.directory
        names = [room.name for room in rooms]
        counts = yield from of_directory(environ, directory, directory.counts, names)
        is_muted = bool(self._gate.book.standing(person.id).muted_until)
        told = []
        for room in rooms:
            acts = [act for act in _ACTS if self._gate.allows(person, room, act)]
            if is_muted and SPEAK in acts:
                acts.remove(SPEAK)
            head = heads.get(room.name, Head(room.name, 0, 0.0))
            told.append(self._wire(person, room, head, since, counts.get(room.name, 0), acts))
        return told

    def _wire(
        self,
        person: Person,
        room: Room,
        head: Head,
        since: Cursor | None,
        people: int,
        acts: Sequence[str],
    ) -> dict[str, Any]:
        told: dict[str, Any] = {
            "room": room.name,
            "title": title_for(person.id, room),
            "policy": room.policy,
            "kind": room.kind,
            "last": head.last,
            "at": head.at or None,
            "new": self._new(room, head, since),
            "people": people,
            "may": acts,
        }
        if room.purpose != OPEN:
            told["members"] = len(room.members)
        if room.by:
            told["by"] = handle(room.by)
        if room.policy == CLOSED:
            told["was"], told["reason"] = room.was, room.reason
        return told

    def _new(self, room: Room, head: Head, since: Cursor | None) -> int:
        """Of a private room all that was said, where the cursor says nothing of it."""
        seq = None if since is None else since.seqs.get(room.name)
        if since is None or seq is None:
            return head.last if room.is_private else 0
        if since.epoch != self._hub.log.epoch:
            seq, _ = self._hub.log.continued(since.epoch, room.name, seq)
        return max(0, head.last - seq)


def title_for(person: str, room: Room) -> str:
    """What the room is called for the one with that id: a direct one by the others in it."""
    if room.kind == DIRECT and not room.title:
        others = [name for each, name in room.members.items() if each != person]
        return ", ".join(others) or next(iter(room.members.values()), "")
    return room.title or room.name
