"""What the controllers of remote procedure calls share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from types import GeneratorType, MethodType
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from webob.exc import HTTPException

from pylons._answer import answer
from pylons._context import current_state
from pylons.controllers.core import WSGIController
from pylons.controllers.util import Response, abort

__all__ = ["MissingArguments", "RPCController", "refused", "set_content_type"]


class MissingArguments(TypeError):
    """A method was called without arguments that it needs."""


class RPCController(WSGIController):
    """Calls the method that the request's body names. A method that waits is a generator, which
    yields the empty chunks of its waits and returns its value.

    `__before__` and `__after__` run as in other controllers, and get the arguments that they name.
    """

    max_body_length: int = 4194304
    """Bytes that a body may have; a longer one is answered 413."""
    _called: str
    _arguments: dict[str, Any]
    _rpc_args: dict[str, Any]

    def _call_method(
        self,
        func: Callable[..., Any],
        given: Sequence[Any] | Mapping[str, Any],
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Answer with what `func` returns for `given`. Raises MissingArguments."""
        own = {"action": func.__name__, "environ": environ, "start_response": start_response}
        # Not the method itself: that would lead back here.
        self._called = func.__name__
        self._arguments = _arguments(func, given, own)
        self._rpc_args = {**own, **self._arguments}
        return super().__call__(environ, start_response)

    def _get_method_args(self) -> dict[str, Any]:
        return self._rpc_args

    def _dispatch_call(self) -> Any:
        try:
            result = self._perform_call(getattr(self, self._called), self._arguments)
            if isinstance(result, GeneratorType):
                return self._waiting(result)
            return self._written(result)
        except HTTPException:
            raise
        except Exception as error:
            body = self._failed(error)
            if body is None:
                raise
            return body

    def _waiting(self, steps: Generator[Any, Any, Any]) -> Generator[Any, Any, None]:
        try:
            body = self._written((yield from steps))
        except HTTPException:
            raise
        except Exception as error:
            failed = self._failed(error)
            if failed is None:
                raise
            body = failed
        yield body

    def _written(self, value: Any) -> bytes:
        """The body that tells of `value`."""
        raise NotImplementedError

    def _failed(self, error: Exception) -> bytes | None:
        """The body that tells of `error`; None if it is not for the client."""
        raise NotImplementedError

    def _find_method(self, name: str) -> Callable[..., Any] | None:
        """The method of that name that a client may call, or None.

        That of another object, which an attribute holds (as `start_response`), is not.
        """
        if not isinstance(name, str) or name.startswith("_"):
            return None
        found = getattr(self, name, None)
        own = isinstance(found, MethodType) and found.__self__ is self
        return found if own else None

    def _read_body(self, environ: WSGIEnvironment) -> bytes:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if not length:
            abort(411, "A call is the body of a POST that has a Content-Length.")
        if length > self.max_body_length:
            abort(413, f"The body of a call has {self.max_body_length} bytes at most.")
        body: bytes = environ["wsgi.input"].read(length)
        return body


def refused(response: Response) -> Iterable[bytes]:
    """Answer with `response`, before a method is called."""
    return answer(current_state("controllers"), response)


def set_content_type(content_type: str) -> None:
    """Of the answer; without a charset, which the formats know."""
    current_state("controllers").response.headers["Content-Type"] = content_type


def _arguments(
    func: Callable[..., Any], given: Sequence[Any] | Mapping[str, Any], own: Mapping[str, Any]
) -> dict[str, Any]:
    """Those of `given`, by place or by name, that `func` has a name for, as in Pylons 1.0."""
    parameters = list(inspect.signature(func).parameters.values())
    named = [
        each for each in parameters if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
    ]
    names = [each.name for each in named]
    by_name = given if isinstance(given, Mapping) else dict(zip(names, given, strict=False))
    takes_all = any(each.kind is each.VAR_KEYWORD for each in parameters)
    values = {name: own[name] for name in names if name in own}
    values.update((name, value) for name, value in by_name.items() if takes_all or name in names)
    required = {each.name for each in named if each.default is each.empty}
    missing = required - values.keys()
    if missing:
        raise MissingArguments(f"{func.__name__} needs {', '.join(sorted(missing))}")
    return values
