"""The figures of a server, for Prometheus."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from wsgiref.types import WSGIEnvironment

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from cogen.web.observers.histogram import Histogram

if TYPE_CHECKING:
    from cogen.web.exchanges.exchange import Exchange
    from cogen.web.server import Server

__all__ = ["Metrics"]

_BOUNDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0)


class Metrics:
    """The collector of a server: reads its counts at each scrape, counts responses meanwhile."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._responses: dict[int, int] = {}
        self._bytes = 0
        self._durations = Histogram(_BOUNDS)

    def began(self, exchange: "Exchange", environ: WSGIEnvironment) -> None:
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
    "handshakes": "TLS handshakes under way",
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
