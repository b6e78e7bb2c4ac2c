"""The tests of the example run under unittest, nose and, where it is installed, pytest."""

import subprocess
import sys
import unittest
from importlib.util import find_spec

from tests.examples.support import ROOT


class RunnerTests(unittest.TestCase):
    def run_by(self, *command):
        done = subprocess.run(
            [sys.executable, "-B", "-m", *command],
            cwd=ROOT / "examples",
            env={"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_by_unittest(self):
        self.assertIn("Ran 2 tests", self.run_by("unittest", "test_news"))

    def test_by_nose(self):
        self.assertIn("Ran 2 tests", self.run_by("nose", "test_news.py"))

    @unittest.skipUnless(find_spec("pytest"), "pytest is not installed")
    def test_by_pytest(self):
        self.assertIn("2 passed", self.run_by("pytest", "-p", "no:cacheprovider", "test_news.py"))
