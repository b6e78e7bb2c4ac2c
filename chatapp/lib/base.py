"""The base of the chat's controllers: who asks, from where, and how errors are told."""

import math
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import urlsplit

from webob.exc import status_map

from chatapp.lib.hub import Hub
from chatapp.lib.identity import TOKEN_COOKIE, cookie_value, new_id, same
from chatapp.lib.participant import Participant
from chatapp.lib.wire import BadInput
from pylons import app_globals, request, response, session
from pylons.controllers import WSGIController

__all__ = ["BaseController", "cogen_value", "refuse"]

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_TOKEN_SECONDS = 30 * 86400


class BaseController(WSGIController):
    """Turns BadInput into the answer it asks for; refuses unsafe requests of other origins."""

    def __before__(self, environ: dict[str, Any]) -> None:
        if environ["REQUEST_METHOD"] not in _SAFE_METHODS:
            _check_origin(environ)

    def _perform_call(self, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        try:
            result = function(**arguments)
        except BadInput as bad:
            refuse(bad)
        return _guarded(result) if isinstance(result, Generator) else result

    @property
    def _hub(self) -> Hub:
        hub: Hub = app_globals.hub
        return hub

    def _known(self, environ: dict[str, Any]) -> Participant | None:
        """Who asks, if the signed token leads to somebody alive; no session is looked at."""
        token = _token(environ)
        participant = self._hub.participants.get(token.rpartition(".")[0])
        if participant is None or same(token, participant.token):
            return participant
        if app_globals.signer.verified(token) is None:
            return None
        participant.token = token
        return participant

    def _token_identity(self, environ: dict[str, Any]) -> str | None:
        """The id in the signed token, which need not lead to anybody."""
        identity: str | None = app_globals.signer.verified(_token(environ))
        return identity

    def _join(self, environ: dict[str, Any]) -> Generator[bytes, None, Participant]:
        """Who asks, by the session."""
        identity = self._identify(self._token_identity(environ))
        yield environ["cogen.call"](self._hub.join)(identity, session.get("nick"))
        participant: Participant = cogen_value(environ)
        return participant

    def _identify(self, identity: str | None) -> str:
        """Give who asks an id, in the session and in a signed token; returns it."""
        known = session.get("id")
        if not isinstance(known, str):
            known = session["id"] = identity or new_id()
            session.save()
        if known != identity:
            response.set_cookie(
                TOKEN_COOKIE,
                app_globals.signer.sign(known),
                max_age=_TOKEN_SECONDS,
                httponly=True,
                samesite="Lax",
                secure=request.scheme == "https",
            )
        return known


def _token(environ: dict[str, Any]) -> str:
    return cookie_value(environ.get("HTTP_COOKIE", ""), TOKEN_COOKIE) or ""


def cogen_value(environ: dict[str, Any]) -> Any:
    """What the operation gave that was named last; raises what it raised."""
    wsgi = environ["cogen.wsgi"]
    if wsgi.exception is not None:
        raise wsgi.result
    return wsgi.result


def refuse(bad: BadInput) -> None:
    """Raise the HTTPException that tells of `bad`; its page is the error document's."""
    request.environ["chatapp.error"] = bad.line
    headers = []
    if bad.retry_after is not None:
        headers.append(("Retry-After", str(max(1, math.ceil(bad.retry_after)))))
    raise status_map[bad.status](detail=bad.line, headers=headers) from None


def _guarded(steps: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    try:
        yield from steps
    except BadInput as bad:
        refuse(bad)


def _check_origin(environ: dict[str, Any]) -> None:
    """Refuse what another site's page sends in the user's name. Raises HTTPForbidden.

    Browsers say where a request comes from by Sec-Fetch-Site or Origin; programs say neither.
    """
    site = environ.get("HTTP_SEC_FETCH_SITE")
    origin = environ.get("HTTP_ORIGIN")
    if site is not None:
        ours = site in ("same-origin", "none")
    elif origin is not None:
        ours = urlsplit(origin).netloc == environ.get("HTTP_HOST")
    else:
        ours = True
    if not ours:
        refuse(BadInput(403, "This request comes from another site."))
