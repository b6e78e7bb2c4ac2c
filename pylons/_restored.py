"""A request that a test has kept, and brings back by `paste.registry.restorer`."""

from __future__ import annotations

from typing import Any

from paste.registry import restorer

__all__ = ["keep", "restored"]

_kept: dict[int, Any] = {}


def keep(state: Any) -> int:
    """The number by which `restorer.restoration_begin` brings the state of the request back."""
    number: int = restorer.get_request_id(state.environ)
    _kept[number] = state
    return number


def restored() -> Any:
    """The state that this thread has brought back, until `restorer.restoration_end`; or None."""
    number = restorer.in_restoration()
    return _kept.get(number) if number else None
