"""Entries of the stream of all rooms: their ids, and the messages in them."""

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from chatapp.model.message import Message

__all__ = ["START", "Id", "Known", "message_of", "messages_in"]


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
    for identifier, fields in entries:
        with suppress(ValueError):
            _, nick, _, text, _, at = fields
            seq = Id.of(identifier).time
            messages.append(Message(room, seq, nick.decode(), text.decode(), _finite(at)))
    return messages


def _finite(text: bytes) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def message_of(fields: Mapping[bytes, bytes]) -> Message:
    """The message in an entry's fields. Raises KeyError, ValueError if there is none."""
    return Message(
        fields[b"room"].decode(),
        int(fields[b"seq"]),
        fields[b"nick"].decode(),
        fields[b"text"].decode(),
        _finite(fields[b"at"]),
    )
