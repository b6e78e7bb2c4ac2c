"""Figures of several processes in one scrape: as data between them, and as Prometheus has it."""

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest

__all__ = ["as_data", "of_all"]


def as_data(families: Iterable[Metric]) -> list[Any]:
    """`families` as what JSON has."""
    return [
        [each.name, each.documentation, each.type, [sample[:3] for sample in each.samples]]
        for each in families
    ]


def of_all(replies: Mapping[int, Iterable[Any]]) -> bytes:
    """The text for Prometheus of what each process has as data, with its number as `worker`."""
    families: dict[str, Metric] = {}
    for number, data in sorted(replies.items()):
        for name, documentation, kind, samples in data:
            family = families.get(name)
            if family is None:
                family = families[name] = Metric(name, documentation, kind)
            for sample, labels, value in samples:
                family.add_sample(sample, {**labels, "worker": str(number)}, value)
    return generate_latest(_Families(families.values()))


class _Families:
    """As much of a registry as is read."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self.collect = lambda: families
