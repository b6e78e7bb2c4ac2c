"""Which messages of a room are lost though others around them are held.

The numbers of a room are contiguous from the oldest held to the newest, so one that is missing in
between was damaged where it is stored: a bad byte, a page that cannot be read, an entry that
somebody has deleted. It is told as lost, and the rest is read.
"""

import logging
from collections import OrderedDict
from collections.abc import Sequence

from chatapp.model.log import Slice
from chatapp.model.message import Message

__all__ = ["Holes", "window_after", "window_before"]

log = logging.getLogger(__name__)

_REMEMBERED = 1000


def window_after(first: int, last: int, after: int, limit: int) -> range:
    """The first `limit` seqs above `after`, of a room that holds those from `first` to `last`."""
    low = max(first, after + 1)
    return range(low, min(last, low + limit - 1) + 1)


def window_before(first: int, last: int, seq: int | None, limit: int) -> range:
    """The last `limit` seqs below `seq`; None: the newest of all."""
    high = last if seq is None else min(last, seq - 1)
    return range(max(first, high - limit + 1), high + 1)


class Holes:
    """Tells what is damaged in the log that is called `name`: a line for each, once."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._told: OrderedDict[tuple[str, int], None] = OrderedDict()

    def slice(
        self,
        room: str,
        bounds: tuple[int, int, int],
        window: range,
        messages: Sequence[Message],
    ) -> Slice:
        """`messages` are what could be read of `window`; `bounds`: first, last, start."""
        first, last, start = bounds
        held = [message for message in messages if message.seq in window]
        if len(held) == len(window):
            return Slice(first, last, held, start)
        missing = sorted(set(window).difference(message.seq for message in held))
        self._tell(room, missing)
        return Slice(first, last, held, start, tuple(missing))

    def _tell(self, room: str, missing: Sequence[int]) -> None:
        fresh = [seq for seq in missing if (room, seq) not in self._told]
        self._told.update({(room, seq): None for seq in fresh[:_REMEMBERED]})
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        if fresh:
            which = (
                f"{fresh[0]}" if len(fresh) == 1 else f"{fresh[0]} to {fresh[-1]} ({len(fresh)})"
            )
            log.error("%s: of room %s message %s is damaged, and lost", self._name, room, which)
