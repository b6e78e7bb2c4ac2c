"""The interactive page for a failed request: backlash's, an extra.

Whoever has that page can run code here. So it is shown, and answered, only where all of this holds:
the client is this machine and came straight here; it called the server by a name of this machine (a
stranger's name that leads here is an attack on browsers: DNS rebinding); the server listens for
this machine alone, and is one process. Each command carries a secret, made at random when the
application is made, that only the page has (backlash's own rule); there is no page without a
failure, and no other page may frame it.
"""

from __future__ import annotations

import html
import re
import sys
from http import HTTPStatus
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

from pylons._extras import extra

__all__ = ["ASKED", "Debugger", "debugger", "is_local"]

ASKED: Final = "<p>A page that runs code in these frames: pip install backlash</p>"
"""What a page says that is not interactive because backlash is not installed."""
_WANTED_BY: Final = "the debugger"
_ADDRESSES: Final = frozenset({"127.0.0.1", "::1"})
_NAMES: Final = re.compile(r"(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]*)?", re.IGNORECASE)
# What proxies add; a nginx that is told nothing adds none of them, and cannot be seen.
_FORWARDED: Final = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)
_MOST_TRACEBACKS: Final = 10  # each keeps its frames, and what they hold, alive


def is_local(environ: WSGIEnvironment) -> bool:
    """Whether the client is on this machine, and not behind a proxy on this machine."""
    forwarded = any(key in environ for key in _FORWARDED)
    return environ.get("REMOTE_ADDR") in _ADDRESSES and not forwarded


def debugger() -> Debugger | None:
    """One for an application; None where backlash is not installed."""
    if find_spec("backlash") is None:
        return None
    return Debugger()


class Debugger:
    """The failures that it has shown, and the commands of their pages."""

    def __init__(self) -> None:
        """Raises ImportError if backlash is not installed."""
        core = extra("backlash.debugger", _WANTED_BY).DebuggerCore
        self._core: Any = core(None, console_path=None)
        self._failure = _failure_class()

    def page(self, environ: WSGIEnvironment) -> bytes | None:
        """The page for the exception that is being handled; None for who must not have it."""
        if not _may_debug(environ):
            return None
        context = extra("backlash.utils", _WANTED_BY).RequestContext({"environ": dict(environ)})
        failure = self._failure(*sys.exc_info(), context=context)
        failure.filter_hidden_frames()
        self._core.tracebacks[failure.id] = failure
        self._core.frames.update((frame.id, frame) for frame in failure.frames)
        self._forget()
        page: str = failure.render_full(evalex=True, secret=self._core.secret)
        return page.encode("utf-8", "replace")

    def command(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> list[bytes] | None:
        """Answer a request of such a page; None for another request."""
        query = environ.get("QUERY_STRING", "")
        if "__debugger__=yes" not in query or not _may_debug(environ):
            return None
        found = self._core.debugger_response("", dict(parse_qsl(query)))
        if found is None:
            return None
        status, content_type, body = found
        headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body]

    def _forget(self) -> None:
        """Let the oldest failures go."""
        kept = self._core.tracebacks
        while len(kept) > _MOST_TRACEBACKS:
            for frame in kept.pop(next(iter(kept))).frames:
                self._core.frames.pop(frame.id, None)


def _failure_class() -> Any:
    """backlash's class of failures, whose text is escaped.

    backlash 0.5.1 writes it into the page as it is: a URL that a page elsewhere sends the browser
    to, and that an exception quotes, would run scripts there, with the secret.
    """
    base = extra("backlash.tbtools", _WANTED_BY).Traceback
    text = property(lambda self: html.escape(base.plaintext.fget(self)))
    return type("Failure", (base,), {"plaintext": text})


def _may_debug(environ: WSGIEnvironment) -> bool:
    listens = environ.get("SERVER_NAME", "")
    return (
        is_local(environ)
        and not environ.get("wsgi.multiprocess")
        and _NAMES.fullmatch(environ.get("HTTP_HOST", "")) is not None
        and (listens in _ADDRESSES or listens == "localhost")
    )
