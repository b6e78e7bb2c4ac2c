"""The nicks of those who have chosen none."""

import hashlib
import itertools
from collections.abc import Iterator

__all__ = ["guest_nicks", "other_nicks"]

# So that a number has its place.
_SHORTENED = 26


def guest_nicks(identity: str) -> Iterator[str]:
    """The nicks for the participant of that id, without end, in the order they are tried.

    They are the same each time: a guest who comes back, also after a restart, is called as before.
    """
    for count in itertools.count():
        digest = hashlib.blake2b(f"{count} {identity}".encode(), digest_size=2)
        yield f"guest-{digest.hexdigest()}"


def other_nicks(identity: str, nick: str | None, numbered: bool) -> Iterator[str]:
    """The nicks for who cannot have `nick`, without end: with a number behind it, or a guest's."""
    if nick is None or not numbered:
        return guest_nicks(identity)
    return (f"{nick[:_SHORTENED]} {number}" for number in itertools.count(2))
