"""What those in charge do: remove messages, mute and ban people, see what was done."""

from collections.abc import Generator, Mapping
from typing import Any
from wsgiref.types import WSGIEnvironment

from chatapp.community.acts import APPOINT, BAN, MUTE, OVERSEE, SEE
from chatapp.community.book import Book
from chatapp.community.deeds import MOST_DEEDS, Deed
from chatapp.community.people import Acquaintance
from chatapp.community.peoplekeeping import Standings
from chatapp.community.rooms import ANYWHERE
from chatapp.community.standings import Standing
from chatapp.identity.person import Person
from chatapp.jsons import encode
from chatapp.lib.acting import (
    ActingController,
    checked_line,
    checked_reason_of,
    ended_wire,
    muted_wire,
)
from chatapp.lib.outcomes import logged
from chatapp.lib.waiting import Steps
from chatapp.lib.wire import BadInput, checked_query, checked_room, checked_seq
from chatapp.live.participant import Participant
from chatapp.model import Message, Stored
from chatapp.model.message import handle
from pylons import response

__all__ = ["KeeperController"]

_NOT_YOURS = "You may not do that here."
_MOST_SEQ = 2**53


class KeeperController(ActingController):
    """Answers with how things are then."""

    def remove(self, environ: WSGIEnvironment, room: str) -> Steps:
        """Take a message away; one's own everybody may."""
        response.content_type = "application/json"
        name, asked = checked_room(room), self._asked(environ)
        seq = asked.get("seq")
        if type(seq) is not int or not 1 <= seq <= _MOST_SEQ:
            raise BadInput(400, "seq: the number of a message.")
        reason = checked_reason_of(asked)
        participant = yield from self._actor(environ)
        yield from self._gate.check(environ, participant, name, SEE)
        name = yield from self._called(environ, name)
        address = self._addresses.whose(environ) or ""
        stored: Stored = yield from self._do(
            environ, self._keeping.clear, self._me(participant), name, seq, reason, address,
            room=name,
        )  # fmt: skip
        yield encode({"room": stored.room, "seq": stored.seq}, 0)

    def mute(self, environ: WSGIEnvironment) -> Steps:
        """Have somebody be silent, for a time or for good."""
        asked, participant, whom = yield from self._upon(environ, MUTE)
        seconds, reason = _checked_seconds(asked), checked_reason_of(asked)
        me = self._me(participant)
        act = self._keeping.mute
        before = yield from self._do(environ, act, me, whom.person, seconds, reason)
        yield self._told(whom.person, before)

    def unmute(self, environ: WSGIEnvironment) -> Steps:
        """Let somebody speak again."""
        asked, participant, whom = yield from self._upon(environ, MUTE)
        me, reason = self._me(participant), checked_reason_of(asked)
        before = yield from self._do(environ, self._keeping.unmute, me, whom.person, reason)
        yield self._told(whom.person, before)

    def ban(self, environ: WSGIEnvironment) -> Steps:
        """Keep somebody out, and everybody at their address, if that is asked for."""
        asked, participant, whom = yield from self._upon(environ, BAN)
        seconds, reason = _checked_seconds(asked), checked_reason_of(asked)
        address = None
        if asked.get("address", False) is True:
            address = self._address_of(whom)
            if address == self._addresses.whose(environ):
                raise BadInput(409, "They are at the same address as you are.")
        elif asked.get("address", False) is not False:
            raise BadInput(400, "address: true or false.")
        me = self._me(participant)
        act = self._keeping.ban
        before = yield from self._do(environ, act, me, whom.person, seconds, address, reason)
        yield self._told(whom.person, before)

    def unban(self, environ: WSGIEnvironment) -> Steps:
        """Let somebody in again."""
        asked, participant, whom = yield from self._upon(environ, BAN)
        me, reason = self._me(participant), checked_reason_of(asked)
        before = yield from self._do(environ, self._keeping.unban, me, whom.person, reason)
        yield self._told(whom.person, before)

    def sign_out(self, environ: WSGIEnvironment) -> Steps:
        """Sign a member out on every device."""
        asked, participant, whom = yield from self._upon(environ, BAN)
        me, reason = self._me(participant), checked_reason_of(asked)
        yield from self._do(environ, self._keeping.sign_out, me, whom.person, reason)
        yield self._told(whom.person)

    def role(self, environ: WSGIEnvironment) -> Steps:
        """Say which role somebody has."""
        asked, participant, whom = yield from self._upon(environ, APPOINT)
        role = checked_line(asked.get("role", ""), "role", least=0)
        me, reason = self._me(participant), checked_reason_of(asked)
        act = self._keeping.give_role
        before = yield from self._do(environ, act, me, whom.person, role, reason)
        yield self._told(whom.person, before)

    def standings(self, environ: WSGIEnvironment) -> Steps:
        """Who is muted, banned, or has a role that was given here, the last decided first."""
        response.content_type = "application/json"
        before = _checked_before(environ)
        participant = yield from self._participant(environ)
        found: Standings = yield from self._do(
            environ, self._keeping.standings, self._me(participant), before
        )
        known = yield from self._acquainted(
            environ, [handle(identity) for identity in found.people]
        )
        people = [
            _standing_wire(self._gate.book, identity, standing, known.get(handle(identity)))
            for identity, standing in found.people.items()
        ]
        yield encode({"people": people, "more": found.more}, 1000 * len(people))

    def deeds(self, environ: WSGIEnvironment) -> Steps:
        """What those in charge did, the newest first."""
        response.content_type = "application/json"
        before = _checked_before(environ)
        participant = yield from self._participant(environ)
        found: Mapping[int, Deed] = yield from self._do(
            environ, self._keeping.deeds, self._me(participant), before
        )
        deeds = [_deed_wire(number, deed) for number, deed in found.items()]
        end = self._gate.book.deeds if before is None else before - 1
        yield encode({"deeds": deeds, "more": end > MOST_DEEDS}, 500 * len(deeds))

    def message(self, environ: WSGIEnvironment, room: str, seq: str) -> Steps:
        """Who is behind a message."""
        response.content_type = "application/json"
        name, number = checked_room(room), checked_seq(seq, "seq", 1)
        participant = yield from self._participant(environ)
        yield from self._gate.check(environ, participant, name, OVERSEE)
        name = yield from self._called(environ, name)
        found: Message = yield from self._do(
            environ, self._keeping.oversee, self._me(participant), name, number, room=name
        )
        told = {**found.wire(), "id": found.sender or None, "address": found.address or None}
        yield encode(told, len(found.text))

    # How.

    def _upon(
        self, environ: WSGIEnvironment, act: str
    ) -> Generator[bytes, None, tuple[Mapping[str, Any], Participant, Acquaintance]]:
        """What is asked, by whom, upon whom. Raises BadInput."""
        response.content_type = "application/json"
        asked = self._asked(environ)
        who = checked_line(asked.get("who"), "who")
        participant = yield from self._actor(environ)
        if not (yield from self._gate.may(environ, participant, ANYWHERE, act)):
            raise BadInput(403, _NOT_YOURS)
        whom = yield from self._upon_whom(environ, who)
        return asked, participant, whom

    def _upon_whom(
        self, environ: WSGIEnvironment, who: str
    ) -> Generator[bytes, None, Acquaintance]:
        """The same as `_whom`; who is not known any more too, if something was decided of them."""
        identity = self._gate.book.decided(who)
        if identity is None:
            return (yield from self._whom(environ, who))
        known = yield from self._acquainted(environ, [who])
        return known.get(who, Acquaintance(Person(identity)))

    def _acquainted(
        self, environ: WSGIEnvironment, handles: list[str]
    ) -> Generator[bytes, None, Mapping[str, Acquaintance]]:
        yield environ["cogen.call"](self._acquaintances.named)(handles)
        found: Mapping[str, Acquaintance] = logged(environ, self._hub.figures)
        return found

    def _address_of(self, whom: Acquaintance) -> str:
        here = (each.address for each in self._hub.by_sender.get(whom.person.id, ()))
        address = whom.address or next(filter(None, here), None)
        if not address:
            raise BadInput(409, "Their address is not known.")
        return address

    def _told(self, person: Person, before: Standing | None = None) -> bytes:
        book = self._gate.book
        told = _person_wire(book, person, book.standing(person.id))
        if before is not None:
            told["before"] = {"given": before.role or None, **_ends_wire(before)}
        return encode(told, 0)


