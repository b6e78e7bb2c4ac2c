"""A nose plugin by which a leak fails the run: what was not closed, an exception that nobody could
be told of, a process that goes on, a file that stays in the temporary folder.

Python prints the first two and goes on; warnings must be errors, so that they get here. Garbage
tells of itself when it is collected, which is done after each module.
"""

import contextlib
import gc
import logging
import os
import sys
import tempfile
import threading
import traceback
import types
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nose.plugins import Plugin

__all__ = ["Leaks", "unraised"]


@contextlib.contextmanager
def unraised(error: type[BaseException]) -> Iterator[None]:
    """Where a library's own objects end with `error`, of which nobody can be told: that is no leak
    of ours."""
    before = sys.unraisablehook
    sys.unraisablehook = lambda what: None if issubclass(what.exc_type, error) else before(what)
    try:
        yield
    finally:
        gc.collect()
        sys.unraisablehook = before


class Leaks(Plugin):  # type: ignore[misc]
    """Always on; each leak is an error of its own, named for the test or module it was seen in."""

    name = "leaks"
    enabled = True
    # After the plugins that print.
    score = 2

    def options(self, parser: Any, env: Any) -> None:
        """No options."""

    def configure(self, options: Any, conf: Any) -> None:
        self.where = "the imports"
        self.told: list[tuple[str, str]] = []  # where, what
        self.files: dict[str, str] = {}  # what is in the temporary folder, since which test

    def prepareTest(self, test: Any) -> Any:
        def run(result: Any) -> None:
            self.result = result
            sys.unraisablehook = self.unraisable
            threading.excepthook = self.uncaught
            logging.getLogger("asyncio").addHandler(_Told(self))
            self.files = dict.fromkeys(os.listdir(tempfile.gettempdir()), "")
            self.run(test, result)
            self.where = "the end"
            gc.collect()
            self.tell()
            for name, where in self.files.items():
                if where and os.path.lexists(os.path.join(tempfile.gettempdir(), name)):
                    self.fail(where, f"{name} is left in the temporary folder")
            for process in _children():
                self.fail("the end", f"a process goes on: {process}")

        return run

    def run(self, test: Any, result: Any) -> None:
        """Run all tests."""
        test(result)

    def unraisable(self, what: Any) -> None:
        """In place of Python's, which prints "Exception ignored in"."""
        lines = traceback.format_exception(what.exc_type, what.exc_value, what.exc_traceback)
        about = what.err_msg or "Exception ignored in"
        self.told.append((self.where, f"{about} {what.object!r}\n{''.join(lines)}"))

    def uncaught(self, what: Any) -> None:
        """In place of Python's, which prints "Exception in thread"."""
        lines = traceback.format_exception(what.exc_type, what.exc_value, what.exc_traceback)
        self.told.append((self.where, f"Exception in {what.thread!r}\n{''.join(lines)}"))

    def startContext(self, context: Any) -> None:
        self.where = getattr(context, "__name__", repr(context))

    def stopContext(self, context: Any) -> None:
        if isinstance(context, types.ModuleType):
            self.where = context.__name__
            gc.collect()
        self.tell()

    def beforeTest(self, test: Any) -> None:
        self.where = test.id()

    def afterTest(self, test: Any) -> None:
        for name in os.listdir(tempfile.gettempdir()):
            self.files.setdefault(name, self.where)
        self.tell()

    def tell(self) -> None:
        told, self.told = self.told, []
        places: dict[str, list[str]] = {}
        for where, what in told:
            places.setdefault(where, []).append(what)
        for where, all_of_it in places.items():
            self.fail(where, "\n".join(all_of_it))

    def fail(self, where: str, what: str) -> None:
        error = AssertionError(what)
        self.result.addFailure(_Leak(where), (type(error), error, None))


class _Told(logging.Handler):
    """What asyncio logs of tasks that were dropped and of exceptions that nobody asked for."""

    def __init__(self, leaks: Leaks) -> None:
        super().__init__(logging.ERROR)
        self.leaks = leaks

    def emit(self, record: logging.LogRecord) -> None:
        self.leaks.told.append((self.leaks.where, self.format(record)))


class _Leak(unittest.TestCase):
    """A test by its name only."""

    def __init__(self, where: str) -> None:
        super().__init__("id")
        self.where = where

    def __str__(self) -> str:
        return f"leak in {self.where}"

    id = __str__


def _children() -> list[str]:
    """The processes that this one has started and that have not ended."""
    found = []
    for task in Path("/proc/self/task").glob("*/children"):
        for child in task.read_text().split():
            words = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ")
            if words:  # else it has ended
                found.append(words.decode("utf-8", "replace")[:200])
    return found
