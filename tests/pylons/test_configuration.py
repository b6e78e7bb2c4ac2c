import os
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

from beaker.middleware import SessionMiddleware

import pylons
from pylons.configuration import PylonsConfig, request_defaults, response_defaults
from pylons.wsgiapp import PylonsApp
from tests.pylons.support import get, make_config

ERRORWARE = {
    "debug": False,
    "error_email": None,
    "error_log": None,
    "smtp_server": "localhost",
    "error_subject_prefix": "WebApp Error: ",
    "from_address": "pylons@yourapp.com",
    "error_message": "An internal server error occurred",
}


def configured(global_conf=(), **app_conf):
    config = PylonsConfig()
    config.init_app(dict(global_conf), app_conf)
    return config


class InitTests(unittest.TestCase):
    def test_the_options_of_the_application_win_and_both_are_kept(self):
        config = configured({"a": "1", "b": "2"}, b="3")
        self.assertEqual(("1", "3"), (config["a"], config["b"]))
        self.assertEqual({"a": "1", "b": "2"}, config["global_conf"])
        self.assertEqual({"b": "3"}, config["app_conf"])

    def test_what_is_not_given_has_its_default(self):
        config = configured()
        self.assertIs(False, config["debug"])
        self.assertEqual(ERRORWARE, config["pylons.errorware"])
        self.assertEqual(request_defaults, config["pylons.request_options"])
        self.assertEqual(response_defaults, config["pylons.response_options"])
        for key, value in PylonsConfig.defaults.items():
            self.assertEqual(value, config[key], key)

    def test_defaults_are_each_configurations_own(self):
        configured()["pylons.response_options"]["headers"]["X-Mine"] = "1"
        self.assertNotIn("X-Mine", configured()["pylons.response_options"]["headers"])
        self.assertNotIn("X-Mine", response_defaults["headers"])

    def test_the_options_about_failures_are_arguments_of_the_error_handler(self):
        config = configured(
            {"email_to": "ann@example.com", "error_email_from": "site@example.com"},
            smtp_server="mail:2525",
            error_log="errors.log",
            error_subject_prefix="Site: ",
            error_message="Sorry",
        )
        expected = {
            "debug": False,
            "error_email": "ann@example.com",
            "error_log": "errors.log",
            "smtp_server": "mail:2525",
            "error_subject_prefix": "Site: ",
            "from_address": "site@example.com",
            "error_message": "Sorry",
        }
        self.assertEqual(expected, config["pylons.errorware"])

    def test_what_is_neither_true_nor_false_is_named(self):
        for option in ("debug", "pylons.strict_tmpl_context", "pylons.tmpl_context_attach_args"):
            with self.assertRaisesRegex(ValueError, f"^{option} = perhaps: write true or false$"):
                configured(**{option: "perhaps"})

    def test_with_debug_nothing_is_reported(self):
        config = configured({"debug": "true", "email_to": "ann@example.com"})
        self.assertEqual({"debug": True}, config["pylons.errorware"])

    def test_what_was_loaded_before_it_counts(self):
        config = PylonsConfig(environment_load={"a": 1})
        config.init_app({}, {})
        self.assertEqual(1, config["a"])
        self.assertNotIn("environment_load", config)

    def test_the_configuration_may_be_filled_by_its_public_name(self):
        pylons.config.init_app({"a": "1"}, {}, package="mine")
        self.assertEqual(("1", "mine"), (pylons.config["a"], pylons.config["pylons.package"]))

    def test_it_may_be_read_and_changed_before_an_application_is_loaded(self):
        program = (
            "import pylons; print(pylons.config['debug'], pylons.config.get('a'),"
            " pylons.config['pylons.strict_tmpl_context'])"
        )
        command = [sys.executable, "-W", "ignore", "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual("False None True\n", done.stdout, done.stderr)

    def test_another_may_be_put_before_that_of_the_process(self):
        configured(a="1")
        pylons.config.push_process_config({"a": "2"})
        self.assertEqual("2", pylons.config["a"])
        with self.assertRaises(AssertionError):
            pylons.config.pop_process_config({})
        pylons.config.pop_process_config()
        self.assertEqual("1", pylons.config.current_conf()["a"])


class CacheDirTests(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def test_sessions_and_caches_are_kept_below_it(self):
        config = configured(cache_dir=self.folder)
        self.assertEqual(f"{self.folder}/sessions", config["beaker.session.data_dir"])
        self.assertEqual(f"{self.folder}/cache", config["beaker.cache.data_dir"])
        self.assertEqual(self.folder, config["pylons.cache_dir"])

    def test_folders_that_the_ini_names_are_kept(self):
        config = configured(
            **{"cache_dir": self.folder, "beaker.session.data_dir": "/s", "cache.data_dir": "/c"}
        )
        self.assertEqual("/s", config["beaker.session.data_dir"])
        self.assertNotIn("beaker.cache.data_dir", config)

    def visit(self, cookie=""):
        """As a process of its own: what it answers, and the cookie."""
        config = make_config(cache_dir=self.folder, **{"beaker.session.secret": "s"})
        app = SessionMiddleware(PylonsApp(config), config)
        got = get(app, "/hello/counts", HTTP_COOKIE=cookie)
        cookies = got.header("Set-Cookie")
        return got.content, cookies[0].strip().partition(";")[0] if cookies else cookie

    def test_a_session_is_found_by_another_process(self):
        first, cookie = self.visit()
        self.assertEqual((b"1", b"2"), (first, self.visit(cookie)[0]))

    def test_a_session_that_cannot_be_read_begins_anew_and_one_line_tells(self):
        _, cookie = self.visit()
        [path] = Path(self.folder).rglob("*.cache")
        path.write_bytes(b"no pickle")
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            self.assertEqual(b"1", self.visit(cookie)[0])
        [line] = [str(each.message) for each in told if "corrupt" in str(each.message)]
        self.assertRegex(line, r"^Invalidating corrupt session \w+; error was: ")

    def unwritable(self):
        path = os.path.join(self.folder, "file")
        Path(path).write_text("")
        return path

    def test_sessions_that_cannot_be_kept_are_refused(self):
        path = self.unwritable()
        for option, shown in (
            ("cache_dir", f"{path}/data/sessions (below cache_dir)"),
            ("beaker.session.data_dir", f"{path}/data"),
        ):
            told = f"beaker.session.data_dir = {shown}: {path} is not a folder that can be written"
            with self.assertRaises(ValueError) as caught:
                PylonsApp(configured(**{option: f"{path}/data"}))
            self.assertEqual(told, str(caught.exception))

    def test_caches_that_cannot_be_kept_are_told_at_the_start(self):
        path = self.unwritable()
        for kept in ({"beaker.session.type": "cookie"}, {"beaker.session.data_dir": self.folder}):
            with self.assertLogs("pylons.configuration", "ERROR") as logs:
                PylonsApp(configured(cache_dir=f"{path}/data", **kept))
            self.assertEqual(
                f"beaker.cache.data_dir = {path}/data/cache (below cache_dir): {path} is not a"
                " folder that can be written",
                logs.records[-1].getMessage(),
            )


class RefusedTests(unittest.TestCase):
    def test_an_option_that_beaker_does_not_take_is_named(self):
        for option, value, told in (
            ("beaker.session.type", "nonsense", "Beaker has no such type"),
            ("beaker.cache.type", "nonsense", "Beaker has no such type"),
            ("beaker.cache.type", "cookie", "Beaker has no such type"),
            ("beaker.cache.short.type", "nonsense", "Beaker has no such type"),
            ("beaker.session.timeout", "soon", "Beaker does not take it: .* must be an integer"),
            ("beaker.session.secure", "soon", "Beaker does not take it: .* must be a boolean"),
            ("beaker.cache.short.expire", "soon", "Beaker does not take it: expire must be an"),
        ):
            with self.assertRaisesRegex(ValueError, f"^{option} = {value}: {told}"):
                configured(**{option: value})

    def test_what_beaker_takes_is_taken(self):
        for kind in ("cookie", "memory", "file", "dbm", "ext:database", "ext:redis"):
            configured(**{"beaker.session.type": kind, "beaker.session.timeout": "60"})
        configured(**{"beaker.cache.regions": "a, b", "beaker.cache.a.expire": "60"})

    def test_it_ends_a_program_with_one_line(self):
        program = (
            "from pylons.configuration import PylonsConfig;"
            "PylonsConfig().init_app({'debug': 'perhaps'}, {})"
        )
        command = [sys.executable, "-W", "ignore", "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(
            (1, "debug = perhaps: write true or false\n"), (done.returncode, done.stderr)
        )
