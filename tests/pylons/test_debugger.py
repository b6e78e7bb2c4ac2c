"""The interactive page of a failure: what it can do, and who gets it."""

import re
import subprocess
import sys
import unittest
from unittest import mock

from pylons import _debugger
from pylons.middleware import ErrorHandler
from tests.pylons.support import get

HERE = {"SERVER_NAME": "127.0.0.1", "HTTP_HOST": "127.0.0.1:5000", "wsgi.multiprocess": False}


def broken(environ, start_response):
    number = 40
    raise ZeroDivisionError(f"<{number}>")


class DebuggerTests(unittest.TestCase):
    def setUp(self):
        self.handler = ErrorHandler(broken, {"debug": "true"})
        self.core = self.handler.debugger._core

    def fail(self, **extra):
        with self.assertLogs("pylons.middleware", "ERROR"):
            return get(self.handler, "/crash", **{**HERE, **extra})

    def page(self):
        got = self.fail()
        self.assertEqual("500 Internal Server Error", got.status)
        self.assertEqual(["DENY"], got.header("X-Frame-Options"))
        return got.content.decode()

    def run_code(self, code, secret=None, **extra):
        frame = re.findall(r'id="frame-(\d+)"', self.page())[-1]
        secret = self.core.secret if secret is None else secret
        query = f"__debugger__=yes&cmd={code}&frm={frame}&s={secret}"
        settings = {**HERE, **extra, "QUERY_STRING": query}
        if settings.pop("runs", True):
            return get(self.handler, "/crash", **settings)
        with self.assertLogs("pylons.middleware", "ERROR"):
            return get(self.handler, "/crash", **settings)

    def test_the_page_shows_the_failure_and_has_the_secret(self):
        page = self.page()
        self.assertIn("ZeroDivisionError: &lt;40&gt;", page)
        self.assertIn(self.core.secret, page)

    def test_an_exception_writes_nothing_into_the_page(self):
        """backlash 0.5.1 escapes all of it but the text to copy."""
        told = "</textarea></script>--><script>alert(1)</script>"

        def quoting(environ, start_response):
            raise ValueError(told)

        self.handler.app = quoting
        page = self.page()
        self.assertNotIn("<script>alert", page)
        self.assertNotIn("</textarea></script>", page)

    def test_code_runs_in_a_frame_of_the_failure(self):
        got = self.run_code("number%2B2")
        self.assertEqual("200 OK", got.status)
        self.assertIn(b"42", got.content)
        self.assertEqual([str(len(got.content))], got.header("Content-Length"))

    def test_the_source_of_a_frame_is_shown(self):
        self.assertIn(b"raise", self.run_code("source").content)

    def test_files_of_the_page_are_there(self):
        query = "__debugger__=yes&cmd=resource&f=style.css"
        got = get(self.handler, "/crash", QUERY_STRING=query, **HERE)
        self.assertEqual(("200 OK", ["text/css"]), (got.status, got.header("Content-Type")))
        query = "__debugger__=yes&cmd=resource&f=..%2F__init__.py"
        self.assertEqual(
            "404 Not Found", get(self.handler, "/x", QUERY_STRING=query, **HERE).status
        )

    def test_nothing_runs_without_the_secret(self):
        for secret in ("", "x" * 20):
            got = self.run_code("number", secret, runs=False)
            self.assertEqual("500 Internal Server Error", got.status)

    def test_there_is_no_console_without_a_failure(self):
        with self.assertLogs("pylons.middleware", "ERROR"):
            got = get(self.handler, "/__console__", **HERE)
        self.assertEqual("500 Internal Server Error", got.status)

    def test_nobody_else_gets_the_page_or_runs_anything(self):
        others = {
            "another machine": {"REMOTE_ADDR": "192.0.2.1"},
            "behind a proxy": {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
            "behind another": {"HTTP_X_REAL_IP": "127.0.0.1"},
            "behind one that tells only of itself": {"HTTP_VIA": "1.1 proxy"},
            "behind one that tells the name": {"HTTP_X_FORWARDED_HOST": "localhost"},
            "by a name with a name in it": {"HTTP_HOST": "localhost:80@rebound.example"},
            "by two names": {"HTTP_HOST": "localhost:80:rebound"},
            "by a stranger's name": {"HTTP_HOST": "rebound.example:5000"},
            "without a name": {"HTTP_HOST": ""},
            "a server that others reach": {"SERVER_NAME": "0.0.0.0"},
            "a server with a name": {"SERVER_NAME": "www.example.org"},
            "workers": {"wsgi.multiprocess": True},
        }
        for who, extra in others.items():
            with self.subTest(who):
                got = self.fail(**extra)
                self.assertEqual("500 Internal Server Error", got.status)
                self.assertNotIn(self.core.secret.encode(), got.content)
                got = self.run_code("number", runs=False, **extra)
                self.assertEqual("500 Internal Server Error", got.status)

    def test_names_of_this_machine(self):
        for name in ("localhost", "LOCALHOST:5000", "[::1]", "[::1]:80", "127.0.0.1"):
            page = self.fail(HTTP_HOST=name, REMOTE_ADDR="::1", SERVER_NAME="::1").content
            self.assertIn(self.core.secret.encode(), page, name)

    def test_old_failures_are_forgotten(self):
        for _ in range(12):
            self.page()
        self.assertEqual(10, len(self.core.tracebacks))
        frames = {frame.id for each in self.core.tracebacks.values() for frame in each.frames}
        self.assertEqual(frames, set(self.core.frames))

    def test_without_debug_there_is_none(self):
        self.assertIsNone(ErrorHandler(broken, {"debug": "false"}).debugger)

    def test_without_backlash_the_page_is_a_plain_one_that_tells_of_it(self):
        with mock.patch.object(_debugger, "find_spec", lambda name: None):
            self.handler = ErrorHandler(broken, {"debug": "true"})
        self.assertIsNone(self.handler.debugger)
        page = self.fail().content.decode()
        self.assertIn("ZeroDivisionError: &lt;40&gt;", page)
        self.assertIn("pip install backlash", page)

    def test_an_application_without_debug_does_not_import_it(self):
        code = (
            "import sys\n"
            "from pylons.middleware import ErrorHandler\n"
            "ErrorHandler(None, {})\n"
            "assert 'backlash' not in sys.modules\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
