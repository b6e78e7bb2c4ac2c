"""What the benchmark has to show, as ratios and differences within one run of it."""

import dataclasses
from collections.abc import Iterable

from benchmarks.stats import Summary

__all__ = ["AT_REST_MS", "JUDGED", "Verdict", "judge"]


# Of ours, as they are and with cogen not compiled.
JUDGED = ("bare", "chat", "bare-python", "chat-python")
AT_REST_MS = 25.0  # a machine that is slower than that with nothing to do shows nothing


@dataclasses.dataclass(frozen=True)
class Verdict:
    """`value` None: it was not measured."""

    what: str
    most: float
    value: float | None
    unit: str = ""

    @property
    def word(self) -> str:
        if self.value is None:
            return "not measured"
        return "reached" if self.value <= self.most else "not reached"


class _Figures:
    def __init__(self, summaries: Iterable[Summary]) -> None:
        self._of = {(each.target, each.clients): each for each in summaries}

    def get(self, target: str, clients: int, measure: str) -> float | None:
        summary = self._of.get((target, clients))
        return None if summary is None else summary.value(measure)

    def ratio(self, ours: tuple[str, int], other: tuple[str, int], measure: str) -> float | None:
        a, b = self.get(*ours, measure), self.get(*other, measure)
        return a / b if a is not None and b else None


def judge(
    summaries: Iterable[Summary], build: str = "", few: int = 100, many: int = 10_000
) -> list[Verdict]:
    """One verdict for each thing that has to be shown; `build`: "-python", not compiled."""
    figures = _Figures(summaries)
    bare, chat = f"bare{build}", f"chat{build}"
    ratio, cpu, held = figures.ratio, "cpu_us", "after_kib"
    busy = figures.get(chat, many, "probe_busy_ms")
    idle = figures.get(chat, many, "probe_idle_ms")
    at_rest = idle is not None and idle <= AT_REST_MS
    slower = busy - idle if at_rest and busy is not None else None
    return [
        Verdict(
            f"CPU per delivery, bare WSGI on cogen : raw ASGI on uvicorn, {few} clients",
            0.5, ratio((bare, few), ("asgi", few), cpu),
        ),
        Verdict(
            f"the same, {many} clients", 0.25, ratio((bare, many), ("asgi", many), cpu),
        ),
        Verdict(
            f"CPU per delivery, the chat : Starlette with sessions, {few} clients",
            0.35, ratio((chat, few), ("starlette", few), cpu),
        ),
        Verdict(
            f"the same, {many} clients",
            0.12, ratio((chat, many), ("starlette", many), cpu),
        ),
        Verdict(
            f"CPU per delivery, the chat : Node's bare http, {few} clients",
            2.0, ratio((chat, few), ("node", few), cpu),
        ),
        Verdict(
            f"the same, {many} clients", 1.0, ratio((chat, many), ("node", many), cpu),
        ),
        Verdict(
            f"CPU per delivery, bare WSGI on cogen : nginx's nchan, {many} clients",
            1.0, ratio((bare, many), ("nchan", many), cpu),
        ),
        Verdict(
            f"the same, the chat, {many} clients", 2.0, ratio((chat, many), ("nchan", many), cpu),
        ),
        Verdict(
            f"CPU per delivery, the chat, {many} clients : {few} clients",
            1.3, ratio((chat, many), (chat, few), cpu),
        ),
        Verdict(
            f"CPU per delivery, the chat, polls of the seed : polls from a cursor, {few} clients",
            1.2, ratio(("chat-seed", few), ("chat", few), cpu),
        ),
        Verdict(
            f"the same, {many} clients", 1.2, ratio(("chat-seed", many), ("chat", many), cpu),
        ),
        Verdict(
            f"memory per held poll, bare WSGI on cogen : raw ASGI on uvicorn, {many} clients",
            0.5, ratio((bare, many), ("asgi", many), held),
        ),
        Verdict(
            f"memory per held poll, bare WSGI on cogen, in threads : on the loop, {many} clients",
            1.3, ratio(("bare-threads", many), ("bare", many), held),
        ),
        Verdict(
            f"memory per held poll, the chat : aiohttp, {many} clients",
            0.8, ratio((chat, many), ("aiohttp", many), held),
        ),
        Verdict(
            f"p99 of another GET from the chat during a fan-out to {many}, above that at rest",
            25.0, slower, " ms",
        ),
        Verdict(
            f"share of a core that holds {many} idle polls of the chat",
            0.1, figures.get(chat, many, "idle_cpu"),
        ),
        Verdict(
            "the same, bare WSGI on cogen",
            0.1, figures.get(bare, many, "idle_cpu"),
        ),
    ]  # fmt: skip
