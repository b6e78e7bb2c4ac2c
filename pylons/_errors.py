"""`ErrorHandler`: what a failed request looks like to the client, and in the log."""

from __future__ import annotations

import html
import logging
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import request_uri

from paste.deploy.converters import asbool

from pylons._body import LISTS, close

__all__ = ["ErrorHandler"]

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

log = logging.getLogger("pylons.middleware")


class ErrorHandler:
    """Turns an exception of `app` into a logged traceback and a 500.

    With `debug` the answer shows the traceback, but only to a client on this machine. Once content
    has been sent nothing can be answered: the exception goes on to the server, which cuts the
    connection. `debug` defaults to that of `global_conf`.
    """

    def __init__(
        self,
        app: WSGIApplication,
        global_conf: Mapping[str, Any] | None = None,
        debug: bool | str | None = None,
    ) -> None:
        self.app = app
        self.debug: bool = asbool(
            (global_conf or {}).get("debug", False) if debug is None else debug
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            body = self.app(environ, start_response)
            if isinstance(body, LISTS):
                return body
            return _Guarded(self, environ, start_response, body)
        except Exception:  # noqa: BLE001 - whatever it is, it is logged and becomes a 500
            return self.answer(environ, start_response)

    def answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """Log the exception being handled and start the 500; re-raises it if that is too late."""
        exc_info = sys.exc_info()
        try:
            log.error(
                "%s %s failed", environ["REQUEST_METHOD"], request_uri(environ), exc_info=exc_info
            )
            local = _is_local(environ)
            page = _traceback_page(environ) if self.debug and local else b"Internal Server Error\n"
            kind = "text/html" if self.debug and local else "text/plain"
            headers = [
                ("Content-Type", f"{kind}; charset=utf-8"),
                ("Content-Length", str(len(page))),
            ]
            start_response("500 Internal Server Error", headers, exc_info)
            return [page]
        finally:
            del exc_info


class _Guarded:
    """A body whose exceptions the ErrorHandler answers."""

    __slots__ = ("_body", "_environ", "_handler", "_start_response")

    def __init__(
        self,
        handler: ErrorHandler,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        body: Iterable[bytes],
    ) -> None:
        self._handler = handler
        self._environ = environ
        self._start_response = start_response
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._body:  # noqa: UP028 - `yield from` would close it a second time
                yield chunk
        except Exception:  # noqa: BLE001 - as in ErrorHandler.__call__
            yield from self._handler.answer(self._environ, self._start_response)

    def close(self) -> None:
        close(self._body)


def _is_local(environ: WSGIEnvironment) -> bool:
    """A client on this machine, and not one behind a proxy on this machine."""
    forwarded = "HTTP_X_FORWARDED_FOR" in environ or "HTTP_FORWARDED" in environ
    return environ.get("REMOTE_ADDR") in ("127.0.0.1", "::1") and not forwarded


def _traceback_page(environ: WSGIEnvironment) -> bytes:
    place = html.escape(f"{environ['REQUEST_METHOD']} {request_uri(environ)}")
    text = html.escape(traceback.format_exc())
    return (
        f"<!DOCTYPE html><title>Internal Server Error</title><h1>Internal Server Error</h1>"
        f"<p>{place}<pre>{text}</pre>"
    ).encode()
