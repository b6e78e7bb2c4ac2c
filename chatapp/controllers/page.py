"""The page."""

from chatapp.lib.base import BaseController
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

    def index(self) -> str:
        """The page; who opens it has an id from now on, so that its first requests agree."""
        self._identify(self._token_identity(request.environ))
        response.headers["Content-Security-Policy"] = POLICY
        c.title = app_globals.hub.options.title
        return render_mako("/index.mako")
