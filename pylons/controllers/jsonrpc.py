"""`JSONRPCController`: methods that JSON-RPC 2.0 calls (https://www.jsonrpc.org/specification)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote_plus
from wsgiref.types import StartResponse, WSGIEnvironment

from pylons._context import current_state
from pylons.controllers._rpc import MissingArguments, RPCController, refused, set_content_type
from pylons.controllers.core import WSGIController as WSGIController
from pylons.controllers.util import Response
from pylons.controllers.util import abort as abort

__all__ = [
    "JSONRPC_INTERNAL_ERROR",
    "JSONRPC_INVALID_PARAMS",
    "JSONRPC_INVALID_REQUEST",
    "JSONRPC_METHOD_NOT_FOUND",
    "JSONRPC_PARSE_ERROR",
    "JSONRPCController",
    "JSONRPCError",
    "jsonrpc_error",
]

log = logging.getLogger(__name__)

JSONRPC_VERSION: Final = "2.0"


class JSONRPCError(Exception):
    """What a method raises to tell the client of an error: a number, and a line."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.data = data

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def as_dict(self) -> dict[str, Any]:
        """As it is sent."""
        told = {"code": self.code, "message": self.message}
        return {**told, "data": self.data} if self.data else told


JSONRPC_PARSE_ERROR = JSONRPCError(-32700, "Parse error")
"""The body is no JSON."""
JSONRPC_INVALID_REQUEST = JSONRPCError(-32600, "Invalid Request")
"""The body is no call; many calls in one body are not supported."""
JSONRPC_METHOD_NOT_FOUND = JSONRPCError(-32601, "Method not found")
"""There is no public method of that name."""
JSONRPC_INVALID_PARAMS = JSONRPCError(-32602, "Invalid params")
"""The method needs other arguments."""
JSONRPC_INTERNAL_ERROR = JSONRPCError(-32603, "Internal error")
"""The method failed, which is in the log."""

_RESERVED: Final = {
    "parse_error": JSONRPC_PARSE_ERROR,
    "invalid_request": JSONRPC_INVALID_REQUEST,
    "method_not_found": JSONRPC_METHOD_NOT_FOUND,
    "invalid_params": JSONRPC_INVALID_PARAMS,
    "internal_error": JSONRPC_INTERNAL_ERROR,
}


def jsonrpc_error(req_id: Any, error: str) -> Response:
    """The answer that tells of one of the specification's errors, like 'invalid_params'."""
    response = Response(body=_error_body(req_id, _RESERVED[error]))
    response.headers["Content-Type"] = "application/json"
    return response


def _error_body(req_id: Any, error: JSONRPCError) -> bytes:
    told = {"jsonrpc": JSONRPC_VERSION, "id": req_id, "error": error.as_dict()}
    return json.dumps(told).encode()


class JSONRPCController(RPCController):
    """Its methods are called with the arguments that a client sends, by place or by name.

    What they return has to be something that JSON can say. A name that begins with an underscore
    is private. A method raises JSONRPCError to tell of an error; another exception is logged, and
    the client is told of an internal error. A call without an `id` is answered without a body. Many
    calls in one body are not supported.
    """

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the call in the request's body. Raises HTTPException for one without length."""
        body = self._read_body(environ)
        self._req_id: Any = None
        try:
            call = _loaded(body)
        except (ValueError, RecursionError):  # lists in lists in lists
            return self._refused("parse_error")
        if not isinstance(call, dict) or not isinstance(call.get("method"), str):
            return self._refused("invalid_request")
        self._req_id = call.get("id")
        self._is_notification = "id" not in call
        given = call.get("params", [])
        if not isinstance(given, (list, dict)):
            return self._refused("invalid_request")
        func = self._find_method(call["method"])
        if func is None:
            return self._refused("method_not_found")
        set_content_type("application/json")
        if self._is_notification:
            current_state("controllers.jsonrpc").response.status = 204
        try:
            return self._call_method(func, given, environ, start_response)
        except MissingArguments:
            return self._refused("invalid_params")

    def _refused(self, error: str) -> Iterable[bytes]:
        return refused(jsonrpc_error(self._req_id, error))

    def _written(self, value: Any) -> bytes:
        told = {"jsonrpc": JSONRPC_VERSION, "id": self._req_id, "result": value}
        body = json.dumps(told).encode()
        return b"" if self._is_notification else body

    def _failed(self, error: Exception) -> bytes:
        if not isinstance(error, JSONRPCError):
            name = f"{type(self).__name__}.{self._called}"
            log.error("the method %s failed", name, exc_info=error)
            error = JSONRPC_INTERNAL_ERROR
        body = _error_body(self._req_id, error)
        return b"" if self._is_notification else body


def _loaded(body: bytes) -> Any:
    """The call. Raises ValueError. Clients of Pylons 1.0 may quote it as a form's field is."""
    try:
        return json.loads(body)
    except ValueError:
        return json.loads(unquote_plus(body.decode("utf-8")))
