"""Reading an export: what is in it, and whether it can be taken whole."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from chatapp.community.rooms import (
    ANNOUNCE,
    CLOSED,
    DIRECT,
    MEMBERS,
    MOST_MEMBERS,
    OPEN,
    PRIVATE_NAME,
    ROOM,
    Room,
)
from chatapp.console.errors import ConsoleError
from chatapp.console.export import EXPORT
from chatapp.jsons import decode
from chatapp.model import Message
from chatapp.model.message import REMOVAL, REMOVED, SAID

__all__ = ["Import", "read_import"]

_TYPES: dict[str, type | tuple[type, ...]] = {
    "room": str,
    "seq": int,
    "nick": str,
    "text": str,
    "at": (int, float),
    "kind": str,
}


class Import(NamedTuple):
    """Rooms that have a record, and the messages of each room, in order of seq."""

    rooms: list[Room]
    messages: dict[str, list[Message]]

    @property
    def names(self) -> set[str]:
        """Those of all its rooms."""
        return {*self.messages, *(room.name for room in self.rooms)}


def read_import(lines: Iterable[str]) -> Import:
    """What an export has. Raises ConsoleError, naming the line that is none of one."""
    numbered = enumerate(lines, 1)
    _check_head(numbered)
    found = Import([], {})
    for number, line in numbered:
        try:
            _take(found, decode(line))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ConsoleError(f"line {number} is none of an export: {error}") from None
    return found


def _check_head(numbered: Iterator[tuple[int, str]]) -> None:
    _, line = next(numbered, (1, ""))
    try:
        version = decode(line).get("export")
    except (AttributeError, ValueError):
        version = None
    if version != EXPORT:
        raise ConsoleError("line 1 is not that of an export of this version of the chat")


def _take(found: Import, told: Any) -> None:
    name = told["room"]
    if not isinstance(name, str) or not name:
        raise ValueError("room is a name")
    if "seq" not in told:
        found.messages.setdefault(name, [])
        if "record" in told:
            found.rooms.append(_room(name, told["record"]))
        return
    message = _message(told)
    before = found.messages[name]
    # One that is missing in between was damaged where it was exported, and is told as that here.
    if before and message.seq <= before[-1].seq:
        raise ValueError(f"message {message.seq} of {name} comes after {before[-1].seq}")
    before.append(message)


def _room(name: str, record: Any) -> Room:
    room = Room(name, **record)
    is_private = PRIVATE_NAME.fullmatch(name) is not None
    policies = (MEMBERS, CLOSED) if is_private else (OPEN, ANNOUNCE, CLOSED)
    texts = (room.title, room.was, room.reason, room.by, *room.members, *room.members.values())
    if room.policy not in policies or room.kind not in (ROOM, DIRECT) or room.was == room.policy:
        raise ValueError("the record is none of a room")
    if room.was not in ("", OPEN, ANNOUNCE, MEMBERS) or (room.was == MEMBERS) > is_private:
        raise ValueError("the record is none of a room")
    if not all(isinstance(text, str) for text in texts) or len(room.members) > MOST_MEMBERS:
        raise ValueError("the record is none of a room")
    return room


def _message(told: Any) -> Message:
    for key, kind in _TYPES.items():
        if not isinstance(told[key], kind) or isinstance(told[key], bool):
            raise ValueError(f"{key} is {told[key]!r:.40}")
    if told["seq"] < 1 or told["kind"] not in (SAID, REMOVED, REMOVAL):
        raise ValueError("seq or kind is none of a message")
    sender, about = told.get("sender", ""), told.get("about")
    if not isinstance(sender, str) or not (about is None or isinstance(about, int)):
        raise ValueError("sender or about is none of a message")
    return Message(
        told["room"], told["seq"], told["nick"], told["text"], float(told["at"]), told["kind"],
        sender, None, about,
    )  # fmt: skip
