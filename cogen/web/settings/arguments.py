"""The command line of a program, and the one line for what it cannot take."""

import argparse
import difflib
import re
from collections.abc import Sequence
from typing import Any, NoReturn

__all__ = ["Parser"]


class Parser(argparse.ArgumentParser):
    """Ends the program with one line that names what is unknown or wrong; `--help` has the rest."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, **kwargs)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Of what is unknown an option comes first: what follows it may be its value."""
        parsed, rest = super().parse_known_args(args, namespace)
        for each in rest:
            if each.startswith("-"):
                self.error(self._unknown(each.partition("=")[0]))
        if rest:
            self.error(f"unexpected argument {rest[0]!r}")
        return parsed, rest

    def error(self, message: str) -> NoReturn:
        """End the program with one line that says what is wrong, and what may have been meant."""
        self.exit(2, f"{self.prog}: {message} ({self.prog} --help)\n")

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, _OPTION.findall(self.format_help()), n=1)
        return f"unknown option {name}" + (f", is {near[0]} meant?" if near else "")


_OPTION = re.compile(r"--[a-z-]+")
