"""What an application has the server do besides calling it, over its whole life.

    application = register(application, Life(start=open_database, stop=close_database))

It registers while it is made; the server of the process takes all that have, so it does not matter
what middleware stands around them.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol
from wsgiref.types import WSGIEnvironment

__all__ = [
    "Application",
    "Life",
    "LoopIterable",
    "OnLoop",
    "expect_lives",
    "register",
    "served",
    "take_lives",
]

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
"""A WSGI application: called with environ and start_response (PEP 3333)."""
_Hook = Callable[[], Awaitable[None]]


class _Collector(Protocol):
    """A collector of prometheus_client: `collect()` yields metric families."""

    def collect(self) -> Iterable[Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What the server calls for one application; None: nothing. Hooks run on the loop, in the
    order of registration; those of an end, `stopping`, `stop` and `hand_over`, in its reverse.

    `start(environ)`: before the first request is taken; `environ` is what every environ begins
    with, its `wsgi.multiprocess` tells whether there are other processes, and its `cogen.peers` are
    they: what answers and asks over cogen.web.peers. An error ends the start. Background work is
    started in its `cogen.server_group`, a TaskGroup: it is cancelled, and cleans up, before `stop`.
    `stopping()`: no more requests are taken, held ones can still be answered.
    `stop()`: after the last response, of this process and of those that it replaced.
    `hand_over()`: a new process has loaded the application and starts when this has returned, so
    what only one process can have has to be let go of; requests still come. An error keeps the new
    one from starting.
    `take_back()`: it did not start, all is as before. Called also if `hand_over` failed.
    `metrics()`: collectors for `metrics_path`.
    `trim()`: a crowd has gone: let go of what is kept only to be made less often.
    `ready()`: '' or one line that says why requests cannot be answered yet.
    """

    start: Callable[[dict[str, Any]], Awaitable[None]] | None = None
    stopping: _Hook | None = None
    stop: _Hook | None = None
    hand_over: _Hook | None = None
    take_back: _Hook | None = None
    metrics: Callable[[], Iterable[_Collector]] | None = None
    trim: Callable[[], None] | None = None
    ready: Callable[[], str] | None = None


_lives: list[Life] = []
_expected = False


def register(application: Application, life: Life, *, blocks: bool = True) -> Application:
    """Register the `life` of `application`; returns what to serve or mount.

    `blocks=False`: it never blocks, and its code runs on the event loop, wherever it is mounted,
    even if the server runs everything around it in threads.
    """
    _lives.append(life)
    return application if blocks else OnLoop(application)


def take_lives() -> list[Life]:
    """All that registered since the last call: each is served once."""
    taken = _lives.copy()
    _lives.clear()
    return taken


def expect_lives() -> None:
    """A server of this process will take those that register."""
    global _expected
    _expected = True


def served() -> bool:
    """Whether a server of this process takes those that register."""
    return _expected


class OnLoop:
    """The WSGI application whose code runs on the loop: `application` never blocks.

    Called in a thread of the server, it asks `environ['cogen.on_loop']` to call what is not to run
    there.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(
        self, environ: WSGIEnvironment, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        on_loop = environ.get("cogen.on_loop")
        if on_loop is None:
            return self.application(environ, start_response)
        made = on_loop(lambda: self.application(environ, start_response))
        return made if isinstance(made, (list, tuple)) else LoopIterable(made, on_loop)


class LoopIterable:
    """What an application on the loop returned, for who iterates it in a thread.

    `iterable` is what the server takes if this reaches it as it is.
    """

    def __init__(
        self, iterable: Iterable[bytes], on_loop: Callable[[Callable[[], Any]], Any]
    ) -> None:
        self.iterable = iterable
        self._on_loop = on_loop
        self._iterator: Iterator[bytes] | None = None

    def __iter__(self) -> "LoopIterable":
        return self

    def __next__(self) -> bytes:
        chunk = self._on_loop(self._next)
        if chunk is None:
            raise StopIteration
        result: bytes = chunk
        return result

    def _next(self) -> bytes | None:
        if self._iterator is None:
            self._iterator = iter(self.iterable)
        return next(self._iterator, None)

    def close(self) -> None:
        """PEP 3333: called by who iterated, in the thread."""
        close = getattr(self.iterable, "close", None)
        if close is not None:
            self._on_loop(close)
