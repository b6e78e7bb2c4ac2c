"""Crowds of a few clients: what is left of them is told."""

import unittest

from benchmarks.crowds import left


class CrowdsTests(unittest.TestCase):
    def test_what_is_left_is_told_after_each_crowd(self):
        self.assertEqual(2, len(list(left(30, 2, pause=0))))
