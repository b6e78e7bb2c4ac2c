"""Claims: what has to be so yet for somebody to be let in, in the change that lets them in."""

from collections.abc import Mapping
from typing import NamedTuple

from chatapp.model import Record

__all__ = ["UNCLAIMED", "Claim", "Outdated"]


class Outdated(Exception):
    """What a claim goes by is another by now."""


class Claim(NamedTuple):
    """`found`: what has to be kept under these keys, None: nothing; `changes`: what becomes of it.

    Both as Records.change takes them.
    """

    found: Mapping[str, str | None] = {}
    changes: Mapping[str, Record | None] = {}

    def __or__(self, other: "Claim") -> "Claim":
        """Both of them."""
        return Claim({**self.found, **other.found}, {**self.changes, **other.changes})

    def check(self, found: Mapping[str, str]) -> None:
        """Raises Outdated if that is not what is kept."""
        if any(found.get(key) != text for key, text in self.found.items()):
            raise Outdated


UNCLAIMED = Claim()
"""Nothing has to be so."""
