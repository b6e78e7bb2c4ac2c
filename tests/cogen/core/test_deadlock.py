"""The cases of deadlocks.py, in a process that has nothing else."""

import subprocess
import sys
import unittest

MODULE = "tests.cogen.core.deadlocks"
# Of a run that hangs: each case takes half a second at most.
SECONDS = 240


class DeadlockTests(unittest.TestCase):
    def check(self, case):
        ended = subprocess.run(
            [sys.executable, "-m", "unittest", f"{MODULE}.{case}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
        self.assertEqual(0, ended.returncode, ended.stdout)
        self.assertIn("OK", ended.stdout)
        self.assertNotIn("Ran 0 tests", ended.stdout)

    def test_it_is_told_on_uvloop_and_never_falsely(self):
        self.check("UvloopTests")

    def test_it_is_told_on_the_loop_of_asyncio_and_never_falsely(self):
        self.check("AsyncioTests")
