"""The chart: bars of the CPU per delivery and of the memory per held poll, as SVG."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from benchmarks.report import titles
from benchmarks.stats import Summary, summarize
from benchmarks.targets import TARGETS

__all__ = ["svg"]

_WIDTH, _LABEL, _VALUE = 860, 260, 70
_BAR, _GAP, _TOP = 11, 10, 56
_OURS = ("#0b5fa5", "#6aa9dc")  # many clients, few
_THEIRS = ("#6b6b6b", "#bdbdbd")


def svg(report: Mapping[str, Any]) -> str:
    """`report` as it is in the JSON file."""
    summaries = summarize(report["runs"])
    targets = Counter(each.clients for each in summaries)
    counts = sorted((clients for clients, _ in targets.most_common(2)), reverse=True)
    parts: list[str] = []
    y = 0
    for measure, heading, shown in (
        ("cpu_us", "Server CPU per delivered message, µs", counts),
        ("after_kib", "Memory per held poll after some messages, KiB", counts[:1]),
    ):
        drawn, height = _panel(summaries, measure, heading, shown, y)
        parts += drawn
        y += height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" '
        f'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{_WIDTH}" height="{y}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _panel(
    summaries: Sequence[Summary], measure: str, heading: str, counts: Sequence[int], y: int
) -> tuple[list[str], int]:
    values = _values(summaries, measure, counts)
    longest = max((value for row in values.values() for value in row if value), default=1.0)
    scale = (_WIDTH - _LABEL - _VALUE) / longest
    ours = {target.name for target in TARGETS if target.ours}
    parts = [_text(16, y + 24, heading, size=15), _legend(y + 42, counts)]
    top = y + _TOP
    for name, row in values.items():
        height = _BAR * len(counts)
        parts.append(_text(_LABEL - 8, top + height / 2 + 4, titles()[name], anchor="end"))
        colours = _OURS if name in ours else _THEIRS
        for number, value in enumerate(row):
            if value is not None:
                parts.append(_bar(top + number * _BAR, value, scale, colours[number]))
        top += height + _GAP
    return parts, top - y + _GAP


def _values(
    summaries: Sequence[Summary], measure: str, counts: Sequence[int]
) -> dict[str, list[float | None]]:
    """For each target that has any: its values, one for each of `counts`; the least first."""
    found = {(each.target, each.clients): each.value(measure) for each in summaries}
    names = dict.fromkeys(each.target for each in summaries)
    rows = {name: [found.get((name, count)) for count in counts] for name in names}
    rows = {name: row for name, row in rows.items() if any(value for value in row)}
    return dict(sorted(rows.items(), key=lambda item: max(value or 0 for value in item[1])))


def _bar(y: float, value: float, scale: float, colour: str) -> str:
    width = max(1.0, value * scale)
    rect = f'<rect x="{_LABEL}" y="{y}" width="{width:.1f}" height="{_BAR - 1}" fill="{colour}"/>'
    return rect + _text(_LABEL + width + 5, y + _BAR - 2, f"{value:.0f}", size=10)


def _legend(y: int, counts: Sequence[int]) -> str:
    each = (f"{count:,} clients" for count in counts)
    return _text(16, y, "ours blue, peers grey; dark: " + ", light: ".join(each), size=11)


def _text(x: float, y: float, text: str, size: int = 12, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )
