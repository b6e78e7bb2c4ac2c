"""A message: what fields it has, and how each is stored and sent. No other file lists them.

A field is added here: to Message, to FIELDS, to `wire` if clients see it, and to Draft and its
`stored` if it is known before the message is stored. SQLite gets the column when a file is opened
whose version is below the field's `since`; an entry of Redis that lacks it is read with what FIELDS
has for that.
"""

import base64
import dataclasses
import hashlib
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

from chatapp.remembering import remembered

__all__ = [
    "FIELDS",
    "LASTING",
    "REMOVAL",
    "REMOVED",
    "SAID",
    "Draft",
    "Field",
    "Message",
    "digest",
    "handle",
    "message_of",
    "values_of",
]

SAID = "said"
"""The kind of a message that somebody has said."""
REMOVED = "removed"
"""The kind of one whose text was taken away: who said it and when is left."""
REMOVAL = "removal"
"""The kind of one that tells that another was removed, and why: that is its text."""
LASTING = (REMOVED, REMOVAL)
"""The kinds of messages that cannot be removed."""


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message: number `seq` of its room, contiguous; `at`: Unix seconds.

    `sender`: in the log the id of who sent it, empty if an older version stored it; clients see
    its handle. `nonce`: with which it was pushed; its sender alone gets that back, so a message is
    equal to the same one without. `about`: the seq of the message that it is about. `address`: from
    which it was sent, as chatapp.lib.addresses has it, empty if that is not known; no client sees
    it.
    """

    room: str
    seq: int
    nick: str
    text: str
    at: float
    kind: str = SAID
    sender: str = ""
    nonce: str | None = dataclasses.field(default=None, compare=False)
    about: int | None = None
    address: str = ""

    def emptied(self) -> "Message":
        """What is left of it once it is removed."""
        return dataclasses.replace(self, kind=REMOVED, text="", nonce=None)

    def wire(self, own: bool = False) -> dict[str, Any]:
        """As docs/wire.md has it, for whoever sees the room; `own`: for its sender."""
        shown: dict[str, Any] = {
            "room": self.room,
            "seq": self.seq,
            "kind": self.kind,
            "nick": self.nick,
            "text": self.text,
            "at": self.at,
        }
        if self.sender:
            shown["sender"] = handle(self.sender)
        if self.about is not None:
            shown["about"] = self.about
        if own and self.nonce is not None:
            shown["nonce"] = self.nonce
        return shown


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it is stored: the log gives it a number and a time."""

    room: str
    nick: str
    text: str
    sender: str = ""
    nonce: str | None = None
    kind: str = SAID
    about: int | None = None
    address: str = ""

    def stored(self, room: str, seq: int, at: float) -> Message:
        """The message, in the room that its room's name means."""
        return Message(
            room, seq, self.nick, self.text, at, self.kind, self.sender, self.nonce, self.about,
            self.address,
        )  # fmt: skip

    def as_removal(self, seq: int) -> "Draft":
        """The same as what tells that the message `seq` was removed."""
        return dataclasses.replace(self, kind=REMOVAL, about=seq, nonce=None)

    def pairs(self) -> Iterator[str]:
        """Name and value of each field but the room's, one after the other, in order of FIELDS.

        What would be read as empty where it is not there is not.
        """
        for field in FIELDS:
            value = getattr(self, field.name, None)
            if value is None or field.name == "room" or (value == "" and field.absent == b""):
                continue
            yield field.name
            yield str(value)


class Field(NamedTuple):
    """A field of a message: `column` is its SQL type, `since` the schema's version that brought it.

    `read` makes the value of what is stored: UTF-8 as bytes, a number as one or as its digits.
    `absent`: what is read where an older version has stored nothing; None is damage where `read`
    takes no None.
    """

    name: str
    column: str
    read: Callable[[Any], Any]
    since: int = 1
    absent: bytes | None = None


def _text(stored: bytes) -> str:
    return stored.decode()


def _optional_text(stored: bytes | None) -> str | None:
    return None if stored is None else stored.decode()


def _optional_integer(stored: Any) -> int | None:
    return None if stored is None else int(stored)


def _number(stored: bytes | float) -> float:
    number = float(stored)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no time")
    return number


FIELDS = (
    Field("room", "text not null", _text),
    Field("seq", "integer not null", int),
    Field("nick", "text not null", _text),
    Field("text", "text not null", _text),
    Field("at", "real not null", _number),
    Field("kind", "text not null default 'said'", _text, since=3, absent=b"said"),
    Field("sender", "text not null default ''", _text, since=3, absent=b""),
    Field("nonce", "text", _optional_text, since=3),
    Field("about", "integer", _optional_integer, since=5),
    Field("address", "text not null default ''", _text, since=5, absent=b""),
)
"""In the order of Message's own."""

values_of: Callable[[Message], tuple[Any, ...]] = attrgetter(*(field.name for field in FIELDS))
"""The values of a message's fields, in the order of FIELDS."""

_READS = tuple(field.read for field in FIELDS)


def message_of(stored: Iterable[Any]) -> Message:
    """The message in what is stored of its fields, in the order of FIELDS.

    Raises ValueError if that is damaged.
    """
    try:
        return Message(*[read(value) for read, value in zip(_READS, stored, strict=True)])
    except (AttributeError, TypeError) as error:
        raise ValueError(f"no message: {error}") from None


def digest(text: str) -> bytes:
    """By which a text is known again: what a nonce was used for is kept by it alone."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


@remembered(1024)
def handle(sender: str) -> str:
    """What clients see of a sender's id: the same for the same, and nobody finds the id by it."""
    digest = hashlib.blake2b(sender.encode(), digest_size=9, person=b"chat handle").digest()
    return base64.urlsafe_b64encode(digest).decode("ascii")
