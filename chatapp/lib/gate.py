"""The gate: whether somebody may do something in a room. Every action asks here.

| asked, in this order | if not |
|---|---|
| they are let in: neither they nor their address are banned | 403, whichever room it is |
| if they are about to speak: they are not muted | 403, whichever room it is |
| the room is there for them: one of their `rooms`, which the rule lets them see | 404 |
| the rule lets them do that in it | 403, with what there is to say of the room |

The 404 is always in the same words: whoever may not see a private room cannot tell it from one that
is not there. The rule is the chat's own or a site's, `chat.allow`; none can forget a ban, or let
anybody into a private room that is not there.

It is asked when a client enters a room. A poll in rooms that its client is in already asks nothing:
what changes meanwhile ends it (`evictions.py`).
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

from chatapp.community.acts import ANYWHERE_ACTS, GUEST, IN_CHARGE, MAKE, READ, SEE, SPEAK
from chatapp.community.asking import NO_SUCH_ROOM
from chatapp.community.book import Book
from chatapp.community.rooms import ANYWHERE, Room
from chatapp.identity.person import Person
from chatapp.lib.addresses import Addresses
from chatapp.lib.evictions import Evictions
from chatapp.lib.outcomes import CANNOT_TELL, cogen_value, log_refusal, until, why_not
from chatapp.lib.rules import CannotTell, Question, Rule
from chatapp.lib.wire import BadInput
from chatapp.live.hub import Hub
from chatapp.live.participant import Participant
from chatapp.model import LogUnavailable
from chatapp.names import folded

__all__ = ["Gate", "person_of"]

_RETRY_SECONDS = 2.0
# After that all workers follow a change, which each looks for four times a second.
_EVERYWHERE_SECONDS = 0.75
_NONE: Final[Mapping[str, str]] = {}


def person_of(participant: Participant) -> Person:
    """Who that is; where a name is all it takes, a guest."""
    known = participant.person
    return known or Person(participant.sender, participant.nick, role=GUEST)


class Gate:
    """Of `hub`, by what `book` has and `rule` says.

    `asks_again`: whether answers hold for a while only. `banned_addresses`: those that are.
    """

    def __init__(
        self,
        hub: Hub,
        book: Book,
        addresses: Addresses,
        rule: Rule,
    ) -> None:
        self._hub = hub
        self.book = book
        self._addresses = addresses
        self._rule = rule
        self._changed_at = -_EVERYWHERE_SECONDS
        self.asks_again = not self._rule.is_own
        self.evictions = Evictions(hub, book, self, self._rule)
        self.banned_addresses = self.evictions.banned_addresses
        book.observers.append(self._changed)

    def person(self, participant: Participant) -> Person:
        """Who that is, with the role that they have here."""
        return self.book.known(person_of(participant))

    # Asked by actions.

    def let_in(self, environ: WSGIEnvironment, person: Person) -> None:
        """Raises BadInput if they are banned, or all who are where the request comes from."""
        if (bad := self._banned(person, self._addresses.whose(environ))) is not None:
            raise bad

    def let_speak(self, environ: WSGIEnvironment, participant: Participant) -> None:
        """Raises BadInput if they are banned, or muted: others are told what they choose."""
        person = self.person(participant)
        bad = self._unwelcome(person, self._addresses.whose(environ), SPEAK)
        if bad is not None:
            raise bad

    def is_banned_from(self, environ: WSGIEnvironment) -> bool:
        """Whether only those in charge are let in who are where the request comes from."""
        address = self._addresses.whose(environ)
        if address is None or address not in self.banned_addresses:
            return False
        if self.book.banned("", address) is not None:
            return True
        self.banned_addresses.discard(address)  # its time is over
        return False

    def know(self, environ: WSGIEnvironment) -> Generator[bytes, None, None]:
        """Know what other processes have changed. Raises BadInput."""
        yield from self._catch_up(environ, ())

    def check(
        self, environ: WSGIEnvironment, participant: Participant, room: str, act: str
    ) -> Generator[bytes, None, None]:
        """Raises BadInput if they may not do that in the room."""
        if act != SPEAK:
            yield from self._catch_up(environ, (room,))
        yield from self._check(environ, participant, (room,), act, _NONE)

    def enter(
        self,
        environ: WSGIEnvironment,
        participant: Participant,
        rooms: Sequence[str],
        written: Mapping[str, str],
    ) -> Generator[bytes, None, None]:
        """Raises BadInput if they may not read all of `rooms`; sets what `you` tells them.

        `written`: what those are called that were written otherwise, by how they were.
        """
        yield from self._catch_up(environ, rooms)
        yield from self._check(environ, participant, rooms, READ, written)
        yield from self._ask(environ, lambda: self._anywhere(participant))
        participant.you = self.told(participant)

    def check_again(
        self,
        environ: WSGIEnvironment,
        participant: Participant,
        rooms: Sequence[str],
        written: Mapping[str, str] = _NONE,
    ) -> Generator[bytes, None, None]:
        """The same, where something was waited for since. Raises BadInput."""
        yield from self._check(environ, participant, rooms, READ, written)

    def may(
        self, environ: WSGIEnvironment, participant: Participant, room: Room, act: str
    ) -> Generator[bytes, None, bool]:
        """Whether they may do that in it. Raises BadInput only if nobody can tell."""

        def questions() -> list[Question]:
            return list(self._questions(self.person(participant), room, act))

        yield from self._ask(environ, questions)
        return self.allows(self.person(participant), room, act)

    async def find_out(self, person: Person, room: Room, act: str) -> bool:
        """The same for a person, with the role that they have here. Raises CannotTell.

        Asked about the room as it is by the end, or would be where they make it.
        """
        while True:
            if room.name and act != MAKE:
                room = self.book.room(room.name)
            questions = self._questions(person, room, act)
            unknown = [each for each in questions if self._rule.answer(each) is None]
            if not unknown:
                return self.allows(person, room, act)
            await self._rule.ask(unknown)

    def allows(self, person: Person, room: Room, act: str) -> bool:
        """Whether they may do that in it, as far as is known."""
        if not self._is_there(person, self._seen(room, act)):
            return False
        return act == SEE or self._rule.answer(Question(person, room, act)) is True

    def told(self, participant: Participant) -> dict[str, Any]:
        """What `you` tells them of themselves, as far as is known."""
        person, asked = self.person(participant), ANYWHERE_ACTS if participant.sender else ()
        acts = [act for act in asked if self.allows(person, ANYWHERE, act)]
        return {"role": person.role, "may": acts}

    def seconds_left(self, participant: Participant, rooms: Sequence[str]) -> float:
        """For how long the answers hold by which they read all of `rooms`; 0.0: they do not."""
        person, rule = self.person(participant), self._rule
        asked = [each for name in rooms for each in self._asked(person, name, READ)]
        return min((rule.seconds_left(each) for each in asked), default=0.0)

    def forget(self, person: str | None = None, room: str | None = None) -> None:
        """Ask anew what concerns the person with that id, the room, or both."""
        self._rule.forget(person, room)
        self.evictions.look_again(person, room)

    # How.

    def _changed(self, keys: frozenset[str]) -> None:
        self._changed_at = self._hub.now()
        self.evictions.changed(keys)

    def _catch_up(
        self, environ: WSGIEnvironment, rooms: Sequence[str]
    ) -> Generator[bytes, None, None]:
        """Know what other processes have changed. Raises BadInput if that cannot be had.

        While the log is away, those who are in public rooms wait in them for when it is back.
        """
        book = self.book
        if book.is_known and not self._hub.log.shared:
            return
        yield environ["cogen.call"](book.catch_up)()
        try:
            cogen_value(environ)
        except LogUnavailable as error:
            if not book.is_known or any(name.startswith("~") for name in rooms):
                raise log_refusal(error, self._hub.figures) from None

    def _check(
        self,
        environ: WSGIEnvironment,
        participant: Participant,
        rooms: Sequence[str],
        act: str,
        written: Mapping[str, str],
    ) -> Generator[bytes, None, None]:
        address = self._addresses.whose(environ)

        def questions() -> list[Question]:
            person = self.person(participant)
            if self._unwelcome(person, address, act) is not None:
                return []
            return [each for name in rooms for each in self._asked(person, name, act)]

        yield from self._ask(environ, questions)
        person = self.person(participant)
        bad = self._unwelcome(person, address, act)
        bad = bad or self._refused(participant, person, rooms, act, written)
        if bad is not None:
            yield from self._wait_for_workers(environ)
            raise bad

    def _ask(
        self, environ: WSGIEnvironment, questions: Callable[[], Sequence[Question]]
    ) -> Generator[bytes, None, None]:
        """Until there is an answer to all `questions()`, which may be others after each wait."""
        if self._rule.is_own:
            return  # it has all answers
        answer = self._rule.answer
        while unknown := [each for each in questions() if answer(each) is None]:
            yield environ["cogen.call"](self._rule.ask)(unknown)
            try:
                cogen_value(environ)
            except CannotTell:
                raise BadInput(503, CANNOT_TELL, _RETRY_SECONDS) from None

    def _wait_for_workers(self, environ: WSGIEnvironment) -> Generator[bytes, None, None]:
        """Who is told that they are out gets nothing at another worker after that."""
        left = self._changed_at + _EVERYWHERE_SECONDS - self._hub.now()
        if left > 0 and self._hub.log.shared:
            yield environ["cogen.core"].events.Sleep(left)

    def _unwelcome(self, person: Person, address: str | None, act: str) -> BadInput | None:
        if (bad := self._banned(person, address)) is not None or act != SPEAK:
            return bad
        standing = self.book.standing(person.id)
        if not standing.muted_until:
            return None
        return BadInput(403, f"You are muted{until(standing.muted_until, standing.mute_reason)}")

    def _banned(self, person: Person, address: str | None) -> BadInput | None:
        """A ban of an address is none for those in charge: an owner alone bans them."""
        ban = self.book.banned(person.id, address)
        if ban is not None and self.book.known(person).role in IN_CHARGE:
            ban = self.book.banned(person.id, None)
        return (
            None if ban is None else BadInput(403, f"You are banned{until(ban.until, ban.reason)}")
        )

    def _refused(
        self,
        participant: Participant,
        person: Person,
        rooms: Sequence[str],
        act: str,
        written: Mapping[str, str],
    ) -> BadInput | None:
        for name in rooms:
            room = self.book.room(name)
            if self.allows(person, room, act):
                continue
            if act == READ:
                self._hub.expel(participant.id, name)
            as_written = next((text for text, meant in written.items() if meant == name), name)
            if self._is_there(person, room):
                return BadInput(403, why_not(room, act), room=as_written)
            return BadInput(404, NO_SUCH_ROOM, room=as_written)
        return None

    def _is_there(self, person: Person, room: Room) -> bool:
        if person.rooms is not None and folded(room.name) not in map(folded, person.rooms):
            return False
        if room.is_private and not self.book.keeps(room.name):
            return False
        return self._rule.answer(Question(person, room, SEE)) is True

    def _asked(self, person: Person, name: str, act: str) -> Iterator[Question]:
        return self._questions(person, self.book.room(name), act)

    def _questions(self, person: Person, room: Room, act: str) -> Iterator[Question]:
        """Asked of a room that is not there too, so that the time tells nobody."""
        yield Question(person, self._seen(room, act), SEE)
        if act != SEE:
            yield Question(person, room, act)

    def _seen(self, room: Room, act: str) -> Room:
        """Who makes a room has to see whatever has its name by now."""
        return self.book.room(room.name) if act == MAKE and room.name else room

    def _anywhere(self, participant: Participant) -> list[Question]:
        person = self.person(participant)
        return [each for act in ANYWHERE_ACTS for each in self._questions(person, ANYWHERE, act)]
