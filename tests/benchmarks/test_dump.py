"""A few held requests are told, in both ways of waiting, and how long others waited meanwhile."""

import unittest

from benchmarks.dump import told


class DumpTests(unittest.TestCase):
    def test_they_are_told_as_one(self):
        for path in ("/yielded", "/called"):
            with self.subTest(path):
                run = told(path, 120)
                self.assertRegex(run.line, rf"^120 GET {path}/\d+, .*, \.\.\. wait for queue\.Get ")
                self.assertRegex(run.line, rf" at .*app\.py:\d+ in {path[1:]}$")
                self.assertGreater(run.took, 0)
                self.assertGreater(min(run.before, run.meanwhile), 0)
