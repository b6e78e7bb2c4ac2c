"""The page."""

import gzip
from wsgiref.types import WSGIEnvironment

import orjson

from chatapp.lib.base import BaseController
from chatapp.lib.waiting import Steps
from chatapp.model.message import handle
from pylons import request, response, session
from pylons import tmpl_context as c

__all__ = ["PageController"]


class PageController(BaseController):
    """GET /"""

    def index(self) -> bytes | Steps:
        """The page; who opens it has an id from now on, so that its first requests agree."""
        environ = request.environ
        if self._people is not None:
            return self._for_known(environ)
        if self._is_new(environ) or self._is_greeted(environ):
            self._greet(environ)
            return self._chat()
        self._identify(environ, renew=True)
        return self._chat(session.get("nick") or "")

    def _for_known(self, environ: WSGIEnvironment) -> Steps:
        """For who is known; raises BadInput for anybody else."""
        participant = yield from self._participant(environ)
        page = self._chat(participant.nick, handle(participant.sender))
        yield environ["cogen.wsgi"].last(page)

    def _chat(self, nick: str = "", sender: str = "") -> bytes:
        """The page of who is called so, compressed to who takes gzip.

        `sender`: theirs, where the chat knows people.

        Its size tells nothing, as no secret is in it.
        """
        about = self._hub.about
        c.title = self._hub.options.title
        c.nick, c.sender, c.is_known = nick, sender, self._people is not None
        c.has_door = self._people is None or self._has_door
        c.named = "elsewhere" if self._people is not None and not self._has_door else "here"
        c.passkeys = self._passkeys is not None
        c.login = self._hub.options.login_url if c.is_known else ""
        c.url = request.application_url
        c.version = about["version"]
        c.limits = orjson.dumps(about["limits"]).decode()
        page = self._page("/index.mako").encode()
        response.vary = ("Accept-Encoding",)
        takes = request.accept_encoding
        # Without the header anything would do, says RFC 9110: a client that cannot unpack is meant.
        if not takes or not takes.acceptable_offers(["gzip"]):
            return page
        response.content_encoding = "gzip"
        return gzip.compress(page, mtime=0)
