"""PylonsInstaller as `paster` calls it, for a distribution that pip has installed.

What a whole project does with it is in tests/functional/test_project10.py and test_projects.py.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]
SETUP = """\
from setuptools import setup

setup(
    name="Example",
    version="1.0",
    packages=["bare_of_test", "site_of_test"],
    entry_points={
        "paste.app_factory": "main = site_of_test:make_app",
        "paste.app_install": "main = pylons.util:PylonsInstaller",
    },
)
"""


class InstallerTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.built = Path(cls.temporary.name) / "built"
        source = Path(cls.temporary.name) / "source"
        for package in ("bare_of_test", "site_of_test"):
            (source / package).mkdir(parents=True)
            (source / package / "__init__.py").write_text("def make_app(conf, **app_conf): pass\n")
        (source / "setup.py").write_text(SETUP)
        command = [BIN / "pip", "install", "--quiet", "--no-deps", "--no-index"]
        command += ["--no-build-isolation", "--target", cls.built, source]
        environ = {**os.environ, "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):  # nose knows no class cleanups
        cls.temporary.cleanup()

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        shutil.copytree(self.built, self.folder / "installed")

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def paster(self, *arguments, status=0):
        path = f"{self.folder / 'installed'}{os.pathsep}{ROOT}"
        run = subprocess.run(
            [BIN / "paster", *arguments], cwd=self.folder,
            env={**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        said = run.stdout + run.stderr
        self.assertEqual(status, run.returncode, said)
        self.assertNotIn("Traceback", said)
        return said

    def test_setup_app_calls_the_websetup_of_each_package_that_has_one(self):
        for package in ("bare_of_test", "site_of_test"):
            text = (
                "def setup_app(command, conf, vars):\n"
                f"    print('{package}:', conf['greeting'], conf.filename, list(conf.local_conf))\n"
            )
            self.write(f"installed/{package}/websetup.py", text)
        self.write("site.ini", "[app:main]\nuse = egg:Example\ngreeting = hello\n")
        said = self.paster("setup-app", "site.ini")
        for package in ("bare_of_test", "site_of_test"):
            self.assertIn(f"{package}: hello {self.folder}/site.ini ['greeting']\n", said)

    def test_setup_app_of_a_package_without_websetup_does_nothing(self):
        self.write("site.ini", "[app:main]\nuse = egg:Example\n")
        self.paster("setup-app", "site.ini")

    def test_make_config_writes_what_is_not_ascii(self):
        self.write("installed/site_of_test/config/deployment.ini_tmpl", "name = é ${greeting}\n")
        self.paster("make-config", "Example", "made.ini", "greeting=hello")
        made = (self.folder / "made.ini").read_text(encoding="utf-8")
        self.assertEqual("name = é hello\n", made)

    def test_make_config_names_a_variable_that_is_not_given(self):
        self.write("installed/site_of_test/config/deployment.ini_tmpl", "greeting = ${greeting}\n")
        said = self.paster("make-config", "-q", "Example", "made.ini", status=2)
        self.assertEqual(
            "config/deployment.ini_tmpl needs greeting: add greeting=VALUE to the command\n", said
        )

    def test_make_config_leaves_a_file_that_is_there_alone(self):
        self.write("made.ini", "mine")
        said = self.paster("make-config", "-q", "Example", "made.ini", status=2)
        self.assertEqual("made.ini is there already: remove it, or name another file\n", said)
        self.assertEqual("mine", (self.folder / "made.ini").read_text())

    def test_make_config_without_a_template_writes_the_least(self):
        self.paster("make-config", "Example", "made.ini")
        made = (self.folder / "made.ini").read_text()
        # setuptools before 69 leave the name as it is written.
        self.assertEqual("[app:main]\nuse = egg:example\n", made.replace("Example", "example"))
