"""The example application, and a PEP 3333 server that a test can step by hand."""

from __future__ import annotations

import os
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any
from wsgiref.util import setup_testing_defaults

from routes import Mapper

from pylons.configuration import PylonsConfig
from pylons.templating import make_lookup
from pylons.wsgiapp import PylonsApp

ROOT = os.path.join(os.path.dirname(__file__), "example")


def make_config(**options: Any) -> PylonsConfig:
    config = PylonsConfig()
    paths = {
        "root": ROOT,
        "controllers": os.path.join(ROOT, "controllers"),
        "static_files": os.path.join(ROOT, "public"),
        "templates": [os.path.join(ROOT, "templates")],
    }
    config.init_app({"debug": "false"}, options, package="tests.pylons.example", paths=paths)
    config["routes.map"] = make_map()
    config["pylons.app_globals"] = SimpleNamespace(
        title="Example", mako_lookup=make_lookup(paths["templates"])
    )
    return config


def make_map() -> Mapper:
    mapper = Mapper(directory=os.path.join(ROOT, "controllers"), explicit=False)
    mapper.minimization = False
    mapper.connect("item", "/items/{id}", controller="hello", action="args", kind="item")
    mapper.connect("/read", controller="hello", action="index", conditions={"method": ["GET"]})
    mapper.connect("/write", controller="hello", action="index", conditions={"method": ["POST"]})
    mapper.connect("/write", controller="hello", action="saved", conditions={"method": ["PUT"]})
    mapper.redirect("/old/{id}", "/items/{id}", _redirect_code="301 Moved Permanently")
    mapper.connect("/error/document", controller="error", action="document")
    mapper.connect("/room/{id}", controller="hello", action="args")
    mapper.connect("/{controller}/{action}/{id}")
    mapper.connect("/{controller}/{action}")
    return mapper


def make_app(**options: Any) -> PylonsApp:
    config = make_config(**options)
    app = config["app"] = PylonsApp(config)
    return app


def make_environ(path: str, method: str = "GET", **extra: Any) -> dict[str, Any]:
    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "REMOTE_ADDR": "127.0.0.1"}
    setup_testing_defaults(environ)
    environ.update({"SCRIPT_NAME": "", "QUERY_STRING": ""})
    environ.update(extra)
    return environ


class Exchange:
    """One request: the body is taken chunk by chunk, headers are as PEP 3333 lets them stand."""

    def __init__(self, app: Any, path: str, method: str = "GET", **extra: Any) -> None:
        self.status: str | None = None
        self.headers: list[tuple[str, str]] = []
        self.starts = 0
        self.chunks: list[bytes] = []
        self.sent = False
        self.environ = make_environ(path, method, **extra)
        self.body: Iterable[bytes] = app(self.environ, self.start_response)
        self.iterator = iter(self.body)

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> None:
        if exc_info is not None and self.sent:
            raise exc_info[1]
        if self.starts and exc_info is None:
            raise AssertionError("start_response was called twice")
        self.starts += 1
        self.status, self.headers = status, headers

    def step(self) -> bytes:
        chunk = next(self.iterator)
        self.sent = self.sent or bool(chunk)
        self.chunks.append(chunk)
        return chunk

    def run(self) -> Exchange:
        try:
            while True:
                self.step()
        except StopIteration:
            return self
        finally:
            self.close()

    def close(self) -> None:
        if hasattr(self.body, "close"):
            self.body.close()

    @property
    def content(self) -> bytes:
        return b"".join(self.chunks)

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


def get(app: Any, path: str, method: str = "GET", **extra: Any) -> Exchange:
    return Exchange(app, path, method, **extra).run()
