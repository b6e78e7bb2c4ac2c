"""The names of the cookies, and those that an older version gave.

A browser sends the cookies of a host to all its ports, and to all paths there: names that end in
the secret's fingerprint keep two chats of one host apart.
"""

from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import WSGIEnvironment

from chatapp.lib.identity import Signer, cookie_value

__all__ = ["COOKIE_SECONDS", "FormerCookies", "badge_name", "session_name", "token_name"]

COOKIE_SECONDS = 400 * 86400
"""How long a browser keeps the chat's cookies, from when the page was opened last: at most so long
(draft-ietf-httpbis-rfc6265bis, 5.5)."""

_TOKEN = "chat_token"
_SESSION = "chat_session"
_BADGE = "chat_badge"


def token_name(fingerprint: str) -> str:
    """Of the cookie with the signed token."""
    return f"{_TOKEN}_{fingerprint[:8]}"


def badge_name(fingerprint: str) -> str:
    """Of the cookie with a known person's badge."""
    return f"{_BADGE}_{fingerprint[:8]}"


def session_name(fingerprint: str) -> str:
    """Of the session's."""
    return f"{_SESSION}_{fingerprint[:8]}"


class FormerCookies:
    """Middleware: cookies by the names without a fingerprint count, and are given the others."""

    def __init__(self, app: Callable[..., Iterable[bytes]], signer: Signer, session: str) -> None:
        self._app = app
        self._signer = signer
        self._names = {_TOKEN: signer.cookie, _SESSION: session}

    def __call__(self, environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        header = environ.get("HTTP_COOKIE", "")
        former = self._former(header) if f"{_TOKEN}=" in header else None
        if not former:
            return self._app(environ, start_response)
        more = [f"{self._names[name]}={value}" for name, value in former.items()]
        environ["HTTP_COOKIE"] = "; ".join([header, *more])
        attributes = "; Path=/; HttpOnly; SameSite=Lax"
        if environ["wsgi.url_scheme"] == "https":
            attributes += "; Secure"
        lines = [f"{each}; Max-Age={COOKIE_SECONDS}{attributes}" for each in more]
        lines += [f"{name}=; Max-Age=0{attributes}" for name in former]
        added = [("Set-Cookie", line) for line in lines]

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            return start_response(status, [*added, *headers], *exc_info)

        return self._app(environ, start)

    def _former(self, header: str) -> dict[str, str]:
        """By name, what this chat gave before, unless it has given others since."""
        if cookie_value(header, self._names[_TOKEN]) is not None:
            return {}
        values = {name: cookie_value(header, name) for name in self._names}
        if self._signer.verified(values[_TOKEN] or "") is None:
            return {}
        return {name: value for name, value in values.items() if value is not None}
