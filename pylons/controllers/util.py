"""What actions call: to stop with a status, to go elsewhere, to name a URL, to hand over."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NoReturn
from urllib.parse import quote
from wsgiref.types import WSGIApplication

from webob.exc import status_map

from pylons._context import current_state
from pylons._http import Request, Response

__all__ = [
    "Request",
    "Response",
    "abort",
    "etag_cache",
    "forward",
    "redirect",
    "redirect_to",
    "url_for",
]


_SAFE: Final = "".join(map(chr, range(33, 127)))


def abort(
    status_code: int, detail: str = "", headers: Any = None, comment: str | None = None
) -> NoReturn:
    """Stop the action and answer `status_code` with `detail` as the readable line.

    In a streaming action this counts until the first non-empty chunk. `headers` is a mapping or a
    list of pairs. Raises the HTTPException; ValueError for a status WebOb does not know.
    """
    try:
        kind = status_map[status_code]
    except KeyError:
        raise ValueError(f"abort: {status_code!r} is no HTTP status of webob.exc") from None
    pairs = list(headers.items()) if hasattr(headers, "items") else headers
    raise kind(detail=detail or None, headers=pairs, comment=comment)


def redirect(url: str, code: int = 302) -> NoReturn:
    """Stop the action and send the client to `url` with the status `code` (3xx).

    What a URL cannot have, as letters that are not ASCII, blanks and control characters, is sent as
    quoted UTF-8 (RFC 3987 3.1). Raises TypeError for None, ValueError for another status.
    """
    if url is None:
        raise TypeError("redirect: the URL is None")
    if not 300 <= code < 400:
        raise ValueError(f"redirect: {code} is no redirection, use 301, 302, 303, 307 or 308")
    raise status_map[code](location=quote(str(url), safe=_SAFE))


def redirect_to(*args: Any, **kwargs: Any) -> NoReturn:
    """`redirect(url_for(...))`; the status may be given as `_code`."""
    code = kwargs.pop("_code", 302)
    redirect(url_for(*args, **kwargs), code)


def url_for(*args: Any, **kwargs: Any) -> str:
    """The URL of a route: `url_for('name', id=1)` or `url_for(controller='blog', action='view')`.

    Unless the mapper is `explicit`, what is not given is taken from the route of this request, as
    Routes' function of this name does (which keeps the request in a thread-local, so it is not
    used here). Raises routes.util.GenerationException when no route fits.
    """
    url = current_state("controllers.util.url_for").url
    if not args and not url.mapper.explicit:
        kwargs["_use_current"] = True
    return str(url(*args, **kwargs))


def etag_cache(key: Any = None) -> None:
    """Set the ETag of the response to `key`; answer 304 if the client already has that."""
    state = current_state("controllers.util.etag_cache")
    headers = state.response.headers
    headers["ETag"] = f'"{key}"'
    if str(key) in state.request.if_none_match:
        for name in ("Content-Type", "Cache-Control", "Pragma"):
            headers.pop(name, None)
        raise status_map[304](headers=[("ETag", headers["ETag"])])


def forward(wsgi_app: WSGIApplication) -> Iterable[bytes]:
    """Let `wsgi_app` answer this request; an action returns what this returns.

    The application sees a copy of environ without the route, so it may be a PylonsApp itself. The
    cookies and X- headers set on `pylons.response` are added to what it answers.
    """
    state = current_state("controllers.util.forward")
    environ = dict(state.environ)
    environ.pop("wsgiorg.routing_args", None)
    environ.pop("pylons.routes_dict", None)
    return wsgi_app(environ, state.hand_over)
