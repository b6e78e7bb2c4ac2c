"""What Prometheus gets: figures of the server and of what it serves, in all its processes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from cogen.web.connections.shared import Shared
from cogen.web.life import Life
from cogen.web.observers.metrics import Metrics
from cogen.web.observers.stalls import Stalls
from cogen.web.peers import Peers

__all__ = ["Scrape"]

# What the processes ask each other for.
_FIGURES: Final = "figures"


class Scrape:
    """A WSGI application: the figures of this process, or of all workers, each with its number as
    `worker`; those of applications, if several have some, each with its number as `application`."""

    def __init__(self, shared: Shared, lives: Sequence[Life], peers: Peers, stalls: Stalls) -> None:
        self.metrics = Metrics(shared, stalls)
        self._several = shared.options.workers > 1
        self._peers = peers
        self._registry = CollectorRegistry()
        self._registry.register(self.metrics)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        figures = [life.metrics() for life in lives if life.metrics is not None]
        for collector in figures[0] if len(figures) == 1 else [_Applications(figures)]:
            self._registry.register(collector)
        self._peers.answer(_FIGURES, self._figures)

    def __call__(
        self, environ: WSGIEnvironment, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if self._several:
            return self._of_all(environ, start_response)
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
        return [generate_latest(self._registry)]

    def _of_all(
        self, environ: WSGIEnvironment, start_response: Callable[..., Any]
    ) -> Iterator[bytes]:
        yield environ["cogen.call"](self._peers.ask_all)(_FIGURES)
        wsgi = environ["cogen.wsgi"]
        if wsgi.exception is not None:
            raise wsgi.result
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
        yield _of_all(wsgi.result)

    async def _figures(self, _: Any) -> list[Any]:
        return _as_data(self._registry.collect())


def _as_data(families: Iterable[Metric]) -> list[Any]:
    """`families` as what JSON has."""
    return [
        [each.name, each.documentation, each.type, [sample[:3] for sample in each.samples]]
        for each in families
    ]


def _of_all(replies: Mapping[int, Iterable[Any]]) -> bytes:
    """The text for Prometheus of what each process has as data."""
    return generate_latest(_Families(_merged("worker", replies)))


def _merged(label: str, figures: Mapping[int, Iterable[Any]]) -> Iterable[Metric]:
    """One family of each name, of all who have figures as data; `label` is whose, by number."""
    families: dict[str, Metric] = {}
    for number, data in sorted(figures.items()):
        for name, documentation, kind, samples in data:
            family = families.get(name)
            if family is None:
                family = families[name] = Metric(name, documentation, kind)
            for sample, labels, value in samples:
                family.add_sample(sample, {**labels, label: str(number)}, value)
    return families.values()


class _Applications:
    """The collector of several applications, given those of each."""

    def __init__(self, figures: Iterable[Iterable[Any]]) -> None:
        self._figures = [list(collectors) for collectors in figures]

    def collect(self) -> Iterable[Metric]:
        return _merged(
            "application",
            {
                number: _as_data(family for each in collectors for family in each.collect())
                for number, collectors in enumerate(self._figures, 1)
            },
        )


class _Families:
    """As much of a registry as is read."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self.collect = lambda: families
