"""The request and response classes an action sees: WebOb's, with the configured defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

import webob
from webob.exc import HTTPBadRequest, HTTPUnsupportedMediaType
from webob.multidict import GetDict

from pylons._current import current
from pylons._forms import read_form
from pylons._signed import sign, unsign

__all__ = ["NoJSON", "Request", "Response"]


def _path(key: str, webobs: Any) -> property:
    """WebOb's property of a path; bytes that are not UTF-8 become U+FFFD, as in the query."""

    def get(request: Any) -> str:
        return _replaced(request.environ[key])

    return property(get, webobs.fset, webobs.fdel, webobs.__doc__)


class NoJSON(HTTPBadRequest, ValueError):  # type: ignore[misc]
    """The body of a request is no JSON."""


class Request(webob.Request):  # type: ignore[misc]
    """`webob.Request`; its `urlvars` are the values of the route."""

    path_info = _path("PATH_INFO", webob.Request.path_info)
    script_name = _path("SCRIPT_NAME", webob.Request.script_name)

    @property
    def language(self) -> str:
        """What the application is written in, of its `pylons.request_options`; else 'en-us'."""
        state = current.get(None)
        options = {} if state is None else state.config.get("pylons.request_options", {})
        return str(options.get("language", "en-us"))

    @property
    def languages(self) -> list[str]:
        """What the client takes, the best first, up to `language` (RFC 9110 12.5.4)."""
        own = self.language
        accepted = sorted(self.accept_language.parsed or (), key=lambda each: -each[1])
        found: list[str] = []
        for tag, quality in accepted:
            if tag == "*" or f"{own}-".lower().startswith(f"{tag}-".lower()):
                break
            if quality:
                found.append(tag)
        return [*found, own]

    @property
    def GET(self) -> Any:
        """The query; bytes that are not UTF-8 become U+FFFD, where WebOb raises an error."""
        try:
            return webob.Request.GET.fget(self)
        except UnicodeDecodeError:
            query = self.environ["QUERY_STRING"]
            pairs = [
                (_replaced(name), _replaced(value))
                for name, value in parse_qsl(query, keep_blank_values=True, encoding="latin-1")
            ]
            values = GetDict(pairs, self.environ)
            self.environ["webob._parsed_query_vars"] = (values, query)
            return values

    @property
    def POST(self) -> Any:
        """The form that was sent; bytes that are not UTF-8 become U+FFFD.

        Raises HTTPBadRequest for what is no form though its Content-Type says so,
        HTTPUnsupportedMediaType for one in another charset, and HTTPRequestEntityTooLarge for one
        with too many fields or files.
        """
        try:
            read_form(self)
            return webob.Request.POST.fget(self)
        except DeprecationWarning:  # raised as an exception
            raise HTTPUnsupportedMediaType(detail="A form is sent in UTF-8.") from None
        except (ValueError, LookupError, RecursionError) as error:
            raise HTTPBadRequest(detail=f"The form cannot be read: {error}") from None

    @property
    def json_body(self) -> Any:
        """The body as JSON. Raises NoJSON, a ValueError that is a 400 where nobody handles it."""
        try:
            return webob.Request.json_body.fget(self)
        except (ValueError, LookupError, RecursionError) as error:
            raise NoJSON(f"The body is no JSON: {error}") from None

    @json_body.setter
    def json_body(self, value: Any) -> None:
        webob.Request.json_body.fset(self, value)

    json = json_body

    @property
    def config(self) -> Any:
        """The configuration of the application that answers."""
        return _state().config

    @property
    def tmpl_context(self) -> Any:
        """What `pylons.tmpl_context` stands for."""
        return _state().tmpl_context

    @property
    def session(self) -> Any:
        """What `pylons.session` stands for. Raises AttributeError if there is none."""
        try:
            return _state().session
        except TypeError as error:
            raise AttributeError(str(error)) from None

    @property
    def route_dict(self) -> Any:
        """The values of the route."""
        return self.environ["pylons.routes_dict"]

    @property
    def link(self) -> Any:
        """What `pylons.url` stands for."""
        return _state().url

    def determine_browser_charset(self) -> Any:
        """`accept_charset`, by its name of Pylons 0.9."""
        return self.accept_charset

    def match_accept(self, mimetypes: Sequence[str]) -> str | None:
        """The first of `mimetypes` that the client takes (RFC 9110 12.5.1), or None."""
        return next((each for each in mimetypes if self.accept.acceptable_offers([each])), None)

    def signed_cookie(self, name: str, secret: str | bytes) -> Any:
        """The value that `Response.signed_cookie` has put into this cookie, else None."""
        cookie = self.cookies.get(name)
        return None if cookie is None else unsign(cookie, secret)


def _replaced(text: str) -> str:
    """Bytes, as latin-1 characters, read as UTF-8."""
    return text.encode("latin-1").decode("utf-8", "replace")


def _state() -> Any:
    try:
        return current.get()
    except LookupError:
        raise AttributeError("this is there while the request is being answered") from None


# The header that a content type becomes; few are ever used.
_CONTENT_TYPES: Final[dict[str, tuple[str, str]]] = {}
_MOST_CONTENT_TYPES: Final = 100


class Response(webob.Response):  # type: ignore[misc]
    """`webob.Response` made from the `pylons.response_options` of the configuration."""

    default_charset = "utf-8"

    def _set_content_type(self, content_type: str) -> None:
        """As WebOb does it, which takes it ten times as long."""
        headers = self._headerlist
        if not headers or headers[0][0] != "Content-Type":
            webob.Response.content_type.fset(self, content_type)
            return
        header = _CONTENT_TYPES.get(content_type)
        if header is not None:
            del headers[0]
            headers.append(header)
            return
        webob.Response.content_type.fset(self, content_type)
        if len(_CONTENT_TYPES) < _MOST_CONTENT_TYPES:
            _CONTENT_TYPES[content_type] = headers[-1]

    content_type = property(
        webob.Response.content_type.fget, _set_content_type, webob.Response.content_type.fdel
    )

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Response:
        """A response with `options` (`content_type`, `charset`, `headers`) and no length yet."""
        response = cls(content_type=options["content_type"], charset=options["charset"])
        response.headers.update(options["headers"])
        # WebOb starts with `Content-Length: 0`, which a streaming action would then have to undo.
        response.content_length = None
        return response

    def twin(self) -> Response:
        """A response like this one, which nobody has touched, at a twentieth of its price."""
        twin = Response.__new__(Response)
        twin.__dict__.update(self.__dict__)
        twin._headers = None
        twin._headerlist = list(self._headerlist)
        twin._app_iter = list(self._app_iter)
        return twin

    content = webob.Response.body
    """`body`, by its name of Pylons 0.9."""

    def determine_charset(self) -> str | None:
        """`charset`, by its name of Pylons 0.9."""
        charset: str | None = self.charset
        return charset

    def has_header(self, header: str) -> bool:
        """Whether there is a header of that name."""
        return header in self.headers

    def get_content(self) -> bytes:
        """`body`, by its name of Pylons 0.9."""
        body: bytes = self.body
        return body

    def wsgi_response(self) -> tuple[str, Any, bytes]:
        """Status, headers and body."""
        return self.status, self.headers, self.body

    def signed_cookie(self, name: str, data: Any, secret: str | bytes, **kwargs: Any) -> None:
        """Set a cookie that the client can read and not change; `kwargs` are of `set_cookie`.

        `data` is pickled: whoever knows `secret` can run code here.
        """
        self.set_cookie(name, sign(data, secret), **kwargs)
