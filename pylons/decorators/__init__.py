"""Decorators for actions."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from pylons._context import current_state

__all__ = ["jsonify"]

P = ParamSpec("P")


def jsonify(action: Callable[P, Any]) -> Callable[P, bytes]:
    """Answer with the value of `action` as JSON (UTF-8, `application/json`, RFC 8259).

    Raises TypeError if JSON cannot say the value. Not for streaming actions.
    """

    @wraps(action)
    def answer(*args: P.args, **kwargs: P.kwargs) -> bytes:
        value = action(*args, **kwargs)
        response = current_state("decorators.jsonify").response
        # JSON has no charset parameter (RFC 8259 11).
        response.headers["Content-Type"] = "application/json"
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    return answer
