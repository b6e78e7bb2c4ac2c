"""What a change of the book ends, at once: what is held by those who are banned or out of a room.

They get nothing after it, and what they had has no hole. Who is in a room that they may see no more
has to be let in anew, and is refused. Whose list of rooms is another now is told to ask for it.
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Iterable
from typing import Any, Protocol

from chatapp.community.acts import IN_CHARGE, READ
from chatapp.community.book import Book
from chatapp.community.rooms import Room
from chatapp.directory import DirectoryUnavailable
from chatapp.identity.person import Person
from chatapp.lib.rules import CannotTell, Rule
from chatapp.live.hub import Hub
from chatapp.live.participant import Participant

__all__ = ["Evictions", "Judge"]

log = logging.getLogger(__name__)

# For so long somebody who comes from another worker is told that the list of rooms has changed.
_CONCERNED_SECONDS = 60.0
_MOST_CONCERNED = 10_000
_MOST_TOLD = 100


class Judge(Protocol):
    """The gate, as far as an eviction cares."""

    def person(self, participant: Participant) -> Person:
        """Who that is, with the role that they have here."""

    def told(self, participant: Participant) -> dict[str, Any]:
        """What `you` tells them."""

    async def find_out(self, person: Person, room: Room, act: str) -> bool:
        """Whether they may do that in it. Raises CannotTell."""

    def allows(self, person: Person, room: Room, act: str) -> bool:
        """The same, as far as is known."""


class Evictions:
    """From `hub`, as `book` has changed; `judge` says who may stay, by `rule`."""

    def __init__(self, hub: Hub, book: Book, judge: Judge, rule: Rule) -> None:
        self.banned_addresses: set[str] = set()
        self._hub = hub
        self._book = book
        self._judge = judge
        self._rule = rule
        # By person: when the list of rooms changed, and which tabs that came since were told.
        self._concerned: dict[str, tuple[float, set[tuple[str, str]]]] = {}
        self._tasks: set[asyncio.Future[Any]] = set()

    def changed(self, keys: Iterable[str]) -> None:
        """What the book has under `keys` is another than it was."""
        for key in keys:
            kind, _, name = key.partition(":")
            if kind == "room":
                self._rule.forget(room=name)
                self._look_at_room(name)
            elif kind == "standing":
                self._rule.forget(person=name)
                self._look_at_person(name)
            elif kind == "ban":
                self._look_at_address(name)

    def look_again(self, person: str | None, room: str | None) -> None:
        """The rule may say something else by now, of the person with that id, of the room."""
        if room is not None:
            self._look_at_room(room, person)
        elif person is not None:
            self._look_at_person(person)
        else:
            for name in list(self._hub.rooms):
                self._look_at_room(name)

    def concerns(self, participant: Participant, tab: str) -> bool:
        """Whether the list of their rooms has changed a moment ago; True once for each tab."""
        at, told = self._concerned.get(participant.sender, (-_CONCERNED_SECONDS, set()))
        if self._hub.now() >= at + _CONCERNED_SECONDS or len(told) >= _MOST_TOLD:
            return False
        client = (participant.id, tab)
        is_new = client not in told
        told.add(client)
        return is_new

    def _look_at_room(self, name: str, person: str | None = None) -> None:
        room = self._book.room(name)
        if self._book.keeps(name):
            self._hub.named(name)
        here = self._those_in(name)
        for participant in here:
            if person in (None, participant.sender):
                self._judged(participant, room, name)
                self._tell(participant)
        concerned = {*room.members, *self._book.departed(name)} if room.is_private else ()
        for member in concerned if person is None else ():
            self._concern(member)
            for invited in self._hub.by_sender.get(member, ()):
                if invited not in here:
                    self._tell(invited)

    def _look_at_person(self, identity: str) -> None:
        self._concern(identity)
        for participant in self._hub.by_sender.get(identity, ()):
            if self._book.banned(identity, None) is not None:
                self._leave(participant)
            else:
                self._look_at(participant)

    def _look_at(self, participant: Participant) -> None:
        participant.you = self._judge.told(participant)
        clients = participant.clients.values()
        for name in {name for client in clients for name in client.subscriptions}:
            self._judged(participant, self._book.room(name), name)
        self._tell(participant)

    def _look_at_address(self, address: str) -> None:
        if self._book.banned("", address) is None:
            self.banned_addresses.discard(address)
            return
        self.banned_addresses.add(address)
        for participant in self._those_at(address):
            if self._judge.person(participant).role not in IN_CHARGE:
                self._leave(participant)
        self._hub.leave_visitors(address)

    def _those_in(self, room: str) -> list[Participant]:
        if room not in self._hub.rooms:
            return []
        return [
            each
            for each in self._hub.participants.values()
            if any(room in client.subscriptions for client in each.clients.values())
        ]

    def _those_at(self, address: str) -> list[Participant]:
        return [
            each
            for each in self._hub.participants.values()
            if each.address == address
            or any(client.address == address for client in each.clients.values())
        ]

    def _judged(self, participant: Participant, room: Room, name: str) -> None:
        """Turn them out of the room that they call `name`, if they may not read it."""
        if self._rule.is_own:
            if not self._judge.allows(self._judge.person(participant), room, READ):
                self._hub.expel(participant.id, name)
        else:
            self._begin(self._judged_later(participant, room, name))

    async def _judged_later(self, participant: Participant, room: Room, name: str) -> None:
        try:
            may_stay = await self._judge.find_out(self._judge.person(participant), room, READ)
        except CannotTell:
            return  # it is asked again when the answer that they are in by holds no more
        if not may_stay:
            self._hub.expel(participant.id, name)

    def _leave(self, participant: Participant) -> None:
        left = self._hub.leave(participant.id)
        if inspect.isawaitable(left):
            self._begin(_left(participant, left))

    def _begin(self, doing: Any) -> None:
        task = asyncio.ensure_future(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell(self, participant: Participant) -> None:
        self._concern(participant.sender)
        self._hub.tell_rooms(participant.id)

    def _concern(self, person: str) -> None:
        self._concerned.pop(person, None)
        while len(self._concerned) >= _MOST_CONCERNED:
            del self._concerned[next(iter(self._concerned))]
        self._concerned[person] = (self._hub.now(), set())


async def _left(participant: Participant, leaving: Awaitable[None]) -> None:
    try:
        await leaving
    except DirectoryUnavailable as error:
        log.info("that %r has left is not told to the others now: %s", participant, error)
