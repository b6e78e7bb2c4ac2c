"""What is wrong with what `cogen-serve` was asked for: one line each."""

import logging
import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from cogen.web.options import OptionError
from cogen.web.program import CannotServe, NotLoaded, Program

FILES = {
    "app.py": "def app(environ, start_response): return []\ndef create_app(*conf): return app\n",
    "fails.py": "{}['x']\n",
    "ends.py": "import sys\nsys.exit()\n",
    "says.py": "import sys\nsys.exit('why')\n",
    "prot.toml": "prot = 1\n",
    "named.toml": "application = 'app'\nport = 1\n",
    "site.ini": "[app:main]\npaste.app_factory = app:create_app\n",
    "wrong.ini": "[server:main]\nuse = egg:cogen#http\ntheads = 2\n",
}


class ProgramTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name, text in FILES.items():
            (self.folder / name).write_text(text)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        self.enterContext(mock.patch.object(sys, "path", sys.path.copy()))
        self.enterContext(mock.patch.dict(sys.modules))

    def program(self, *named, environment=None, **given):
        with mock.patch.dict(os.environ, environment or {}):
            return Program(given, named)

    def refused(self, *named, **more):
        with self.assertRaises(OptionError) as caught:
            self.program(*named, **more).log()
        line = str(caught.exception)
        self.assertNotIn("\n", line)
        return line

    def test_what_is_not_given_is_in_the_environment_or_the_file(self):
        found = self.program(environment={"COGEN_APPLICATION": "app"}, port="2")
        self.assertEqual(("app", 2), (found.where, found.options.port))
        self.assertEqual("the environment", found.origins["application"])
        found = self.program(config="named.toml")
        self.assertEqual(("app", 1), (found.where, found.options.port))
        self.assertEqual("site.ini", self.program("site.ini", config="named.toml").where)

    def test_a_file_of_accesses_turns_them_on(self):
        self.assertEqual("combined", self.program("app", access_log_file="a").options.access_log)
        found = self.program("app", access_log_file="a", access_log="json")
        self.assertEqual("json", found.options.access_log)

    def test_what_is_missing_or_too_much(self):
        self.assertIn("nothing is named: MODULE:NAME, a file, or an ini", self.refused())
        self.assertIn("unexpected argument 'x'", self.refused("app", "x"))
        self.assertIn("a variable is NAME=VALUE", self.refused("site.ini", "port"))

    def test_what_is_wrong_is_named_with_its_place(self):
        for environment, said in (
            ({"COGEN_PROT": "1"}, "COGEN_PROT: unknown option 'prot': is port meant?"),
            ({"COGEN_PORT": "x"}, "COGEN_PORT: port = 'x': not a whole number"),
        ):
            self.assertEqual(said, self.refused("app", environment=environment))
        for given, said in (
            ({"port": "x"}, "port = 'x': not a whole number"),
            ({"config": "prot.toml"}, "prot.toml: unknown option 'prot': is port meant?"),
            ({"config": "no"}, "config = 'no': No such file or directory"),
            ({"app_dir": "no"}, "app_dir = 'no': there is no such folder"),
            ({"log_config": "no"}, "no: No such file or directory"),
            (
                {"log_config": "a", "log_file": "b"},
                "log_config says where the log goes: leave out log_file",
            ),
        ):
            self.assertEqual(said, self.refused("app", **given))
        self.assertIn("not one of debug, info", self.refused("app", log_level="loud"))
        self.assertEqual("no.ini: there is no such file", self.refused("no.ini"))
        said = "wrong.ini: [server:main]: unknown server option 'theads': is threads meant?"
        self.assertEqual(said, self.refused("wrong.ini"))

    def test_what_an_ini_makes_is_no_factory(self):
        self.assertIn("--factory is for modules", self.refused("site.ini", factory="true"))

    def test_a_log_that_cannot_be_written_is_a_failure(self):
        with self.assertRaisesRegex(CannotServe, "the log cannot be written to .*/no/log: No such"):
            self.program("app", log_file="no/log").log()

    def test_a_level_is_that_of_the_log_wherever_it_goes(self):
        root = logging.getLogger()
        for name in ("handlers", "level"):
            self.addCleanup(setattr, root, name, getattr(root, name))
        for given in ({}, {"log_file": "log"}):
            root.handlers = []
            self.program("app", log_level="Error", **given).log()
            self.assertEqual(logging.ERROR, root.level)
            [handler] = root.handlers
            handler.close()

    def test_what_is_named_is_loaded(self):
        for named, given in (
            (["app"], {}),
            (["app:create_app"], {"factory": "true"}),
            (["site.ini"], {}),
        ):
            application = self.program(*named, **given).load()
            self.assertEqual("app", application.__name__)

    def test_what_the_application_raises_is_told_with_its_frames(self):
        with (
            mock.patch("sys.stderr") as error,
            self.assertRaisesRegex(NotLoaded, "^fails: it raised KeyError while"),
        ):
            self.program("fails").load()
        said = "".join(call.args[0] for call in error.write.call_args_list)
        self.assertEqual(1, said.count("  File "), said)

    def test_one_that_ends_the_program_is_told(self):
        with self.assertRaisesRegex(NotLoaded, "^ends: it ended the program with status 0, while"):
            self.program("ends").load()
        with self.assertRaises(SystemExit) as caught:
            self.program("says").load()
        self.assertEqual("why", caught.exception.code)
