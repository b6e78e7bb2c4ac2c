"""Where the request whose code is running is kept."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

__all__ = ["current"]

current: ContextVar[Any] = ContextVar("pylons.request")
"""The request whose code is running, a `RequestState`."""
