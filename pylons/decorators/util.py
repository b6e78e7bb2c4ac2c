"""What decorators of actions share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pylons
from pylons.controllers import WSGIController

__all__ = ["get_pylons"]


def get_pylons(decorator_args: Sequence[Any]) -> Any:
    """Where a decorated function finds `request`, `response` and the rest.

    The controller's `_py_object` if the first argument is a controller, else the module `pylons`.
    """
    if decorator_args and isinstance(decorator_args[0], WSGIController):
        return decorator_args[0]._py_object
    return pylons
