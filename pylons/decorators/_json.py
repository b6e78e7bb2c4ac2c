"""An action's value as JSON."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from types import GeneratorType
from typing import Any, ParamSpec

from pylons._context import current_state

__all__ = ["JSONEncoder", "jsonify"]

P = ParamSpec("P")

log = logging.getLogger("pylons.decorators")

_ARRAY = (
    "the action {} answers with a JSON array: old browsers let a stranger's page read it;"
    " return a dict with the array in it"
)


class JSONEncoder(json.JSONEncoder):
    """Writes an object that has a method `__json__` as what that returns, a Decimal as a number."""

    def default(self, obj: Any) -> Any:
        """What to write for `obj`. Raises TypeError if JSON cannot say it."""
        encoder = getattr(obj, "__json__", None)
        if encoder is not None:
            return encoder()
        if isinstance(obj, Decimal):
            return int(obj) if obj.as_tuple().exponent == 0 else float(obj)
        return super().default(obj)


def jsonify(action: Callable[P, Any]) -> Callable[P, str]:
    """Answer with the value of `action` as JSON (`application/json`, RFC 8259).

    An array at the top gives a warning, also in the log. Raises TypeError if JSON cannot say the
    value, or if the action is a streaming one; ValueError for a number that JSON cannot say: NaN
    and the infinities.
    """

    @wraps(action)
    def answer(*args: P.args, **kwargs: P.kwargs) -> str:
        response = current_state("decorators.jsonify").response
        response.headers["Content-Type"] = "application/json; charset=utf-8"
        value = action(*args, **kwargs)
        if isinstance(value, GeneratorType):
            value.close()
            raise TypeError(f"jsonify: {action.__qualname__} is a streaming action: yield the JSON")
        if isinstance(value, (list, tuple)):
            told = _ARRAY.format(action.__qualname__)
            warnings.warn(told, stacklevel=2)
            log.warning(told)
        return json.dumps(value, cls=JSONEncoder, allow_nan=False)

    return answer
