"""Decorators that look at the request's method."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from webob.exc import HTTPMethodNotAllowed

from pylons._context import current_state
from pylons.controllers.util import abort as abort
from pylons.decorators.util import get_pylons as get_pylons

__all__ = ["dispatch_on", "restrict"]

Action = Callable[..., Any]


def restrict(*methods: str) -> Callable[[Action], Action]:
    """Let only these methods through (HEAD with GET); others get 405 with `Allow` (RFC 9110)."""
    allowed = _with_head(methods)

    def decorate(action: Action) -> Action:
        @wraps(action)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            if current_state("decorators.rest.restrict").environ["REQUEST_METHOD"] not in allowed:
                raise HTTPMethodNotAllowed(headers=[("Allow", ", ".join(sorted(allowed)))])
            return action(self, *args, **kwargs)

        return call

    return decorate


def dispatch_on(**method_map: str) -> Callable[[Action], Action]:
    """Let another method of the controller answer a request method: `@dispatch_on(POST='save')`.

    The named method gets the values of the route that its own signature names, as an action does.
    The decorated one answers all else.
    """

    def decorate(action: Action) -> Action:
        @wraps(action)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            state = current_state("decorators.rest.dispatch_on")
            other = method_map.get(state.environ["REQUEST_METHOD"])
            if other is not None:
                return self._inspect_call(getattr(self, other))
            return action(self, *args, **kwargs)

        return call

    return decorate


def _with_head(methods: tuple[str, ...]) -> frozenset[str]:
    allowed = frozenset(method.upper() for method in methods)
    return allowed | {"HEAD"} if "GET" in allowed else allowed
