"""People who are known: how a request of theirs becomes a participant."""

import logging
from collections.abc import Generator
from wsgiref.types import WSGIEnvironment

from chatapp.directory import NickTaken
from chatapp.identity.members import Members
from chatapp.identity.person import Person, Unidentified, checked_person
from chatapp.lib.badges import Badge, Badges
from chatapp.lib.gate import Gate
from chatapp.lib.outcomes import cogen_value, directed, logged, refusal, tell_once
from chatapp.lib.wire import MOST_NICK, BadInput, checked_nick
from chatapp.live.errors import Refused
from chatapp.live.hub import Hub
from chatapp.live.participant import Participant

__all__ = ["People"]

log = logging.getLogger(__name__)

_RETRY_SECONDS = 2.0


class People:
    """Of `hub`, each with a badge of `badges`; the others are told to sign in at `login_url`.

    `gate` says who is let in.
    """

    def __init__(self, hub: Hub, gate: Gate, badges: Badges, login_url: str) -> None:
        self._hub = hub
        self._gate = gate
        self._badges = badges
        self._login_url = login_url

    def join(
        self, environ: WSGIEnvironment, address: str | None
    ) -> Generator[bytes, None, tuple[Participant, str]]:
        """Who asks, and the cookie's value that they are to be given, empty if they have it.

        Raises BadInput, with the status 401 for who is not known.
        """
        identity = self._badges.identity
        if isinstance(identity, Members):
            badge, given = yield from self._looked_up(environ, identity)
        else:
            badge, given = self._badges.shown(environ), ""
        if badge is None:
            person = yield from self._asked(environ, address)
            badge, given = self._badges.made(person, identity.proof(environ))
        self._gate.let_in(environ, badge.person)
        participant = yield from self._joined(environ, badge, address)
        yield from self._follow(environ, participant, badge.person)
        return participant, given

    def refused(self, error: Unidentified, address: str | None) -> BadInput:
        """What who asked from that address is told; the log has a line a minute."""
        tell_once(address or "an unknown address", f"refused: {error}")
        return self._refusal(str(error))

    def _looked_up(
        self, environ: WSGIEnvironment, members: Members
    ) -> Generator[bytes, None, tuple[Badge | None, str]]:
        """A member is who the record says, which may have changed since the badge was given."""
        badge = self._badges.brought(environ)
        if badge is None:
            return None, ""
        records = self._hub.log.records
        yield environ["cogen.call"](members.returning)(records, badge.person.id, badge.proof)
        person: Person | None = logged(environ, self._hub.figures)
        if person is None:
            return None, ""
        return (badge, "") if person == badge.person else self._badges.made(person, badge.proof)

    def _asked(
        self, environ: WSGIEnvironment, address: str | None
    ) -> Generator[bytes, None, Person]:
        try:
            yield environ["cogen.call"](self._badges.identity.who)(environ)
            found = cogen_value(environ)
            person = None if found is None else checked_person(found)
        except Unidentified as error:
            raise self.refused(error, address) from None
        except Exception:
            log.exception("chat.identity could not say who asks")
            line = "Who you are cannot be found out now; try again soon."
            raise BadInput(503, line, _RETRY_SECONDS) from None
        if person is None:
            raise self._refusal("Sign in to come in.")
        return person

    def _joined(
        self, environ: WSGIEnvironment, badge: Badge, address: str | None
    ) -> Generator[bytes, None, Participant]:
        person = badge.person
        identity, nick = badge.participant, _nick_of(person)
        try:
            yield environ["cogen.call"](self._hub.join)(identity, nick, person.id, address, person)
            participant: Participant = directed(environ)
        except Refused as error:
            raise refusal(error) from None
        return participant

    def _follow(
        self, environ: WSGIEnvironment, participant: Participant, person: Person
    ) -> Generator[bytes, None, None]:
        """Have the participant be who the person is by now, and called so, if that can be."""
        before, participant.person = participant.person, person
        nick = _nick_of(person)
        if before is None or participant.nick == nick or nick is None:
            return
        try:
            yield environ["cogen.call"](self._hub.directory.rename)(participant, nick)
            directed(environ)
        except (BadInput, NickTaken):
            # At the next join it is tried again.
            participant.person = person._replace(name=before.name)

    def _refusal(self, line: str) -> BadInput:
        challenge, login = self._badges.identity.challenge, self._login_url
        return BadInput(401, line, challenge=challenge, login=login)


def _nick_of(person: Person) -> str | None:
    """What others see: the name, or else the id, as far as it can be a nick."""
    for text in (person.name, person.id):
        try:
            return checked_nick(" ".join(text.split())[:MOST_NICK].replace(": ", ":"))
        except BadInput:
            continue
    return None
