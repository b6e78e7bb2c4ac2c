"""`XMLRPCController`: methods that clients call by XML-RPC (http://xmlrpc.com/spec.md)."""

from __future__ import annotations

import inspect
import logging
import xmlrpc.client
from collections.abc import Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIEnvironment

from pylons.controllers._rpc import MissingArguments, RPCController, refused, set_content_type
from pylons.controllers.core import WSGIController as WSGIController
from pylons.controllers.util import Response
from pylons.controllers.util import abort as abort

__all__ = ["XMLRPC_MAPPING", "XMLRPCController", "xmlrpc_fault", "xmlrpc_sig"]

log = logging.getLogger(__name__)

XMLRPC_MAPPING: Final = (
    (str, "string"),
    (list, "array"),
    (bool, "boolean"),
    (int, "int"),
    (float, "double"),
    (dict, "struct"),
    (xmlrpc.client.DateTime, "dateTime.iso8601"),
    (xmlrpc.client.Binary, "base64"),
)
"""The names of types in a signature; in this order, for a bool is an int too."""
_PARSE_ERROR: Final = -32700
_INVALID_PARAMS: Final = -32602


def xmlrpc_sig(args: Iterable[Any]) -> list[str]:
    """The names that XML-RPC has for the types of `args`."""
    return [_type_name(each) for each in args]


def _type_name(value: Any) -> str:
    return next((name for kind, name in XMLRPC_MAPPING if isinstance(value, kind)), "nil")


def xmlrpc_fault(code: int, message: str) -> Response:
    """The answer that tells of a fault."""
    body = xmlrpc.client.dumps(xmlrpc.client.Fault(code, message), methodresponse=True)
    response = Response(body=body.encode("utf-8"))
    response.headers["Content-Type"] = "text/xml"
    return response


class XMLRPCController(RPCController):
    """Its methods are called with the values that a client sends; their values go back.

    A dot in a method's name is an underscore here: `system.methodHelp` is `system_methodHelp`. A
    name that begins with an underscore is private. A method may have an attribute `signature`, a
    list of the types that it returns and takes, as `[['struct', 'string'], ['struct', 'string',
    'int']]`: other calls are answered by a fault.

    A method returns or raises an `xmlrpc.client.Fault` to tell of one. Another exception is a 500.
    What is no XML-RPC is answered by fault -32700, missing arguments by -32602, a method that is
    not there by 0.
    """

    allow_none: bool = False
    """Whether None may be sent, as `<nil/>`, which is an extension of XML-RPC."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the call in the request's body. Raises HTTPException for one that is too long."""
        body = self._read_body(environ)
        try:
            given, called = xmlrpc.client.loads(body)
        except Exception as error:  # noqa: BLE001 - a parser and a stranger's bytes
            return refused(xmlrpc_fault(_PARSE_ERROR, f"this is no XML-RPC call: {error}"))
        set_content_type("text/xml")
        try:
            return self._answer(str(called), given, environ, start_response)
        except xmlrpc.client.Fault as fault:
            return refused(xmlrpc_fault(fault.faultCode, fault.faultString))

    def _answer(
        self,
        called: str,
        given: tuple[Any, ...],
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        name = self._find_method_name(called)
        func = self._find_method(name)
        if func is None:
            raise xmlrpc.client.Fault(0, f"No such method name {name!r}")
        signatures = getattr(func, "signature", None)
        types = xmlrpc_sig(given)
        if signatures is not None and not any(types == list(each[1:]) for each in signatures):
            raise xmlrpc.client.Fault(
                0,
                f"Incorrect argument signature. {types!r} received does not match"
                f" {signatures!r} signature for method {called!r}",
            )
        try:
            return self._call_method(func, given, environ, start_response)
        except MissingArguments as error:
            raise xmlrpc.client.Fault(_INVALID_PARAMS, str(error)) from None

    def _written(self, value: Any) -> bytes:
        sent = value if isinstance(value, xmlrpc.client.Fault) else (value,)
        text = xmlrpc.client.dumps(sent, methodresponse=True, allow_none=self.allow_none)
        return text.encode("utf-8")

    def _failed(self, error: Exception) -> bytes | None:
        return self._written(error) if isinstance(error, xmlrpc.client.Fault) else None

    def _find_method_name(self, name: str) -> str:
        """The method's name here of one that a client sends."""
        return name.replace(".", "_")

    def _publish_method_name(self, name: str) -> str:
        """The name for clients of a method here."""
        return name.replace("_", ".")

    def system_listMethods(self) -> list[str]:
        """Returns a list of XML-RPC methods for this XML-RPC resource."""
        names = [name for name in dir(self) if self._find_method(name) is not None]
        return [self._publish_method_name(name) for name in names]

    system_listMethods.signature = [["array"]]  # type: ignore[attr-defined]

    def system_methodSignature(self, name: str) -> Any:
        """Returns the signatures of a method, each with the type that it returns, or ''."""
        method = self._find_method(self._find_method_name(name))
        if method is None:
            return xmlrpc.client.Fault(0, "No such method name")
        return getattr(method, "signature", "")

    system_methodSignature.signature = [  # type: ignore[attr-defined]
        ["array", "string"],
        ["string", "string"],
    ]

    def system_methodHelp(self, name: str) -> Any:
        """Returns the documentation of a method: its attribute `help`, else its docstring."""
        method = self._find_method(self._find_method_name(name))
        if method is None:
            return xmlrpc.client.Fault(0, "No such method name")
        told = inspect.cleandoc(getattr(method, "help", None) or method.__doc__ or "")
        signatures = getattr(method, "signature", None)
        return f"{told}\n\nMethod signature: {signatures}" if signatures else told

    system_methodHelp.signature = [["string", "string"]]  # type: ignore[attr-defined]
