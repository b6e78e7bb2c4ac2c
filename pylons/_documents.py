"""`StatusCodeRedirect`: error documents."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from pylons._body import LISTS, close
from pylons._http import Request, Response

__all__ = ["StatusCodeRedirect"]


class StatusCodeRedirect:
    """Answers the statuses in `errors` with the page that `app` has at `path`.

    That page is got with `pylons.original_response` and `pylons.original_request` in environ, and
    sent with the original status and with the original headers that do not describe the body. An
    action answers for itself after `environ['pylons.status_code_redirect'] = False`.
    """

    def __init__(
        self,
        app: WSGIApplication,
        errors: Iterable[int] = (400, 401, 403, 404),
        path: str | None = "/error/document",
    ) -> None:
        self.app = app
        self.errors = tuple(str(status) for status in errors)
        self.error_path = path

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        watch = _Watch(self, environ, start_response)
        body = self.app(environ, watch.start_response)
        if watch.held is not None:
            return self.document(environ, watch, body)
        return body if isinstance(body, LISTS) else _Watched(watch, body)

    def document(
        self, environ: WSGIEnvironment, watch: _Watch, body: Iterable[bytes]
    ) -> Iterable[bytes]:
        """The body of the error page, started with the status that `watch` holds."""
        assert watch.held is not None
        status, headers, exc_info = watch.held
        watch.held = None
        original = Response(status=status, headerlist=headers, app_iter=_drained(body))
        assert self.error_path is not None
        page_environ = _page_environ(environ, self.error_path)
        page_environ["pylons.original_response"] = original
        page_environ["pylons.original_request"] = Request(environ)

        def start_page(_: str, page_headers: list[tuple[str, str]], exc: Any = None) -> Any:
            kept = _kept_headers(headers, page_headers)
            return watch.forward(status, page_headers + kept, exc or exc_info)

        return self.app(page_environ, start_page)


class _Watch:
    """The `start_response` of one request; holds back what asks for an error page."""

    __slots__ = ("_environ", "forward", "held", "redirect", "sent")

    def __init__(
        self, redirect: StatusCodeRedirect, environ: WSGIEnvironment, start: StartResponse
    ) -> None:
        self.redirect = redirect
        self._environ = environ
        self.forward = start
        self.held: tuple[str, list[tuple[str, str]], Any] | None = None
        self.sent = False  # whether content has been: then no page can be

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Any:
        wanted = not self.sent and self.redirect.error_path and status[:3] in self.redirect.errors
        if wanted and "pylons.status_code_redirect" not in self._environ:
            self.held = (status, headers, exc_info)
            return _ignore
        self.held = None
        return self.forward(status, headers, exc_info)

    def document(self, body: Iterable[bytes]) -> Iterable[bytes]:
        return self.redirect.document(self._environ, self, body)


class _Watched:
    """A body during which the status may still turn into an error (an abort after a wait)."""

    __slots__ = ("_body", "_watch")

    def __init__(self, watch: _Watch, body: Iterable[bytes]) -> None:
        self._watch = watch
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        chunks = iter(self._body)
        for chunk in chunks:
            if self._watch.held is not None:
                break
            self._watch.sent = self._watch.sent or bool(chunk)
            yield chunk
        else:
            chunk = b""
        if self._watch.held is not None:
            failed, self._body = self._body, [chunk, *chunks]
            close(failed)
            self._body = self._watch.document(self._body)
            for chunk in self._body:  # `yield from` would close it a second time
                yield chunk

    def close(self) -> None:
        close(self._body)


def _drained(body: Iterable[bytes]) -> list[bytes]:
    """The whole of an error's own body, which is closed: the page may show it."""
    try:
        return list(body)
    finally:
        close(body)


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


def _ignore(data: bytes) -> None:
    """PEP 3333 `write` of a response whose body is replaced."""
