"""How somebody stands: the role they were given here, muted, banned. And addresses that are banned.

Times are Unix seconds until which it holds: 0.0 is over, infinity has no end.
"""

import math
from typing import NamedTuple

import orjson

from chatapp.jsons import decode

__all__ = [
    "NO_STANDING",
    "Ban",
    "Standing",
    "packed_ban",
    "packed_standing",
    "unpacked_ban",
    "unpacked_standing",
]


class Standing(NamedTuple):
    """Of a person, by their id. `role`: empty where it is the one that their identity says.

    `addresses`: those that were banned with them. `deed`: the number of the last deed about them.
    """

    role: str = ""
    muted_until: float = 0.0
    mute_reason: str = ""
    banned_until: float = 0.0
    ban_reason: str = ""
    addresses: tuple[str, ...] = ()
    deed: int = 0

    @property
    def holds(self) -> bool:
        """Whether they have a role that was given here, or are muted or banned."""
        return bool(self.role or self.muted_until or self.banned_until)


class Ban(NamedTuple):
    """`person`: the id of whoever an address was banned with."""

    until: float
    reason: str = ""
    person: str = ""


NO_STANDING = Standing()
"""That of everybody of whom nothing was decided."""


def packed_standing(standing: Standing) -> str:
    """Its record, as JSON."""
    kept = {name: _packed(value) for name, value in standing._asdict().items() if value}
    return orjson.dumps(kept).decode()


def unpacked_standing(text: str) -> Standing:
    """What the record says."""
    kept = decode(text)
    return Standing(
        kept.get("role", ""),
        _time(kept.get("muted_until", 0.0)),
        kept.get("mute_reason", ""),
        _time(kept.get("banned_until", 0.0)),
        kept.get("ban_reason", ""),
        tuple(kept.get("addresses", ())),
        kept.get("deed", 0),
    )


def packed_ban(ban: Ban) -> str:
    """Its record, as JSON."""
    return orjson.dumps({name: _packed(value) for name, value in ban._asdict().items()}).decode()


def unpacked_ban(text: str) -> Ban:
    """What the record says."""
    kept = decode(text)
    return Ban(_time(kept["until"]), kept["reason"], kept["person"])


def _packed(value: object) -> object:
    """JSON has no infinity (RFC 8259 6): it is null."""
    return None if value == math.inf else value


def _time(kept: float | None) -> float:
    return math.inf if kept is None else kept
