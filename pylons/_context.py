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
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar
from wsgiref.types import StartResponse, WSGIEnvironment

from routes import URLGenerator

from pylons._http import Request, Response

if TYPE_CHECKING:
    from pylons.configuration import PylonsConfig

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
        """PEP 3333 `start_response`, which may be called again until content is sent."""
        if self.started and exc_info is None:
            exc_info = (HeadersFixed, HeadersFixed(), None)
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
    """Stands for what `_find` returns at the moment; every operation goes to that object.

    `__getattribute__`, not `__getattr__`: the failed look-up before the latter costs five times the
    rest. Special methods are looked up on the type, so they are written out.
    """

    __slots__ = ()
    _name: ClassVar[str]
    _find: ClassVar[Callable[[], Any]]

    def __getattribute__(self, name: str) -> Any:
        try:
            found = type(self)._find()
        except OutsideRequest:
            # Tools that look modules over (inspect, test collectors) ask for __names__ any time.
            if name.startswith("__"):
                return object.__getattribute__(self, name)
            raise
        return getattr(found, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(type(self)._find(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(type(self)._find(), name)

    def __getitem__(self, key: Any) -> Any:
        return type(self)._find()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        type(self)._find()[key] = value

    def __delitem__(self, key: Any) -> None:
        del type(self)._find()[key]

    def __contains__(self, key: Any) -> bool:
        return key in type(self)._find()

    def __iter__(self) -> Iterator[Any]:
        return iter(type(self)._find())

    def __len__(self) -> int:
        return len(type(self)._find())

    def __bool__(self) -> bool:
        return bool(type(self)._find())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return type(self)._find()(*args, **kwargs)

    def __dir__(self) -> list[str]:
        try:
            return dir(type(self)._find())
        except OutsideRequest:
            return []

    def __str__(self) -> str:
        return str(type(self)._find())

    def __repr__(self) -> str:
        try:
            return repr(type(self)._find())
        except OutsideRequest:
            return f"<pylons.{type(self)._name}, outside a request>"


def proxy(name: str, find: Callable[[], Any]) -> Proxy:
    """A proxy for the result of `find`, which raises OutsideRequest if there is none."""
    namespace = {"__slots__": (), "_name": name, "_find": staticmethod(find)}
    made: Proxy = type(f"{name}_proxy", (Proxy,), namespace)()
    return made


def _state_proxy(name: str, at_hand: frozenset[str] = frozenset()) -> Proxy:
    """A proxy for a part of RequestState: 0.1 us an attribute once the part is made.

    `at_hand` are attributes that the state has too, so that reading them does not make the part.
    """
    peek = attrgetter("_" + name)

    class StateProxy(Proxy):
        __slots__ = ()
        _name = name

        @staticmethod
        def _find() -> Any:
            return getattr(current_state(name), name)

        def __getattribute__(self, attribute: str) -> Any:
            state = current.get(None)
            if state is not None:
                found = peek(state)
                if found is not None:
                    return getattr(found, attribute)
                if attribute in at_hand:
                    return getattr(state, attribute)
            return super().__getattribute__(attribute)

    return StateProxy()


request = _state_proxy("request", at_hand=frozenset({"environ"}))
response = _state_proxy("response")
tmpl_context = _state_proxy("tmpl_context")
url = _state_proxy("url")
session = proxy(
    "session",
    _of_environ("beaker.session", "session", "wrap the application in Beaker's SessionMiddleware"),
)
cache = proxy(
    "cache",
    _of_environ("beaker.cache", "cache", "wrap the application in Beaker's CacheMiddleware"),
)
