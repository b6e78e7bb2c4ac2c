"""The nicks of those who have chosen none."""

import hashlib
import itertools
from collections.abc import Iterator

__all__ = ["guest_nicks"]


def guest_nicks(identity: str) -> Iterator[str]:
    """The nicks for the participant of that id, without end, in the order they are tried.

    They are the same each time: a guest who comes back, also after a restart, is called as before.
    """
    for count in itertools.count():
        digest = hashlib.blake2b(f"{count} {identity}".encode(), digest_size=2)
        yield f"guest-{digest.hexdigest()}"
