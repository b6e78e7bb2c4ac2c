"""The guides as data: their code blocks, and the commands that their sentences name.

A block of a guide is fenced, and the first word behind the fence is its kind; a second one is the
name of the file that it is, but for `run`. Blocks of README.txt are indented: Python, shell lines,
or rows of a table, which are no code.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DOCS", "PAGES", "README", "ROOT", "Block", "blocks", "commands", "with_pages"]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.txt"
PAGES = [README, *sorted(DOCS.glob("*.md"))]

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"^(?: {2,}\S.*\n|\n(?=  ))+", re.MULTILINE)
_PROGRAM = (
    r"(?:[A-Z_]+=\S+ )*(?:chatapp|cogen-serve|curl|git|gunicorn|kill|make|nginx|paster|pip|python3?"
    r"|redis-cli|redis-server|sqlite3|sudo|systemctl|ulimit) "
)
# Without an ini it is the name of a command.
_NAME = re.compile(r"paster [a-z-]+(?: --[a-z-]+)*")
_SPAN = re.compile(rf"`({_PROGRAM}[^`]+)`")
# In README.txt a command stands at the start of an indented line, behind two spaces, in brackets
# or in backquotes, and ends at two spaces or at the line.
_PLAIN = re.compile(rf"(?:^  |  |\(or |`)({_PROGRAM}\S.*?)(?=  |[)`]|$)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A code block: `text` of a `kind`, which is to stand in the file `name` if it has one."""

    page: Path
    line: int
    kind: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path, kind: str | None = None) -> list[Block]:
    """Those of `page`, in order; only those of `kind` if one is given."""
    found = _of_readme() if page == README else _of_guide(page)
    return [block for block in found if kind is None or block.kind == kind]


def commands(page: Path) -> list[str]:
    """The commands that sentences of `page` name, each once."""
    text = page.read_text()
    spans = _PLAIN.findall(text) if page == README else _SPAN.findall(_FENCE.sub("", text))
    found = dict.fromkeys(" ".join(span.split()) for span in spans)
    return [command for command in found if not _NAME.fullmatch(command)]


def with_pages(case: type) -> type:
    """Decorates a TestCase: a test method for each page and each of its methods `check_(page)`."""
    for check in [name for name in vars(case) if name.startswith("check_")]:
        for page in PAGES:

            def method(self: object, check: str = check, page: Path = page) -> None:
                getattr(self, check)(page)

            method.__name__ = f"{check.replace('check', 'test', 1)}_of_{page.stem.lower()}"
            setattr(case, method.__name__, method)
    return case


def _of_guide(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for match in _FENCE.finditer(text):
        kind, _, name = match[1].partition(" ")
        yield Block(page, _line(text, match.start()), kind, "" if name == "run" else name, match[2])


def _of_readme() -> Iterator[Block]:
    text = README.read_text()
    for match in _INDENTED.finditer(text):
        code = textwrap.dedent(match[0]).strip("\n") + "\n"
        yield Block(README, _line(text, match.start()), _kind(code), "", code)


def _kind(code: str) -> str:
    if re.match(r"(?:from|import|def|class) ", code):
        return "python"
    return "rows" if re.match(r"\S.*?  ", code) else "text"


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
