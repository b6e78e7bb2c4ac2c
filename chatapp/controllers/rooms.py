"""Rooms: which there are, who is in them, what they are called."""

import re
import unicodedata
from collections.abc import Generator, Mapping
from typing import Any
from wsgiref.types import WSGIEnvironment

from chatapp.community.acts import ANYWHERE_ACTS, INVITE, SEE, SETTLE
from chatapp.community.people import Acquaintance
from chatapp.community.roomkeeping import MOST_TOGETHER
from chatapp.community.rooms import ANYWHERE, MEMBERS, OPEN, Room
from chatapp.identity.person import Person
from chatapp.jsons import encode
from chatapp.lib.acting import (
    ActingController,
    checked_line,
    checked_reason_of,
    muted_wire,
)
from chatapp.lib.gate import person_of
from chatapp.lib.listing import Listing
from chatapp.lib.outcomes import logged
from chatapp.lib.waiting import Steps
from chatapp.lib.wire import MOST_ROOM, BadInput, checked_query, checked_room
from chatapp.live.cursor import BadCursor, Cursor
from chatapp.live.participant import Participant
from chatapp.model.message import handle
from pylons import config, response

__all__ = ["RoomsController"]

_MOST_OTHERS = 100
# Each name has at most 64 characters, of which one takes at most twelve bytes.
_MOST_BODY = 2048 + _MOST_OTHERS * (12 * 64 + 4)
_UNNAMED = "A room that all can see is named after its title, which needs a letter or digit."
_CHOICE = 'Say {"add": WHO}, {"remove": WHO} or {"leave": true}.'


