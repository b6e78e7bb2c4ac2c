"""Tokens that are refused, as many as come: each costs its check, and no session or error page."""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from wsgiref.types import WSGIEnvironment

from chatapp.identity.person import Unidentified
from chatapp.identity.token import Token
from chatapp.lib.addresses import Addresses
from chatapp.lib.badges import Badges
from chatapp.lib.people import People
from chatapp.lib.wire import accepts_json

__all__ = ["Refusals"]

_PATH = "/chat/"


class Refusals:
    """Middleware: refuses requests of programs and pages whose token is not believed.

    The rest, browsers that open a page among it, is left to `app`. `headers`: of every answer.
    """

    def __init__(
        self,
        app: Callable[..., Iterable[bytes]],
        people: People,
        badges: Badges,
        addresses: Addresses,
        headers: Mapping[str, str],
    ) -> None:
        self._app = app
        self._people = people
        self._badges = badges
        self._addresses = addresses
        self._headers = list(headers.items())

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        identity = self._badges.identity
        if (
            isinstance(identity, Token)
            and environ["PATH_INFO"].startswith(_PATH)
            and "text/html" not in environ.get("HTTP_ACCEPT", "")
            and self._badges.shown(environ) is None
        ):
            try:
                identity.who(environ)
            except Unidentified as error:
                return self._refused(environ, start_response, error)
        return self._app(environ, start_response)

    def _refused(
        self, environ: WSGIEnvironment, start_response: Any, error: Unidentified
    ) -> list[bytes]:
        bad = self._people.refused(error, self._addresses.whose(environ))
        json = accepts_json(environ)
        kind = "application/json" if json else "text/plain; charset=UTF-8"
        body = bad.json if json else f"{bad.line}\n".encode()
        headers = [
            *self._headers,
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("WWW-Authenticate", bad.challenge),
        ]
        start_response(f"{bad.status} {HTTPStatus(bad.status).phrase}", headers)
        return [body]
