"""What is changed in the book at once, and the records that this makes."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from chatapp.community.deeds import Deed
from chatapp.community.rooms import Room, packed_room
from chatapp.community.standings import NO_STANDING, Ban, Standing, packed_ban, packed_standing
from chatapp.model import Record

__all__ = ["Edit", "records_of"]

_NOTHING: Final[Mapping[str, None]] = MappingProxyType({})


class Edit(NamedTuple):
    """What is to be kept: `rooms`, `removed` ones by their names, how people stand, bans by
    address, where None is none any more; and the deed that it was."""

    rooms: Sequence[Room] = ()
    removed: Sequence[str] = ()
    standings: Mapping[str, Standing] = MappingProxyType({})
    bans: Mapping[str, Ban | None] = _NOTHING
    deed: Deed | None = None


def records_of(edit: Edit, now: float) -> dict[str, Record | None]:
    """By key; what ends goes when its time is over. `now`: the Unix time."""
    records: dict[str, Record | None] = {}
    for room in edit.rooms:
        records[f"room:{room.name}"] = Record(packed_room(room))
    for name in edit.removed:
        records[f"room:{name}"] = None
    for person, standing in edit.standings.items():
        kept = None if standing == NO_STANDING else _standing_record(standing, now)
        records[f"standing:{person}"] = kept
    for address, ban in edit.bans.items():
        kept = None if ban is None else Record(packed_ban(ban), _seconds(ban.until, now))
        records[f"ban:{address}"] = kept
    return records


def _standing_record(standing: Standing, now: float) -> Record:
    until = math.inf if standing.role else max(standing.muted_until, standing.banned_until)
    return Record(packed_standing(standing), _seconds(until, now))


def _seconds(until: float, now: float) -> float | None:
    return None if until == math.inf else max(1.0, until - now)
