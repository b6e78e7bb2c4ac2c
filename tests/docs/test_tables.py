"""The tables of the guides are those of the code, and what they name is there."""

from __future__ import annotations

import dataclasses
import re
import unittest

from chatapp.lib.options import ChatOptions
from cogen.web.options import Options
from tests.docs.pages import DOCS, README, ROOT


class TableTests(unittest.TestCase):
    def check(self, page, table):
        rows = [_row(field) for field in dataclasses.fields(table)]
        lines = (DOCS / page).read_text().splitlines()
        self.assertEqual(rows, [line for line in lines if line.startswith("| `")][: len(rows)])

    def test_every_option_of_the_chat_is_in_its_table(self):
        self.check("chat.md", ChatOptions)

    def test_every_option_of_the_server_is_in_its_table(self):
        self.check("deployment.md", Options)


class ContentsTests(unittest.TestCase):
    def test_the_index_has_every_guide(self):
        index = (DOCS / "index.md").read_text()
        for path in DOCS.glob("*.md"):
            if path.name != "index.md":
                self.assertIn(f"({path.name})", index)

    def test_what_the_readme_names_is_there(self):
        readme = README.read_text()
        rows = re.findall(r"^  ([\w./]+)   *\w", readme[readme.index("Where things are") :], re.M)
        self.assertGreater(len(rows), 8)
        for row in rows:
            self.assertTrue((ROOT / row).exists(), row)

    def test_links_lead_somewhere(self):
        for path in [*DOCS.glob("*.md")]:
            for link in re.findall(r"\]\(([\w./-]+\.(?:md|txt|svg))\)", path.read_text()):
                self.assertTrue((path.parent / link).exists(), f"{path.name}: {link}")


def _row(field):
    default = str(field.default)
    if isinstance(field.default, bool):
        default = default.lower()
    return (
        f"| `{field.name}` | {f'`{default}`' if default else 'empty'} | {field.metadata['doc']} |"
    )
