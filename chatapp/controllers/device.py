"""Open on another device: a link that can be used once takes who one is there."""

from collections.abc import Generator
from typing import Any
from wsgiref.types import WSGIEnvironment

import orjson

from chatapp.identity.codes import CODE_SECONDS, look_up_code, make_code, use_code
from chatapp.lib.base import BaseController
from chatapp.lib.outcomes import logged
from chatapp.lib.waiting import Steps
from chatapp.lib.wire import BadInput
from pylons import request, response, session
from pylons import tmpl_context as c

__all__ = ["DeviceController"]

_GONE = "This link was used, or is older than ten minutes. Make another where you are in the chat."


class DeviceController(BaseController):
    """Where a name is all it takes; others sign in on each device as they do on the first."""

    def link(self, environ: WSGIEnvironment) -> Steps:
        """Make a link for who asks, which can be used once."""
        self._unless_known_elsewhere()
        response.content_type = "application/json"
        yield from self._charge(environ, "address_push_rate")
        participant = self._known(environ) or (yield from self._join(environ))
        purpose = {"id": participant.id, "nick": session.get("nick")}
        yield environ["cogen.call"](make_code)(self._hub.log.records, purpose)
        code = logged(environ, self._hub.figures)
        url = f"{request.application_url}/device/{code}"
        yield orjson.dumps({"url": url, "code": code, "seconds": CODE_SECONDS})

    def show(self, environ: WSGIEnvironment, code: str) -> Steps:
        """Who opens the link is asked first: previews of links open it too."""
        self._unless_known_elsewhere()
        yield environ["cogen.call"](look_up_code)(self._hub.log.records, code)
        purpose = logged(environ, self._hub.figures)
        if purpose is None:
            raise BadInput(404, _GONE)
        c.title, c.nick = self._hub.options.title, purpose["nick"] or ""
        yield environ["cogen.wsgi"].last(self._page("/device.mako").encode())

    def use(self, environ: WSGIEnvironment, code: str) -> Steps:
        """From now on this browser is who made the link."""
        self._unless_known_elsewhere()
        purpose = yield from self._used(environ, code)
        session["id"] = purpose["id"]
        session.pop("nick", None)
        if purpose["nick"] is not None:
            session["nick"] = purpose["nick"]
        session.save()
        self._set_cookie(self._signer.cookie, self._signer.sign(purpose["id"]))
        response.status_int = 303
        # Relative, as a proxy may put the chat below a prefix and not say so.
        response.location = "../"
        yield environ["cogen.wsgi"].last(b"\n")

    def _used(self, environ: WSGIEnvironment, code: str) -> Generator[bytes, None, dict[str, Any]]:
        yield environ["cogen.call"](use_code)(self._hub.log.records, code)
        purpose = logged(environ, self._hub.figures)
        if purpose is None:
            raise BadInput(404, _GONE)
        return dict(purpose)

    def _unless_known_elsewhere(self) -> None:
        if self._people is not None:
            raise BadInput(404, "Sign in on the other device as you did on this one.")
