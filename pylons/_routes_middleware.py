"""`RoutesMiddleware`: the route is found before other middleware does its work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from routes import Mapper, URLGenerator
from webob.exc import HTTPBadRequest, HTTPException

from pylons._http import Request
from pylons.routing import decoded_path, find_route, redirection

__all__ = ["RoutesMiddleware"]

_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_METHOD: Final = "_method"


class RoutesMiddleware:
    """Finds the route, and lets a form name its method.

    The values of the route are at `environ['wsgiorg.routing_args']`, the route at
    `environ['routes.route']`, and what makes URLs at `environ['routes.url']`. Where there is no
    route it is left to the application to say so: PylonsApp answers 404, 405, or HEAD as GET.

    A POST finds the route of the method that the field `_method` of its query or its form names;
    the application still sees a POST. A form that cannot be read is a 400 (415 for another charset
    than UTF-8), and so is a path that is not UTF-8.
    """

    def __init__(
        self,
        wsgi_app: WSGIApplication,
        mapper: Mapper,
        use_method_override: bool = True,
        path_info: bool = True,
        singleton: bool = False,
    ) -> None:
        """As routes.middleware.RoutesMiddleware takes them.

        `use_method_override`: `_method` counts. `path_info`: a route's value of that name is the
        PATH_INFO of the application, the path before it its SCRIPT_NAME. `singleton` does nothing:
        Routes would keep the request in a thread-local.
        """
        self.app = wsgi_app
        self.mapper = mapper
        self.use_method_override = use_method_override
        self.path_info = path_info

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            values, route = self._find(environ)
        except HTTPException as refused:
            answer: Iterable[bytes] = refused(environ, start_response)
            return answer
        if values is None:
            environ.pop("wsgiorg.routing_args", None)  # an outer one's
        else:
            environ["wsgiorg.routing_args"] = ((), values)
            if self.path_info and "path_info" in values:
                _go_below(environ, values["path_info"] or "")
        environ["routes.route"] = route
        environ["routes.url"] = URLGenerator(self.mapper, environ)
        return self.app(environ, start_response)

    def _find(self, environ: WSGIEnvironment) -> tuple[dict[str, Any] | None, Any]:
        """Values and route, or None twice. Raises HTTPException."""
        path = decoded_path(environ)
        method = self._method(environ) if self.use_method_override else None
        asked = {**environ, "REQUEST_METHOD": method} if method else environ
        found = find_route(self.mapper, path, asked)
        if found is None:
            # What a form wants of another method is not done by the route of POST.
            return ({} if method else None), None
        if found[1].redirect:
            raise redirection(self.mapper, found[1], found[0], environ)
        return found[0], found[1]

    def _method(self, environ: WSGIEnvironment) -> str | None:
        """What the field `_method` says, if there is one. Raises HTTPException."""
        if environ["REQUEST_METHOD"] != "POST":
            return None
        request = Request(environ)
        kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        method = None
        if _METHOD in environ.get("QUERY_STRING", ""):
            method = request.GET.get(_METHOD)
        if method is None and kind in _FORMS:
            method = request.POST.get(_METHOD)
        if method is not None and not isinstance(method, str):
            raise HTTPBadRequest(detail=f"The field {_METHOD} is a text, and no file.")
        return method and method.upper()


def _go_below(environ: WSGIEnvironment, below: str) -> None:
    """Let the application be where the path before `below` ends."""
    path = environ["PATH_INFO"]
    rest = below.encode().decode("latin-1")
    environ["SCRIPT_NAME"] += path.removesuffix(f"/{rest}")
    environ["PATH_INFO"] = rest if rest.startswith("/") else f"/{rest}"
