"""The tests of the example run under unittest, nose and, where it is installed, pytest."""

import subprocess
import sys
import unittest
from importlib.util import find_spec

from tests.docs.pages import DOCS, blocks
from tests.examples.support import ROOT


class GuideTests(unittest.TestCase):
    def test_the_guides_have_the_examples_as_they_are(self):
        for page, name in (("testing.md", "test_news.py"), ("waiting.md", "flask_redis.py")):
            code = (ROOT / "examples" / name).read_text().split('"""\n\n', 1)[1]
            [block] = [each for each in blocks(DOCS / page) if each.name == name]
            self.assertEqual(code, block.text)


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
