"""packaging/compiling.py builds a small distribution as pip has it build cogen and ChatApp."""

import os
import subprocess
import sys
import sysconfig
import tempfile
import unittest
import zipfile
from pathlib import Path

from tests.support.programs import needs

ROOT = Path(__file__).resolve().parents[1]
COMPILER = sysconfig.get_config_var("CC").split()[0]
SETUP = """\
import os
from setuptools import Extension, setup

compiled = os.environ.get("COGEN_COMPILE") == "1"
setup(py_modules=["slow"], ext_modules=[Extension("fast", ["fast.c"])] if compiled else [])
"""
FAST = """\
#include <Python.h>
static struct PyModuleDef fast = {PyModuleDef_HEAD_INIT, "fast", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&fast); }
"""
CALL = """\
import sys
sys.path.insert(0, ".")
import compiling
print("gives", getattr(compiling, sys.argv[1])(*sys.argv[2:]))
"""


class CompilingTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.project = self.folder / "project"
        self.project.mkdir()
        self.write("compiling.py", (ROOT / "packaging/compiling.py").read_text())
        self.write("setup.cfg", "[metadata]\nname = small\nversion = 1\n")
        self.write("setup.py", SETUP)
        self.write("slow.py", "")
        self.write("fast.c", FAST)

    def write(self, name, text):
        (self.project / name).write_text(text)

    def call(self, hook, *arguments, asked=None, path=None):
        environ = {**os.environ, "PATH": path or os.environ["PATH"], "PYTHONWARNINGS": "ignore"}
        environ.pop("COGEN_COMPILE", None)
        environ.pop("CC", None)
        if asked is not None:
            environ["COGEN_COMPILE"] = asked
        return subprocess.run(
            [sys.executable, "-c", CALL, hook, *arguments], cwd=self.project, env=environ,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def wheel(self, **options):
        """The one that is made, whether it is compiled, and what is said of that."""
        done = self.call("build_wheel", str(self.folder), **options)
        self.assertEqual(0, done.returncode, done.stderr)
        [path] = self.folder.glob("*.whl")
        with zipfile.ZipFile(path) as wheel:
            names = wheel.namelist()
        self.assertIn("slow.py", names)
        compiled = f"fast{sysconfig.get_config_var('EXT_SUFFIX')}" in names
        self.assertEqual(not compiled, path.name.endswith("-py3-none-any.whl"))
        path.unlink()
        return compiled, [line for line in done.stdout.splitlines() if "not compiled" in line]

    def refused(self, **options):
        for hook in ("get_requires_for_build_wheel", "build_wheel"):
            done = self.call(hook, str(self.folder), **options)
            self.assertEqual(1, done.returncode)
            self.assertEqual([], list(self.folder.glob("*.whl")))
        return done.stderr.splitlines()[-1]

    @needs(COMPILER)
    def test_it_is_compiled_where_there_is_a_compiler(self):
        for asked in (None, "", "1"):
            with self.subTest(asked):
                self.assertEqual((True, []), self.wheel(asked=asked))

    def test_it_is_not_by_a_variable(self):
        expected = (False, ["small is not compiled: COGEN_COMPILE=0"])
        self.assertEqual(expected, self.wheel(asked="0"))

    @needs(COMPILER)
    def test_mypy_is_required_only_where_it_is_compiled(self):
        for options, required in (
            ({}, "['mypy >=1.18']"),
            ({"asked": "0"}, "[]"),
            ({"path": "/nowhere"}, "[]"),
        ):
            done = self.call("get_requires_for_build_wheel", **options)
            self.assertIn(f"gives {required}\n", done.stdout)
        for hook in ("get_requires_for_build_editable", "get_requires_for_build_sdist"):
            self.assertIn("gives []\n", self.call(hook, asked="1").stdout)

    def test_without_a_compiler_a_line_says_that_it_is_not(self):
        lacking = f"there is no C compiler ({COMPILER})"
        self.assertEqual(
            (False, [f"small is not compiled: {lacking}"]), self.wheel(path="/nowhere")
        )
        self.assertEqual(
            f"COGEN_COMPILE=1, but {lacking}", self.refused(asked="1", path="/nowhere")
        )

    def test_a_compiler_that_fails_is_as_none(self):
        compiler = self.folder / COMPILER
        compiler.write_text("#!/bin/sh\nexit 1\n")
        compiler.chmod(0o755)
        compiled, [line] = self.wheel(path=str(self.folder))
        self.assertFalse(compiled)
        self.assertIn(f"{COMPILER} does not compile with /", line)
        self.assertIn(line.partition(": ")[2], self.refused(asked="1", path=str(self.folder)))

    @needs(COMPILER)
    def test_what_cannot_be_compiled_is_built_in_python(self):
        self.write("fast.c", "#error this is no C\n")
        compiled, [line] = self.wheel()
        self.assertFalse(compiled)
        self.assertIn("small is not compiled: ", line)
        done = self.call("build_wheel", str(self.folder), asked="1")
        self.assertEqual(1, done.returncode)
        self.assertEqual([], list(self.folder.glob("*.whl")))

    def test_another_value_of_the_variable_is_refused(self):
        self.assertEqual("COGEN_COMPILE=yes: it is 0 or 1, or not set", self.refused(asked="yes"))

    @needs(COMPILER)
    def test_what_was_compiled_before_is_in_no_wheel(self):
        self.wheel()
        [built] = self.project.glob("build/lib*")
        (built / "former.so").touch()
        self.wheel()
        self.assertFalse((built / "former.so").exists())

    def test_what_is_edited_is_never_compiled(self):
        for asked in (None, "1"):
            done = self.call("build_editable", str(self.folder), asked=asked)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertEqual([], list(self.project.rglob("*.so")))

    def test_nothing_compiled_lies_in_the_source_tree(self):
        for package in ("cogen", "pylons", "chatapp"):
            self.assertEqual([], list((ROOT / package).rglob("*.so")))
