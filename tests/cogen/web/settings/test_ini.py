"""Which value of an option counts, through PasteDeploy: variable, section, [DEFAULT]."""

import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from paste.deploy import loadapp, loadserver

from cogen.web.options import OptionError
from cogen.web.settings.ini import Ini

USE = "use = call:tests.cogen.web.settings.test_ini:"


def settings(global_conf, **given):
    return Ini(global_conf).settings("server", given, {"port", "host", "key"}.__contains__)


def application(global_conf, **given):
    ini = Ini(global_conf)
    ini.check({"room", "port"}.__contains__)
    return ini.settings("app", given, {"room"}.__contains__)


# [DEFAULT], the rest of [server:main], variables, what the port is.
PORTS = {
    "the section's": ("", "port = 5000", {}, "5000"),
    "a variable": ("", "port = 5000", {"port": "1"}, "1"),
    "a variable without an option": ("", "", {"port": "1"}, "1"),
    "a default": ("port = 9", "", {}, "9"),
    "the section's before a default": ("port = 9", "port = 5000", {}, "5000"),
    "an empty one before a default": ("port = 9", "port =", {}, ""),
    "a variable before a default": ("port = 9", "", {"port": "1"}, "1"),
    "a variable before both": ("port = 9", "port = 5000", {"port": "1"}, "1"),
    "a reference to itself": ("port = 9", "port = %(port)s", {}, "9"),
    "a reference to a variable": ("", "port = %(p)s", {"p": "1"}, "1"),
    "a reference to a variable of its name": ("", "port = %(port)s", {"port": "1"}, "1"),
    "a hidden reference to a default": ("port = 9\np = 7", "port = %(p)s", {}, "7"),
    "a default by reference": ("p = 9\nport = %(p)s", "", {}, "9"),
    "a percent sign": ("port = 9", "port = 5%%", {}, "5%"),
    "set in the section": ("", "set port = 5000", {}, "5000"),
    "none": ("", "", {}, None),
}


class _IniTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, text, name="test.ini"):
        path = self.folder / name
        path.write_text(text)
        return f"config:{path}"


class PortTests(_IniTests):
    def load(self, default, section, variables, more=""):
        uri = self.write(
            f"[DEFAULT]\n{default}\n[server:main]\n{USE}settings\n{section}\n"
            f"[logger_root]\nport = 4\n{more}"
        )
        return loadserver(uri, global_conf=variables)

    def test_variable_section_and_default_count_in_that_order(self):
        for what, (default, section, variables, port) in PORTS.items():
            with self.subTest(what):
                loaded = self.load(default, section, variables)
                self.assertEqual({} if port is None else {"port": port}, loaded)

    def test_a_variable_with_the_value_of_a_default_counts_too(self):
        with mock.patch.object(sys, "argv", ["paster", "serve", "x.ini", "port=9"]):
            loaded = self.load("port = 9", "port = 5000", {"port": "9"})
        self.assertEqual({"port": "9"}, loaded)

    def test_the_file_that_another_uses_has_defaults_and_no_variables(self):
        self.write(f"[DEFAULT]\nport = 9\n[server:base]\n{USE}settings\nhost = b", "base.ini")
        uri = self.write("[server:main]\nuse = config:base.ini#base\nport = 5000\n")
        self.assertEqual({"port": "5000", "host": "b"}, loadserver(uri))
        self.assertEqual({"port": "1", "host": "b"}, loadserver(uri, global_conf={"port": "1"}))

    def test_several_sections_that_one_default_hides_are_refused(self):
        other = "[server:other]\nport = 6000\n"
        with self.assertRaisesRegex(OptionError, "port is in .DEFAULT. of .*several sections"):
            self.load("port = 9", "port = 5000", {}, other)
        self.assertEqual({"port": "1"}, self.load("", "port = 5000", {"port": "1"}, other))

    def test_a_hidden_value_without_meaning_is_named(self):
        with self.assertRaisesRegex(OptionError, r"test\.ini: .*'port'.*'nobody'"):
            self.load("port = 9", "port = %(nobody)s", {})

    def test_a_percent_sign_by_itself_is_named_with_its_place(self):
        text = "[server:main]\nport = %(nobody)s\n[app:main]\nlog = redis://:p%40ss@h\n"
        ini = Ini({"__file__": self.write(text).removeprefix("config:")})
        with self.assertRaisesRegex(OptionError, r"log in \[app:main\]: a % .* written %%"):
            ini.check_values()
        formats = "[formatter_x]\nformat = %(message)s %40\n[app:main]\nlog = p%%40\n"
        Ini({"__file__": self.write(formats).removeprefix("config:")}).check_values()

    def test_without_a_file_all_are_variables(self):
        self.assertEqual({"port": "1"}, settings({"port": "1"}, port="2"))


class UnknownTests(_IniTests):
    def app(self, variables, default=""):
        uri = self.write(
            f"[DEFAULT]\n{default}\n[app:main]\n{USE}application\nroom = %(base)s\n"
            "[server:main]\nport = %(p)s\nget host = name\n"
        )
        return loadapp(uri, global_conf=variables)

    def test_a_variable_that_something_takes_or_uses_is_right(self):
        known = {"base": "/srv"}
        self.assertEqual({"room": "/srv"}, self.app(known))
        for more in ({"room": "r"}, {"port": "1"}, {"p": "1"}, {"name": "n"}):
            with self.subTest(more):
                self.app({**known, **more})

    def test_one_that_nothing_uses_is_named(self):
        with self.assertRaisesRegex(OptionError, "variable 'prot' .* names no option"):
            self.app({"base": "/srv", "prot": "5080"})

    def test_one_that_changes_nothing_is_named(self):
        with self.assertRaisesRegex(OptionError, r"'base' .* does not change %\(base\)s"):
            self.app({"base": "/tmp"}, "base = /srv")
