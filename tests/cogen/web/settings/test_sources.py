"""Options of the environment and of a file, and which place counts."""

import tempfile
import unittest
from pathlib import Path

from cogen.web.options import OptionError
from cogen.web.settings.sources import Settings, from_environment, from_file


class SettingsTests(unittest.TestCase):
    def test_the_nearest_place_counts_and_is_named(self):
        settings = Settings()
        settings.add("the command line", {"port": "1"})
        settings.add("the environment", {"port": "2", "host": "::1"})
        settings.add("a file", {"host": "::2", "threads": "0"})
        options = settings.options()
        self.assertEqual((1, "::1", "0"), (options.port, options.host, options.threads))
        origins = {"port": "the command line", "host": "the environment", "threads": "a file"}
        self.assertEqual(origins, settings.origins)
        self.assertEqual(8.0, options.shutdown_timeout)


class EnvironmentTests(unittest.TestCase):
    def test_variables_are_options_in_capital_letters(self):
        environ = {"COGEN_PORT": "5080", "COGEN_RELOAD": "true", "PORT": "1", "COGEN": "x"}
        self.assertEqual({"port": "5080", "reload": "true"}, from_environment(environ))

    def test_an_empty_one_says_nothing(self):
        self.assertEqual({}, from_environment({"COGEN_PORT": ""}))

    def test_those_of_workers_and_of_the_build_are_none(self):
        self.assertEqual({}, from_environment({"COGEN_WORKER": "2:3,4", "COGEN_COMPILE": "1"}))

    def test_what_is_unknown_or_wrong_is_named_by_its_variable(self):
        for variable, text, said in (
            ("COGEN_PROT", "1", "^COGEN_PROT: unknown option 'prot': is port meant\\?$"),
            ("COGEN_PORT", "tcp://10.0.0.1:80", "^COGEN_PORT: port = .*: not a whole number$"),
            ("COGEN_LOG_LEVEL", "loud", "^COGEN_LOG_LEVEL: log_level = 'loud': not one of debug,"),
        ):
            with self.subTest(variable), self.assertRaisesRegex(OptionError, said):
                from_environment({variable: text})


class FileTests(unittest.TestCase):
    def setUp(self):
        self.path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "site.toml"

    def read(self, text):
        self.path.write_text(text)
        return from_file(str(self.path))

    def refused(self, text):
        with self.assertRaises(OptionError) as caught:
            self.read(text)
        line = str(caught.exception)
        self.assertNotIn("\n", line)
        return line.removeprefix(f"{self.path}: ")

    def test_values_are_as_on_the_command_line(self):
        text = """
            application = "mysite.wsgi"
            port = 5_080
            header_timeout = 2.5
            threads = 0
            gc_freeze = false
            allowed_hosts = ["a.example", "*.b.example"]
            unix_mode = "600"
        """
        read = {
            "application": "mysite.wsgi", "port": "5080", "header_timeout": "2.5", "threads": "0",
            "gc_freeze": "false", "allowed_hosts": "a.example, *.b.example", "unix_mode": "600",
        }  # fmt: skip
        self.assertEqual(read, self.read(text))

    def test_what_is_unknown_or_wrong_is_named(self):
        self.assertEqual("unknown option 'prot': is port meant?", self.refused("prot = 1"))
        self.assertIn("is max_body meant?", self.refused("max-body = 1"))
        self.assertEqual("port = '99999': must be 65535 or less", self.refused("port = 99999"))
        self.assertIn("unknown option 'server'", self.refused("[server]\nport = 1"))
        self.assertIn("cannot name another", self.refused("config = 'x'"))

    def test_a_number_is_none_where_its_digits_count(self):
        self.assertIn("unix_mode = 432: must be text, in quotes", self.refused("unix_mode = 0o660"))
        self.assertIn("host = 1: must be text", self.refused("host = 1"))
        self.assertIn("must be text", self.refused("port = 1979-05-27"))

    def test_what_cannot_be_read_is_said(self):
        self.assertIn("(at line 1, column 8)", self.refused("port = x"))
        self.path.write_bytes(b"host = '\xff'")
        with self.assertRaisesRegex(OptionError, "utf-8"):
            from_file(str(self.path))
        with self.assertRaisesRegex(OptionError, "config = '/no': No such file"):
            from_file("/no")
