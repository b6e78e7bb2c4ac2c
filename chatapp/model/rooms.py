"""Which room gives way where there are as many as there may be, and how its numbers go on.

No number is given out twice in an epoch, so of a room that gave way something has to be kept: the
number of its last message, in one of 65,536 slots, which is named after the room's. A room that is
opened again begins after it. Two rooms can have the same slot, which keeps the higher number: the
other then begins later than it would have to. So what is kept is bounded, however many have gone.
"""

import hashlib
from collections.abc import Callable, Iterable

from chatapp.model.log import LOBBY

__all__ = ["AT_ONCE", "SILENT_SECONDS", "slot", "to_give_way"]

# A room that somebody is in gives way after so long a silence, where there is no other.
SILENT_SECONDS = 300.0
# Rooms that give way to one: more than one where there may be fewer than there were.
AT_ONCE = 10


def slot(room: str) -> str:
    """Under which name the last number of `room` is kept once it has given way."""
    return hashlib.sha1(room.encode(), usedforsecurity=False).hexdigest()[:4]


def to_give_way(
    rooms: Iterable[tuple[str, float]],
    occupied: Callable[[str], bool],
    kept: Callable[[str], bool],
    now: float,
) -> str | None:
    """The longest silent that nobody is in, or else the longest silent; None: all are in use.

    `rooms`: names, and when somebody last spoke there, from the longest silent on.
    """
    silent = None
    for name, at in rooms:
        if name == LOBBY or kept(name):
            continue
        if not occupied(name):
            return name
        if silent is None and now - at >= SILENT_SECONDS:
            silent = name
    return silent
