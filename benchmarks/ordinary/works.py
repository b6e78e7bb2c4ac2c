"""The kinds of work, and whether a server does them: each answer is looked at before the run."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import io
import json
import os
import tempfile
from collections.abc import Iterator
from wsgiref.util import setup_testing_defaults

from benchmarks.ordinary.application import FILE, application

__all__ = ["WORKS", "Work", "check", "file_to_send"]

_ORDER = {"items": [{"name": f"item {n}", "price": n * 0.5, "count": n} for n in range(20)]}
_PATIENCE = 60


@dataclasses.dataclass(frozen=True)
class Work:
    """`connections` at once, each with one request under way; `body` None: GET. `close`: a new
    connection for each request.
    """

    name: str
    title: str
    connections: int
    path: str = "/"
    body: bytes | None = None
    kind: str = ""  # of the body
    close: bool = False
    count: int = 0  # of requests in a turn; 0: as many as a second gives

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"

    @property
    def headers(self) -> dict[str, str]:
        return {
            **({"Content-Type": self.kind} if self.kind else {}),
            **({"Connection": "close"} if self.close else {}),
        }


WORKS = [
    Work("hello", "hello world", 64),
    Work("template", "10 kB template", 32, "/template"),
    Work("json", "JSON POST", 32, "/json", json.dumps(_ORDER).encode(), "application/json"),
    Work("file", "1 MB file", 8, "/file", count=100),
    Work(
        "upload", "10 MB upload", 4, "/upload", b"x" * 10_000_000, "application/octet-stream",
        count=12,
    ),
    Work("kept", "1,000 kept connections", 1000, count=3000),
    Work("new", "a new connection each", 32, close=True),
]  # fmt: skip


@contextlib.contextmanager
def file_to_send(size: int = 1_000_000) -> Iterator[None]:
    """Servers that are started meanwhile have a file of so many bytes."""
    with tempfile.NamedTemporaryFile(prefix="benchmark-") as file:
        file.write(os.urandom(size))
        file.flush()
        os.environ[FILE] = file.name
        try:
            yield
        finally:
            del os.environ[FILE]


def check(port: int, work: Work) -> None:
    """Raises RuntimeError: the answer is not what the application says; OSError."""
    connection = http.client.HTTPConnection("127.0.0.1", port, _PATIENCE)
    with contextlib.closing(connection):
        connection.request(work.method, work.path, work.body, work.headers)
        answer = connection.getresponse()
        body = answer.read()
    if (answer.status, body) != (200, _expected(work)):
        raise RuntimeError(f"{work.title}: answered {answer.status} {body[:200]!r}")


def _expected(work: Work) -> bytes:
    body = work.body or b""
    environ = {
        "PATH_INFO": work.path,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    setup_testing_defaults(environ)
    blocks = application(environ, lambda status, headers: None)
    try:
        return b"".join(blocks)
    finally:
        if hasattr(blocks, "close"):
            blocks.close()
