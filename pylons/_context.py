"""The request in progress.

One `contextvars.ContextVar` holds one small object per request. It is set for exactly as long as
code of that request runs: while the application is called, and again for every step of a body that
is made piece by piece. So the names stay right when several requests take turns in one thread,
whether the server gives each its own `contextvars.Context` or not.

WebOb objects are made when first touched: an action that only reads `request.environ` pays for
none.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from beaker.session import SessionObject
from routes import URLGenerator

from pylons._config import PylonsConfig
from pylons._http import Request, Response

__all__ = [
    "HeadersFixed",
    "OutsideRequest",
    "RequestState",
    "TemplateContext",
    "current",
    "current_state",
]


class OutsideRequest(RuntimeError):
    """A context-local name was used while no request was being answered in this context."""


class HeadersFixed(RuntimeError):
    """A streaming action's status, headers or session changed too late for them to count."""

    def __init__(self) -> None:
        super().__init__(
            "status, headers, cookies or session of a streaming action changed after its first"
            " yield, but the server has sent the headers, or a middleware (WebOb's get_response,"
            " say) has copied them: change them before the first yield"
        )


class TemplateContext:
    """An empty namespace: what an action sets here, its template sees as `c.name`."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"tmpl_context has no {name!r}: the action has to set c.{name} before it renders"
        )


class RequestState:
    """What the glue knows of one request. Holds `environ`, never the other way round (no cycle)."""

    __slots__ = (
        "_request",
        "_response",
        "_tmpl_context",
        "_url",
        "config",
        "environ",
        "start_response",
        "started",
    )

    def __init__(
        self, environ: WSGIEnvironment, start_response: StartResponse, config: PylonsConfig
    ) -> None:
        self.environ = environ
        self.config = config
        self.started = False
        # What answers; a controller may be called with another than the application was.
        self.start_response = start_response
        self._request: Request | None = None
        self._response: Response | None = None
        self._tmpl_context: TemplateContext | None = None
        self._url: Any = None

    @property
    def request(self) -> Request:
        """The request, made of `environ` when it is first asked for."""
        if self._request is None:
            self._request = Request(self.environ)
        return self._request

    @property
    def response(self) -> Response:
        """The response, made of the defaults when it is first asked for."""
        if self._response is None:
            self._response = self.config.default_response.twin()
        return self._response

    @property
    def touched_response(self) -> Response | None:
        """The response if the application has asked for it, else None (the defaults hold)."""
        return self._response

    @property
    def tmpl_context(self) -> TemplateContext:
        """The namespace of the template, made when it is first asked for."""
        if self._tmpl_context is None:
            self._tmpl_context = TemplateContext()
        return self._tmpl_context

    @property
    def url(self) -> Any:
        """Routes' URLGenerator for this request; kept out of environ, which it refers to."""
        if self._url is None:
            self._url = URLGenerator(self.config["routes.map"], self.environ)
        return self._url

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """PEP 3333 `start_response`, which may be called again until content is sent."""
        if self.started and exc_info is None:
            exc_info = (HeadersFixed, HeadersFixed(), None)
        self.started = True
        if exc_info is None:
            return self.start_response(status, headers)
        return self.start_response(status, headers, exc_info)

    def release(self) -> None:
        """The answer is complete: break the cycles through environ that libraries have made.

        WebOb's is environ -> parsed query -> environ, on `request.GET`; Beaker's, on every request,
        environ -> session -> environ. A session that is first read after this finds its cookie.
        """
        environ = self.environ
        if self._request is not None:
            environ.pop("webob._parsed_query_vars", None)
        session = environ.get("beaker.session")
        if isinstance(session, SessionObject):
            cookie = environ.get("HTTP_COOKIE")
            session.__dict__["_environ"] = {} if cookie is None else {"HTTP_COOKIE": cookie}


current: ContextVar[RequestState] = ContextVar("pylons.request")
"""The request whose code is running."""


def current_state(name: str) -> RequestState:
    """The request in progress, on behalf of `name`. Raises OutsideRequest when there is none."""
    try:
        return current.get()
    except LookupError:
        raise OutsideRequest(
            f"pylons.{name} was used outside a request: use it in code called by an action "
            f"(also between its yields), or hand its value over as an argument"
        ) from None
