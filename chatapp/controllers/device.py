"""Links that can be used once: who opens one is who made it, or a new member."""

import re
import time
from collections.abc import Generator, Mapping
from typing import Any
from wsgiref.types import WSGIEnvironment

import orjson

from chatapp.identity.codes import CODE_SECONDS, make_code, use_code
from chatapp.identity.devices import label_of
from chatapp.identity.invitations import accept_invitation, accept_link, look_up_link
from chatapp.lib.holding import WaitingController
from chatapp.lib.outcomes import logged
from chatapp.lib.qr import qr_of
from chatapp.lib.waiting import Steps
from chatapp.lib.wire import MOST_NICK, BadInput, body_of, checked_json, checked_nick, is_json
from pylons import request, response, session
from pylons import tmpl_context as c

__all__ = ["DeviceController"]

_MOST_BODY = 1024
_BASE = re.compile(r"https?://[!-~]{0,253}[!-.0-~]")
_GONE = "This link was used, or is too old. Ask for another, or make one where you are in the chat."


class DeviceController(WaitingController):
    """Where others say who somebody is, one signs in on each device as on the first."""

    def link(self, environ: WSGIEnvironment) -> Steps:
        """Make a link for another device of who asks."""
        self._unless_known_elsewhere()
        response.content_type = "application/json"
        base = _base(environ)
        yield from self._charge(environ, "address_push_rate")
        participant = yield from self._participant(environ)
        if participant.person is not None:
            device = self._device(environ)
            purpose = {"member": participant.person.id, "nick": participant.nick, "device": device}
        else:
            purpose = {"id": participant.id, "nick": session.get("nick")}
        yield environ["cogen.call"](make_code)(self._hub.log.records, purpose)
        code = logged(environ, self._hub.figures)
        url = f"{base}/device/{code}"
        told = {"url": url, "code": code, "seconds": CODE_SECONDS, "qr": qr_of(url)}
        yield orjson.dumps(told)

    def show(self, environ: WSGIEnvironment, code: str) -> Steps:
        """Who opens the link is asked first: previews of links open it too."""
        purpose = yield from self._purpose(environ, code)
        c.title, c.nick = self._hub.options.title, purpose.get("nick") or ""
        c.invited, c.most = "invite" in purpose, MOST_NICK
        yield environ["cogen.wsgi"].last(self._page("/device.mako").encode())

    def use(self, environ: WSGIEnvironment, code: str) -> Steps:
        """From now on this browser is who made the link, or a member."""
        purpose = yield from self._purpose(environ, code)
        records, label = self._hub.log.records, label_of(environ)
        if "invite" in purpose:
            nick = checked_nick(request.POST.get("name", ""))
            accept = environ["cogen.call"](accept_invitation)
            yield accept(records, self._names, code, nick, label, time.time())
            self._sign_in(self._unless_taken(environ, nick), _GONE)
        elif "member" in purpose:
            yield environ["cogen.call"](accept_link)(records, code, label, time.time())
            self._sign_in(logged(environ, self._hub.figures), _GONE)
        else:
            yield environ["cogen.call"](use_code)(records, code)
            self._go_on_as(self._of_this_kind(logged(environ, self._hub.figures)))
        response.status_int = 303
        # Relative, as a proxy may put the chat below a prefix and not say so.
        response.location = "../"
        yield environ["cogen.wsgi"].last(b"\n")

    def _go_on_as(self, purpose: Mapping[str, Any]) -> None:
        session["id"] = purpose["id"]
        session.pop("nick", None)
        if purpose["nick"] is not None:
            session["nick"] = purpose["nick"]
        session.save()
        self._set_cookie(self._signer.cookie, self._signer.sign(purpose["id"]))

    def _purpose(
        self, environ: WSGIEnvironment, code: str
    ) -> Generator[bytes, None, Mapping[str, Any]]:
        self._unless_known_elsewhere()
        yield environ["cogen.call"](look_up_link)(self._hub.log.records, code)
        return self._of_this_kind(logged(environ, self._hub.figures))

    def _of_this_kind(self, purpose: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """Raises BadInput for a link that leads nowhere, or into a chat of another kind."""
        if purpose is None or ("id" in purpose) != (self._badges is None):
            raise BadInput(404, _GONE)
        return purpose

    def _unless_known_elsewhere(self) -> None:
        if self._badges is not None and not self._has_door:
            raise BadInput(404, "Sign in on the other device as you did on this one.")


def _base(environ: WSGIEnvironment) -> str:
    """What the link begins with: where the page says that it is, as a proxy may not tell.

    Raises BadInput.
    """
    body = body_of(environ, _MOST_BODY)
    base = checked_json(body).get("base") if is_json(environ) and body else None
    if base is None:
        return str(request.application_url)
    if not isinstance(base, str) or not _BASE.fullmatch(base):
        raise BadInput(400, "base: the URL of the chat, http or https, no slash at its end.")
    return base
