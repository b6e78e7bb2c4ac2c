"""The application that all servers have: a path for each kind of work."""

import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper

from mako.template import Template

__all__ = ["FILE", "application"]

Environ = dict[str, Any]
FILE = "ORDINARY_FILE"  # the variable with the path of the file to send
_BLOCK = 1 << 16
_ROWS = [{"name": f"item <{number}>", "price": number * 1.25} for number in range(100)]
_PAGE = Template(filename=str(Path(__file__).with_name("page.mako")), default_filters=["h"])


def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    kind, answer = _PATHS[environ["PATH_INFO"]]
    body, length = answer(environ)
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(length))])
    return body


def _whole(body: bytes) -> tuple[Iterable[bytes], int]:
    return [body], len(body)


def _hello(environ: Environ) -> tuple[Iterable[bytes], int]:
    return _whole(b"Hello world\n")


def _template(environ: Environ) -> tuple[Iterable[bytes], int]:
    return _whole(_PAGE.render(rows=_ROWS).encode())


def _json(environ: Environ) -> tuple[Iterable[bytes], int]:
    order = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    total = sum(item["price"] * item["count"] for item in order["items"])
    return _whole(json.dumps({"total": total, "items": order["items"]}).encode())


def _file(environ: Environ) -> tuple[Iterable[bytes], int]:
    file = open(os.environ[FILE], "rb")  # noqa: SIM115 - the server closes it
    wrapper = environ.get("wsgi.file_wrapper", FileWrapper)  # it is optional
    return wrapper(file, _BLOCK), os.fstat(file.fileno()).st_size


def _upload(environ: Environ) -> tuple[Iterable[bytes], int]:
    left = int(environ["CONTENT_LENGTH"])
    while left and (block := environ["wsgi.input"].read(min(left, _BLOCK))):
        left -= len(block)
    return _whole(b"%d missing\n" % left)


def _blocks(environ: Environ) -> tuple[Iterable[bytes], int]:
    """For as many seconds as the query says."""
    time.sleep(float(environ["QUERY_STRING"]))
    return _hello(environ)


_PATHS = {
    "/": ("text/plain", _hello),
    "/template": ("text/html; charset=utf-8", _template),
    "/json": ("application/json", _json),
    "/file": ("application/octet-stream", _file),
    "/upload": ("text/plain", _upload),
    "/blocks": ("text/plain", _blocks),
}
