"""The guide to moving names options that there are, ours and those of others."""

import dataclasses
import re
import subprocess
import sys
import unittest
from pathlib import Path

from cogen.web.options import Options
from tests.docs.pages import DOCS

PAGE = (DOCS / "moving.md").read_text()
BIN = Path(sys.executable).parent


def rows():
    text = PAGE[PAGE.index("## Options") : PAGE.index("## Signals")]
    head, _, *lines = re.findall(r"^\|(.*)\|$", text, re.MULTILINE)
    names = [name.strip() for name in head.split("|")]
    return [dict(zip(names, map(str.strip, line.split("|")), strict=True)) for line in lines]


class OptionTests(unittest.TestCase):
    def test_each_of_cogen_is_one(self):
        named = [name for row in rows() for name in re.findall(r"`(\w+)", row["cogen"])]
        self.assertGreater(len(named), 25)
        self.assertLessEqual(set(named), {field.name for field in dataclasses.fields(Options)})

    def test_each_of_gunicorn_is_one(self):
        """The one of the others that tests have."""
        named = {name for row in rows() for name in re.findall(r"`(--[\w-]+)", row["gunicorn"])}
        done = subprocess.run(
            [BIN / "gunicorn", "--help"], capture_output=True, text=True, check=True, timeout=60
        )
        self.assertLessEqual(named, set(re.findall(r"--[\w-]+", done.stdout)))
