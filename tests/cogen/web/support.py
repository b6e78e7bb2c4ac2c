"""What tests of the server are made of: an application that is served, and what is logged."""

from __future__ import annotations

import json
import logging
import unittest
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from benchmarks.harness.server import ServerThread
from cogen.core.events import Signal

__all__ = [
    "LOOPS",
    "Records",
    "ServedTestCase",
    "SharedServerTestCase",
    "WaitingTestCase",
    "echo",
    "in_each_mode",
]

LOOPS = ("uvloop", "asyncio")


class Records(logging.Handler):
    """A context manager that collects what the logger `name` is told."""

    def __init__(self, name: str = "cogen", level: int = logging.DEBUG) -> None:
        super().__init__(level)
        self.records: list[logging.LogRecord] = []
        self._logger = logging.getLogger(name)

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def text(self) -> str:
        return "\n".join(record.getMessage() for record in self.records)

    def __enter__(self) -> Records:
        self._before = (self._logger.level, self._logger.propagate)
        self._logger.addHandler(self)
        self._logger.setLevel(self.level)
        self._logger.propagate = False
        return self

    def __exit__(self, *exc: object) -> None:
        self._logger.removeHandler(self)
        self._logger.level, self._logger.propagate = self._before


class RecordedTestCase(unittest.TestCase):
    """`records` are what the server's logger is told meanwhile."""

    def setUp(self) -> None:
        self.records = Records()
        self.records.__enter__()
        self.addCleanup(self.records.__exit__)


class ServedTestCase(RecordedTestCase):
    """Each test has servers of its own; `options` are theirs."""

    options: ClassVar[dict[str, Any]] = {}

    def serve(self, application: Any, **options: Any) -> ServerThread:
        """A server until the end of the test."""
        server = ServerThread(application, **{**self.options, **options})
        server.__enter__()
        self.addCleanup(server.stop)
        return server


class SharedServerTestCase(RecordedTestCase):
    """One server for a class, with `options`; each test serves an application of its own by it."""

    options: ClassVar[dict[str, Any]] = {}
    server: ClassVar[ServerThread]
    application: ClassVar[Any]

    @classmethod
    def setUpClass(cls) -> None:
        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            return cls.application(environ, start_response)

        cls.server = ServerThread(application, **cls.options)
        cls.server.__enter__()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.stop()

    def serve(self, application: Any) -> ServerThread:
        type(self).application = staticmethod(application)
        return self.server


class WaitingTestCase(SharedServerTestCase):
    """For `in_each_mode`."""

    def __init_subclass__(cls) -> None:
        # The bases here only hold the tests.
        cls.__test__ = "options" in vars(cls)

    def signal(self, name: Any, value: Any = None) -> None:
        """Resume what waits for the signal `name` on the server."""
        self.server.call(lambda: self.server.server.scheduler.add(_signal, (name, value)))

    def idle(self) -> None:
        """Return when the server holds nothing of the requests before."""
        self.server.settled(exchanges=0, signal_waiters=0, coroutines=0, ready=0)


def _signal(name: Any, value: Any) -> Any:
    yield Signal(name, value)


def in_each_mode(module: dict[str, Any]) -> None:
    """Have the WaitingTestCases of a `module` run on each event loop and in threads."""
    modes = {
        "Uvloop": {"proactor": "uvloop"},
        "Asyncio": {"proactor": "asyncio"},
        "Threads": {"threads": "3"},
    }
    bases = [
        each for each in WaitingTestCase.__subclasses__() if each.__module__ == module["__name__"]
    ]
    for base in bases:
        for mode, options in modes.items():
            name = f"{mode}{base.__name__.removesuffix('s')}"
            body = {"options": options, "__module__": base.__module__}
            module[name] = type(name, (base,), body)


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answers with what it was asked, as JSON."""
    body = environ["wsgi.input"].read()
    seen = {name: value for name, value in environ.items() if isinstance(value, str)}
    seen["body"] = body.decode("latin-1")
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(seen).encode()]
