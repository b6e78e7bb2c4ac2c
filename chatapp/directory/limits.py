"""Rate limits: what strangers could use up. The names are those of the options."""

from typing import NamedTuple

__all__ = ["Cost", "Limit", "Limits", "Refusal"]


class Limit(NamedTuple):
    """A token bucket: `burst` tokens at once, `rate` a second after that; a rate of 0: no limit."""

    rate: float
    burst: float


class Limits(NamedTuple):
    """The limit of each kind; `push_rate` is of a session, the others are of an address."""

    push_rate: Limit
    address_push_rate: Limit
    address_sessions: Limit
    address_rooms: Limit
    address_bytes: Limit


class Cost(NamedTuple):
    """`amount` tokens of the bucket that `key`, a session or an address, has of the kind `limit`.

    `limit` is the name of a field of Limits.
    """

    limit: str
    key: str
    amount: float = 1.0


class Refusal(NamedTuple):
    """The kind of limit that was exceeded, and the seconds until the tokens are there."""

    limit: str
    wait: float
