"""Where the request whose code is running is kept."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pylons._context import RequestState

__all__ = ["current"]

current: ContextVar[RequestState] = ContextVar("pylons.request")
"""The request whose code is running."""
