"""Middleware for `make_app`: what a failed request and an error status look like to the client.

Both pass chunks one for one, the empty ones too, and pass `close()` on.
"""

from __future__ import annotations

import html
import io
import logging
import sys
import traceback
from collections.abc import Container, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import request_uri

from paste.deploy.converters import asbool

from pylons._http import Request, Response

__all__ = ["ErrorHandler", "StatusCodeRedirect"]

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

_LISTS = (list, tuple)

log = logging.getLogger(__name__)


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
            if isinstance(body, _LISTS):
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

    __slots__ = ("_body", "_chunks", "_environ", "_handler", "_start_response")

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
        self._chunks = iter(body)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._chunks)
        except StopIteration:
            raise
        except Exception:  # noqa: BLE001 - as in ErrorHandler.__call__
            self._chunks = iter(self._handler.answer(self._environ, self._start_response))
            return next(self._chunks)

    def close(self) -> None:
        _close(self._body)


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


class StatusCodeRedirect:
    """Answers the statuses in `errors` with the page that `app` has at `path`.

    That page is got with `pylons.original_response` and `pylons.original_request` in environ, and
    sent with the original status and with the original headers that do not describe the body. An
    action answers for itself after `environ['pylons.status_code_redirect'] = False`.
    """

    def __init__(
        self,
        app: WSGIApplication,
        errors: Container[int] = (400, 401, 403, 404),
        path: str = "/error/document",
    ) -> None:
        self.app = app
        self.errors = errors
        self.path = path

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        watch = _Watch(self, environ, start_response)
        body = self.app(environ, watch.start_response)
        if watch.held is not None:
            return self.document(environ, watch, body)
        return body if isinstance(body, _LISTS) else _Watched(watch, body)

    def document(
        self, environ: WSGIEnvironment, watch: _Watch, body: Iterable[bytes]
    ) -> Iterable[bytes]:
        """The body of the error page, started with the status that `watch` holds."""
        assert watch.held is not None
        status, headers, exc_info = watch.held
        watch.held = None
        original = Response(status=status, headerlist=headers, app_iter=_drained(body))
        page_environ = _page_environ(environ, self.path)
        page_environ["pylons.original_response"] = original
        page_environ["pylons.original_request"] = Request(environ)

        def start_page(_: str, page_headers: list[tuple[str, str]], exc: Any = None) -> Any:
            kept = _kept_headers(headers, page_headers)
            return watch.forward(status, page_headers + kept, exc or exc_info)

        return self.app(page_environ, start_page)


class _Watch:
    """The `start_response` of one request; holds back what asks for an error page."""

    __slots__ = ("_environ", "_start_response", "held", "redirect")

    def __init__(
        self, redirect: StatusCodeRedirect, environ: WSGIEnvironment, start: StartResponse
    ) -> None:
        self.redirect = redirect
        self._environ = environ
        self._start_response = start
        self.held: tuple[str, list[tuple[str, str]], Any] | None = None

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Any:
        wanted = int(status[:3]) in self.redirect.errors
        if wanted and "pylons.status_code_redirect" not in self._environ:
            self.held = (status, headers, exc_info)
            return _ignore
        self.held = None
        return self.forward(status, headers, exc_info)

    def forward(self, status: str, headers: list[tuple[str, str]], exc_info: Any) -> Any:
        if exc_info is None:
            return self._start_response(status, headers)
        return self._start_response(status, headers, exc_info)

    def document(self, body: Iterable[bytes]) -> Iterable[bytes]:
        return self.redirect.document(self._environ, self, body)


class _Watched:
    """A body during which the status may still turn into an error (an abort after a wait)."""

    __slots__ = ("_body", "_chunks", "_watch")

    def __init__(self, watch: _Watch, body: Iterable[bytes]) -> None:
        self._watch = watch
        self._body = body
        self._chunks = iter(body)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            if self._watch.held is None:
                raise
            chunk = b""
        if self._watch.held is None:
            return chunk
        rest = self._body
        self._body = self._watch.document(_Joined(chunk, self._chunks, rest))
        self._chunks = iter(self._body)
        return next(self._chunks)

    def close(self) -> None:
        _close(self._body)


class _Joined:
    """A chunk already taken, the chunks after it, and the body they came from."""

    __slots__ = ("_body", "_chunks", "_first")

    def __init__(self, first: bytes, chunks: Iterator[bytes], body: Iterable[bytes]) -> None:
        self._first = first
        self._chunks = chunks
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        yield from self._chunks

    def close(self) -> None:
        _close(self._body)


def _drained(body: Iterable[bytes]) -> list[bytes]:
    """The whole of an error's own body, which is closed: the page may show it."""
    try:
        return list(body)
    finally:
        _close(body)


def _page_environ(environ: WSGIEnvironment, path: str) -> WSGIEnvironment:
    """A GET (or HEAD) of `path` by the same client, without the body and the old route."""
    made = dict(environ)
    for key in ("CONTENT_LENGTH", "CONTENT_TYPE", "wsgiorg.routing_args", "pylons.routes_dict"):
        made.pop(key, None)
    for key in [key for key in made if key.startswith("webob.")]:
        del made[key]
    made["REQUEST_METHOD"] = "HEAD" if environ["REQUEST_METHOD"] == "HEAD" else "GET"
    made["PATH_INFO"] = path
    made["wsgi.input"] = io.BytesIO()
    made["pylons.error_call"] = True
    # The page's own status is not looked at.
    made["pylons.status_code_redirect"] = False
    return made


def _kept_headers(
    original: list[tuple[str, str]], page: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Of the error itself: cookies, and what the page has not set (Allow, Retry-After, ...)."""
    taken = {name.lower() for name, _ in page}
    return [
        (name, value)
        for name, value in original
        if name.lower() == "set-cookie"
        or (name.lower() not in taken and not name.lower().startswith("content-"))
    ]


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()


def _ignore(data: bytes) -> None:
    """PEP 3333 `write` of a response whose body is replaced."""
