"""PylonsInstaller under the commands of PasteScript, which call it."""

import os
import sys
import tempfile
import unittest
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PasteScript imports pkg_resources
    from paste.script.appinstall import SetupCommand
    from paste.script.command import Command

    from pylons.util import PylonsInstaller

WEBSETUP = """
calls = []
def setup_app(command, conf, vars):
    calls.append((conf["chat.log"], conf.filename))
"""


class Distribution:
    """What the installer asks a distribution of pkg_resources for."""

    project_name = "Example"

    def __init__(self, packages, template=None):
        self.packages = packages
        self.template = template

    def get_metadata_lines(self, name):
        return iter(self.packages)

    def has_metadata(self, name):
        return self.template is not None

    def get_metadata(self, name):
        return self.template


class Installer(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = place.name
        sys.path.insert(0, self.place)
        self.addCleanup(sys.path.remove, self.place)

    def write(self, name, text):
        path = os.path.join(self.place, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_setup_app_passes_over_packages_without_websetup(self):
        self.write("installer_plain/__init__.py", "")
        self.write("installer_site/__init__.py", "")
        self.write("installer_site/websetup.py", WEBSETUP)
        ini = self.write(
            "test.ini",
            "[app:main]\nchat.log = memory:\n"
            "paste.app_factory = installer_site.websetup:setup_app\n",
        )
        dist = Distribution(["installer_plain", "installer_site", "not_importable_at_all"])
        command = SetupCommand("setup-app")
        PylonsInstaller(dist, "paste.app_factory", "main").setup_config(
            command, ini, "app:main", {}
        )
        calls = sys.modules["installer_site.websetup"].calls
        self.assertEqual(calls, [("memory:", ini)])

    def test_make_config_writes_the_template_filled_in(self):
        path = os.path.join(self.place, "made.ini")
        dist = Distribution([], template="[app:main]\nsecret = ${secret}\nname = é\n")
        command = Command("make-config")
        command.verbose = command.simulate = command.interactive = 0
        PylonsInstaller(dist, "paste.app_factory", "main").write_config(
            command, path, {"secret": "s"}
        )
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "[app:main]\nsecret = s\nname = é\n")
