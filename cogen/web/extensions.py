"""The environ extensions by which a WSGI application waits.

    yield environ['cogen.call'](queue.get)(timeout=10)
    message = environ['cogen.wsgi'].result

Naming an operation returns the empty chunk to yield. The chunk travels through the middleware to
the server, which performs the operation and only then asks for the next chunk. The objects here
know nothing of connections; the exchange looks into them.
"""

import functools
import types
from collections.abc import Callable, Iterable
from typing import Any

import cogen.core
from cogen.core.events import Operation
from cogen.web.http.errors import LostOperation
from cogen.web.http.response import trailer_section

__all__ = ["Core", "Wsgi"]


class Wsgi:
    """environ['cogen.wsgi']: what was named last and what came of it.

    `result`: the value, or the exception instance; `exception`: its exc_info, or None;
    `operation`: what was named last; `content_length`: of the request body, None if unknown;
    `trailer`: what comes behind the last chunk, as bytes.
    """

    __slots__ = (
        "_function",
        "content_length",
        "exception",
        "final",
        "named",
        "operation",
        "pending",
        "result",
        "trailer",
    )

    def __init__(self, content_length: int | None) -> None:
        self.result: Any = None
        self.exception: (
            tuple[type[BaseException], BaseException, types.TracebackType | None] | None
        ) = None
        self.operation: Any = None
        self.content_length = content_length
        self.pending = False
        self.named = False  # there was a wait
        self.final: bytes | None = None
        self.trailer = b""
        self._function: Callable[..., Any] | None = None  # returned the operation

    def call(self, function: Callable[..., Any]) -> Callable[..., bytes]:
        """environ['cogen.call']: `call(f)(*args, **kwargs)` names what f returns.

        That may be an operation, a coroutine, an asyncio awaitable, or a plain value, which is
        then the result. What f raises is raised at once.
        """
        return functools.partial(self._name, function)

    def _name(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> bytes:
        chunk = self.name(function(*args, **kwargs))
        self._function = function
        return chunk

    def name(self, operation: Any) -> bytes:
        """environ['cogen.yield']: name `operation` as the next to perform.

        Returns the chunk to yield.

        Raises LostOperation if the one before has not been performed.
        """
        if self.pending:
            raise LostOperation(
                f"{operation!r} was named while {self._named()} still waits to be performed: "
                "yield the empty chunk of each before naming the next. If the application does, "
                "a middleware between it and the server swallows empty chunks: it must pass each "
                "block on as it comes (PEP 3333)"
            )
        self.operation = operation
        self._function = None
        self.pending = self.named = True
        return b""

    def last(self, chunk: bytes) -> bytes:
        """The last `chunk` of the response, to yield: `yield environ['cogen.wsgi'].last(chunk)`.

        If it is the first as well, it leaves in one write with its length in the head.
        """
        self.final = chunk
        return chunk

    def trailers(self, headers: Iterable[tuple[str, str]]) -> None:
        """Have `headers` sent behind the last chunk (RFC 9110 section 6.5).

        To be called before the iteration ends; a second call replaces the first. They are sent
        where the response is chunked and the client takes them (`TE: trailers`), else left out.
        Raises ValueError or TypeError for what no trailer can be.
        """
        self.trailer = trailer_section(list(headers))

    def succeeded(self, value: Any) -> None:
        """What was named has the result `value`."""
        self.result = value
        self.exception = None

    def failed(self, error: BaseException) -> None:
        """What was named raised `error`."""
        self.result = error
        self.exception = (type(error), error, error.__traceback__)

    def lost(self, how: str) -> LostOperation:
        """The error for an operation whose empty chunk did not come: `how` says what came."""
        return LostOperation(
            f"{self._named()} was named, but {how} instead of its empty chunk. Yield what "
            "naming an operation returns. If the application does, a middleware between it and "
            "the server swallows or joins chunks: it must pass each block on as it comes "
            "(PEP 3333)"
        )

    def ended(self) -> None:
        """Let go of what was named and of its outcome: a traceback leads back to the request."""
        self.exception = self.result = self.operation = self._function = None

    def _named(self) -> str:
        """What was named last; of a plain value it says little without where it came from."""
        if self._function is None or isinstance(self.operation, Operation):
            return repr(self.operation)
        name = getattr(self._function, "__qualname__", repr(self._function))
        return f"{self.operation!r}, which {name}() returned,"


class Core:
    """environ['cogen.core']: the package `cogen.core`, whose operations are named when called."""

    __slots__ = ("_module", "_wsgi")

    def __init__(self, wsgi: Wsgi, module: types.ModuleType = cogen.core) -> None:
        self._wsgi = wsgi
        self._module = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        if isinstance(value, types.ModuleType):
            return Core(self._wsgi, value)
        if isinstance(value, type) and issubclass(value, Operation):
            return self._wsgi.call(value)
        return value

    def __repr__(self) -> str:
        return f"<{self._module.__name__} for environ['cogen.core']>"
