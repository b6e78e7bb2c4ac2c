"""What is in the answers that a client gets, and whether they are the chat's at all.

Between a client and the chat may stand what answers in its place: a login page, a proxy's error, a
part of an answer. Only what has the shape of docs/wire.md counts as an answer.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from types import NoneType, UnionType
from typing import Any, get_origin, get_type_hints

from chatapp.model.message import REMOVAL, SAID, Message

__all__ = [
    "Event",
    "Foreign",
    "Gap",
    "Presence",
    "Removal",
    "events_of",
    "nick_of",
    "nobody_of",
    "poll_of",
    "seq_of",
]


class Foreign(ValueError):
    """An answer that the chat did not give; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """`lost` messages that the log no longer holds; at most so many if it is not `exact`.

    Where `reason` is "recreated" nobody knows how many: numbers are given out again, and what the
    log holds of the rooms comes again.
    """

    lost: int
    reason: str
    rooms: Mapping[str, int]
    exact: bool


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody's `event` in `room`: join, leave, or nick (then `was` is the nick before)."""

    room: str
    event: str
    nick: str
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Removal:
    """`nick` has removed the message `about` of `room`, for a `reason`, which may be empty.

    `seq` is its own number in the room.
    """

    room: str
    about: int
    seq: int
    reason: str
    nick: str


Event = Message | Removal | Gap | Presence
"""What a poll's answer may have in it."""


def poll_of(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """`answer`, which has the shape of an answer to a poll. Raises Foreign."""
    events_of(answer)
    _typed(answer, "cursor", str, needed=False)
    for name in ("people", "advice", "you"):
        _typed(answer, name, dict, needed=False)
    return answer


def seq_of(answer: Mapping[str, Any]) -> int:
    """The seq of the message that `answer`, to a push, says is stored. Raises Foreign."""
    _typed(answer, "room", str)
    _typed(answer, "seq", int)
    return int(answer["seq"])


def nick_of(answer: Mapping[str, Any]) -> str:
    """The nick in `answer`. Raises Foreign."""
    _typed(answer, "nick", str)
    return str(answer["nick"])


def nobody_of(answer: Mapping[str, Any]) -> None:
    """Check that `answer` says that there is no nick any more. Raises Foreign."""
    _typed(answer, "nick", NoneType)


def events_of(answer: Mapping[str, Any]) -> list[Event]:
    """The events in an answer to a poll: what is lost, messages, presence. Raises Foreign.

    What is left of a message that was removed is passed over, and so is one of a kind that a later
    version brought.
    """
    _typed(answer, "messages", list)
    _typed(answer, "presence", list, needed=False)
    events: list[Event] = []
    if "gap" in answer:
        events.append(_event(Gap, answer["gap"]))
    messages = [_event(Message, message) for message in answer["messages"]]
    for message in messages:
        if message.kind == SAID:
            events.append(message)
        elif message.kind == REMOVAL and message.about is not None:
            events.append(
                Removal(message.room, message.about, message.seq, message.text, message.nick)
            )
    events += [_event(Presence, change) for change in answer.get("presence", ())]
    return events


def _event(kind: type[Any], content: Any) -> Any:
    """The event in `content`, which a later version may have more to say of."""
    if not isinstance(content, dict):
        raise Foreign(f"{content!r:.80} is no {kind.__name__.lower()}")
    types = _TYPES[kind]
    for name, (accepted, needed) in types.items():
        _typed(content, name, accepted, needed)
    return kind(**{name: content[name] for name in types if name in content})


def _types_of(kind: type[Any]) -> dict[str, tuple[Any, bool]]:
    """By field: what a value may be, and whether there has to be one."""
    hints = get_type_hints(kind)
    return {
        field.name: (_json_of(hints[field.name]), field.default is MISSING)
        for field in fields(kind)
    }


def _json_of(hint: Any) -> Any:
    """What JSON has for values of that type."""
    if hint is float:
        return (int, float)
    return hint if isinstance(hint, UnionType) else get_origin(hint) or hint


def _typed(content: Mapping[str, Any], name: str, types: Any, needed: bool = True) -> None:
    value = content.get(name)
    if value is None and not needed and name not in content:
        return
    # For Python a bool is an int.
    if not isinstance(value, types) or (isinstance(value, bool) and types is not bool):
        raise Foreign(f"{name} is {value!r:.80}")


_TYPES = {kind: _types_of(kind) for kind in (Message, Gap, Presence)}
