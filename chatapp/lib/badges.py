"""Badges: who a known person is, in a small signed cookie, so that it is found out once.

A badge is the id of the participant, a dot, what is known of the person as JSON in base64url, a
dot, and the signature. It counts as long as a request says in the same way as before who sent it
(`Identity.proof`) and the time has not come until which the person is known.
"""

import base64
import time
from typing import Any, NamedTuple
from wsgiref.types import WSGIEnvironment

import orjson

from chatapp.community.acts import MEMBER, ROLES
from chatapp.identity.person import Identity, Person
from chatapp.lib.identity import Signer, cookie_value

__all__ = ["Badge", "Badges"]

_MOST_READ = 10_000


class Badge(NamedTuple):
    """`participant`: the id of theirs; `proof`: of the request in which they came."""

    participant: str
    person: Person
    proof: str


class Badges:
    """Those of `identity`, signed and read by `signer`."""

    def __init__(self, identity: Identity, signer: Signer) -> None:
        self.identity = identity
        self.cookie = signer.cookie
        self._signer = signer
        self._read: dict[str, Badge] = {}

    def participant(self, person: Person) -> str:
        """The id of the participant who is that person.

        The same person with other rights is another one, by another role, other groups, or let into
        some rooms alone: what one of them may do the other may not.
        """
        rooms = None if person.rooms is None else sorted(set(person.rooms))
        role = person.role if person.role in ROLES and person.role != MEMBER else ""
        text = person.id
        if role or person.groups or rooms is not None:
            rights = [role, sorted(set(person.groups)), rooms]
            text += f"\0{orjson.dumps(rights).decode()}"
        return self._signer.participant(text)

    def made(self, person: Person, proof: str) -> tuple[Badge, str]:
        """The badge of the person, and the cookie's value."""
        participant = self.participant(person)
        badge = Badge(participant, person, proof)
        known: list[Any] = [*person[:5], proof]
        if person.rooms is not None:
            known.append(person.rooms)
        text = base64.urlsafe_b64encode(orjson.dumps(known)).decode()
        return badge, self._signer.sign(f"{participant}.{text}")

    def shown(self, environ: WSGIEnvironment) -> Badge | None:
        """The badge that came with the request, if it counts."""
        badge = self.brought(environ)
        if badge is None or not self.identity.proves(environ, badge.proof, badge.person.id):
            return None
        return badge

    def brought(self, environ: WSGIEnvironment) -> Badge | None:
        """The one that came with the request, whose time is not over; whoever brings it."""
        token = cookie_value(environ.get("HTTP_COOKIE", ""), self.cookie)
        badge = None if token is None else self._read.get(token) or self._verified(token)
        if badge is None or self.seconds_left(badge.person) <= 0:
            return None
        return badge

    def seconds_left(self, person: Person) -> float:
        """Until it has to be asked again who that is; without end, if only by another proof."""
        expires = person.expires
        return float("inf") if expires is None else expires - time.time()

    def _verified(self, token: str) -> Badge | None:
        payload = self._signer.verified(token)
        _, dot, text = (payload or "").partition(".")
        if not dot:
            return None
        known = orjson.loads(base64.urlsafe_b64decode(text))
        identity, name, groups, role, expires, proof, *more = known
        rooms = tuple(more[0]) if more else None
        person = Person(identity, name, tuple(groups), role, expires, rooms)
        badge = Badge(self.participant(person), person, proof)
        if len(self._read) >= _MOST_READ:
            self._read.clear()
        self._read[token] = badge
        return badge
