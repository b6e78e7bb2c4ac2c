"""What the server answers itself: to Prometheus, and to who asks whether it is well."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final
from wsgiref.types import WSGIEnvironment

from cogen.core.dump import Dump
from cogen.core.threads import RunInThread
from cogen.web.connections.shared import Shared
from cogen.web.life import Application, Life
from cogen.web.observers.stalls import Stalls
from cogen.web.options import OptionError, Options
from cogen.web.peers import Peers

if TYPE_CHECKING:
    from cogen.web.observers.scrape import Scrape

__all__ = ["Endpoints", "wants_endpoints"]

_READING: Final = ("GET", "HEAD")
# HAProxy asks by OPTIONS unless it is told otherwise.
_ASKING: Final = (*_READING, "OPTIONS")

_PATHS: Final = ("metrics_path", "health_path", "ready_path", "dump_path")


def wants_endpoints(options: Options) -> bool:
    """Whether one of the paths is given."""
    return any(getattr(options, name) for name in _PATHS)


class Endpoints:
    """A WSGI application for `metrics_path`, `health_path`, `ready_path` and `dump_path`, on the
    loop.

    Another method than each takes is answered 405. Health: 200 `ok`, or 503 `stopping` while the
    server stops. Ready: the same, and 503 with what one of `lives` lacks. Dump: what the process is
    at, as SIGUSR2 has the log told; 503 while that is told already. What `shared` observes
    for it, it is told. Raises OptionError where two have one path, or there is a `metrics_path` and
    no prometheus_client.
    """

    def __init__(
        self,
        shared: Shared,
        lives: Sequence[Life],
        peers: Peers,
        stalls: Stalls,
        dump: Dump,
    ) -> None:
        self._shared = shared
        self._lives = lives
        self._dump = dump
        options = shared.options
        _check_paths(options)
        self._answers: dict[str, Application] = {
            options.health_path: self._health,
            options.ready_path: self._ready,
            options.dump_path: self._told,
        }
        self._answers.pop("", None)
        if options.metrics_path:
            scrape = _scrape(shared, lives, peers, stalls)
            self._answers[options.metrics_path] = scrape
            shared.when_begun.append(scrape.metrics.began)
        shared.own = dict.fromkeys(self._answers, self)

    def __call__(
        self, environ: WSGIEnvironment, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        options = self._shared.options
        methods = _READING if path in (options.metrics_path, options.dump_path) else _ASKING
        if environ["REQUEST_METHOD"] not in methods:
            return _say("405 Method Not Allowed", "not this method", methods, start_response)
        return self._answers[path](environ, start_response)

    def _health(
        self, environ: WSGIEnvironment, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        return _well("stopping" if self._shared.stopping else "", start_response)

    def _ready(
        self, environ: WSGIEnvironment, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        return _well(self._not_ready(), start_response)

    def _told(
        self, environ: WSGIEnvironment, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        yield environ["cogen.call"](RunInThread)(self._dump.text)
        if environ["cogen.wsgi"].exception:
            raise environ["cogen.wsgi"].result
        text: str = environ["cogen.wsgi"].result
        status = "200 OK" if text else "503 Service Unavailable"
        yield from _say(status, text or "it is being told already", _READING, start_response)

    def _not_ready(self) -> str:
        """'' or one line that says why requests cannot be answered."""
        if self._shared.stopping:
            return "stopping"
        lines = (life.ready() for life in self._lives if life.ready is not None)
        return next(filter(None, lines), "")


def _check_paths(options: Options) -> None:
    taken: dict[str, str] = {}
    for name in _PATHS:
        path = getattr(options, name)
        if path and taken.setdefault(path, name) != name:
            raise OptionError(f"{name} = {path!r}: {taken[path]} has that path already")


def _scrape(shared: Shared, lives: Sequence[Life], peers: Peers, stalls: Stalls) -> "Scrape":
    try:
        from cogen.web.observers.scrape import Scrape
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "prometheus_client":
            raise
        raise OptionError(
            f"metrics_path = {shared.options.metrics_path!r} needs a library: "
            "pip install 'prometheus-client>=0.21,<1'"
        ) from None
    return Scrape(shared, lives, peers, stalls)


def _well(trouble: str, start_response: Callable[..., Any]) -> list[bytes]:
    status = "503 Service Unavailable" if trouble else "200 OK"
    return _say(status, trouble or "ok", _ASKING, start_response)


def _say(
    status: str, line: str, methods: Iterable[str], start_response: Callable[..., Any]
) -> list[bytes]:
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("Allow", ", ".join(methods)),
    ]
    start_response(status, headers)
    return [f"{line}\n".encode()]
