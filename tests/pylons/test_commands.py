"""The commands of `paster` that load an application: what they say of an ini that is wrong."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PASTER = Path(sys.executable).with_name("paster")
ROOT = Path(__file__).parents[2]


MODULE = """
from paste.deploy.converters import asbool


def make(conf, **options):
    return 1 / 0


def flagged(conf, flag):
    return asbool(flag)


def none(conf):
    return None
"""


class IniCase(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "site_of_test.py").write_text(MODULE)

    def said(self, ini, *command):
        (self.folder / "site.ini").write_bytes(ini)
        done = subprocess.run(
            command, cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        self.assertEqual((1, ""), (done.returncode, done.stdout), done.stderr)
        return done.stderr


class IniTests(IniCase):
    def routes(self, ini):
        return self.said(ini, PASTER, "--plugin=Pylons", "routes", "site.ini")

    def test_a_fault_of_it_is_one_line(self):
        for ini, told in (
            (b"nonsense\n", "MissingSectionHeaderError"),
            (b"[app:main]\nuse\n", r"ParsingError: .*\[line *2\]"),
            (b"[app:main]\nuse = 1\nuse = 2\n", "DuplicateOptionError: .*'use'"),
            (b"[app:main]\nuse = \xff\n", "UnicodeDecodeError"),
            (b"[loggers]\nkeys = root, lost\n", "logging cannot be set up so: KeyError: 'f"),
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
        self.assertIn('site_of_test.py", line 6, in make', said)


INVOKE = """
import sys
from paste.script.command import invoke
from pylons import _paster
name = sys.argv[1]
invoke(getattr(_paster, sys.argv.pop(1)), name, None, sys.argv[1:])
"""
SERVER = b"[server:main]\npaste.server_factory = site_of_test:make\n"
APP = b"[app:main]\npaste.app_factory = site_of_test"
LOGGING = b"[loggers]\nkeys=\n[formatters]\nkeys=\n[handlers]\nkeys=h\n[handler_h]\n"


class PasterTests(IniCase):
    """The commands that stand in for those of PasteScript."""

    def command(self, name, ini, *more):
        return self.said(ini, sys.executable, "-c", INVOKE, name, "site.ini", *more)

    def check(self, name, faults, *more):
        for ini, told in faults:
            with self.subTest(ini, command=name):
                said = self.command(name, ini, *more)
                self.assertRegex(said, f"^site.ini: {told}")
                self.assertEqual(1, said.count("\n"), said)

    def test_a_fault_of_the_file_is_one_line_for_each(self):
        for name, *more in (("ServeCommand",), ("SetupCommand",), ("RequestCommand", "/")):
            faults = (
                (b"nonsense\n", "MissingSectionHeaderError"),
                (APP + b":make\nuse\n", r"ParsingError: .*\[line *3\]"),
                (APP + b":make\na = 1\na = 2\n", "DuplicateOptionError: .*'a'"),
                (APP + b":make\n[app:main]\n", "DuplicateSectionError: .*'app:main'"),
                (b"[DEFAULT]\na = 50%\n" + SERVER + APP + b":make\n", "InterpolationSyntaxError"),
                (b"[app:main]\nuse = \xff\n", "UnicodeDecodeError"),
            )
            self.check(name, faults, *more)

    def test_logging_that_cannot_be_set_up_is_one_line(self):
        for name in ("ServeCommand", "SetupCommand"):
            faults = (
                (b"[loggers]\nkeys = root, lost\n", "logging .* so: KeyError: 'formatters'"),
                (LOGGING + b"class=Nowhere\n", "logging .* so: ModuleNotFoundError: .*'Nowhere'"),
                (LOGGING + b"class=StreamHandler\nargs=(\n", "logging .* so: SyntaxError"),
                (LOGGING + b"class=StreamHandler\nargs=(1, 2)\n", "logging .* so: TypeError"),
            )
            self.check(name, faults)

    def test_a_server_that_cannot_be_had_is_one_line(self):
        faults = (
            (b"", "LookupError: No section 'main' .*'server'"),
            (b"[server:main]\nuse = egg:nowhere\n", "PackageNotFoundError: .*nowhere"),
            (b"[server:main]\nuse = egg:Paste#no\n", "LookupError: Entry point 'no' not found"),
            (SERVER + b"a = %(b)s\n", "InterpolationMissingOptionError: .*'a'"),
        )
        self.check("ServeCommand", faults)

    def test_an_application_that_cannot_be_had_is_one_line(self):
        faults = (
            (b"", "LookupError: No section 'main'"),
            (b"[app:main]\nuse = egg:nowhere\n", "PackageNotFoundError: .*nowhere"),
            (b"[app:main]\nuse = config:no.ini\n", "FileNotFoundError: .*no.ini"),
            (b"[app:main]\npaste.app_factory = nowhere:make\n", "ModuleNotFoundError: .*nowhere"),
            (APP + b":no\n", "AttributeError: .*'no'"),
        )
        made = (
            (APP + b":none\na = 1\n", "TypeError: .*unexpected keyword argument 'a'"),
            (APP + b":flagged\nflag = perhaps\n", "ValueError: .*'perhaps'"),
        )
        server = b"[server:main]\nuse = egg:Paste#http\n"
        self.check("SetupCommand", faults)
        self.check("RequestCommand", (*faults, *made), "/")
        self.check("ServeCommand", ((server + ini, told) for ini, told in (*faults, *made)))
        none = ((server + APP + b":none\n", "it makes None, which cannot be called"),)
        self.check("ServeCommand", none)

    def test_a_file_that_is_not_there_is_one_line(self):
        for name, *more in (("ServeCommand",), ("SetupCommand",), ("RequestCommand", "/")):
            said = self.said(b"", sys.executable, "-c", INVOKE, name, "no.ini", *more)
            self.assertEqual("no.ini: there is no such file\n", said)

    def test_what_the_applications_own_code_raises_keeps_its_traceback(self):
        server = b"[server:main]\nuse = egg:Paste#http\n"
        for name, ini, *more in (
            ("ServeCommand", server + APP + b":make\n"),
            ("ServeCommand", SERVER),
            ("RequestCommand", APP + b":make\n", "/"),
        ):
            said = self.command(name, ini, *more)
            self.assertIn('site_of_test.py", line 6, in make', said)

    def test_setup_app_says_which_distribution_has_no_installer(self):
        (self.folder / "site.ini").write_text("[app:main]\nuse = egg:PasteScript#test\n")
        command = [sys.executable, "-c", INVOKE, "SetupCommand", "site.ini"]
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(
            command, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=60
        )
        self.assertEqual((1, ""), (done.returncode, done.stderr))
        self.assertIn("PasteScript has no installer", done.stdout)
