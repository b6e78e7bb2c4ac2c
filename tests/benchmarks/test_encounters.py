"""A few clients that behave at random; what they leave is told."""

import unittest

from benchmarks.encounters import PARTS, left
from tests.cogen.web.support import Records


class EncountersTests(unittest.TestCase):
    def test_what_is_left_is_told_after_each_part(self):
        for mode in ("0", "auto"):
            with self.subTest(threads=mode), Records():
                found = list(left(40, 7, mode))
                self.assertEqual([8, 16, 24, 32, 40], [each.clients for each in found])
                self.assertEqual({0}, {each.exchanges for each in found})
                self.assertEqual(PARTS, len(found))
                self.assertGreater(found[-1].memory_kib, 1024)
