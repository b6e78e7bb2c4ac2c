"""The figures of ordinary work as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.criteria import Verdict
from benchmarks.ordinary.criteria import Figures, figures, judge
from benchmarks.ordinary.held import HELD
from benchmarks.ordinary.peers import PEERS
from benchmarks.ordinary.works import WORKS
from benchmarks.report import machine_line, table, verdict_cells
from benchmarks.stats import Figure

__all__ = ["markdown"]

_OURS = "cogen"  # what the others are divided by
_TITLES = {peer.name: peer.title for peer in PEERS}
_WAITS = {"yielded": "yields its wait", "waited": "waits by `cogen.wait`"}
Cell = Callable[[Figure], str]


def markdown(report: Mapping[str, Any]) -> str:
    """`report` as it is in the JSON file."""
    cpu = figures(report["turns"], "cpu_us")
    parts = [
        [_machine(report)],
        _by_work(cpu, "CPU for each request, µs (times that of cogen-serve)", _ratio_to(cpu)),
        _by_work(figures(report["turns"], "rate"), "answers a second", _plain),
        _counted(report["counted"]),
        _beside(report["beside"]),
        _held(report["held"]),
        table(("to show", "at most", "is", ""), map(_verdict, judge(report))),
    ]
    if report["left_out"]:
        parts.append(["Left out: " + "; ".join(report["left_out"]) + "."])
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _machine(report: Mapping[str, Any]) -> str:
    return (
        f"{machine_line(report['machine'])} Asked by {report['generator']}, {report['rounds']} "
        f"turns of each; load of the machine {report['load'][0]:.1f} before, "
        f"{report['load'][1]:.1f} after."
    )


def _ratio_to(found: Figures) -> Callable[[str], Cell]:
    """Cells of a work: the median and how many times that of ours it is."""

    def of(work: str) -> Cell:
        ours = found.get((_OURS, work))

        def cell(figure: Figure) -> str:
            ratio = f" ({figure.median / ours.median:.2f})" if ours and ours.median else ""
            return f"{_short(figure.median)}{ratio}"

        return cell

    return of


def _plain(work: str) -> Cell:
    return lambda figure: _short(figure.median)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _by_work(found: Figures, what: str, cell: Callable[[str], Cell]) -> list[str]:
    """A row for each server, a column for each kind of work."""
    works = [work for work in WORKS if any(name == work.name for _, name in found)]
    names = [name for name in _TITLES if any(target == name for target, _ in found)]
    rows = []
    for name in names:
        cells = [_TITLES[name]]
        for work in works:
            figure = found.get((name, work.name))
            cells.append(cell(work.name)(figure) if figure else "-")
        rows.append(cells)
    return table((what, *(work.title for work in works)), rows)


def _counted(counted: Sequence[Mapping[str, Any]]) -> list[str]:
    thousands = [
        {**each, "thousands": each["instructions"] / 1e3}
        for each in counted
        if each["instructions"] is not None
    ]
    found = figures(thousands, "thousands")
    return _by_work(found, "instructions for each request, thousands", _ratio_to(found))


def _beside(besides: Sequence[Mapping[str, Any]]) -> list[str]:
    head = ("p99 of a fast view, ms", "at rest", "beside six that block")
    return table(
        head,
        [
            (_TITLES[each["target"]], f"{each['idle_ms']:.1f}", f"{each['busy_ms']:,.1f}")
            for each in besides
        ],
    )


def _held(helds: Sequence[Mapping[str, Any]]) -> list[str]:
    titles = {target.name: target.title for target, _, _ in HELD}
    head = ("a held request of cogen-serve", "how it waits", "how many", "memory of each, KiB")
    return table(
        head,
        [
            (titles[each["mode"]], _WAITS[each["wait"]], f"{each['count']:,}", f"{each['kib']:.1f}")
            for each in helds
        ],
    )


def _verdict(verdict: Verdict) -> tuple[str, ...]:
    return verdict_cells(verdict)
