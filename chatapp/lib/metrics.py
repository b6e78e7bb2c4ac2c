"""What the chat adds to `/metrics`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

if TYPE_CHECKING:
    from chatapp.live.hub import Hub

__all__ = ["HubCollector"]

_ALIVE: Final = {
    "participants": "Participants alive",
    "clients": "Clients alive",
    "rooms": "Rooms that somebody is in",
    "log_up": "1 if Redis answered when it was last asked, else 0; with a log in Redis",
    "log_lag_seconds": "Time from when Redis stored the newest message until it was told here, by "
    "the clocks of both",
}


class HubCollector:
    """Reads the counts of `hub` at each scrape."""

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        """Metric families of now."""
        figures = self._hub.figures
        for name, count in {**self._hub.statistics(), **self._hub.log.statistics()}.items():
            yield GaugeMetricFamily(f"chat_{name}", _ALIVE[name], count)
        for name, documentation, count in (
            ("messages", "Messages published here", figures.published),
            ("full_queues", "Clients whose queue was full and given up", figures.full_queues),
            ("gaps", "Answers that told of a gap", figures.gaps),
            ("gap_messages", "Messages that gaps told of as lost", figures.lost),
            ("throttled_pushes", "Pushes refused as too many", figures.throttled),
        ):
            yield CounterMetricFamily(f"chat_{name}", documentation, count)
        refusals = CounterMetricFamily(
            "chat_log_refusals",
            "Refusals of the message log by reason: unavailable, rooms (all in use), nonce (used)",
            labels=["reason"],
        )
        for reason, count in figures.refusals.items():
            refusals.add_metric([reason], count)
        yield refusals
        limited = CounterMetricFamily(
            "chat_limit_refusals",
            "Requests refused because of a limit, by the option that sets it",
            labels=["limit"],
        )
        for limit, count in figures.limited.items():
            limited.add_metric([limit], count)
        yield limited
        yield figures.commits.family(
            "chat_commit_seconds", "Time until a pushed message was durable"
        )
