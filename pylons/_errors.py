"""`ErrorHandler`: what a failed request looks like to the client, and in the log."""

from __future__ import annotations

import html
import logging
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from types import TracebackType
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import request_uri

from paste.deploy.converters import asbool, aslist

from pylons._body import LISTS, close
from pylons._debugger import ASKED, debugger, is_local
from pylons._reports import Reports
from pylons.error import template_error_formatters

__all__ = [
    "DebugHandler",
    "ErrorHandler",
    "debugger_filter_app_factory",
    "debugger_filter_factory",
    "footer_html",
    "head_html",
]

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

log = logging.getLogger("pylons.middleware")

head_html: Final = """\
<style>body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem } pre { overflow: auto }</style>
"""
"""In the head of the page with a traceback."""
footer_html: Final = "<p class=credits>Pylons version %s"
"""At its end, with the version."""


class ErrorHandler:
    """Turns an exception of `app` into a logged traceback and a 500.

    With `debug` the answer shows the traceback, but only to a client on this machine; where
    backlash is installed it is an interactive page (see `_debugger` for whom). Once content has
    been sent nothing can be answered: the exception goes on to the server, which cuts the
    connection. Where `environ['paste.throw_errors']` is true (WebTest sets it) nothing is caught.
    """

    def __init__(
        self,
        app: WSGIApplication,
        global_conf: Mapping[str, Any] | None = None,
        debug: bool | str | None = None,
        error_email: str | Sequence[str] | None = None,
        error_log: str | None = None,
        smtp_server: str | None = None,
        error_subject_prefix: str = "",
        from_address: str | None = None,
        error_message: str | None = None,
        smtp_username: str | None = None,
        smtp_password: str | None = None,
        smtp_use_tls: bool | str = False,
    ) -> None:
        """`config['pylons.errorware']` has all but the first two; see there for the ini's options.

        `debug` and what is about mail default to `global_conf`. Without `debug` a failure is
        reported to the addresses `error_email` and in the file `error_log`; `error_message` is what
        the answer says, in HTML.
        """
        conf = global_conf or {}
        self.app = app
        self.debug: bool = asbool(conf.get("debug", False) if debug is None else debug)
        self.debugger = debugger() if self.debug else None
        self.error_message = conf.get("error_message") if error_message is None else error_message
        addresses = aslist(error_email or conf.get("error_email"))
        user = smtp_username or conf.get("smtp_username")
        default = addresses[0] if addresses else "errors@localhost"
        self.reports = Reports(
            () if self.debug else addresses,
            None if self.debug else error_log,
            smtp_server or conf.get("smtp_server", "localhost"),
            from_address or conf.get("error_from_address") or default,
            error_subject_prefix,
            (user, smtp_password or conf.get("smtp_password", "")) if user else None,
            asbool(smtp_use_tls or conf.get("smtp_use_tls", False)),
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("paste.throw_errors"):
            return self.app(environ, start_response)
        if self.debugger is not None:
            command = self.debugger.command(environ, start_response)
            if command is not None:
                return command
        try:
            body = self.app(environ, start_response)
            if isinstance(body, LISTS):
                return body
            return _Guarded(self, environ, start_response, body)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is logged and becomes a 500
            return self.answer(environ, start_response, error)

    def answer(
        self, environ: WSGIEnvironment, start_response: StartResponse, error: Exception
    ) -> list[bytes]:
        """Log `error`, which is being handled, and start the 500; raises it if that is too late."""
        exc_info = sys.exc_info()
        try:
            log.error(
                "%s %s failed", environ["REQUEST_METHOD"], request_uri(environ), exc_info=exc_info
            )
            self.reports(environ, error)
            kind, page = self._page(environ)
            headers = [
                ("Content-Type", f"{kind}; charset=utf-8"),
                ("Content-Length", str(len(page))),
                ("X-Frame-Options", "DENY"),
            ]
            start_response("500 Internal Server Error", headers, exc_info)
            return [page]
        finally:
            del exc_info

    def _page(self, environ: WSGIEnvironment) -> tuple[str, bytes]:
        if self.debug and is_local(environ):
            page = None if self.debugger is None else self.debugger.page(environ)
            if page is None:
                page = _traceback_page(environ, ASKED if self.debugger is None else "")
            return "text/html", page
        if self.error_message is None:
            return "text/plain", b"Internal Server Error\n"
        told = (
            f"<!DOCTYPE html><title>Server Error</title><h1>Server Error</h1>{self.error_message}"
        )
        return "text/html", told.encode()


def DebugHandler(
    app: WSGIApplication, global_conf: Mapping[str, Any], **kwargs: Any
) -> ErrorHandler:
    """An ErrorHandler with `debug`, whatever `global_conf` says; `kwargs` change nothing."""
    return ErrorHandler(app, global_conf, debug=True)


def debugger_filter_factory(
    global_conf: Mapping[str, Any], **kwargs: Any
) -> Callable[[WSGIApplication], ErrorHandler]:
    """The paste.filter_factory of a DebugHandler: `use = egg:Pylons#debugger`."""
    return partial(DebugHandler, global_conf=global_conf)


def debugger_filter_app_factory(
    app: WSGIApplication, global_conf: Mapping[str, Any], **kwargs: Any
) -> ErrorHandler:
    """The paste.filter_app_factory of a DebugHandler."""
    return DebugHandler(app, global_conf)


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
        except Exception as error:  # noqa: BLE001 - as in ErrorHandler.__call__
            yield from self._handler.answer(self._environ, self._start_response, error)

    def close(self) -> None:
        close(self._body)


def _traceback_page(environ: WSGIEnvironment, asked: str) -> bytes:
    place = html.escape(f"{environ['REQUEST_METHOD']} {request_uri(environ)}")
    text = html.escape(traceback.format_exc())
    error = sys.exc_info()[1]
    template = "".join(filter(None, (format(error) for format in template_error_formatters)))
    return (
        f"<!DOCTYPE html><title>Internal Server Error</title>{head_html}"
        f"<h1>Internal Server Error</h1><p>{place}</p>{template}<pre>{text}</pre>{asked}"
        f"{footer_html % version('Pylons')}"
    ).encode()
