"""What the server answers itself: to Prometheus, and to who asks whether it is well."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from cogen.web.metrics import Metrics
from cogen.web.scrape import as_data, of_all

if TYPE_CHECKING:
    from cogen.web.server import Server

__all__ = ["Endpoints"]

_READING: Final = (b"GET", b"HEAD")
# HAProxy asks by OPTIONS unless it is told otherwise.
_ASKING: Final = (*_READING, b"OPTIONS")
# What the processes ask each other for.
_FIGURES: Final = "figures"


class Endpoints:
    """A WSGI application for `metrics_path`, `health_path` and `ready_path`, on the loop.

    With several workers the figures are those of all, each with its number as `worker`. Health: 200
    `ok`, or 503 `stopping` while the server stops. Ready: the same, and 503 with what an
    application lacks.
    """

    def __init__(self, server: "Server", metrics: Metrics) -> None:
        self._server = server
        options = server.options
        self._answers: dict[str, Callable[..., Iterable[bytes]]] = {
            options.metrics_path: self._metrics if options.workers == 1 else self._metrics_of_all,
            options.health_path: self._health,
            options.ready_path: self._ready,
        }
        self._answers.pop("", None)
        self._registry = CollectorRegistry()
        self._registry.register(metrics)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        for life in server.lives:
            for collector in life.metrics() if life.metrics is not None else ():
                self._registry.register(collector)
        server.peers.answer(_FIGURES, self._figures)

    def take(self, method: bytes, path: str) -> bool:
        """Whether this answers such a request, and not the application."""
        if path not in self._answers:
            return False
        return method in (_READING if path == self._server.options.metrics_path else _ASKING)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        return self._answers[environ["PATH_INFO"]](environ, start_response)

    def _metrics(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
        return [generate_latest(self._registry)]

    def _metrics_of_all(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterator[bytes]:
        yield environ["cogen.call"](self._server.peers.ask_all)(_FIGURES)
        wsgi = environ["cogen.wsgi"]
        if wsgi.exception is not None:
            raise wsgi.result
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
        yield of_all(wsgi.result)

    async def _figures(self, _: Any) -> list[Any]:
        return as_data(self._registry.collect())

    def _health(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        return _say("stopping" if self._server.stopping else "", start_response)

    def _ready(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        return _say(self._server.not_ready(), start_response)


def _say(trouble: str, start_response: Callable[..., Any]) -> list[bytes]:
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("Allow", "GET, HEAD, OPTIONS"),
    ]
    start_response("503 Service Unavailable" if trouble else "200 OK", headers)
    return [f"{trouble or 'ok'}\n".encode()]
