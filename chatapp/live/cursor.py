"""The cursor of a poll: where a client is in each of its rooms. Opaque to clients."""

import base64
import binascii
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from chatapp.jsons import decode, encode
from chatapp.remembering import remembered

__all__ = ["LONGEST_CURSOR", "BadCursor", "Cursor"]

# Of a hundred rooms with the longest names.
LONGEST_CURSOR = 1 << 16
# What is remembered is bounded in length: a stranger may send anything.
_REMEMBERED = 512
_MOST_SEQ = 2**53
# Characters of JSON that a room has: few have a longer name.
_ROOM = 40


class BadCursor(ValueError):
    """The text is no cursor that this chat has given out."""


class Cursor(NamedTuple):
    """`seqs`: of each room, the seq of the last message received, in the log of `epoch`.

    `versions`: of each room, that of the presence received last, if workers share it.
    """

    epoch: str
    seqs: Mapping[str, int]
    versions: Mapping[str, int] = MappingProxyType({})

    def encode(self) -> str:
        """The text that clients carry: JSON of all three, the versions in the order of the seqs."""
        versions = [[self.versions.get(room) for room in self.seqs]] if self.versions else []
        data = encode([self.epoch, self.seqs, *versions], _ROOM * len(self.seqs))
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")

    @classmethod
    def decode(cls, text: Any) -> "Cursor":
        """The cursor that `encode` made `text` of. Raises BadCursor."""
        if not isinstance(text, str):
            raise BadCursor("the cursor is no text")
        if len(text) > LONGEST_CURSOR:
            raise BadCursor("the cursor is too long")
        return _remembered(text) if len(text) <= _REMEMBERED else _decoded(text)


def _decoded(text: str) -> Cursor:
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", True)
        epoch, seqs, *more = decode(data)
        versions = dict(zip(seqs, *more, strict=True)) if more else {}
    except (ValueError, TypeError, binascii.Error):
        raise BadCursor("the cursor is not one that this chat has given out") from None
    if not (isinstance(epoch, str) and isinstance(seqs, dict)):
        raise BadCursor("the cursor is not one that this chat has given out")
    if versions:
        versions = {room: version for room, version in versions.items() if version is not None}
    for number in (*seqs.values(), *versions.values()):
        if type(number) is not int or not 0 <= number < _MOST_SEQ:
            raise BadCursor("the cursor names no message that there can be")
    return Cursor(epoch, seqs, versions)


# A message leaves all who are in a room with the same one.
_remembered = remembered(256)(_decoded)
