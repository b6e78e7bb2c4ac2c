"""`make` brings a virtual environment that is broken or of another Python in order, or says in one
line why it cannot."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
OLDER = """\
#!/bin/sh
[ "$1" = --version ] || exit 1
echo Python 3.10.13
"""


class EnvironmentTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        self.venv = self.folder / "venv"
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        for name in ("rm", "sh"):
            (self.programs / name).symlink_to(f"/bin/{name}")

    def program(self, name, text):
        path = self.programs / name
        path.write_text(text)
        path.chmod(0o755)

    def run_script(self, wanted=""):
        return subprocess.run(
            ["scripts/venv", self.venv, wanted], cwd=ROOT, capture_output=True, text=True,
            timeout=120, env={**os.environ, "PATH": str(self.programs)},
        )  # fmt: skip

    def refused(self, wanted=""):
        done = self.run_script(wanted)
        self.assertEqual((1, ""), (done.returncode, done.stdout))
        self.assertEqual(1, done.stderr.count("\n"), done.stderr)
        return done.stderr.removeprefix("scripts/venv: ").rstrip("\n")

    def test_a_broken_one_is_made_anew_and_a_whole_one_is_left_alone(self):
        (self.programs / "python3").symlink_to(Path(sys.base_prefix) / "bin/python3")
        venv.create(self.venv, symlinks=True, with_pip=False)
        (self.venv / ".serve").touch()
        made = self.run_script()
        self.assertEqual((0, ""), (made.returncode, made.stderr))
        version = ".".join(map(str, sys.version_info[:3]))
        self.assertIn(f"\nmaking {self.venv} with Python {version}\n", made.stdout)
        self.assertFalse((self.venv / ".serve").exists())
        pip = subprocess.run([self.venv / "bin/pip", "--version"], capture_output=True, check=True)
        self.assertIn(str(self.venv).encode(), pip.stdout)
        before = (self.venv / "pyvenv.cfg").stat().st_mtime_ns
        for wanted in ("", "python3", sys.executable):
            again = self.run_script(wanted)
            self.assertEqual((0, "", ""), (again.returncode, again.stdout, again.stderr))
        self.assertEqual(before, (self.venv / "pyvenv.cfg").stat().st_mtime_ns)

    def test_an_older_python_is_refused_with_what_to_do(self):
        self.program("python3.10", OLDER)
        self.assertEqual(
            "this needs Python 3.11 or newer, and python3.10 is Python 3.10.13: install it (with "
            "its venv module), or name it: make PYTHON=/path/to/python3",
            self.refused("python3.10"),
        )
        (self.programs / "python3.12").symlink_to(Path(sys.base_prefix) / "bin/python3")
        self.assertEqual(
            "this needs Python 3.11 or newer, and python3.10 is Python 3.10.13: "
            "make PYTHON=python3.12",
            self.refused("python3.10"),
        )

    def test_what_is_no_python_is_refused(self):
        self.assertIn("and nowhere is no Python that runs: ", self.refused("nowhere"))

    def test_a_refusal_leaves_what_is_there_alone(self):
        venv.create(self.venv, symlinks=True, with_pip=False)
        self.refused("nowhere")
        self.assertTrue((self.venv / "pyvenv.cfg").exists())

    def test_without_any_python_one_line_says_so(self):
        self.program("python3", OLDER)
        self.assertIn("this needs Python 3.11 or newer, and none was found: ", self.refused())

    def test_a_folder_that_is_no_environment_is_left_alone(self):
        (self.programs / "python3").symlink_to(Path(sys.base_prefix) / "bin/python3")
        self.venv.mkdir()
        (self.venv / "letters").touch()
        self.assertIn(f"{self.venv} is no virtual environment", self.refused())
        self.assertTrue((self.venv / "letters").exists())

    def test_what_takes_minutes_is_said_before(self):
        (self.programs / "python3").symlink_to(Path(sys.base_prefix) / "bin/python3")
        for name in ("dirname", "basename", "touch"):
            (self.programs / name).symlink_to(f"/usr/bin/{name}")
        project = self.folder / "project"
        (project / "scripts").mkdir(parents=True)
        for name in ("install", "venv"):
            shutil.copy(ROOT / "scripts" / name, project / "scripts")
        # Without setup files pip has nothing to install, and says so at once.
        done = subprocess.run(
            ["scripts/install", f"{self.venv}/.serve"], cwd=project, capture_output=True, text=True,
            timeout=120, check=False,
            env={**os.environ, "PATH": str(self.programs), "PYTHONWARNINGS": "default"},
        )  # fmt: skip
        self.assertIn("packaging/cogen", done.stderr)
        making, installing = done.stdout.splitlines()
        self.assertIn(f"making {self.venv} with Python 3.", making)
        self.assertIn(f"what they need into {self.venv}: a minute or two", installing)
