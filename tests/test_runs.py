"""scripts/test is run as `make test` runs it, in a folder with a suite of a few modules."""

import os
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[1]
GOOD = "import unittest\nclass Case(unittest.TestCase):\n    def test_good(self): pass\n"

LEAKING = """
import asyncio, subprocess, tempfile, threading, unittest

class Ending:
    def __del__(self):
        [].pop()

async def dropping():
    async def fail():
        {}["key"]
    asyncio.create_task(fail())
    await asyncio.sleep(0)

class Case(unittest.TestCase):
    def test_file(self):
        open(__file__)

    def test_cycle(self):
        self.file = open(__file__)
        self.cycle = self

    def test_thread(self):
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()

    def test_end(self):
        Ending()

    def test_task(self):
        asyncio.run(dropping())

    def test_folder(self):
        tempfile.mkdtemp(prefix="left-")

    def test_process(self):
        global process
        process = subprocess.Popen(["sleep", "3"])
"""
# Where it is seen -> what is said of it.
LEAKS = {
    "tests.test_two.Case.test_file": "ResourceWarning: unclosed file",
    "tests/test_two.py": "ResourceWarning: unclosed file",
    "tests.test_two.Case.test_thread": "ZeroDivisionError",
    "tests.test_two.Case.test_end": "IndexError",
    "tests.test_two.Case.test_task": "KeyError: 'key'",
    "tests.test_two.Case.test_folder": "is left in the temporary folder",
    "the end": "a process goes on: sleep 3",
}


class RunTests(unittest.TestCase):
    def run_suite(self, *arguments, without="", **modules):
        """The exit status and the lines of a run of these modules; `a__b` is the module b in a
        package a."""
        with tempfile.TemporaryDirectory() as folder:
            tests = Path(folder, "tests")
            tests.mkdir()
            tests.joinpath("__init__.py").touch()
            for each in ("scripts", "tests/support"):
                Path(folder, each).symlink_to(ROOT / each)
            for name, text in modules.items():
                package, _, module = name.rpartition("__")
                path = tests.joinpath(package, f"test_{module}.py")
                path.parent.mkdir(exist_ok=True)
                path.parent.joinpath("__init__.py").touch()
                path.write_text(textwrap.dedent(text))
            done = subprocess.run(
                ["scripts/test", os.path.dirname(sys.executable), *arguments],
                cwd=folder,
                # Where CI is set nothing may be skipped.
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT),
                    "TMPDIR": folder,
                    "CI": "",
                    "WITHOUT": without,
                },
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            self.assertEqual(["scripts", "tests"], sorted(os.listdir(folder)))
        return done.returncode, done.stdout.splitlines()

    def test_all_processes_close_together(self):
        modules = {f"good{number}": GOOD for number in range(5)}
        modules["skipped"] = """
            import unittest
            from tests.support.programs import needs
            class Case(unittest.TestCase):
                @needs("no-such-program")
                def test_one(self): pass
                @needs("no-such-program")
                def test_two(self): pass
                @unittest.skip("too late")
                def test_three(self): pass
        """
        status, lines = self.run_suite(**modules)
        self.assertEqual(0, status, lines)
        closing = [
            "skipped 2: no-such-program is not installed",
            "skipped 1: too late",
            "5 passed, 0 failed, 3 skipped",
            "to run what was skipped, install no-such-program (scripts/debian-packages)",
        ]
        self.assertEqual(closing, lines[-4:])
        told = {line.partition(" ")[0] for line in lines[:-4]}
        self.assertEqual({f"tests/test_{name}.py:" for name in modules}, told)

    def test_what_is_named_alone_is_run(self):
        status, lines = self.run_suite("tests/test_one.py", one=GOOD, two="raise KeyError")
        self.assertEqual((0, "1 passed, 0 failed, 0 skipped"), (status, lines[-1]))

    def test_folders_may_be_left_out(self):
        status, lines = self.run_suite(
            without="tests/two tests/three",
            one=GOOD,
            two__one="raise KeyError",
            three__one="raise KeyError",
            twofold__one=GOOD,
        )
        self.assertEqual((0, "without tests/two, tests/three"), (status, lines[0]))
        self.assertEqual("2 passed, 0 failed, 0 skipped", lines[-1])

    def test_a_failure_fails_the_run(self):
        text = f"{GOOD}    def test_bad(self): self.assertEqual(1, 2)\n"
        status, lines = self.run_suite(one=GOOD, two=text)
        self.assertEqual((1, "2 passed, 1 failed, 0 skipped"), (status, lines[-1]), lines)
        self.assertIn("FAIL: test_bad (tests.test_two.Case.test_bad)", lines)
        self.assertIn("AssertionError: 1 != 2", lines)

    def test_what_fails_beside_others_and_passes_alone_is_told(self):
        text = """
            import os, tempfile, unittest
            MARK = os.path.join(os.path.dirname(os.path.dirname(tempfile.gettempdir())), "mark")
            class Case(unittest.TestCase):
                def test_good(self): pass
                def test_once(self):
                    if not os.path.exists(MARK):
                        open(MARK, "w").close()
                        self.fail("the first time")
        """
        status, lines = self.run_suite(one=GOOD, two=text)
        self.assertEqual((0, "3 passed, 0 failed, 0 skipped"), (status, lines[-1]), lines)
        self.assertIn("failed beside others and passed alone: tests/test_two.py", lines)

    def test_leaks_are_named_and_fail_the_run(self):
        status, lines = self.run_suite(one=GOOD, two=LEAKING)
        said = "\n".join(lines)
        self.assertEqual(1, status, said)
        for place, words in LEAKS.items():
            _, found, rest = said.partition(f"\nFAIL: leak in {place}\n")
            self.assertTrue(found, f"{place}\n{said}")
            self.assertIn(words, rest.partition("\nFAIL:")[0], place)
        self.assertIn(f" passed, {len(LEAKS)} failed, 0 skipped", lines[-1])

    def test_a_process_that_dies_fails_the_run(self):
        text = f"{GOOD}    def test_exit(self): __import__('os')._exit(0)\n"
        status, lines = self.run_suite(one=GOOD, two=text)
        self.assertEqual((1, True), (status, ", 1 failed, " in lines[-1]), lines)
