"""A room's record: what it is called, who is in it, and what may be done there.

A public room has a name that people know, and need not have a record: then it is open. A private
room has one that the server made, which nobody can guess, and a title that its members see. Neither
becomes the other: the one's name is known to all, the other's history was told to its members.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import orjson

from chatapp.jsons import decode, encode

__all__ = [
    "ANNOUNCE",
    "ANYWHERE",
    "CLOSED",
    "DIRECT",
    "MEMBERS",
    "MOST_MEMBERS",
    "OPEN",
    "PRIVATE_NAME",
    "ROOM",
    "Room",
    "direct_name",
    "new_private_name",
    "packed_room",
    "unpacked_room",
    "unrecorded",
]

OPEN: Final = "open"
"""The policy of a room in which all read and speak."""
MEMBERS: Final = "members"
"""The policy of a private room: its members alone know of it."""
ANNOUNCE: Final = "announce"
"""The policy of a room that all read, and in which its members speak."""
CLOSED: Final = "closed"
"""The policy of a room in which nobody speaks any more; who read it before reads it."""

ROOM: Final = "room"
"""The kind of a room."""
DIRECT: Final = "direct"
"""The kind of a private room of some people who write to each other."""

MOST_MEMBERS = 1000
"""Members of a room."""
PRIVATE_NAME: Final = re.compile(r"~[a-z2-7]{16}")
"""Names of private rooms, and no others."""

_NOBODY: Final[Mapping[str, str]] = MappingProxyType({})


class Room(NamedTuple):
    """`members`: their names by id; of an announce room those who speak there. `passing` is the
    last field, by which the log in Redis knows the record of such a room.

    `was`: the policy before it was closed, `reason`: why it was. `by`: the id of who made it, `at`:
    when, in Unix seconds. `passing`: whether it gives way where there are too many, as a guest made
    it.
    """

    name: str
    policy: str = OPEN
    title: str = ""
    kind: str = ROOM
    members: Mapping[str, str] = _NOBODY
    was: str = ""
    reason: str = ""
    by: str = ""
    at: float = 0.0
    passing: bool = False

    @property
    def is_private(self) -> bool:
        """Whether its members alone may know that it is there."""
        return self.name.startswith("~") or MEMBERS in (self.policy, self.was)

    @property
    def purpose(self) -> str:
        """The policy, of a closed room the one before."""
        return self.was if self.policy == CLOSED and self.was else self.policy


ANYWHERE: Final = Room("")
"""No room in particular: what an act is asked for that is about none."""


def unrecorded(name: str) -> Room:
    """The room of that name, of which there is no record."""
    return Room(name, MEMBERS if name.startswith("~") else OPEN)


def new_private_name() -> str:
    """One of 80 random bits."""
    return _private_name(secrets.token_bytes(10))


def direct_name(key: bytes, people: Iterable[str]) -> str:
    """The name of the room in which those write to each other: the same for the same `people`."""
    ids = orjson.dumps(sorted(set(people)))
    return _private_name(hmac.digest(key, b"direct " + ids, hashlib.sha256)[:10])


def _private_name(bits: bytes) -> str:
    return "~" + base64.b32encode(bits).decode("ascii").lower()


# Characters of JSON that a member has.
_MEMBER = 64


def packed_room(room: Room) -> str:
    """Its record, as JSON."""
    kept = {name: value for name, value in room._asdict().items() if value}
    del kept["name"]
    if room.members:
        kept["members"] = dict(room.members)
    return encode(kept, _MEMBER * len(room.members)).decode()


def unpacked_room(name: str, text: str) -> Room:
    """The room of that name, whose record this is."""
    return Room(name, **decode(text))
