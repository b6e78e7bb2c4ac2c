"""A WSGI application, called for what it answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from pylons._body import close

__all__ = ["call_wsgi_application"]


def call_wsgi_application(
    application: WSGIApplication, environ: WSGIEnvironment, catch_exc_info: bool = False
) -> tuple[Any, ...]:
    """`(status, headers, body)` of what `application` answers; the caller closes the body.

    With `catch_exc_info` a fourth value is the exc_info that it gave to `start_response`, or None;
    without, such an exception is raised. An application that writes, or starts its response with
    its first chunk (both PEP 3333), is read to its end first.
    """
    started: list[tuple[str, list[tuple[str, str]], Any]] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        if exc_info is not None and not catch_exc_info:
            raise exc_info[1].with_traceback(exc_info[2])
        started[:] = [(status, headers, exc_info)]
        return written.append

    body: Iterable[bytes] = application(environ, start_response)
    if written or not started:
        try:
            written.extend(body)
        finally:
            close(body)
        body = written
    status, headers, exc_info = started[0]
    return (status, headers, body, exc_info) if catch_exc_info else (status, headers, body)
