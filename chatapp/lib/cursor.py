"""The cursor of a poll: where a client is in each of its rooms. Opaque to clients."""

import base64
import binascii
from collections.abc import Mapping
from typing import NamedTuple

import orjson

__all__ = ["BadCursor", "Cursor"]

_LONGEST = 8192
_MOST_SEQ = 2**53


class BadCursor(ValueError):
    """The text is no cursor that this chat has given out."""


class Cursor(NamedTuple):
    """`seqs`: of each room, the seq of the last message received, in the log of `epoch`."""

    epoch: str
    seqs: Mapping[str, int]

    def encode(self) -> str:
        data = orjson.dumps([self.epoch, self.seqs])
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """Raises BadCursor."""
        if len(text) > _LONGEST:
            raise BadCursor("the cursor is too long")
        try:
            data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", True)
            epoch, seqs = orjson.loads(data)
        except (ValueError, TypeError, binascii.Error):
            raise BadCursor("the cursor is not one that this chat has given out") from None
        if not (isinstance(epoch, str) and isinstance(seqs, dict)):
            raise BadCursor("the cursor is not one that this chat has given out")
        for seq in seqs.values():
            if type(seq) is not int or not 0 <= seq < _MOST_SEQ:
                raise BadCursor("the cursor names no message that there can be")
        return cls(epoch, seqs)
