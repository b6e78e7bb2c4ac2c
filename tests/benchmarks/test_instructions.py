"""`python -m benchmarks.instructions` takes minutes and valgrind: here it gets as far as that."""

import re
import subprocess
import sys
import unittest

from benchmarks import instructions
from benchmarks.targets import TARGETS


class InstructionsTests(unittest.TestCase):
    def test_without_valgrind_it_says_so(self):
        command = [sys.executable, "-m", "benchmarks.instructions"]
        done = subprocess.run(
            command, env={"PATH": ""}, capture_output=True, text=True, timeout=60, check=False
        )
        self.assertEqual((1, "valgrind is not installed\n"), (done.returncode, done.stderr))

    def test_what_it_counts_by_default_is_there(self):
        names = set(instructions._BY_DEFAULT.split(","))
        self.assertLessEqual(names, {target.name for target in TARGETS})

    def test_valgrinds_count_is_read(self):
        [count] = re.findall(instructions._COUNTED, "==7== I   refs:      1,234,567\n")
        self.assertEqual("1,234,567", count)
