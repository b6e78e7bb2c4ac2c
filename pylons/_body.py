"""What a WSGI body is: a list that is whole, or an iterable that may have to be closed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["LISTS", "close"]

LISTS = (list, tuple)
"""Bodies of these types are whole, and have no `close`."""


def close(body: Iterable[Any]) -> None:
    """Call its `close`, if it has one (PEP 3333)."""
    closing = getattr(body, "close", None)
    if closing is not None:
        closing()
