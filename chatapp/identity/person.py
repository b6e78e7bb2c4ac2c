"""A person: who somebody is, whatever they are called and whichever device they use.

What finds out who asks is one function, `who(environ)`. It is asked at the join; its answer travels
in a signed token, and holds as long as a request proves itself in the same way.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable
from typing import NamedTuple
from wsgiref.types import WSGIEnvironment

__all__ = ["Identity", "Person", "Unidentified", "checked_person"]

_LONGEST = 200
_MOST_GROUPS = 50
_MOST_ROOMS = 50
# A cookie has at most 4,096 bytes (RFC 6265 6.1), and all of a person goes into one.
_LONGEST_LIST = 1000


class Person(NamedTuple):
    """`id` never changes and is kept with each message; it is no secret, and signs nobody in.

    `name`: what others see, which may change; empty: the id. `groups` and `role`: what the site
    says of them. `expires`: Unix time from which this has to be asked again; None: not by itself.
    `rooms`: the only ones that are there for them; None: whatever rooms there are.
    """

    id: str
    name: str = ""
    groups: tuple[str, ...] = ()
    role: str = ""
    expires: float | None = None
    rooms: tuple[str, ...] | None = None


class Unidentified(Exception):
    """A request says who sent it, and is not believed; the message is for its client, in a line."""


class Identity(ABC):
    """A way to know who asks."""

    challenge = 'Session realm="chat"'
    """What a refusal says of how to be let in: the header WWW-Authenticate (RFC 9110 11.6.1)."""

    @abstractmethod
    def who(self, environ: WSGIEnvironment) -> Person | Awaitable[Person | None] | None:
        """Who sent the request, None: nobody known. On the event loop; raises Unidentified."""

    @abstractmethod
    def proof(self, environ: WSGIEnvironment) -> str:
        """By what the request says who sent it; where another comes, `who` is asked again.

        Asked at each poll: it waits for nothing.
        """

    def proves(self, environ: WSGIEnvironment, proof: str, person: str) -> bool:
        """Whether the request says who sent it as it did when `proof` was taken of that person."""
        return proof == self.proof(environ)


def checked_person(person: object) -> Person:
    """`person`, if it is one. Raises TypeError or ValueError, naming what is wrong."""
    if not isinstance(person, Person):
        raise TypeError(f"{person!r:.80} is no chatapp.identity.person.Person, and not None")
    for name, text in (("id", person.id), ("name", person.name), ("role", person.role)):
        if not isinstance(text, str) or len(text) > _LONGEST or "\0" in text:
            raise ValueError(f"the {name} {text!r:.80} is no text of at most {_LONGEST} characters")
    if not person.id.strip() or not person.id.isprintable():
        raise ValueError(f"the id {person.id!r:.80} is empty or not printable")
    groups = _checked_list(person, "groups", person.groups, _MOST_GROUPS)
    rooms = person.rooms
    if rooms is not None:
        rooms = _checked_list(person, "rooms", rooms, _MOST_ROOMS)
    return person._replace(groups=groups, rooms=rooms)


def _checked_list(person: Person, name: str, texts: Iterable[str], most: int) -> tuple[str, ...]:
    listed = tuple(texts)
    if isinstance(texts, str) or len(listed) > most or not all(isinstance(t, str) for t in listed):
        raise ValueError(f"the {name} of {person.id!r} are not at most {most} texts")
    if sum(len(each.encode()) for each in listed) > _LONGEST_LIST:
        raise ValueError(f"the {name} of {person.id!r} have more than {_LONGEST_LIST} bytes")
    return listed
