"""What travels from a room to its clients' queues, encoded once for all of them."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import orjson

from chatapp.jsons import encode
from chatapp.live.cursor import Cursor
from chatapp.model import Message
from chatapp.model.message import SAID
from chatapp.remembering import remembered

__all__ = ["Batch", "NewHead", "PresenceChanges", "as_json", "as_text", "nothing"]


class Batch:
    """Messages of one room, contiguous, as they were stored together, but for what was removed."""

    is_messages = True

    def __init__(
        self, epoch: str, room: str, messages: Sequence[Message], timeout: float, version: int = 0
    ) -> None:
        self.room = room
        self.messages = messages
        self.first = messages[0].seq
        self.last = messages[-1].seq
        # Of those who are to be given a nonce back.
        self.senders = frozenset(m.sender for m in messages if m.nonce is not None and m.sender)
        self._epoch = epoch
        self._timeout = timeout
        self._version = version  # of the changes of presence that were told before

    def empty(self, seq: int) -> None:
        """That message was removed: whoever has not had it gets none of its text."""
        if self.first <= seq <= self.last:
            self.messages = [m.emptied() if m.seq == seq else m for m in self.messages]
            for encoded in ("json", "text", "answer"):
                self.__dict__.pop(encoded, None)

    @cached_property
    def json(self) -> bytes:
        """The messages as JSON objects, joined by commas."""
        return as_json(self.messages)

    @cached_property
    def text(self) -> bytes:
        """The messages as lines of plain text."""
        return as_text(self.messages)

    @cached_property
    def answer(self) -> bytes:
        """The whole JSON answer for a client of this room alone that was up to date."""
        return _answer(self._epoch, self.room, self.last, self._version, self._timeout, self.json)


class NewHead:
    """The newest message of a room is `seq` by now; the log has it and those before."""

    is_messages = True

    def __init__(self, room: str, seq: int) -> None:
        self.room = room
        self.seq = seq


class PresenceChanges:
    """Changes of who is present in one room, in order: objects as in the wire's `presence`.

    `version`: the directory's, of the last of them; 0 if it has none. `stale`: who was given a list
    while they waited to be told needs another.
    """

    is_messages = False

    def __init__(
        self, room: str, changes: Sequence[dict[str, Any]], version: int = 0, stale: bool = False
    ) -> None:
        self.room = room
        self.stale = stale
        self.changes = changes
        self.version = version


@remembered(256)  # all who wait in a room in vain get the same
def nothing(epoch: str, room: str, seq: int, version: int, timeout: float) -> bytes:
    """The whole JSON answer without news for a client of this room alone: it is where it was."""
    return _answer(epoch, room, seq, version, timeout, b"")


def as_json(messages: Sequence[Message], sender: str = "") -> bytes:
    """The messages as JSON objects, joined by commas, for that sender; or for anybody."""
    return b",".join([encode(m.wire(m.sender == sender != ""), len(m.text)) for m in messages])


# What a terminal would take for a command: of C0 all but the tab, DEL, C1.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def as_text(messages: Sequence[Message], sender: str = "") -> bytes:
    """A line for each message that was said, for any sender, as docs/wire.md has it (Pull).

    A line break in a message becomes a space, and other control characters are shown as U+FFFD,
    since lines are read in terminals too.
    """
    said = (m for m in messages if m.kind == SAID)
    lines = (f"{m.nick.replace(': ', ':')}: {' '.join(m.text.splitlines())}" for m in said)
    return "".join(f"{_CONTROL.sub(chr(0xFFFD), line)}\r\n" for line in lines).encode()


def _answer(
    epoch: str, room: str, seq: int, version: int, timeout: float, messages: bytes
) -> bytes:
    cursor = Cursor(epoch, {room: seq}, {room: version} if version else {}).encode()
    told = orjson.dumps({"cursor": cursor, "advice": {"timeout": timeout}})
    return b'{"messages":[%b],%b' % (messages, told[1:])
