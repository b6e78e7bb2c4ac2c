"""What `cogen-serve` makes of an ini: the application, the server's options, or one line."""

import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from cogen.web.factory import server_factory
from cogen.web.options import OptionError
from cogen.web.settings.deployed import Deployed, is_ini

APP = f"[app:main]\npaste.app_factory = {__name__}:make\n"


def make(global_conf, **settings):
    if "fails" in settings:
        raise LookupError(settings["fails"])
    return lambda environ, start_response: [settings.get("name", "").encode()]


def make_nothing(global_conf):
    return None


class DeployedTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / "site.ini"

    def ini(self, text, section="", ours=server_factory, **variables):
        self.path.write_text(text)
        return Deployed(f"{self.path}{section}", variables, ours)

    def served(self, *args, **more):
        return b"".join(self.ini(*args, **more).load()({}, None))

    def refused(self, *args, **more):
        with self.assertRaises(OptionError) as caught:
            self.ini(*args, **more).load()
        line = str(caught.exception)
        self.assertNotIn("\n", line)
        return line

    def test_an_ini_is_known_by_its_name(self):
        self.assertEqual(
            [True, True, False, False],
            [is_ini(each) for each in ("a.ini", "b/a.ini#x", "a:ini", "ini.py")],
        )

    def test_the_section_behind_a_hash_is_served_or_main(self):
        text = f"{APP}name = one\n[app:two]\nuse = main\nname = two\n"
        self.assertEqual(b"one", self.served(text))
        self.assertEqual(b"two", self.served(text, "#two"))

    def test_variables_are_used_and_come_first(self):
        text = f"{APP}name = %(given)s\n[server:main]\nuse = egg:cogen#http\nport = 1\n"
        ini = self.ini(text, given="x", port="2")
        self.assertEqual({"port": "2"}, ini.settings)
        self.assertEqual([b"x"], ini.load()({}, None))

    def test_the_options_of_the_server_are_those_of_its_section(self):
        for use in ("egg:cogen#http", "egg:ChatApp#wsgi", "call:cogen.web.factory:server_factory"):
            ini = self.ini(f"[DEFAULT]\nhost = h\n[server:main]\nuse = {use}\nthreads = 2\n{APP}")
            self.assertEqual({"threads": "2", "host": "h"}, ini.settings)
            self.assertEqual([], ini.notes)
        self.assertEqual({}, self.ini(APP).settings)

    def test_files_that_it_uses_are_known(self):
        base = self.folder / "base.ini"
        base.write_text("[server:main]\nuse = egg:cogen#http\nport = 1\n")
        ini = self.ini(f"[server:main]\nuse = config:base.ini\nhost = h\n{APP}")
        self.assertEqual({"port": "1", "host": "h"}, ini.settings)
        self.assertEqual([str(self.path), str(base)], ini.files)

    def test_of_a_section_for_another_server_what_means_the_same_is_taken(self):
        for use in ("egg:nothing#main", "egg:Paste#http", f"call:{__name__}:make"):
            ini = self.ini(f"[server:main]\nuse = {use}\nport = 1\nlisten = *:2 a:3\nx = 3\n{APP}")
            self.assertEqual({"port": "1"}, ini.settings)
            [note] = ini.notes
            self.assertIn("for another server: of its options only host and port", note)
            self.assertTrue(note.endswith("are taken, and not listen, x"), note)

    def test_of_several_ways_to_name_one_address_each_is_taken(self):
        for listen, host, port in (
            ("localhost:6543", "localhost", "6543"),
            ("*:80", "0.0.0.0", "80"),
            ("[::1]:80", "::1", "80"),
        ):
            ini = self.ini(f"[server:main]\nuse = egg:waitress#main\nlisten = {listen}\n{APP}")
            self.assertEqual({"host": host, "port": port}, ini.settings)
            self.assertTrue(ini.notes[0].endswith("only host and port are taken"), ini.notes)

    def test_what_is_wrong_is_one_line(self):
        for text, said in (
            ("", "No section 'main' (prefixed by 'app' or"),
            ("[app:main]\n", "No loader given in section 'app:main'"),
            ("[app:main]\nuse = egg:nothing\n", "nothing"),
            ("[app:main]\npaste.app_factory = nothing:x\n", "No module named 'nothing'"),
            (f"[app:main]\npaste.app_factory = {__name__}:x\n", "has no attribute 'x'"),
            (f"[app:main]\npaste.app_factory = {__name__}:make_nothing\n", "makes None, which"),
            ("app", "File contains no section headers"),
            (f"{APP}name = 5%\n", "a % in a value has to be written %%"),
            (f"{APP}name = %(who)s\n", "'who'"),
            (f"[server:main]\nuse = egg:cogen#http\nport = %(who)s\n{APP}", "'who'"),
            (f"[server:main]\nuse = egg:nothing\nport = %(who)s\n{APP}", "'who'"),
        ):
            with self.subTest(said):
                self.assertIn(said, self.refused(text))
        self.assertIn("No section 'x'", self.refused(APP, "#x"))
        with self.assertRaisesRegex(OptionError, "^no.ini: there is no such file$"):
            Deployed("no.ini", {}, server_factory)

    def test_what_the_application_raises_is_its_own(self):
        with self.assertRaisesRegex(LookupError, "its own"):
            self.ini(f"{APP}fails = its own").load()

    def test_without_pastedeploy_it_is_said_what_to_install(self):
        with mock.patch.dict(sys.modules, {"paste.deploy": None}):
            said = self.refused(APP)
        self.assertIn("an ini is read by PasteDeploy: pip install 'PasteDeploy>=3.1,<4'", said)

    def test_a_folder_with_signs_that_urls_have(self):
        folder = self.folder / "a #1"
        os.mkdir(folder)
        self.path = folder / "a.ini"
        self.path.write_text(f"{APP}name = x")
        with mock.patch("os.getcwd", return_value=str(folder)):
            self.assertEqual([b"x"], Deployed("a.ini", {}, server_factory).load()({}, None))
