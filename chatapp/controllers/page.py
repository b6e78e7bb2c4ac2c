"""The page."""

from typing import Any

import orjson

from chatapp.lib.base import BaseController
from chatapp.lib.waiting import Steps
from chatapp.lib.wire import BadInput
from pylons import app_globals, request, response
from pylons import tmpl_context as c
from pylons.templating import render_mako

__all__ = ["PageController"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class PageController(BaseController):
    """GET /"""

    def index(self) -> str | Steps:
        """The page; who opens it has an id from now on, so that its first requests agree."""
        environ = request.environ
        if "cogen.wsgi" in environ and self._is_new(environ):
            return self._first(environ)
        self._identify(environ)
        return self._page()

    def _first(self, environ: dict[str, Any]) -> Steps:
        """For somebody new; without an id if there are too many of those."""
        try:
            yield from self._charge(environ, "address_sessions")
        except BadInput:
            pass  # the page itself costs nothing; its first request is told
        else:
            self._identify(environ)
        yield environ["cogen.wsgi"].last(self._page().encode())

    def _page(self) -> str:
        response.headers["Content-Security-Policy"] = POLICY
        hub = app_globals.hub
        c.title = hub.options.title
        c.base = request.script_name
        c.version = hub.about["version"]
        c.limits = orjson.dumps(hub.about["limits"]).decode()
        return render_mako("/index.mako")
