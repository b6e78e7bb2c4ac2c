"""The three distributions: what they need, what they offer, how they go together."""

import tomllib
import unittest
from configparser import RawConfigParser
from importlib.metadata import entry_points, version
from pathlib import Path

from paste.deploy import loadwsgi

from cogen.web.command import main
from cogen.web.factory import server_factory
from cogen.web.http.environ import SERVER_SOFTWARE

ROOT = Path(__file__).parents[1]
SETUPS = {
    "cogen": "packaging/cogen/setup.cfg",
    "Pylons": "packaging/pylons/setup.cfg",
    "ChatApp": "setup.cfg",
}


def described(name):
    parser = RawConfigParser()
    parser.read(ROOT / SETUPS[name])
    return parser


def required(name):
    lines = described(name)["options"]["install_requires"].splitlines()
    return [line.replace(" ", "") for line in lines if line]


def versions_of_python(name):
    lines = described(name)["metadata"]["classifiers"].splitlines()
    return [line for line in lines if "Python :: 3." in line]


class DistributionTests(unittest.TestCase):
    def test_the_chat_needs_the_others_in_exactly_their_versions(self):
        for name in ("cogen", "Pylons"):
            its_version = described(name)["metadata"]["version"]
            self.assertIn(f"{name}=={its_version}", required("ChatApp"))
            self.assertEqual(its_version, version(name))

    def test_the_versions_are_above_those_of_strangers_and_python_2(self):
        self.assertGreater(version("cogen"), "0.2.1")
        self.assertGreater(version("Pylons"), "1.0.3")

    def test_the_server_says_the_version_that_is_installed(self):
        self.assertTrue(version("cogen").startswith(SERVER_SOFTWARE.removeprefix("cogen/")))

    def test_the_server_alone_needs_four_libraries(self):
        names = {line.partition(">")[0] for line in required("cogen")}
        self.assertEqual({"greenlet", "httptools", "mypy_extensions", "uvloop"}, names)

    def test_pylons_alone_needs_nine_libraries(self):
        """Each other one is an extra, which is asked for where it is used."""
        names = {line.partition(">")[0] for line in required("Pylons")}
        glued = {"Beaker", "Mako", "MarkupSafe", "Paste", "PasteDeploy", "PasteScript", "Routes"}
        self.assertEqual({*glued, "setuptools", "WebOb"}, names)

    def test_all_name_the_same_pythons(self):
        pythons = [versions_of_python(name) for name in SETUPS]
        self.assertEqual([pythons[0]] * 3, pythons)
        for folder in ("packaging/cogen", "."):
            settings = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())
            built = settings["tool"]["cibuildwheel"]["build"]
            digits = [line.rpartition(" ")[2].replace(".", "") for line in pythons[0]]
            self.assertEqual([f"cp{each}-*" for each in digits], built)
        needed = {described(name)["options"]["python_requires"] for name in SETUPS}
        self.assertEqual({">=3.11"}, needed)

    def test_an_ini_has_the_server_from_cogen_or_from_the_chat(self):
        for spec in ("egg:cogen#http", "egg:cogen#wsgi", "egg:ChatApp#http", "egg:ChatApp#wsgi"):
            with self.subTest(spec):
                context = loadwsgi.loadcontext(loadwsgi.SERVER, spec)
                self.assertIs(server_factory, context.object)

    def test_the_program_of_the_server_is_cogens(self):
        [program] = entry_points(group="console_scripts", name="cogen-serve")
        self.assertEqual(("cogen", main), (program.dist.name, program.load()))

    def test_the_plugins_of_nose_come_with_pylons(self):
        plugins = entry_points(group="nose.plugins.0.10")
        ours = {plugin.dist.name for plugin in plugins if plugin.value.startswith("pylons.")}
        self.assertEqual({"Pylons"}, ours)
