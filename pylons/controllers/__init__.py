"""Controllers: the classes whose methods answer requests."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pylons.controllers.core import WSGIController

__all__ = ["JSONRPCController", "JSONRPCError", "WSGIController", "XMLRPCController"]

# Imported when they are asked for: they need parsers that most applications do not.
_LATE = {
    "JSONRPCController": "pylons.controllers.jsonrpc",
    "JSONRPCError": "pylons.controllers.jsonrpc",
    "XMLRPCController": "pylons.controllers.xmlrpc",
}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
