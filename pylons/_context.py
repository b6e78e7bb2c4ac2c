"""The request in progress, and the proxies through which an action reaches it.

One `contextvars.ContextVar` holds one small object per request. It is set for exactly as long as
code of that request runs: while the application is called, and again for every step of a body that
is made piece by piece. So the names stay right when several requests take turns in one thread,
whether the server gives each its own `contextvars.Context` or not.

WebOb objects are made when first touched: an action that only reads `request.environ` pays for
none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from wsgiref.types import StartResponse, WSGIEnvironment

from routes import URLGenerator

from pylons._http import Request, Response

if TYPE_CHECKING:
    from pylons.configuration import PylonsConfig

__all__ = ["OutsideRequest", "RequestState", "TemplateContext", "current", "current_state"]


class OutsideRequest(RuntimeError):
    """A context-local name was used while no request was being answered in this context."""


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
        "_start_response",
        "_tmpl_context",
        "_url",
        "config",
        "environ",
        "started",
    )

    def __init__(
        self, environ: WSGIEnvironment, start_response: StartResponse, config: PylonsConfig
    ) -> None:
        self.environ = environ
        self.config = config
        self.started = False
        self._start_response = start_response
        self._request: Request | None = None
        self._response: Response | None = None
        self._tmpl_context: TemplateContext | None = None
        self._url: Any = None

    @property
    def request(self) -> Request:
        if self._request is None:
            self._request = Request(self.environ)
        return self._request

    @property
    def response(self) -> Response:
        if self._response is None:
            self._response = Response.from_options(self.config.response_options)
        return self._response

    @property
    def touched_response(self) -> Response | None:
        """The response if the application has asked for it, else None (the defaults hold)."""
        return self._response

    @property
    def tmpl_context(self) -> TemplateContext:
        if self._tmpl_context is None:
            self._tmpl_context = TemplateContext()
        return self._tmpl_context

    @property
    def url(self) -> Any:
        """Routes' URLGenerator for this request; kept out of environ, which it refers to."""
        if self._url is None:
            self._url = URLGenerator(self.config["routes.map"], self.environ)
        return self._url

    def use(self, start_response: StartResponse) -> None:
        """Answer through `start_response` from now on (a controller may wrap the server's)."""
        self._start_response = start_response

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """PEP 3333 `start_response` that remembers that the response has begun."""
        self.started = True
        if exc_info is None:
            return self._start_response(status, headers)
        return self._start_response(status, headers, exc_info)

    def release(self) -> None:
        """Break the cycle environ -> parsed query -> environ that WebOb makes on `request.GET`."""
        if self._request is not None:
            self.environ.pop("webob._parsed_query_vars", None)


current: ContextVar[RequestState] = ContextVar("pylons.request")


def current_state(name: str) -> RequestState:
    """The request in progress, on behalf of `name`. Raises OutsideRequest when there is none."""
    try:
        return current.get()
    except LookupError:
        raise OutsideRequest(
            f"pylons.{name} was used outside a request: use it in code called by an action "
            f"(also between its yields), or hand its value over as an argument"
        ) from None


def _of_environ(key: str, name: str, remedy: str) -> Callable[[], Any]:
    def get() -> Any:
        environ = current_state(name).environ
        try:
            return environ[key]
        except KeyError:
            raise OutsideRequest(
                f"pylons.{name} needs environ[{key!r}], which nothing has set: {remedy}"
            ) from None

    return get


class Proxy:
    """Stands for `find()`'s result of the moment; every operation goes to that object."""

    __slots__ = ("_find", "_name")

    def __init__(self, name: str, find: Callable[[], Any]) -> None:
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_find", find)

    def __getattr__(self, name: str) -> Any:
        try:
            found = self._find()
        except OutsideRequest:
            # Tools that look modules over (inspect, test collectors) ask for __names__ any time.
            if name.startswith("__"):
                raise AttributeError(name) from None
            raise
        return getattr(found, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._find(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._find(), name)

    def __getitem__(self, key: Any) -> Any:
        return self._find()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._find()[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._find()[key]

    def __contains__(self, key: Any) -> bool:
        return key in self._find()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._find())

    def __len__(self) -> int:
        return len(self._find())

    def __bool__(self) -> bool:
        return bool(self._find())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._find()(*args, **kwargs)

    def __dir__(self) -> list[str]:
        try:
            return dir(self._find())
        except OutsideRequest:
            return []

    def __str__(self) -> str:
        return str(self._find())

    def __repr__(self) -> str:
        try:
            return repr(self._find())
        except OutsideRequest:
            return f"<pylons.{self._name}, outside a request>"


class RequestProxy(Proxy):
    """`pylons.request`; its `environ` is had without making a WebOb request."""

    __slots__ = ()

    @property
    def environ(self) -> WSGIEnvironment:
        return current_state("request").environ


request = RequestProxy("request", lambda: current_state("request").request)
response = Proxy("response", lambda: current_state("response").response)
tmpl_context = Proxy("tmpl_context", lambda: current_state("tmpl_context").tmpl_context)
url = Proxy("url", lambda: current_state("url").url)
session = Proxy(
    "session",
    _of_environ("beaker.session", "session", "wrap the application in Beaker's SessionMiddleware"),
)
cache = Proxy(
    "cache",
    _of_environ("beaker.cache", "cache", "wrap the application in Beaker's CacheMiddleware"),
)
