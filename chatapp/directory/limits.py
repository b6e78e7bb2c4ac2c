"""What is let through of what strangers could use up; the names are those of the options."""

from typing import NamedTuple

__all__ = ["Charge", "Limit", "Limits", "Refusal"]


class Limit(NamedTuple):
    """At most `burst` at once, and `rate` a second in the long run; a rate of 0 is no limit."""

    rate: float
    burst: float


class Limits(NamedTuple):
    """`push_rate` is of a session; the others are of an address."""

    push_rate: Limit
    address_push_rate: Limit
    address_sessions: Limit
    address_rooms: Limit
    address_bytes: Limit


class Charge(NamedTuple):
    """`amount` of what the field `limit` of Limits counts, taken from the share of `whose`."""

    limit: str
    whose: str
    amount: float = 1.0


class Refusal(NamedTuple):
    """What was too much, and the seconds until it is not any more."""

    limit: str
    wait: float
