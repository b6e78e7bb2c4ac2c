"""The figures as Markdown: a table of all targets, the verdicts, what was left out."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.criteria import Verdict, judge
from benchmarks.stats import Figure, Summary, summarize
from benchmarks.targets import TARGETS

__all__ = ["FEW", "as_json", "markdown", "titles", "verdict_line"]

# With fewer clients than that, what else the server holds shows more than what they cost.
FEW = 1000
_HEAD = (
    "server", "clients", "CPU per delivery, µs", "memory per held poll, KiB: at first / later",
    "latency p50 / p99, ms",
    "idle, share of a core", "other GET p99 at rest / busy, ms", "lost",
)  # fmt: skip


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
    summaries = summarize(report["runs"])
    lines = [_machine(report["machine"]), "", _row(_HEAD), _row("---" for _ in _HEAD)]
    lines += [_row(_cells(each)) for each in _sorted(summaries)]
    lines += ["", _row(("to show", "at most", "is", "")), _row("---" for _ in range(4))]
    lines += [_row(_verdict_cells(each)) for each in judge(summaries)]
    if report["left_out"]:
        lines += ["", "Left out: " + "; ".join(report["left_out"]) + "."]
    return "\n".join(lines) + "\n"


def _machine(machine: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    cores = f"{machine['cores']} cores" + (
        ", one for server and clients" if machine["one_core_for_both"] else ""
    )
    return (
        f"{machine['date']}, {cores}, {machine['system']}, Python {machine['python']}; {versions}."
    )


def verdict_line(verdict: Verdict) -> str:
    what, most, value, word = _verdict_cells(verdict)
    return f"{word:13} {value:>8} (at most {most})  {what}"


def _row(cells: Any) -> str:
    return "| " + " | ".join(cells) + " |"


def _sorted(summaries: Sequence[Summary]) -> list[Summary]:
    order = list(titles())
    return sorted(summaries, key=lambda each: (each.clients, order.index(each.target)))


def _cells(summary: Summary) -> tuple[str, ...]:
    of = summary.figures.get
    return (
        titles()[summary.target],
        f"{summary.clients:,}",
        _with_spread(of("cpu_us"), summary.repeats),
        _pair(of("held_kib"), of("after_kib")) if summary.clients > FEW else "-",
        _pair(of("p50_ms"), of("p99_ms")),
        _plain(of("idle_cpu"), "{:.3f}"),
        _pair(of("probe_idle_ms"), of("probe_busy_ms")),
        str(summary.counts["lost"]) + (" (went wrong)" if summary.errors else ""),
    )


def _with_spread(figure: Figure | None, repeats: int) -> str:
    if figure is None or repeats == 1:
        return _plain(figure)
    return f"{figure.median:.1f} ±{figure.spread / 2:.0%}"


def _plain(figure: Figure | None, form: str = "{:.1f}") -> str:
    return "-" if figure is None else form.format(figure.median)


def _pair(first: Figure | None, second: Figure | None) -> str:
    if first is None or second is None:
        return "-"
    return f"{_plain(first)} / {_plain(second)}"


def _verdict_cells(verdict: Verdict) -> tuple[str, str, str, str]:
    form: Callable[[float], str] = "{:.1f}".format if verdict.unit else "{:.2f}".format
    value = "-" if verdict.value is None else form(verdict.value) + verdict.unit
    return verdict.what, f"{verdict.most:g}{verdict.unit}", value, verdict.word
