"""PylonsInstaller as `paster` calls it, for a distribution that is installed."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PASTER = Path(sys.executable).with_name("paster")
WEBSETUP = """\
def setup_app(command, conf, vars):
    print("set up:", conf["greeting"], conf.filename, sorted(conf.local_conf))
"""
METADATA = "Metadata-Version: 2.1\nName: Example\nVersion: 1.0\n"
ENTRY_POINTS = """\
[paste.app_factory]
main = site_of_test:make_app
[paste.app_install]
main = pylons.util:PylonsInstaller
"""


class InstallerTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        self.write("installed/Example-1.0.dist-info/METADATA", METADATA)
        self.write("installed/Example-1.0.dist-info/entry_points.txt", ENTRY_POINTS)
        names = "bare_of_test\nsite_of_test\nnot_there_at_all\n"
        self.write("installed/Example-1.0.dist-info/top_level.txt", names)
        self.write("installed/bare_of_test/__init__.py", "")
        self.write("installed/site_of_test/__init__.py", "def make_app(conf, **app_conf): pass")

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def paster(self, *arguments, status=0):
        path = {"PYTHONPATH": str(self.folder / "installed"), "PYTHONWARNINGS": "ignore"}
        run = subprocess.run(
            [PASTER, *arguments], cwd=self.folder, env={**os.environ, **path}, capture_output=True,
            text=True, timeout=60,
        )  # fmt: skip
        said = run.stdout + run.stderr
        self.assertEqual(status, run.returncode, said)
        self.assertNotIn("Traceback", said)
        return said

    def test_setup_app_calls_the_websetup_of_each_package_that_has_one(self):
        self.write("installed/site_of_test/websetup.py", WEBSETUP)
        self.write("site.ini", "[app:main]\nuse = egg:Example\ngreeting = hello\n")
        said = self.paster("setup-app", "site.ini")
        self.assertIn(f"set up: hello {self.folder}/site.ini ['greeting']\n", said)

    def test_setup_app_of_a_package_without_websetup_does_nothing(self):
        self.write("site.ini", "[app:main]\nuse = egg:Example\n")
        self.paster("setup-app", "site.ini")

    def test_make_config_writes_the_template_filled_in(self):
        template = "[app:main]\nuse = egg:Example\ngreeting = ${greeting}\nname = é\n"
        self.write("installed/site_of_test/config/deployment.ini_tmpl", template)
        self.paster("make-config", "Example", "made.ini", "greeting=hello")
        made = (self.folder / "made.ini").read_text(encoding="utf-8")
        self.assertEqual("[app:main]\nuse = egg:Example\ngreeting = hello\nname = é\n", made)

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
        self.assertEqual("[app:main]\nuse = egg:Example\n", made)

    def test_a_project_that_names_pylons_as_a_plugin_of_paster_works(self):
        self.write("Old.egg-info/paster_plugins.txt", "Pylons\n")
        self.write("Old.egg-info/PKG-INFO", METADATA.replace("Example", "Old"))
        self.assertIn("make-config", self.paster("--help"))
