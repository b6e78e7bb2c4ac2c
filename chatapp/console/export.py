"""An export: rooms and messages as lines of JSON, which any program can read.

    {"export": 1, "version": …, "at": …}                     the first line
    {"room": …, "last": …, "record": {…}}                    each room, `record` if it has one
    {"room": …, "seq": …, "nick": …, "text": …, "at": …, …}  its messages, in order of seq

A message that was removed is there as one without a text, and so is no address of anybody. One
that is damaged in the log is not there: its number is missing, here and where this is taken in.
"""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from chatapp.community.rooms import Room, packed_room
from chatapp.model import Head, Message, MessageLog

__all__ = ["EXPORT", "exported", "head_line", "message_line", "room_line"]

EXPORT = 1
"""The version of the form."""
_AT_ONCE = 500
_OPTIONAL = ("sender", "about")


async def exported(
    log: MessageLog, heads: Sequence[Head], rooms: Iterable[Room], now: float
) -> AsyncIterator[str]:
    """The lines; rooms end where they ended when `heads` was asked for. Raises LogUnavailable."""
    yield head_line(now)
    records = {room.name: room for room in rooms}
    last = {head.name: head.last for head in heads}
    for name in sorted({*last, *records}):
        yield room_line(name, last.get(name, 0), records.get(name))
        seq, end = 0, last.get(name, 0)
        while seq < end:
            held = await log.read(name, seq, min(_AT_ONCE, end - seq))
            for message in held.messages:
                if message.seq <= end:
                    yield message_line(message)
            seq = max((*held.damaged, *(message.seq for message in held.messages)), default=end)


def head_line(now: float) -> str:
    """The first line of an export that is made at that Unix time."""
    return _json({"export": EXPORT, "version": version("ChatApp"), "at": round(now, 3)})


def room_line(name: str, last: int, record: Room | None) -> str:
    """The line of a room."""
    told: dict[str, Any] = {"room": name, "last": last}
    if record is not None:
        told["record"] = json.loads(packed_room(record))
    return _json(told)


def message_line(message: Message) -> str:
    """The line of a message."""
    told: dict[str, Any] = {
        "room": message.room,
        "seq": message.seq,
        "kind": message.kind,
        "nick": message.nick,
        "text": message.text,
        "at": message.at,
    }
    for name in _OPTIONAL:
        value = getattr(message, name)
        if value not in ("", None):
            told[name] = value
    return _json(told)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
