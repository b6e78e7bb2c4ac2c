"""Takes the figures of runs into docs/: `python -m benchmarks.keep [performance.json...]`."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.chart import svg
from benchmarks.plan import plan
from benchmarks.report import as_json, markdown

__all__ = ["DOCS", "PAGES", "between", "keep", "merged"]

DOCS = Path(__file__).parents[1] / "docs"
# Of each page: the name of its marks, and what is put between them.
PAGES = {"performance.md": ("figures", markdown), "scaling.md": ("plan", plan)}


def between(page: str, name: str, text: str) -> str:
    """`page` with `text` between its marks of that name. Raises ValueError: it has none."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    made, found = re.subn(
        f"({begin}).*?({end})", lambda m: m[1] + text + m[2], page, flags=re.DOTALL
    )
    if not found:
        raise ValueError(f"the page has no {begin.strip()} and {end.strip()}")
    return made


def keep(report: Mapping[str, Any], docs: Path = DOCS) -> None:
    """The JSON, the chart, and in the pages what is made of them."""
    for file, (name, made_of) in PAGES.items():
        page = docs / file
        page.write_text(between(page.read_text(), name, made_of(report)))
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