class RoomsController(ActingController):
    """What is told of a room is what who asks may see of it."""

    def __init__(self) -> None:
        super().__init__()
        self._listing: Listing = config["pylons.app_globals"].listing

    def index(self, environ: WSGIEnvironment) -> Steps:
        """The rooms that one may see."""
        response.content_type = "application/json"
        since = self._since(environ)
        participant = yield from self._reader(environ)
        self._gate.let_in(environ, person_of(participant))
        rooms = yield from self._listing.rooms(environ, participant, since)
        may = []
        for act in ANYWHERE_ACTS if participant.sender else ():
            if (yield from self._gate.may(environ, participant, ANYWHERE, act)):
                may.append(act)
        muted = muted_wire(self._gate.book.standing(self._gate.person(participant).id))
        yield encode({"rooms": rooms, "may": may, "muted": muted}, 400 * len(rooms))

    def show(self, environ: WSGIEnvironment, room: str) -> Steps:
        """One room, with its members."""
        response.content_type = "application/json"
        name, since = checked_room(room), self._since(environ)
        participant = yield from self._reader(environ)
        yield from self._gate.check(environ, participant, name, SEE)
        yield from self._shown(environ, participant, name, since)

    def make(self, environ: WSGIEnvironment) -> Steps:
        """A new room."""
        response.content_type = "application/json"
        asked = self._asked(environ, _MOST_BODY)
        title = checked_line(asked.get("title"), "title")
        policy = checked_line(asked.get("policy", MEMBERS), "policy")
        people = _checked_people(asked.get("people", []), _MOST_OTHERS)
        if people and policy == OPEN:
            raise BadInput(400, "people: a room that is open to all has no members.")
        name = "" if policy == MEMBERS else _named_after(title)
        participant = yield from self._actor(environ)
        others = yield from self._all_of(environ, people)
        yield from self._charge(environ, "address_rooms")
        room: Room = yield from self._do(
            environ, self._keeping.make_room, self._me(participant), title, policy, others, name
        )
        yield from self._shown(environ, participant, room.name, None)

    def direct(self, environ: WSGIEnvironment) -> Steps:
        """The room of who asks and some others."""
        response.content_type = "application/json"
        people = _checked_people(self._asked(environ, _MOST_BODY).get("people"), MOST_TOGETHER - 1)
        participant = yield from self._actor(environ)
        others = yield from self._all_of(environ, people)
        me = self._me(participant)
        if not self._keeping.is_together(me, others):
            yield from self._charge(environ, "address_rooms")
        room: Room = yield from self._do(environ, self._keeping.direct, me, others)
        yield from self._shown(environ, participant, room.name, None)

    def settle(self, environ: WSGIEnvironment, room: str) -> Steps:
        """Rename a room, close it, open it again."""
        response.content_type = "application/json"
        name, asked = checked_room(room), self._asked(environ)
        title, policy = asked.get("title"), asked.get("policy")
        if title is None and policy is None:
            raise BadInput(400, "Say which title or which policy the room is to have.")
        title = None if title is None else checked_line(title, "title")
        policy = None if policy is None else checked_line(policy, "policy")
        reason = checked_reason_of(asked)
        participant = yield from self._actor(environ)
        yield from self._gate.check(environ, participant, name, SETTLE)
        settled: Room = yield from self._do(
            environ, self._keeping.settle, self._me(participant), name, title, policy, reason,
            room=name,
        )  # fmt: skip
        yield from self._shown(environ, participant, settled.name, None)

    def members(self, environ: WSGIEnvironment, room: str) -> Steps:
        """Let somebody in, have somebody leave, or leave oneself."""
        response.content_type = "application/json"
        name, asked = checked_room(room), self._asked(environ)
        what, who = _checked_choice(asked)
        reason = checked_reason_of(asked)
        participant = yield from self._actor(environ)
        yield from self._gate.check(environ, participant, name, SEE)
        me = self._me(participant)
        if what == "leave":
            yield from self._do(environ, self._keeping.leave, me, name, room=name)
            yield encode({"room": name}, 0)
            return
        if what == "add":
            act = self._keeping.invite
            yield from self._gate.check(environ, participant, name, INVITE)
            whom = yield from self._whom(environ, who)
        else:
            act = self._keeping.expel
            whom = self._member(name, who) or (yield from self._whom(environ, who))
        yield from self._do(environ, act, me, name, whom.person, reason, room=name)
        yield from self._shown(environ, participant, name, None)

    # How.

    def _since(self, environ: WSGIEnvironment) -> Cursor | None:
        query = checked_query(environ.get("QUERY_STRING", ""))
        try:
            return Cursor.decode(query["since"]) if "since" in query else None
        except BadCursor as error:
            raise BadInput(400, f"since: {error}.") from None

    def _member(self, name: str, who: str) -> Acquaintance | None:
        """The member of the room who has that handle, who need not be known any more."""
        members = self._gate.book.room(name).members
        found = (Person(each, nick) for each, nick in members.items() if handle(each) == who)
        person = next(found, None)
        return None if person is None else Acquaintance(person)

    def _all_of(
        self, environ: WSGIEnvironment, people: list[str]
    ) -> Generator[bytes, None, list[Any]]:
        others = []
        for who in people:
            found = yield from self._whom(environ, who)
            others.append(found.person)
        return others

    def _shown(
        self,
        environ: WSGIEnvironment,
        participant: Participant,
        name: str,
        since: Cursor | None,
    ) -> Steps:
        """What may be seen of the room by now, its members too."""
        name = yield from self._called(environ, name)
        yield from self._gate.check(environ, participant, name, SEE)
        room = self._gate.book.room(name)._replace(name=name)
        told = yield from self._listing.room(environ, participant, room, since)
        if "members" in told:
            told["members"] = yield from self._members(environ, room.members)
        yield from self._gate.check_again(environ, participant, (name,))
        yield encode(told, 400 + 100 * len(room.members))

    def _members(
        self, environ: WSGIEnvironment, members: Mapping[str, str]
    ) -> Generator[bytes, None, list[dict[str, Any]]]:
        """By the names and roles that they have now."""
        handles = {identity: handle(identity) for identity in members}
        yield environ["cogen.call"](self._acquaintances.named)(list(handles.values()))
        found = logged(environ, self._hub.figures)
        told = []
        for identity, called in members.items():
            known = found.get(handles[identity])
            nick = called if known is None else known.person.name
            role = self._gate.book.standing(identity).role
            if not role and known is not None:
                role = self._gate.book.known(known.person).role
            told.append({"sender": handles[identity], "nick": nick, "role": role or "member"})
        return told


def _checked_people(people: Any, most: int) -> list[str]:
    """Handles and nicks. Raises BadInput."""
    if not isinstance(people, list) or len(people) > most:
        raise BadInput(400, f"people: a list of at most {most} senders or nicks.")
    return list(dict.fromkeys(checked_line(who, "people") for who in people))


def _checked_choice(asked: Mapping[str, Any]) -> tuple[str, Any]:
    """What is to be done to the members, and to whom. Raises BadInput."""
    choice = asked.keys() - {"reason"}
    if len(choice) != 1 or not choice <= {"add", "remove", "leave"}:
        raise BadInput(400, _CHOICE)
    [what] = choice
    if what != "leave":
        return what, checked_line(asked[what], what)
    if asked[what] is not True or len(asked) > 1:
        raise BadInput(400, _CHOICE)
    return what, True


def _named_after(title: str) -> str:
    """A name that a room may have, which says what the title says. Raises BadInput."""
    composed = unicodedata.normalize("NFC", title)
    kept = (each if _is_kept(each) else "-" for each in composed)
    name = re.sub("-+", "-", "".join(kept)).strip("-.")[:MOST_ROOM]
    try:
        return checked_room(name)
    except BadInput:
        raise BadInput(400, _UNNAMED) from None


def _is_kept(character: str) -> bool:
    return character.isalnum() or character in "._" or unicodedata.category(character)[0] == "M"
