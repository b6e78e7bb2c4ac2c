"""Error documents: one readable line, in the form that the client accepts."""

from wsgiref.types import WSGIEnvironment

from webob.exc import status_map

from chatapp.lib.base import BaseController
from chatapp.lib.wire import WENT_WRONG, BadInput, accepts_json
from pylons import request, response
from pylons import tmpl_context as c

__all__ = ["ErrorController"]

_LINES = {
    400: "The path of the URL is not UTF-8.",  # pylons.routing; what the chat refuses has its line
    404: "There is nothing here.",
    405: "This method cannot be used here.",
    500: WENT_WRONG,
}


class ErrorController(BaseController):
    """Called by StatusCodeRedirect for a response whose status is an error."""

    def __before__(self, environ: WSGIEnvironment) -> None:
        """No check of the origin: the request was refused already."""

    def document(self) -> bytes | str:
        """The page of an error, or its JSON object where the client accepts that."""
        original = request.environ.get("pylons.original_response")
        code = original.status_int if original is not None else 404
        told = request.environ.get("chatapp.error")
        bad = told or BadInput(code, _LINES.get(code) or status_map[code].title)
        if accepts_json(request.environ):
            response.content_type = "application/json"
            return bad.json
        if "text/html" in request.environ.get("HTTP_ACCEPT", ""):
            c.code, c.message, c.login = code, bad.line, bad.login or ""
            c.passkeys = code == 401 and self._passkeys is not None
            return self._page("/error.mako")
        response.content_type = "text/plain"
        return f"{bad.line}\n"
