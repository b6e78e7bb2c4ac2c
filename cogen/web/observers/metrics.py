"""The figures of a server, for Prometheus."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from cogen.web.connections.shared import Shared
from cogen.web.observers.histogram import Histogram
from cogen.web.observers.stalls import Stalls

__all__ = ["Metrics"]

_BOUNDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0)


class Metrics:
    """The collector of a server: reads its counts at each scrape, counts responses meanwhile."""

    def __init__(self, shared: Shared, stalls: Stalls) -> None:
        self._shared = shared
        self._stalls = stalls
        self._responses: dict[int, int] = {}
        self._bytes = 0
        self._durations = Histogram(_BOUNDS)

    def began(self, environ: WSGIEnvironment) -> Callable[[int, int], None]:
        """What counts a request when it has ended."""
        start = time.perf_counter()

        def ended(status: int, sent: int) -> None:
            self._responses[status] = self._responses.get(status, 0) + 1
            self._bytes += sent
            self._durations.observe(time.perf_counter() - start)

        return ended

    def collect(self) -> Iterator[Metric]:
        """Metric families of now."""
        for name, count in self._shared.statistics().items():
            if name != "requests":
                yield GaugeMetricFamily(f"cogen_{name}", f"{_HELD[name]} at the moment", count)
        yield CounterMetricFamily("cogen_requests", "Requests taken", self._shared.requests)
        yield _by("status", "cogen_responses", "Responses sent", self._responses)
        yield _by("status", "cogen_refusals", "Requests refused", self._shared.refusals)
        yield CounterMetricFamily("cogen_sent_bytes", "Bytes of content sent", self._bytes)
        yield _by("of", "cogen_stalls", _STALLS, self._stalls.counts)
        yield CounterMetricFamily("cogen_stall_seconds", _STALL_SECONDS, self._stalls.lasted)
        yield CounterMetricFamily("cogen_slow_requests", _SLOW, self._stalls.slow.count)
        yield self._durations.family(
            "cogen_request_seconds", "Time from the head of a request to the end of its answer"
        )


_STALLS: Final = (
    "Times that the event loop, or all threads, were held for longer than stall_warning"
)
_SLOW: Final = "Requests that took the application longer than slow_request"
_STALL_SECONDS: Final = "Seconds that the event loop was held for longer than stall_warning"

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


def _by(
    label: str, name: str, documentation: str, counts: Mapping[Any, int]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, documentation, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([str(value)], count)
    return family
