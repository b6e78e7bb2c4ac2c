"""The devices that were signed out last, which each process follows.

gone   each with its member's id, in JSON; the last of them at the end
"""

from collections.abc import Iterable

from chatapp.jsons import decode, encode
from chatapp.model import Record, Records

__all__ = ["GONE", "MOST_GONE", "devices_of", "gone_devices", "with_gone"]

GONE = "gone"
"""The key."""
MOST_GONE = 1000
"""So many are kept."""

_DEVICE = 100  # characters of JSON, with the member's id


async def gone_devices(records: Records) -> dict[str, str]:
    """Those that were signed out, each with its member's id. Raises LogUnavailable."""
    return devices_of((await records.get([GONE])).get(GONE))


def devices_of(text: str | None) -> dict[str, str]:
    """Those of the record, each with its member's id."""
    devices: dict[str, str] = {} if text is None else decode(text)
    return devices


def with_gone(text: str | None, identity: str, devices: Iterable[str]) -> Record:
    """The record, of which that is the text, once those devices of the member are in it too."""
    gone = [*devices_of(text).items(), *((each, identity) for each in devices)]
    return Record(encode(dict(gone[-MOST_GONE:]), _DEVICE * len(gone)).decode())
