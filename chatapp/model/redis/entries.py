"""Entries of the stream of all rooms: their ids, and the messages in them."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from chatapp.model.message import FIELDS, Message, message_of

__all__ = ["START", "Id", "Known", "message_in", "messages_in"]

_FIELDS = [(field.name.encode(), field.absent) for field in FIELDS]


class Id(NamedTuple):
    """The id of an entry: a time in milliseconds, and a number within it."""

    time: int
    number: int

    @classmethod
    def of(cls, text: bytes | None) -> "Id":
        """START for None, where there is no entry."""
        if text is None:
            return START
        time, _, number = text.partition(b"-")
        return cls(int(time), int(number))

    def __str__(self) -> str:
        return f"{self.time}-{self.number}"


START = Id(0, 0)
"""The id before all others."""


class Known(NamedTuple):
    """A message that was seen as the entry `id`."""

    id: Id = START
    room: str = ""
    seq: int = 0

    def is_in(self, entry: Any) -> bool:
        """Whether `entry`, as a script returns it or None, is that message."""
        if entry is None:
            return False
        fields = dict(zip(entry[1][::2], entry[1][1::2], strict=True))
        return bool(
            fields.get(b"room") == self.room.encode() and fields.get(b"seq") == b"%d" % self.seq
        )


def messages_in(room: str, entries: Iterable[Any]) -> list[Message]:
    """Those in entries of the room's own stream that can be read."""
    messages = []
    for identifier, pairs in entries:
        with suppress(ValueError):
            fields = dict(zip(pairs[::2], pairs[1::2], strict=True))
            fields[b"room"] = room.encode()
            fields[b"seq"] = Id.of(identifier).time
            messages.append(message_in(fields))
    return messages


def message_in(fields: Mapping[bytes, Any]) -> Message:
    """The message in an entry's fields. Raises ValueError if there is none."""
    return message_of(fields.get(name, absent) for name, absent in _FIELDS)
