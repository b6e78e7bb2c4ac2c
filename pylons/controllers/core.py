"""`WSGIController`: calls the action that the route names, with the arguments that it takes."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar
from wsgiref.types import StartResponse, WSGIEnvironment

from webob.exc import HTTPException, HTTPNotFound

from pylons._answer import answer, drop_traceback
from pylons._context import RequestState, current_state

__all__ = ["WSGIController"]


class _Signature:
    """Which values of a route a method takes; inspected once per function."""

    __slots__ = ("names", "required", "takes_all", "takes_any")

    def __init__(self, function: Callable[..., Any], bound: bool) -> None:
        parameters = list(inspect.signature(function).parameters.values())[bound:]
        named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        self.names = tuple(p.name for p in named)
        self.required = frozenset(p.name for p in named if p.default is p.empty)
        self.takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.takes_any = self.takes_all or bool(named)

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
    private. An action gets those values of the route that its signature names, and `environ`,
    `start_response` or `pylons` (this request's objects) if it names them; all of them if it takes
    `**kwargs`. `__before__` runs first and `__after__` when the action is complete (a streaming
    action: when it has ended), with arguments matched the same way; neither is an action, and what
    they return does not count. `__after__` finds the answer in `pylons.response` and may change it.
    It also runs when the action raised an HTTPException (`abort`, `redirect`), but not if
    `__before__` did, nor after another error.

    `self._py_object` has this request's objects, `self.start_response` is for a WSGI application
    that answers in place of the action: what is set on `pylons.response` goes along.

    Overridable: `_get_method_args()` returns the values to choose from, `_perform_call(function,
    arguments)` makes the call, `_inspect_call(function)` is both, `_dispatch_call()` finds the
    action and calls it.
    """

    _signatures: ClassVar[dict[Callable[..., Any], _Signature]] = {}
    _pylons_log_debug = False
    _py_object: RequestState
    start_response: StartResponse

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._signatures = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request whose route is in `environ['pylons.routes_dict']` (PEP 3333)."""
        self._py_object = state = current_state("controllers.WSGIController")
        state.start_response = start_response
        self.start_response = state.hand_over
        action = environ["pylons.routes_dict"].get("action", "index")
        after = None
        result: Any = None
        try:
            if action[:1] in ("_", "-"):
                raise HTTPNotFound()
            if hasattr(self, "__before__"):
                stopped = _done("__before__", self._inspect_call(self.__before__))
                if stopped is not None and stopped is environ.get(_RAISED):
                    raise stopped  # type: ignore[misc]
            if hasattr(self, "__after__"):
                after = partial(self._call_after, self.__after__)
            result = self._dispatch_call()
        except HTTPException as exc:
            result = drop_traceback(exc)
        try:
            return answer(state, result, after)
        except HTTPException as exc:
            return answer(state, drop_traceback(exc))

    def _call_after(self, func: Callable[..., Any]) -> None:
        _done("__after__", self._call(func))

    def _perform_call(self, func: Callable[..., Any], args: dict[str, Any]) -> Any:
        """Call the bound method `func`; for subclasses that wrap all of their actions."""
        return func(**args)

    def _get_method_args(self) -> dict[str, Any]:
        """The values that actions choose from by the names of their arguments."""
        state = self._py_object
        return {
            **state.environ["pylons.routes_dict"],
            "environ": state.environ,
            "start_response": self.start_response,
            "pylons": state,
        }

    def _inspect_call(self, func: Callable[..., Any]) -> Any:
        """Call a bound method with what it takes; an HTTPException that it raises is the value."""
        try:
            return self._call(func)
        except HTTPException as exc:
            self._py_object.environ[_RAISED] = exc
            return drop_traceback(exc)

    def _dispatch_call(self) -> Any:
        """The value of the action that the route names. Raises HTTPNotFound if there is none.

        With `debug` it raises NotImplementedError for a method that is not there.
        """
        state = self._py_object
        name = state.environ["pylons.routes_dict"].get("action", "index").replace("-", "_")
        kind = getattr(type(self), name, None)
        is_action = callable(kind) and not isinstance(kind, type)
        # A class has what its instances lack: `mro`.
        func = getattr(self, name, None) if is_action else None
        if func is None:
            if state.config["debug"]:
                raise NotImplementedError(f"Action {name!r} is not implemented")
            raise HTTPNotFound()
        state.environ["pylons.action_method"] = func
        return self._inspect_call(func)

    def _call(self, func: Callable[..., Any]) -> Any:
        function = getattr(func, "__func__", func)
        signature = self._signatures.get(function)
        if signature is None:
            signature = _Signature(function, function is not func)
            if function is not func:
                self._signatures[function] = signature
        if not signature.takes_any:  # as most of `__before__` and `__after__`, and many actions
            return self._perform_call(func, {})
        args = signature.select(self._get_method_args())
        if self._py_object.config.get("pylons.tmpl_context_attach_args"):
            vars(self._py_object.tmpl_context).update(args)
        return self._perform_call(func, args)


def _done(name: str, value: Any) -> Any:
    """`value`, which `name` returned. Raises TypeError if nothing of it has run yet."""
    if isinstance(value, (AsyncGenerator, Coroutine, Generator)):
        if not isinstance(value, AsyncGenerator):
            value.close()
        raise TypeError(
            f"{name} is an `async def`, or yields: nothing would run it; only an action can wait"
        )
    return value


# Where a request's environ has the HTTPException that an action raised.
_RAISED = "pylons.controller.exception"
