"""The budget of an address: a few of each thing, nothing about how much they cost."""

import unittest

from benchmarks.budget import measured, table
from benchmarks.keep import DOCS, between


class BudgetTests(unittest.TestCase):
    def test_each_thing_is_taken_and_given_back(self):
        rows = measured(20, 0.5)
        text = table(rows)
        self.assertEqual(len(rows) + 2, len(text.splitlines()))
        page = (DOCS / "limits.md").read_text()
        for row in rows:
            self.assertIn(row[0], between(page, "budget", text))
            # The page has a figure of each.
            self.assertIn(f"| {row[0]} |", page)
