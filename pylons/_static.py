"""The files of an application, served out of memory with validators and ranges (RFC 9110)."""

from __future__ import annotations

import mimetypes
import os
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from email.utils import formatdate, parsedate_to_datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["StaticFiles"]

_Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_Headers = Sequence[tuple[str, str]]

_ETAG = re.compile(r'"[^"]*"')
_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))", re.ASCII)


class StaticFiles:
    """A WSGI application: the files below the folder `root`, else `app`.

    They are read once, here: what changes on the disk meanwhile does not mix with what is served,
    and a restart takes the new ones. `max_age`: seconds that a browser need not ask again. With
    `fresh` each request reads the file anew and a browser always asks. `headers` are added to each
    answer. Files and folders whose names begin with a dot are left out.
    """

    def __init__(
        self,
        app: _Application,
        root: str,
        *,
        max_age: int = 0,
        fresh: bool = False,
        headers: _Headers = (),
    ) -> None:
        self._app = app
        self._root = Path(root)
        cached = "no-cache" if fresh else f"max-age={max_age}, public"
        self._headers = [("Cache-Control", cached), *headers]
        self._held = None if fresh else {path: self._read(file) for path, file in self._files()}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        found = self._find(environ["PATH_INFO"])
        if found is None:
            return self._app(environ, start_response)
        answer = _answer(found, environ)
        start_response(answer.status, list(answer.headers))
        return [answer.body]

    def _find(self, path: str) -> _Held | None:
        if self._held is not None:
            return self._held.get(path)
        return next((self._read(file) for name, file in self._files() if name == path), None)

    def _files(self) -> Iterator[tuple[str, Path]]:
        """The files, each with the PATH_INFO that names it."""
        for folder, folders, names in os.walk(self._root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                if not name.startswith("."):
                    file = Path(folder, name)
                    path = f"/{file.relative_to(self._root).as_posix()}"
                    # PEP 3333: the bytes of the path as characters.
                    yield os.fsencode(path).decode("latin-1"), file

    def _read(self, file: Path) -> _Held:
        with file.open("rb") as opened:
            changed = formatdate(os.fstat(opened.fileno()).st_mtime, usegmt=True)
            content = opened.read()
        etag = f'"{urlsafe_b64encode(blake2b(content, digest_size=12).digest()).decode()}"'
        return _Held(
            content,
            _content_type(file.name),
            etag,
            changed,
            [("ETag", etag), ("Last-Modified", changed), *self._headers],
        )


class _Held(NamedTuple):
    """A file; `headers` are those of every answer about it."""

    content: bytes
    content_type: str
    etag: str
    changed: str
    headers: _Headers


class _Answer(NamedTuple):
    status: str
    headers: _Headers
    body: bytes


def _answer(held: _Held, environ: dict[str, Any]) -> _Answer:
    method = environ["REQUEST_METHOD"]
    if method not in ("GET", "HEAD"):
        plain = [("Allow", "GET, HEAD"), ("Content-Type", "text/plain"), ("Content-Length", "0")]
        return _Answer("405 Method Not Allowed", plain, b"")
    if _is_known(held, environ):
        return _Answer("304 Not Modified", held.headers, b"")
    whole = len(held.content)
    headers = [
        ("Content-Type", held.content_type),
        ("Accept-Ranges", "bytes"),
        *held.headers,
    ]
    if method == "HEAD":
        return _Answer("200 OK", [*headers, ("Content-Length", str(whole))], b"")
    part = _part(held, environ)
    if part is None:
        return _Answer("200 OK", [*headers, ("Content-Length", str(whole))], held.content)
    body = held.content[part.start : part.stop]
    headers.append(("Content-Length", str(len(body))))
    if not body:
        headers.append(("Content-Range", f"bytes */{whole}"))
        return _Answer("416 Range Not Satisfiable", headers, b"")
    headers.append(("Content-Range", f"bytes {part.start}-{part.stop - 1}/{whole}"))
    return _Answer("206 Partial Content", headers, body)


def _is_known(held: _Held, environ: dict[str, Any]) -> bool:
    """Whether the client has this version already (RFC 9110, 13.1.2 and 13.1.3)."""
    etags: str | None = environ.get("HTTP_IF_NONE_MATCH")
    if etags is not None:
        return etags.strip() == "*" or held.etag in _ETAG.findall(etags)
    since = environ.get("HTTP_IF_MODIFIED_SINCE", "")
    try:
        return parsedate_to_datetime(held.changed) <= parsedate_to_datetime(since)
    except (TypeError, ValueError):
        return False  # no date, or one without a zone


def _part(held: _Held, environ: dict[str, Any]) -> range | None:
    """The part that is asked for, None for the whole (RFC 9110, 14.2): several are not served."""
    asked = _RANGE.fullmatch(environ.get("HTTP_RANGE", "").strip())
    condition = environ.get("HTTP_IF_RANGE", held.etag).strip()
    if asked is None or condition not in (held.etag, held.changed):
        return None
    first, last, suffix = asked.groups()
    whole = len(held.content)
    if suffix is not None:
        return range(max(0, whole - int(suffix)), whole)
    if last and int(last) < int(first):
        return None  # no valid range
    return range(int(first), min(int(last) + 1, whole) if last else whole)


def _content_type(name: str) -> str:
    kind, encoding = mimetypes.guess_type(name)
    if kind is None or encoding is not None:
        return "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
