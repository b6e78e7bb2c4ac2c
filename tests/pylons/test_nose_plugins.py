"""The plugins are run as a user runs them: nosetests in a directory with some tests."""

import os
import subprocess
import sys
import tempfile
import textwrap
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

RUNNER = """
import nose
from pylons.test import HonestResults, PylonsPlugin
nose.main(addplugins=[PylonsPlugin(), HonestResults()])
"""

INI = """
[app:main]
paste.app_factory = app_of_test:make_app
greeting = hello
"""


class Plugins(unittest.TestCase):
    def run_nose(self, tests, *options, **files):
        with tempfile.TemporaryDirectory() as place:
            app = "def make_app(global_conf, greeting): return greeting"
            files = {"app_of_test.py": app, **files}
            files |= {"test_it.py": tests, "runner.py": RUNNER, "test.ini": INI}
            for name, text in files.items():
                with open(os.path.join(place, name), "w") as file:
                    file.write(textwrap.dedent(text))
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "runner.py", "test_it.py", *options],
                cwd=place,
                env={**os.environ, "PYTHONPATH": ROOT},
                capture_output=True,
                text=True,
            )
        return done.returncode, done.stderr

    def test_an_async_test_that_nobody_awaits_fails(self):
        code, text = self.run_nose(
            """
            import unittest
            async def test_function(): pass
            class TestPlain:
                async def test_method(self): pass
            class Case(unittest.TestCase):
                async def test_case(self): pass
            """
        )
        self.assertEqual(code, 1)
        for name in ("test_function", "TestPlain.test_method", "Case.test_case"):
            self.assertIn(f"{name} is async, so it was not run", text)
        self.assertEqual(text.splitlines()[-1], "0 passed, 3 failed, 0 skipped")

    def test_the_closing_lines_count_and_say_why_tests_were_skipped(self):
        code, text = self.run_nose(
            """
            import unittest
            class Awaited(unittest.IsolatedAsyncioTestCase):
                async def test_awaited(self): pass
            class Case(unittest.TestCase):
                def test_good(self): pass
                def test_bad(self): self.fail()
                def test_error(self): raise KeyError
                @unittest.skip("no browser")
                def test_skipped(self): pass
                @unittest.skip("no browser")
                def test_skipped_too(self): pass
                @unittest.skip("too late")
                def test_skipped_as_well(self): pass
            """
        )
        self.assertEqual(code, 1)
        lines = ["skipped 2: no browser", "skipped 1: too late", "2 passed, 2 failed, 3 skipped"]
        self.assertEqual(text.splitlines()[-3:], lines)

    def test_a_class_that_is_skipped_is_not_set_up(self):
        code, text = self.run_nose(
            """
            import unittest
            @unittest.skip("no browser")
            class Case(unittest.TestCase):
                @classmethod
                def setUpClass(cls): raise AssertionError
                @classmethod
                def tearDownClass(cls): raise AssertionError
                def test_one(self): pass
                def test_two(self): pass
            """
        )
        self.assertEqual(code, 0, text)
        lines = ["skipped 2: no browser", "0 passed, 0 failed, 2 skipped"]
        self.assertEqual(text.splitlines()[-2:], lines)

    def test_the_application_of_the_ini_file_is_loaded(self):
        code, text = self.run_nose(
            """
            import pylons.test
            def test_it(): assert pylons.test.pylonsapp == "hello"
            """,
            "--with-pylons=test.ini",
        )
        self.assertEqual((code, text.splitlines()[-1]), (0, "1 passed, 0 failed, 0 skipped"), text)

    def test_its_configuration_and_globals_are_there_for_tests_outside_requests(self):
        code, text = self.run_nose(
            """
            import pylons
            def test_config(): assert pylons.config._object_stack()[0]["debug"] is False
            def test_globals(): assert pylons.app_globals["a"] == 1
            def test_translator(): assert pylons.translator.gettext("a") == "a"
            """,
            "--with-pylons=test.ini",
            **{
                "app_of_test.py": """
                from pylons.configuration import PylonsConfig
                class App:
                    config = PylonsConfig()
                def make_app(global_conf, greeting):
                    App.config.init_app({}, {}, package="x", paths={})
                    App.config["pylons.app_globals"] = {"a": 1}
                    return App()
                """
            },
        )
        self.assertEqual((code, text.splitlines()[-1]), (0, "3 passed, 0 failed, 0 skipped"), text)
