"""Takes the figures of runs into docs/: `python -m benchmarks.keep [performance.json...]`."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.chart import svg
from benchmarks.report import as_json, markdown

__all__ = ["keep", "merged", "with_figures"]

DOCS = Path(__file__).parents[1] / "docs"
_FIGURES = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->\n)", re.DOTALL)


def with_figures(page: str, report: Mapping[str, Any]) -> str:
    """`page` with the table of `report` between its marks. Raises ValueError: it has none."""
    table = markdown(report)
    made, found = _FIGURES.subn(lambda marks: marks[1] + table + marks[2], page)
    if not found:
        raise ValueError("the page has no <!-- figures --> and <!-- end of figures -->")
    return made


def keep(report: Mapping[str, Any], docs: Path = DOCS) -> None:
    """The JSON, the chart, and the table in the page."""
    page = docs / "performance.md"
    page.write_text(with_figures(page.read_text(), report))
    (docs / "performance.svg").write_text(svg(report))
    (docs / "performance.json").write_text(as_json(report))


def merged(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The runs of all, and what the first says of the machine."""
    return {
        "machine": reports[0]["machine"],
        "left_out": sorted({line for report in reports for line in report["left_out"]}),
        "runs": [run for report in reports for run in report["runs"]],
    }


if __name__ == "__main__":
    files = sys.argv[1:] or ["data/benchmark/performance.json"]
    keep(merged([json.loads(Path(file).read_text()) for file in files]))
