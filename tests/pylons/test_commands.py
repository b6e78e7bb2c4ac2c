"""The commands of `paster` that load an application: what they say of an ini that is wrong."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PASTER = Path(sys.executable).with_name("paster")
ROOT = Path(__file__).parents[2]


class IniTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "site_of_test.py").write_text("def make(conf, **options): 1 / 0\n")

    def routes(self, ini):
        (self.folder / "site.ini").write_bytes(ini)
        done = subprocess.run(
            [PASTER, "--plugin=Pylons", "routes", "site.ini"], cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_a_fault_of_it_is_one_line(self):
        for ini, told in (
            (b"nonsense\n", "MissingSectionHeaderError"),
            (b"[app:main]\nuse\n", r"ParsingError: .*\[line *2\]"),
            (b"[app:main]\nuse = 1\nuse = 2\n", "DuplicateOptionError: .*'use'"),
            (b"[app:main]\nuse = \xff\n", "UnicodeDecodeError"),
            (b"[loggers]\nkeys = root, lost\n", "KeyError: 'formatters'"),
            (b"", "LookupError: No section 'main'"),
            (b"[app:main]\nuse = egg:nowhere\n", "PackageNotFoundError: .*nowhere"),
            (b"[app:main]\npaste.app_factory = nowhere:make\n", "ModuleNotFoundError: .*nowhere"),
            (b"[app:main]\npaste.app_factory = site_of_test:no\n", "AttributeError: .*'no'"),
            (b"[app:main]\nuse = config:no.ini\n", "FileNotFoundError: .*no.ini"),
        ):
            with self.subTest(ini):
                said = self.routes(ini)
                self.assertRegex(said, f"^site.ini: {told}")
                self.assertEqual(1, said.count("\n"), said)

    def test_what_the_application_raises_keeps_its_traceback(self):
        said = self.routes(b"[app:main]\npaste.app_factory = site_of_test:make\n")
        self.assertIn("ZeroDivisionError", said)
        self.assertIn('site_of_test.py", line 1, in make', said)
