"""What the chat adds to `/metrics`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

if TYPE_CHECKING:
    from chatapp.lib.hub import Hub

__all__ = ["HubCollector"]


class HubCollector:
    """Reads the counts of `hub` at each scrape."""

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        """Metric families of now."""
        for name, count in self._hub.statistics().items():
            yield GaugeMetricFamily(f"chat_{name}", f"{name.capitalize()} alive", count)
        yield CounterMetricFamily("chat_messages", "Messages published here", self._hub.published)
