"""What operators ask for: `/metrics` for Prometheus and `/healthz`, in front of the application."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from cogen.web.histogram import Histogram

if TYPE_CHECKING:
    from cogen.web.exchange import Exchange
    from cogen.web.server import Server

__all__ = ["Endpoints", "Metrics"]

_BOUNDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0)


class Metrics:
    """The collector of a server: reads its counts at each scrape, counts responses meanwhile."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._responses: dict[int, int] = {}
        self._bytes = 0
        self._durations = Histogram(_BOUNDS)

    def began(self, exchange: "Exchange", environ: dict[str, Any]) -> None:
        """Have `exchange` counted when it has ended."""
        start = time.perf_counter()

        def ended(exchange: "Exchange") -> None:
            seconds = time.perf_counter() - start
            self._responses[exchange.status] = self._responses.get(exchange.status, 0) + 1
            self._bytes += exchange.sent
            self._durations.observe(seconds)

        exchange.add_done_callback(ended)

    def collect(self) -> Iterator[Metric]:
        """Metric families of now."""
        for name, count in self._server.statistics().items():
            if name != "requests":
                yield GaugeMetricFamily(f"cogen_{name}", f"{_HELD[name]} at the moment", count)
        yield CounterMetricFamily("cogen_requests", "Requests taken", self._server.requests)
        yield _by_status("cogen_responses", "Responses sent", self._responses)
        yield _by_status("cogen_refusals", "Requests refused", self._server.refusals)
        yield CounterMetricFamily("cogen_sent_bytes", "Bytes of content sent", self._bytes)
        yield self._durations.family(
            "cogen_request_seconds", "Time from the head of a request to the end of its answer"
        )


_HELD: Final = {
    "connections": "Connections open",
    "exchanges": "Requests being answered",
    "coroutines": "Coroutines that have not ended",
    "ready": "Waiters that are ready to go on",
    "deadlines": "Deadlines that run",
    "signal_waiters": "Waiters for signals",
    "threads": "Threads of the application",
    "threads_busy": "Threads of the application that run a call",
    "threads_waiting": "Calls of the application that wait for a thread",
    "spooled_bytes": "Bytes of request bodies taken in",
}


def _by_status(name: str, documentation: str, counts: dict[int, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, documentation, labels=["status"])
    for status, count in sorted(counts.items()):
        family.add_metric([str(status)], count)
    return family


class Endpoints:
    """A WSGI application for `metrics_path` and `health_path`, on the loop.

    The collectors of the server's applications are added. The health path answers 200 `ok`, or 503
    `stopping` while the server stops.
    """

    def __init__(self, server: "Server", metrics: Metrics) -> None:
        self._server = server
        self._answers = {
            server.options.metrics_path: self._metrics,
            server.options.health_path: self._health,
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

    def take(self, method: bytes, path: str) -> bool:
        """Whether this answers such a request, and not the application."""
        return path in self._answers and method in (b"GET", b"HEAD")

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        return self._answers[environ["PATH_INFO"]](start_response)

    def _metrics(self, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
        return [generate_latest(self._registry)]

    def _health(self, start_response: Callable[..., Any]) -> Iterable[bytes]:
        well = not self._server.stopping
        plain = [("Content-Type", "text/plain"), ("Cache-Control", "no-store")]
        start_response("200 OK" if well else "503 Service Unavailable", plain)
        return [b"ok\n" if well else b"stopping\n"]