def _person_wire(book: Book, person: Person, standing: Standing) -> dict[str, Any]:
    return {
        "sender": handle(person.id),
        "nick": person.name or None,
        "role": book.known(person).role,
        **_ends_wire(standing),
    }


def _ends_wire(standing: Standing) -> dict[str, Any]:
    banned = ended_wire(standing.banned_until, standing.ban_reason)
    return {"muted": muted_wire(standing), "banned": banned}


def _standing_wire(
    book: Book, identity: str, standing: Standing, known: Acquaintance | None
) -> dict[str, Any]:
    person = Person(identity) if known is None else known.person
    told = _person_wire(book, person, standing)
    if told["banned"] is not None:
        told["banned"]["addresses"] = standing.addresses
    return {**told, "given": standing.role or None, "deed": standing.deed}


def _checked_before(environ: WSGIEnvironment) -> int | None:
    """The number of the deed before which is asked for. Raises BadInput."""
    query = checked_query(environ.get("QUERY_STRING", ""))
    return checked_seq(query["before"], "before", 1) if "before" in query else None


def _checked_seconds(asked: Mapping[str, Any]) -> float | None:
    seconds = asked.get("seconds")
    if seconds is None or type(seconds) in (int, float):
        return seconds
    raise BadInput(400, "seconds: a number, or nothing: for good.")


def _deed_wire(number: int, deed: Deed) -> dict[str, Any]:
    told: dict[str, Any] = {"number": number, **deed._asdict()}
    told["by"] = handle(deed.by)
    told["whom"] = handle(deed.whom) if deed.whom else None
    return told
