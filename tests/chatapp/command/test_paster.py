"""`paster chat` is `chatapp`."""

import os
import subprocess
import tempfile
import unittest

from benchmarks.harness.chat import BIN
from tests.chatapp.command.program import run


class PasterTests(unittest.TestCase):
    def paster(self, *arguments):
        done = subprocess.run(
            [BIN / "paster", *arguments], capture_output=True, text=True, timeout=60,
            env={**os.environ, "PYTHONWARNINGS": "ignore"}, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def test_its_verbs_are_the_same(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        said = run("rooms", "--data", folder)
        self.assertEqual(1, said[0])
        self.assertEqual(said, self.paster("chat", "rooms", "--data", folder))
        self.assertEqual(run("config"), self.paster("chat", "config"))

    def test_paster_tells_of_it(self):
        self.assertIn("Look after the chat", self.paster("help")[1])
