"""While one address takes what it can, others come in and speak: a few seconds of it."""

import unittest

from benchmarks.attack import OFFICE, OTHER, attacked
from benchmarks.harness.server import PATIENCE


class AttackTests(unittest.TestCase):
    def test_newcomers_of_another_address_and_of_the_same_get_in_and_speak(self):
        took, told = attacked(9.0)  # the office asks seldom
        for address in (OTHER, OFFICE):
            self.assertGreaterEqual(len(took[address]), 1)
            # Where nothing else runs it is some hundredths of a second.
            self.assertLess(max(took[address]), PATIENCE, took)
        for counts in told:
            self.assertGreater(counts["idle"], 10, counts)
            self.assertGreater(counts["place 200"], 1, counts)
