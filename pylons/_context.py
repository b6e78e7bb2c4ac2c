"""The request in progress.

One `contextvars.ContextVar` holds one small object per request. It is set for exactly as long as
code of that request runs: while the application is called, and again for every step of a body that
is made piece by piece. So the names stay right when several requests take turns in one thread,
whether the server gives each its own `contextvars.Context` or not.

WebOb objects are made when first touched: an action that only reads `request.environ` pays for
none.
"""

from __future__ import annotations

from typing import Any, Final
from wsgiref.types import StartResponse, WSGIEnvironment

from beaker.session import SessionObject
from routes import URLGenerator

from pylons._config import PylonsConfig
from pylons._current import current
from pylons._http import Request, Response
from pylons._namespaces import AttribSafeContextObj, ContextObj, PylonsContext
from pylons._restored import restored
from pylons._translations import translations

__all__ = [
    "HeadersFixed",
    "OutsideRequest",
    "Pushed",
    "RequestState",
    "current",
    "current_state",
    "pop",
    "push",
    "pushed_objects",
]


_TRANSLATOR: Final = "pylons.translator"


class OutsideRequest(TypeError):
    """A context-local name was used while no request was being answered in this context.

    A TypeError, as Paste's registry raises it.
    """


class HeadersFixed(RuntimeError):
    """A streaming action's status, headers or session changed too late for them to count."""

    def __init__(self) -> None:
        super().__init__(
            "status, headers, cookies or session of a streaming action changed after its first"
            " yield, but the server has sent the headers, or a middleware (WebOb's get_response,"
            " say) has copied them: change them before the first yield"
        )


