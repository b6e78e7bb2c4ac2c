"""The extensions through real middleware: what docs/middleware.md says of each is what happens."""

import contextlib
import gc
import gzip
import sys
import unittest
import warnings
from pathlib import Path
from unittest import mock

from benchmarks.harness.server import ServerThread
from cogen.core.events import Sleep
from cogen.web.life import OnLoop
from tests.cogen.web.support import Records
from tests.frameworks.middleware import MIDDLEWARE
from tests.support.leaks import unraised

DOCUMENT = Path(__file__).parents[2] / "docs" / "middleware.md"
WORKS, REFUSED, OBJECTS = "works", "refused", "objects"


def early(environ, start_response):
    """Begins its answer, waits, answers."""
    start_response("200 OK", [("Content-Type", "text/plain")])

    def answer():
        for number in range(3):
            yield environ["cogen.call"](Sleep)(0.001)
            yield f"{number} {environ['cogen.wsgi'].exception} ".encode()

    return answer()


def late(environ, start_response):
    """Waits, and begins its answer then."""
    for _ in range(3):
        yield environ["cogen.call"](Sleep)(0.001)
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"0 None 1 None 2 None "


def straight(environ, start_response):
    """Waits in straight-line code."""
    environ["cogen.wait"](Sleep(0.001))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"0 None 1 None 2 None "]


class MiddlewareTest(unittest.TestCase):
    """On the loop; in threads it is the same."""

    threads = "0"
    made = staticmethod(lambda application: application)

    def rows(self):
        lines = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]
        cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
        return {name: rest for name, *rest in cells}

    def test_the_table(self):
        rows = self.rows()
        self.assertEqual(set(MIDDLEWARE), set(rows) - {"Middleware", "---"})
        for name, wrap in MIDDLEWARE.items():
            with self.subTest(name), warnings.catch_warnings(), _quiet(name):
                warnings.simplefilter("ignore")
                # Paste's gzipper drops its file where the application fails.
                with unraised(ValueError):
                    seen = [self.outcome(wrap(self.made(each))) for each in (early, late, straight)]
                self.assertEqual(seen, rows[name][:3])

    def outcome(self, application):
        with Records() as records, ServerThread(application, threads=self.threads) as server:
            response = server.get("/", "Accept-Encoding: gzip\r\n")
        if response.status == 200:
            zipped = response.headers.get("content-encoding") == "gzip"
            body = gzip.decompress(response.body) if zipped else response.body
            self.assertEqual(body, b"0 None 1 None 2 None ")
            return WORKS
        self.assertEqual(response.status, 500)
        if "start_response has not yet been called" in records.text:
            return OBJECTS
        self.assertIn("it must pass each block on as it comes", records.text)
        return REFUSED


@contextlib.contextmanager
def _quiet(name):
    """Paste's gzipper leaves a file open when it is refused: from Python 3.13 on that is told."""
    with contextlib.ExitStack() as stack:
        if "gzipper" in name:
            stack.enter_context(mock.patch.object(sys, "unraisablehook", lambda told: None))
            stack.callback(gc.collect)
        yield


class ThreadedMiddlewareTest(MiddlewareTest):
    threads = "auto"


class AroundTheLoopTest(ThreadedMiddlewareTest):
    """The middleware in threads, what is below it on the loop."""

    made = OnLoop
