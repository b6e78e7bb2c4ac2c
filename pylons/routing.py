"""From a request to a route: Routes' mapper, asked directly, and what it has answered before.

Routes' own middleware builds a WebOb request and a URL generator for every request; here a match is
one call of the mapper at most, and everything else happens only when there is no match.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary
from wsgiref.types import WSGIEnvironment

from routes import Mapper, URLGenerator
from webob.exc import HTTPBadRequest, HTTPException, HTTPMethodNotAllowed, HTTPNotFound, status_map

__all__ = ["decoded_path", "decoded_values", "find_route", "match_route", "redirection"]


def match_route(mapper: Mapper, environ: WSGIEnvironment) -> dict[str, Any]:
    """The values of the route of this request, also put at `environ['wsgiorg.routing_args']`.

    Raises the HTTPException that answers the request when there is none to dispatch to:
    HTTPNotFound, HTTPMethodNotAllowed with `Allow` when the path has a route for other methods,
    HTTPBadRequest for a path that is not UTF-8, or a redirect route's redirection.
    """
    path = decoded_path(environ)
    found = find_route(mapper, path, environ)
    if found is None:
        found = _other_method(mapper, path, environ)
    values: dict[str, Any] = found[0]
    environ["wsgiorg.routing_args"] = ((), values)
    if found[1].redirect:
        raise redirection(mapper, found[1], values, environ)
    return values


# Matches remembered for a mapper, of paths up to this length: a stranger may ask for any.
_KEPT = 500
_KEPT_LENGTH = 128


class _Matches(dict[tuple[str, str], Any]):
    """What `mapper` found for methods and paths, while it has `routes` routes.

    `decided`: by method and path alone, not by a condition's function nor by the sub-domain.
    """

    def __init__(self, mapper: Mapper) -> None:
        self.routes = len(mapper.matchlist)
        conditions = [route.conditions or {} for route in mapper.matchlist]
        self.decided = not mapper.sub_domains and all(
            condition.keys() <= {"method"} for condition in conditions
        )


_matches: WeakKeyDictionary[Mapper, _Matches] = WeakKeyDictionary()


def find_route(mapper: Mapper, path: str, environ: WSGIEnvironment) -> Any:
    """`mapper.routematch`, looked up where it has answered the same before: values and route."""
    known = _matches.get(mapper)
    if known is None or known.routes != len(mapper.matchlist):
        known = _matches[mapper] = _Matches(mapper)
    if not known.decided:
        return mapper.routematch(path, environ)
    key = (environ["REQUEST_METHOD"], path)
    found = known.get(key)
    if found is None:
        found = mapper.routematch(path, environ)
        if found is None:
            return None
        if len(path) + len(key[0]) <= _KEPT_LENGTH:
            if len(known) >= _KEPT:
                known.clear()
            known[key] = found
    return dict(found[0]), found[1]


def decoded_path(environ: WSGIEnvironment) -> str:
    """The path as text. Raises HTTPBadRequest if it is not UTF-8."""
    path: str = environ.get("PATH_INFO") or "/"
    return path if path.isascii() else _decoded(path)


def decoded_values(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What Routes' own middleware has found, as text. Raises HTTPBadRequest for what is not UTF-8.

    It takes the path as it stands in environ. What the route itself says, `defaults`, is text.
    """
    return {
        name: _decoded(value)
        if isinstance(value, str) and not value.isascii() and value != defaults.get(name)
        else value
        for name, value in values.items()
    }


def _decoded(path: str) -> str:
    """PEP 3333 hands over the bytes of the path as latin-1 characters."""
    try:
        return path.encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise HTTPBadRequest(detail="The path of the URL is not UTF-8.") from None


def _other_method(mapper: Mapper, path: str, environ: WSGIEnvironment) -> Any:
    """No route fits: HEAD is answered as GET (RFC 9110 9.3.2), else raise the right error."""
    methods = {
        method
        for route in mapper.matchlist
        for method in (route.conditions or {}).get("method", ())
    }
    routes = {
        method: mapper.routematch(path, {**environ, "REQUEST_METHOD": method}) for method in methods
    }
    allowed = {method for method, found in routes.items() if found is not None}
    if not allowed:
        raise HTTPNotFound()
    if "GET" in allowed:
        if environ["REQUEST_METHOD"] == "HEAD":
            return routes["GET"]
        allowed.add("HEAD")
    raise HTTPMethodNotAllowed(headers=[("Allow", ", ".join(sorted(allowed)))])


def redirection(
    mapper: Mapper, route: Any, values: Mapping[str, Any], environ: WSGIEnvironment
) -> HTTPException:
    """The answer of a route that redirects."""
    location = URLGenerator(mapper, environ)(f"_redirect_{id(route)}", **values)
    return status_map[int(route.redirect_status[:3])](location=location)
