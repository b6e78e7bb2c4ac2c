"""`WSGIController`: calls the action that the route names, with the arguments that it takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar
from wsgiref.types import StartResponse, WSGIEnvironment

from webob.exc import HTTPException, HTTPNotFound

from pylons._answer import answer, drop_traceback
from pylons._context import RequestState, current_state

__all__ = ["WSGIController"]


class _Signature:
    """Which values of a route a function takes; inspected once per function."""

    __slots__ = ("names", "required", "takes_all")

    def __init__(self, function: Callable[..., Any]) -> None:
        parameters = list(inspect.signature(function).parameters.values())[1:]
        named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        self.names = tuple(p.name for p in named)
        self.required = frozenset(p.name for p in named if p.default is p.empty)
        self.takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)

    def select(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The part of `values` to call with. Raises HTTPNotFound if a required one is missing."""
        if self.takes_all:
            chosen = dict(values)
        else:
            chosen = {name: values[name] for name in self.names if name in values}
        if not self.required <= chosen.keys():
            missing = ", ".join(sorted(self.required - chosen.keys()))
            raise HTTPNotFound(detail=f"This URL gives no value for: {missing}")
        return chosen


class WSGIController:
    """Base of all controllers. A subclass's methods are its actions.

    The route's `action` names the method (`-` counts as `_`); a name that starts with `_` is
    private. An action gets those values of the route that its signature names, and `environ` or
    `start_response` if it names them. `__before__` runs first and `__after__` when the action is
    complete (a streaming action: when it has ended), with arguments matched the same way; neither
    is an action, and what they return does not count. `__after__` also runs when the action raised
    an HTTPException (`abort`, `redirect`), but not if `__before__` did, nor after another error.

    Overridable: `_perform_call(function, arguments)` makes the call.
    """

    _signatures: ClassVar[dict[str, _Signature]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._signatures = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request whose route is in `environ['pylons.routes_dict']` (PEP 3333)."""
        state = current_state("controllers.WSGIController")
        state.start_response = start_response
        after = None
        result: Any
        try:
            if hasattr(type(self), "__before__"):
                self._call("__before__", state)
            if hasattr(type(self), "__after__"):
                after = partial(self._call, "__after__", state)
            result = self._call(self._action_name(state), state)
        except HTTPException as exc:
            result = drop_traceback(exc)
        try:
            return answer(state, result, after)
        except HTTPException as exc:
            return answer(state, drop_traceback(exc))

    def _perform_call(self, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """Call the bound method `function`; for subclasses that wrap all of their actions."""
        return function(**arguments)

    def _action_name(self, state: RequestState) -> str:
        """The method that the route names. Raises HTTPNotFound if it is private or not there."""
        name = state.environ["pylons.routes_dict"].get("action", "index").replace("-", "_")
        known = name in self._signatures or inspect.isfunction(getattr(type(self), name, None))
        if name.startswith("_") or not known:
            raise HTTPNotFound()
        return str(name)

    def _call(self, name: str, state: RequestState) -> Any:
        signature = self._signatures.get(name)
        if signature is None:
            signature = self._signatures[name] = _Signature(getattr(type(self), name))
        values = state.environ["pylons.routes_dict"]
        if "environ" in signature.names or "start_response" in signature.names:
            values = {**values, "environ": state.environ, "start_response": state.start}
        return self._perform_call(getattr(self, name), signature.select(values))
