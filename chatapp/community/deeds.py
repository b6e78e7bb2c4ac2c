"""What those in charge did: a record that is only added to.

    deed:NNNNNNNN   what was done, in JSON; numbered from 1 on without a hole

What happens in a private room is told in that room alone, unless the console did it.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson

from chatapp.jsons import decode
from chatapp.model import Records

__all__ = ["MOST_DEEDS", "Deed", "deed_key", "packed_deed", "read_deeds"]

MOST_DEEDS = 100
"""How many are read at once."""


class Deed(NamedTuple):
    """`by` did `act`, at that Unix time: ids, and the names as they were.

    `whom`: to whom, `room`: in which room, `seq`: to which message, where it was about one; `more`:
    what was said with it, like the role that was given. `reason`: as they gave it.
    """

    at: float
    by: str
    name: str
    act: str
    whom: str = ""
    whom_name: str = ""
    room: str = ""
    seq: int | None = None
    more: str = ""
    reason: str = ""


def deed_key(number: int) -> str:
    """Where it is kept."""
    return f"deed:{number:08}"


def packed_deed(deed: Deed) -> str:
    """Its record, as JSON."""
    kept: Iterable[tuple[str, object]] = deed._asdict().items()
    return orjson.dumps({name: value for name, value in kept if value not in ("", None)}).decode()


async def read_deeds(
    records: Records, last: int, before: int | None, limit: int = MOST_DEEDS
) -> Mapping[int, Deed]:
    """The `limit` deeds before that number, the newest first, of `last` that there are.

    Raises LogUnavailable.
    """
    end = last if before is None else min(last, before - 1)
    numbers = range(end, max(0, end - min(limit, MOST_DEEDS)), -1)
    found = await records.get([deed_key(number) for number in numbers])
    return {
        number: Deed(**decode(found[deed_key(number)]))
        for number in numbers
        if deed_key(number) in found
    }
