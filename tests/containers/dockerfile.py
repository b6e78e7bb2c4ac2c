"""A Dockerfile as data: its stages, and what each instruction says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["CONTEXT", "FOLDER", "Instruction", "Stage", "ignored", "stages"]

CONTEXT = Path(__file__).parents[2]
FOLDER = CONTEXT / "packaging/container"


class Instruction(NamedTuple):
    """`name` in capitals; `text` is the rest, in one line."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """Those of a command in JSON, else those between spaces."""
        found: list[str] = json.loads(self.text) if self.text[:1] == "[" else self.text.split()
        return found


class Stage(NamedTuple):
    base: str
    name: str
    instructions: list[Instruction]


def stages(path: Path = FOLDER / "Dockerfile") -> list[Stage]:
    """Those of the Dockerfile, in order."""
    text = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", "")
    found: list[Stage] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            base, _, alias = rest.partition(" AS ")
            found.append(Stage(base, alias, []))
        else:
            found[-1].instructions.append(Instruction(name, " ".join(rest.split())))
    return found


def ignored() -> list[str]:
    """The patterns of what is not in the context."""
    return (FOLDER / "Dockerfile.dockerignore").read_text().split()
