"""What tests of the server are made of: an application that is served, and what is logged."""

from __future__ import annotations

import json
import logging
import unittest
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from benchmarks.harness.server import ServerThread

__all__ = ["LOOPS", "Records", "ServedTestCase", "SharedServerTestCase", "echo"]

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


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answers with what it was asked, as JSON."""
    body = environ["wsgi.input"].read()
    seen = {name: value for name, value in environ.items() if isinstance(value, str)}
    seen["body"] = body.decode("latin-1")
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(seen).encode()]
