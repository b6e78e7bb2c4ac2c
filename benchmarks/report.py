"""The figures as Markdown: tables of all targets, the verdicts, what was left out."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks.criteria import Verdict, judge
from benchmarks.stats import Figure, Summary, summarize
from benchmarks.targets import TARGETS

__all__ = [
    "FEW", "as_json", "machine_line", "markdown", "table", "titles", "verdict_cells",
    "verdict_line",
]  # fmt: skip

# With fewer clients than that, what else the server holds shows more than what they cost.
FEW = 1000
_COST = (
    "server", "clients", "CPU per delivery, µs", "memory per held poll, KiB: at first / later",
    "idle, share of a core", "lost",
)  # fmt: skip
_TIME = (
    "server", "clients", "deliveries a second", "latency p50 / p99, ms", "all reached after, ms",
    "other GET p99 at rest / busy, ms",
)  # fmt: skip
_ALONE = (
    "server", "push answered p50 / p99, ms", "received p50 / p99, ms",
    "its log adds: answered / received p50, ms",
)  # fmt: skip

_LOGS = ("chat-sqlite", "chat-redis")


def titles() -> dict[str, str]:
    """The title of each target, by its name."""
    return {target.name: target.title for target in TARGETS}


def as_json(report: Mapping[str, Any]) -> str:
    """The JSON file of `report`: a line for each run."""
    rest = {key: value for key, value in report.items() if key != "runs"}
    runs = ",\n  ".join(json.dumps(run) for run in report["runs"])
    return json.dumps(rest, indent=1).removesuffix("\n}") + f',\n "runs": [\n  {runs}\n ]\n}}\n'


def markdown(report: Mapping[str, Any]) -> str:
    """`report` as it is in the JSON file."""
    summaries = _sorted(summarize(report["runs"]))
    parts = [
        [machine_line(report["machine"])],
        table(_COST, map(_cost_cells, summaries)),
        table(_TIME, map(_time_cells, summaries)),
        table(_ALONE, _alone_rows(_sorted(_alone(report["runs"])))),
        table(("to show", "at most", "is", "", "not compiled", ""), _verdict_rows(summaries)),
    ]
    if report["left_out"]:
        parts.append(["Left out: " + "; ".join(report["left_out"]) + "."])
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Its lines; none if there is no row."""
    lines = [_row(each) for each in rows]
    return [_row(head), _row("---" for _ in head), *lines] if lines else []


def machine_line(machine: Mapping[str, Any]) -> str:
    """`machine` as benchmarks.machine describes it."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    cores = f"{machine['cores']} cores" + (
        ", one for server and clients" if machine["one_core_for_both"] else ""
    )
    return (
        f"{machine['date']}, {cores}, {machine['system']}, Python {machine['python']}, "
        f"cogen {'' if machine.get('compiled') else 'not '}compiled; {versions}."
    )


def verdict_line(verdict: Verdict) -> str:
    what, most, value, word = verdict_cells(verdict)
    return f"{word:13} {value:>8} (at most {most})  {what}"


def _row(cells: Any) -> str:
    return "| " + " | ".join(cells) + " |"


def _sorted(summaries: Sequence[Summary]) -> list[Summary]:
    order = list(titles())
    return sorted(summaries, key=lambda each: (each.clients, order.index(each.target)))


def _alone(runs: Iterable[Mapping[str, Any]]) -> list[Summary]:
    """Of the part before the crowd came, however many that was."""
    return summarize({**run, "clients": 1} for run in runs if run.get("push_p50_ms") is not None)


def _cost_cells(summary: Summary) -> tuple[str, ...]:
    of = summary.figures.get
    return (
        titles()[summary.target],
        f"{summary.clients:,}",
        _with_spread(of("cpu_us")),
        _pair(of("held_kib"), of("after_kib")) if summary.clients > FEW else "-",
        _plain(of("idle_cpu"), "{:.3f}"),
        str(summary.counts["lost"]) + (" (went wrong)" if summary.errors else ""),
    )


def _time_cells(summary: Summary) -> tuple[str, ...]:
    of = summary.figures.get
    return (
        titles()[summary.target],
        f"{summary.clients:,}",
        _plain(of("rate"), "{:,.0f}"),
        _pair(of("p50_ms"), of("p99_ms")),
        _plain(of("reached_ms")),
        _pair(of("probe_idle_ms"), of("probe_busy_ms")),
    )


def _alone_rows(summaries: Sequence[Summary]) -> list[tuple[str, ...]]:
    memory = [each for each in summaries if each.target == "chat"]
    return [
        (
            titles()[each.target],
            _pair(each.figures.get("push_p50_ms"), each.figures.get("push_p99_ms"), "{:.2f}"),
            _pair(each.figures.get("alone_p50_ms"), each.figures.get("alone_p99_ms"), "{:.2f}"),
            _added(each, memory[0]) if memory and each.target.startswith(_LOGS) else "-",
        )
        for each in summaries
    ]


def _added(summary: Summary, memory: Summary) -> str:
    """What the log of `summary` adds to the chat with one in memory."""
    words = []
    for measure in ("push_p50_ms", "alone_p50_ms"):
        ours, least = summary.value(measure), memory.value(measure)
        words.append("-" if ours is None or least is None else f"{ours - least:+.2f}")
    return " / ".join(words)


def _with_spread(figure: Figure | None) -> str:
    if figure is None or figure.repeats == 1:
        return _plain(figure)
    return f"{figure.median:.1f} ±{figure.spread / 2:.0%}"


def _plain(figure: Figure | None, form: str = "{:.1f}") -> str:
    return "-" if figure is None else form.format(figure.median)


def _pair(first: Figure | None, second: Figure | None, form: str = "{:.1f}") -> str:
    if first is None or second is None:
        return "-"
    return f"{_plain(first, form)} / {_plain(second, form)}"


def _verdict_rows(summaries: Sequence[Summary]) -> list[tuple[str, ...]]:
    pairs = zip(judge(summaries), judge(summaries, "-python"), strict=True)
    return [(*verdict_cells(one), *verdict_cells(other)[2:]) for one, other in pairs]


def verdict_cells(verdict: Verdict) -> tuple[str, str, str, str]:
    """What, at most, the value, in a word."""
    form: Callable[[float], str] = "{:.1f}".format if verdict.unit else "{:.2f}".format
    value = "-" if verdict.value is None else form(verdict.value) + verdict.unit
    return verdict.what, f"{verdict.most:g}{verdict.unit}", value, verdict.word
