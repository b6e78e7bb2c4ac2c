"""scripts/compiled.py and scripts/serve in a project of a few modules, whose wheels are made."""

import os
import subprocess
import sys
import sysconfig
import tempfile
import unittest
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
PIP = """\
#!/bin/sh
echo "Preparing metadata: finished"
echo "  $SAID"
exit "$STATUS"
"""
WHEELS = "dist/python{}.{}".format(*sys.version_info)
SERVED = """\
#!/bin/sh
echo "$*"
echo "${PYTHONPATH-}"
"""


class TreeTests(unittest.TestCase):
    def setUp(self):
        self.project = Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        for name in ("compiled.py", "serve", "wheel"):
            self.write(f"scripts/{name}", (ROOT / "scripts" / name).read_text())
        for name in ("packaging/compiling.py", "pylons/__init__.py", "chatapp/public/chat.js"):
            self.write(name, "")
        self.write("packaging/cogen/setup.py", 'COMPILED = {"core": "queue"}')
        self.write("setup.py", 'COMPILED = {"live": "poll"}')
        self.write("cogen/core/queue.py", "1")
        self.write("chatapp/live/poll.py", "2")
        self.write("chatapp/templates/index.mako", "")
        self.write("bin/paster", SERVED)
        self.write("bin/pip", PIP)
        (self.project / "bin/python").symlink_to(sys.executable)
        for name in ("scripts/serve", "scripts/wheel", "bin/paster", "bin/pip"):
            (self.project / name).chmod(0o755)

    def write(self, name, text):
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def wheels(self):
        """As scripts/wheels makes them of the sources as they are."""
        for package, module in (("cogen", "cogen/core/queue"), ("chatapp", "chatapp/live/poll")):
            path = self.project / WHEELS / f"{package}-1-none-any.whl"
            path.parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(path, "w") as wheel:
                wheel.write(self.project / f"{module}.py", f"{module}.py")
                wheel.writestr(f"{module}{SUFFIX}", "")
                wheel.writestr(f"{package}-1.dist-info/WHEEL", "")

    def run_script(self, *command, **variables):
        environ = {**os.environ, "PYTHONWARNINGS": "ignore", **variables}
        environ.pop("PYTHONPATH", None)
        return subprocess.run(
            command, cwd=self.project, env=environ, capture_output=True, text=True,
            timeout=30, check=False,
        )  # fmt: skip

    def compiled(self, verb):
        done = self.run_script(sys.executable, "scripts/compiled.py", verb)
        self.assertEqual(0, done.returncode, done.stderr)
        return Path(done.stdout.rstrip())

    def served(self, *arguments):
        done = self.run_script("scripts/serve", "bin", *arguments)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return done.stdout.splitlines()

    def test_one_has_what_was_compiled_and_all_the_rest(self):
        self.wheels()
        tree = self.compiled("make")
        self.assertEqual(tree, self.compiled("tree"))
        for module in ("cogen/core/queue", "chatapp/live/poll"):
            self.assertTrue((tree / f"{module}{SUFFIX}").is_file())
            self.assertFalse((tree / f"{module}.py").is_symlink())
        for name in ("pylons/__init__.py", "chatapp/public/chat.js", "setup.py"):
            self.assertTrue(os.path.samefile(self.project / name, tree / name))
        self.assertEqual([], [*tree.glob("*.dist-info"), *tree.glob("dist")])

    def test_one_belongs_to_the_modules_as_they_are_and_not_to_the_page(self):
        tree = self.compiled("tree")
        self.write("chatapp/public/chat.js", "changed")
        self.assertEqual(tree, self.compiled("tree"))
        self.write("cogen/core/queue.py", "changed")
        self.assertNotEqual(tree, self.compiled("tree"))

    def test_making_one_removes_those_of_other_sources(self):
        self.wheels()
        first = self.compiled("make")
        self.write("cogen/core/queue.py", "changed")
        self.wheels()
        second = self.compiled("make")
        self.assertEqual([second], list(second.parent.iterdir()))
        self.assertNotEqual(first, second)

    def test_making_one_removes_links_that_lie_there_and_not_what_they_lead_to(self):
        self.wheels()
        trees = self.project / "build/compiled"
        trees.mkdir(parents=True)
        (trees / "tests").symlink_to(self.project / "pylons")
        made = self.compiled("make")
        self.assertEqual([made], list(trees.iterdir()))
        self.assertTrue((self.project / "pylons/__init__.py").is_file())

    def test_wheels_of_other_sources_are_not_taken(self):
        self.wheels()
        self.write("cogen/core/queue.py", "changed")
        done = self.run_script(sys.executable, "scripts/compiled.py", "make")
        self.assertIn("scripts/stage", done.stderr)  # it would make others, and this has none
        self.assertFalse(self.compiled("tree").exists())

    def test_it_is_served_while_it_fits(self):
        self.wheels()
        tree = self.compiled("make")
        self.assertEqual(["serve test.ini port=1", str(tree)], self.served("test.ini", "port=1"))
        self.write("cogen/core/queue.py", "changed")
        said, *served = self.served("test.ini")
        self.assertIn("not compiled: `make compiled` takes a minute", said)
        self.assertEqual(["serve test.ini", ""], served)

    def test_what_is_reloaded_is_what_is_edited(self):
        self.wheels()
        self.compiled("make")
        expected = ["serve development.ini --reload", ""]
        self.assertEqual(expected, self.served("development.ini"))
        self.assertEqual(["serve test.ini --reload", ""], self.served("test.ini", "--reload"))

    def made(self, said, status):
        """The status of scripts/wheel, and what it prints, where pip says so."""
        done = self.run_script("scripts/wheel", "bin", "cogen", "wheels", SAID=said, STATUS=status)
        return done.returncode, done.stdout + done.stderr

    def test_of_a_wheel_that_is_made_only_that_it_is_not_compiled_is_told(self):
        line = "cogen is not compiled: there is no C compiler (gcc)"
        self.assertEqual((0, f"{line}\n"), self.made(line, "0"))
        self.assertEqual((0, ""), self.made("Successfully built cogen", "0"))

    def test_of_one_that_is_not_made_the_reason_is_told(self):
        line = "COGEN_COMPILE=1, but there is no C compiler (gcc)"
        self.assertEqual((1, f"{line}\n"), self.made(line, "1"))
        status, said = self.made("no space left on device", "1")
        self.assertEqual(1, status)
        self.assertIn("Preparing metadata: finished\n  no space left", said)
