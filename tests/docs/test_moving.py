"""The guide to moving names options that there are, ours and those of others."""

import dataclasses
import re
import subprocess
import sys
import unittest
from pathlib import Path

from cogen.web import command
from cogen.web.options import Options
from tests.docs.pages import DOCS

PAGE = (DOCS / "moving.md").read_text()
BIN = Path(sys.executable).parent


def rows():
    """Those of the tables of options: cells by the names of the columns."""
    text = PAGE[PAGE.index("## Options") : PAGE.index("## Signals")]
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *lines = [line.strip("|").split("|") for line in table.splitlines()]
        names = [name.strip() for name in head]
        for line in lines:
            yield dict(zip(names, map(str.strip, line), strict=True))


class OptionTests(unittest.TestCase):
    def test_each_of_cogen_is_one(self):
        named = [name for row in rows() for name in re.findall(r"`([a-z]\w+)", row["cogen"])]
        self.assertGreater(len(named), 25)
        self.assertLessEqual(set(named), {field.name for field in dataclasses.fields(Options)})

    def test_each_flag_of_cogen_is_one(self):
        named = {flag for row in rows() for flag in re.findall(r"`(--[\w-]+)", row["cogen"])}
        self.assertGreater(len(named), 7)
        self.assertLessEqual(named, set(command._parser()._option_string_actions))

    def test_each_of_gunicorn_is_one(self):
        """The one of the others that tests have."""
        named = {name for row in rows() for name in re.findall(r"`(--[\w-]+)", row["gunicorn"])}
        done = subprocess.run(
            [BIN / "gunicorn", "--help"], capture_output=True, text=True, check=True, timeout=60
        )
        self.assertLessEqual(named, set(re.findall(r"--[\w-]+", done.stdout)))