class RequestState(PylonsContext):
    """What the glue knows of one request: `self._py_object` of a controller.

    Holds `environ`, which refers to it only while the application is called.
    """

    __slots__ = (
        "_kept",
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
        self._kept: bytes | None = None
        self._tmpl_context: ContextObj | None = None
        self._url: Any = None

    @property
    def request(self) -> Request:
        """The request, made of `environ` when it is first asked for."""
        if self._request is None:
            self._request = Request(self.environ)
        return self._request

    @request.setter
    def request(self, request: Request) -> None:
        self._request = request

    @property
    def response(self) -> Response:
        """The response, made of the defaults when it is first asked for."""
        if self._response is None:
            self._response = self.config.default_response.twin()
            if self._kept is not None:
                self._response.write(self.take())
        return self._response

    @response.setter
    def response(self, response: Response) -> None:
        self._response = response

    def keep(self, body: bytes) -> None:
        """Let the response have this body once somebody asks for it."""
        self._kept = body

    def take(self) -> bytes | None:
        """What is kept: nobody has asked for the response."""
        kept, self._kept = self._kept, None
        return kept

    @property
    def touched_response(self) -> Response | None:
        """The response if the application has asked for it, else None (the defaults hold)."""
        return self._response

    @property
    def tmpl_context(self) -> ContextObj:
        """The namespace of the template, made when it is first asked for."""
        if self._tmpl_context is None:
            strict = self.config.get("pylons.strict_tmpl_context", True)
            self._tmpl_context = ContextObj() if strict else AttribSafeContextObj()
        return self._tmpl_context

    @tmpl_context.setter
    def tmpl_context(self, tmpl_context: ContextObj) -> None:
        self._tmpl_context = tmpl_context

    @property
    def url(self) -> Any:
        """Routes' URLGenerator for this request; kept out of environ, which it refers to."""
        if self._url is None:
            made = self.environ.get("routes.url")  # by RoutesMiddleware
            self._url = made or URLGenerator(self.config["routes.map"], self.environ)
        return self._url

    @url.setter
    def url(self, url: Any) -> None:
        self._url = url

    @property
    def app_globals(self) -> Any:
        """`config['pylons.app_globals']`."""
        return self.config.get("pylons.app_globals")

    @property
    def h(self) -> Any:
        """`config['pylons.h']`, the helpers."""
        return self.config.get("pylons.h")

    @property
    def session(self) -> Any:
        """What a middleware has put into environ. Raises OutsideRequest if none has."""
        key = self._key_of("session")
        try:
            return self.environ[key]
        except KeyError:
            raise OutsideRequest(
                f"pylons.session needs environ[{key!r}], which nothing has set: wrap the"
                f" application in Beaker's SessionMiddleware"
            ) from None

    @property
    def cache(self) -> Any:
        """What a middleware has put into environ, else that of app_globals.

        Raises OutsideRequest if there is none.
        """
        key = self._key_of("cache")
        found = self.environ.get(key)
        if found is None:
            found = getattr(self.app_globals, "cache", None)
        if found is None:
            raise OutsideRequest(
                f"pylons.cache needs environ[{key!r}], which nothing has set: wrap the application"
                f" in Beaker's CacheMiddleware, or give app_globals a `cache`"
            )
        return found

    @property
    def translator(self) -> Any:
        """gettext's translations, at first into the language that the configuration names `lang`.

        Raises LanguageError if there is no catalog of that.
        """
        found = self.environ.get(_TRANSLATOR)
        if found is None:
            found = translations(self.config.get("lang"), self.config)
            self.environ[_TRANSLATOR] = found
        return found

    @translator.setter
    def translator(self, translator: Any) -> None:
        self.environ[_TRANSLATOR] = translator

    def _key_of(self, part: str) -> str:
        keys = self.config.get("pylons.environ_config", {})
        return str(keys.get(part, f"beaker.{part}"))

    def hand_over(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """`start_response` for another application: what is set on `pylons.response` goes along.

        That is its cookies and its X- headers, as in Pylons 1.0.
        """
        response = self._response
        if response is not None:
            added = [
                (name, value)
                for name, value in response.headerlist
                if name.lower() == "set-cookie" or name.lower().startswith("x-")
            ]
            headers = [*headers, *added]
        return self.start(status, headers, exc_info)

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


class Pushed:
    """Stands before the state of the request, or for none, where an object was pushed.

    `objects` has for each name the object pushed last, and those before it.
    """

    __slots__ = ("base", "objects")

    def __init__(self, base: RequestState | None, objects: dict[str, tuple[Any, ...]]) -> None:
        object.__setattr__(self, "base", base)
        object.__setattr__(self, "objects", objects)

    def __getattr__(self, name: str) -> Any:
        stack = self.objects.get(name.removeprefix("_"))
        if stack:
            return stack[-1]
        if self.base is not None:
            return getattr(self.base, name)
        if name.startswith("_"):
            return None  # not made
        raise _outside(name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.base, name, value)


def current_state(name: str) -> RequestState:
    """The request in progress, on behalf of `name`. Raises OutsideRequest when there is none."""
    try:
        return current.get()  # type: ignore[no-any-return]
    except LookupError:
        kept = restored()
    if kept is None:
        raise _outside(name)
    return kept  # type: ignore[no-any-return]


def push(name: str, pushed: Any) -> None:
    """In this context `name` stands for `pushed` from now on; in a request until its step ends."""
    base, objects = _pushed()
    stack = (*objects.get(name, ()), pushed)
    current.set(Pushed(base, {**objects, name: stack}))


def pop(name: str, expected: Any = None) -> None:
    """Undo the last `push`. Raises AssertionError if it was not of `expected`.

    What was pushed in a request is gone with it: then there is nothing to undo for `expected`.
    """
    base, objects = _pushed()
    stack = objects.get(name, ())
    if not stack:
        if expected is None:
            raise AssertionError(f"pylons.{name}: no object has been pushed in this context")
        return
    if expected is not None and stack[-1] is not expected:
        raise AssertionError(f"pylons.{name}: {stack[-1]!r} was pushed last, not {expected!r}")
    current.set(Pushed(base, {**objects, name: stack[:-1]}))


def pushed_objects(name: str) -> list[Any]:
    """What is pushed in this context, the last one last."""
    return list(_pushed()[1].get(name, ()))


def _pushed() -> tuple[RequestState | None, dict[str, tuple[Any, ...]]]:
    state: Any = current.get(None)
    return (state.base, state.objects) if type(state) is Pushed else (state, {})


def _outside(name: str) -> OutsideRequest:
    return OutsideRequest(
        f"pylons.{name} was used outside a request: use it in code called by an action "
        f"(also between its yields), or hand its value over as an argument"
    )
