"""The rows of the guide to faults are done by the tests that they name."""

import pkgutil
import re
import unittest

from tests.docs.pages import DOCS
from tests.functional import test_faults

_ROW = re.compile(
    r"^\| (?!fault \|)[^|]+\|[^|]+\|[^|]+\|[^|]+\| `tests/([\w/]+)\.py:([\w.]+)` \|$", re.M
)


class FaultsTests(unittest.TestCase):
    def setUp(self):
        self.page = (DOCS / "faults.md").read_text()
        self.rows = _ROW.findall(self.page)

    def test_every_row_names_a_test_that_is_there(self):
        rows = [line for line in self.page.splitlines() if line.startswith("| ")]
        self.assertEqual(len(rows), len(self.rows) + self.page.count("| fault |"))
        for module, name in self.rows:
            found = pkgutil.resolve_name(f"tests.{module.replace('/', '.')}:{name}")
            self.assertTrue(found.__name__.startswith("test_"), name)
        self.assertEqual(len(self.rows), len(set(self.rows)))

    def test_every_row_can_be_read_alone(self):
        for line in self.page.splitlines():
            if line.startswith("| "):
                cells = [cell.strip() for cell in line.strip("|").split("|")]
                self.assertNotRegex(cells[0], r"^(it|its)\b|\bis$")
                for cell in cells[1:4]:
                    self.assertNotRegex(cell, r"^the same\b|^that$|^as ever$")

    def test_every_fault_that_is_made_has_a_row(self):
        cases = (case for case in vars(test_faults).values() if isinstance(case, type))
        made = {
            f"{case.__name__}.{name}"
            for case in cases
            if issubclass(case, unittest.TestCase)
            for name in vars(case)
            if name.startswith("test_")
        }
        named = {name for module, name in self.rows if module == "functional/test_faults"}
        self.assertEqual(made, named)
