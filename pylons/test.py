"""Plugins for nose: the application under test, and results that can be believed."""

from __future__ import annotations

import inspect
import os
import sys
import unittest
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

from nose.plugins import Plugin
from paste.deploy import loadapp

from pylons._proxy import translator
from pylons._translations import translations
from pylons.configuration import app_globals, config

__all__ = ["HonestResults", "PylonsPlugin"]

pylonsapp: Any = None
"""The application that `--with-pylons` loaded, else None."""


class PylonsPlugin(Plugin):  # type: ignore[misc]
    """`nosetests --with-pylons=test.ini` loads that application into `pylons.test.pylonsapp`."""

    name: ClassVar[str] = "pylons"
    enabled = False
    enableOpt = "pylons_config"

    def options(self, parser: Any, env: Any) -> None:
        """Add the option to the command line of nosetests."""
        parser.add_option(
            "--with-pylons",
            dest=self.enableOpt,
            default=env.get("NOSE_WITH_PYLONS"),
            metavar="INI",
            help="load the application of this ini file before the tests (INI#name for another"
            " than main) [NOSE_WITH_PYLONS]",
        )

    def configure(self, options: Any, conf: Any) -> None:
        """The plugin is on if the option was given."""
        self.conf = conf
        self.ini = getattr(options, self.enableOpt)
        self.enabled = bool(self.ini)

    def begin(self) -> None:
        """Load the application, and push what `pylons.config` and others stand for in tests.

        The folder is on the path first: a project need not be installed to be tested.
        """
        global pylonsapp
        folder = os.getcwd()
        if folder not in sys.path:
            sys.path.insert(0, folder)
        self.app = pylonsapp = loadapp(f"config:{self.ini}", relative_to=folder)
        conf = getattr(pylonsapp, "config", None)
        if conf:
            config._push_object(conf)
            app_globals._push_object(conf.get("pylons.app_globals"))
            translator._push_object(translations(conf.get("lang"), conf))


class HonestResults(Plugin):  # type: ignore[misc]
    """Fails `async def` tests that nobody would await, sets up no class that is skipped, and closes
    with lines anyone can read: why tests were skipped, how many passed, failed and were skipped.

    nose calls an `async def test_*`, drops the coroutine and reports a pass; unittest does the same
    in a TestCase that is no IsolatedAsyncioTestCase. nose calls setUpClass of a skipped class.
    """

    name: ClassVar[str] = "honest-results"
    enabled = True
    # After the plugins that print results of their own.
    score = 1

    def options(self, parser: Any, env: Any) -> None:
        """No options: it is always on."""

    def configure(self, options: Any, conf: Any) -> None:
        """Begin to count."""
        self.conf = conf
        self.passed = 0

    def prepareTestCase(self, test: Any) -> Callable[[Any], None] | None:
        """What to run in place of `test`, or None to run it as it is."""
        function = _function_of(test.test)
        if isinstance(test.test, unittest.IsolatedAsyncioTestCase) or not _is_async(function):
            return None

        def refuse(result: Any) -> None:
            result.startTest(test)
            try:
                raise AssertionError(
                    f"{function.__qualname__} is async, so it was not run: move it to a"
                    f" unittest.IsolatedAsyncioTestCase"
                )
            except AssertionError as error:
                result.addFailure(test, (type(error), error, error.__traceback__))
            finally:
                result.stopTest(test)

        return refuse

    def startContext(self, context: Any) -> None:
        """Keep nose from setting up a class that is skipped; its tests are skipped one by one."""
        if inspect.isclass(context) and getattr(context, "__unittest_skip__", False):
            for fixture in ("setUpClass", "tearDownClass"):
                setattr(context, fixture, classmethod(_nothing))

    def addSuccess(self, test: Any) -> None:
        """Count a test that passed."""
        self.passed += 1

    def setOutputStream(self, stream: Any) -> None:
        """Where the closing lines go."""
        self.stream = stream

    def finalize(self, result: Any) -> None:
        """The closing lines; errors count as failed."""
        special = [(tests, fails) for tests, _, fails in result.errorClasses.values()]
        failed = len(result.failures) + len(result.errors)
        failed += sum(len(tests) for tests, fails in special if fails)
        skips = Counter(str(why) for tests, fails in special if not fails for _, why in tests)
        for why, count in skips.items():
            self.stream.write(f"skipped {count}: {why}\n")
        skipped = skips.total()
        self.stream.write(f"{self.passed} passed, {failed} failed, {skipped} skipped\n")


def _nothing(cls: type) -> None:
    """In place of the fixtures of a class that is skipped."""


def _function_of(case: Any) -> Any:
    """The function behind nose's or unittest's test case."""
    if isinstance(case, unittest.TestCase) and hasattr(case, "_testMethodName"):
        function = getattr(case, case._testMethodName, None)
        if function is not None and case._testMethodName != "runTest":
            return function
    return getattr(case, "test", None)


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
