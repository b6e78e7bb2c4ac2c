"""The files of an application, served out of memory with validators and ranges (RFC 9110).

Text goes compressed to whom says that gzip is taken, each form under an ETag of its own.
"""

from __future__ import annotations

import gzip
import mimetypes
import os
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from email.utils import formatdate, parsedate_to_datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.types import WSGIEnvironment

__all__ = ["StaticFiles"]

_Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_Headers = Sequence[tuple[str, str]]

_VERSIONED = "/static/"
_FOR_EVER = "max-age=31536000, public, immutable"

_TEXT = re.compile(r"text/.*|application/(javascript|json|xml|manifest\+json)|.*\+xml")
_GZIP = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?(?=,|$)", re.I)
_ETAG = re.compile(r'"[^"]*"')
_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))", re.ASCII)


class StaticFiles:
    """A WSGI application: the files below the folder `root`, else `app`.

    They are read once, here: what changes on the disk meanwhile does not mix with what is served,
    and a restart takes the new ones. `max_age`: seconds that a browser need not ask again. With
    `fresh` each request reads the file anew and a browser always asks. `headers` are added to each
    answer. Files and folders whose names begin with a dot are left out. `made` are files that are
    none there: by path, what gives the content.

    With a `version`, which has to be another whenever a file is, each is below `/static/VERSION/`
    as well, where a browser never asks again. Below another version, of which a page may be that
    came before a restart, or from another server, is what there is, and a browser always asks.
    """

    def __init__(
        self,
        app: _Application,
        root: str,
        *,
        max_age: int = 0,
        fresh: bool = False,
        headers: _Headers = (),
        version: str = "",
        made: Mapping[str, Callable[[], bytes]] | None = None,
    ) -> None:
        self._app = app
        self._root = Path(root)
        self._headers = headers
        self._fresh = fresh
        self._cached = "no-cache" if fresh else f"max-age={max_age}, public"
        self._current = f"{_VERSIONED}{version}/" if version else ""
        self._made = made or {}
        self._find = self._now if fresh else self._all().get

    def __call__(
        self, environ: WSGIEnvironment, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path, cached = environ["PATH_INFO"], self._cached
        if self._current and path.startswith(_VERSIONED):
            path, cached = self._meant(path)
        found = self._find(path)
        if found is None:
            return self._app(environ, start_response)
        answer = _answer(found, [("Cache-Control", cached), *self._headers], environ)
        start_response(answer.status, list(answer.headers))
        return [answer.body]

    def _meant(self, path: str) -> tuple[str, str]:
        """The path of a file below a version, and how long a browser may keep it."""
        is_current = path.startswith(self._current) and not self._fresh
        _, slash, rest = path.removeprefix(_VERSIONED).partition("/")
        return slash + rest, _FOR_EVER if is_current else "no-cache"

    def _now(self, path: str) -> _Held | None:
        """The file as it is now."""
        if path in self._made:
            return _hold(path, self._made[path](), time.time())
        return next((self._read(file) for name, file in self._files() if name == path), None)

    def _all(self) -> dict[str, _Held]:
        held = {path: self._read(file) for path, file in self._files()}
        now = time.time()
        return held | {path: _hold(path, make(), now) for path, make in self._made.items()}

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
            return _hold(file.name, opened.read(), os.fstat(opened.fileno()).st_mtime)


class _Form(NamedTuple):
    """What a file's content is sent as; `headers` tell of it."""

    content: bytes
    etag: str
    headers: list[tuple[str, str]]


def _form(content: bytes, tag: str, *headers: tuple[str, str]) -> _Form:
    etag = f'"{tag}"'
    return _Form(content, etag, [("ETag", etag), *headers])


class _Held(NamedTuple):
    """A file, as it is, and as text is `packed`."""

    content_type: str
    changed: str
    plain: _Form
    packed: _Form | None


def _hold(name: str, content: bytes, changed_at: float) -> _Held:
    changed = formatdate(changed_at, usegmt=True)
    tag = urlsafe_b64encode(blake2b(content, digest_size=12).digest()).decode()
    content_type = _content_type(name)
    if _TEXT.fullmatch(content_type.partition(";")[0]):
        packed = gzip.compress(content, mtime=0)
        if len(packed) < len(content):
            vary = ("Vary", "Accept-Encoding")
            forms = _form(content, tag, vary), _form(packed, f"{tag}-gzip", vary)
            return _Held(content_type, changed, *forms)
    return _Held(content_type, changed, _form(content, tag), None)


class _Answer(NamedTuple):
    status: str
    headers: _Headers
    body: bytes


def _answer(held: _Held, common: _Headers, environ: WSGIEnvironment) -> _Answer:
    method = environ["REQUEST_METHOD"]
    if method not in ("GET", "HEAD"):
        plain = [("Allow", "GET, HEAD"), ("Content-Type", "text/plain"), ("Content-Length", "0")]
        return _Answer("405 Method Not Allowed", plain, b"")
    form = _taken(held, environ)
    headers = [*form.headers, ("Last-Modified", held.changed), *common]
    if _is_known(form.etag, held.changed, environ):
        return _Answer("304 Not Modified", headers, b"")
    whole = len(form.content)
    headers += [("Content-Type", held.content_type), ("Accept-Ranges", "bytes")]
    if form is held.packed:
        headers.append(("Content-Encoding", "gzip"))
    if method == "HEAD":
        return _Answer("200 OK", [*headers, ("Content-Length", str(whole))], b"")
    part = _part(form, held.changed, environ)
    if part is None:
        return _Answer("200 OK", [*headers, ("Content-Length", str(whole))], form.content)
    body = form.content[part.start : part.stop]
    headers.append(("Content-Length", str(len(body))))
    if not body:
        headers.append(("Content-Range", f"bytes */{whole}"))
        return _Answer("416 Range Not Satisfiable", headers, b"")
    headers.append(("Content-Range", f"bytes {part.start}-{part.stop - 1}/{whole}"))
    return _Answer("206 Partial Content", headers, body)


def _taken(held: _Held, environ: WSGIEnvironment) -> _Form:
    """The one that the client takes (RFC 9110, 12.5.3). A part is always one of the plain file."""
    if held.packed is None or "HTTP_RANGE" in environ:
        return held.plain
    gzipped = _GZIP.search(environ.get("HTTP_ACCEPT_ENCODING", ""))
    return held.packed if gzipped and float(gzipped[1] or 1) else held.plain


def _is_known(etag: str, changed: str, environ: WSGIEnvironment) -> bool:
    """Whether the client has this version already (RFC 9110, 13.1.2 and 13.1.3)."""
    etags: str | None = environ.get("HTTP_IF_NONE_MATCH")
    if etags is not None:
        return etags.strip() == "*" or etag in _ETAG.findall(etags)
    since = environ.get("HTTP_IF_MODIFIED_SINCE", "")
    try:
        return parsedate_to_datetime(changed) <= parsedate_to_datetime(since)
    except (TypeError, ValueError):
        return False  # no date, or one without a zone


def _part(form: _Form, changed: str, environ: WSGIEnvironment) -> range | None:
    """The part that is asked for, None for the whole (RFC 9110, 14.2): several are not served."""
    asked = _RANGE.fullmatch(environ.get("HTTP_RANGE", "").strip())
    condition = environ.get("HTTP_IF_RANGE", form.etag).strip()
    if asked is None or condition not in (form.etag, changed):
        return None
    first, last, suffix = asked.groups()
    whole = len(form.content)
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
