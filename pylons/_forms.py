"""How much of a form is read: strangers send any number of fields, files and headers.

WebOb reads forms by the standard library's `cgi`, which limits none of them, keeps each field above
1000 bytes in an open file, takes a time that grows with the square of a part's head, and has parts
of parts, which no browser sends (RFC 7578 section 4.3), become lists that WebOb cannot take.
"""

from __future__ import annotations

import io
from typing import Any, Final

import webob
from webob.compat import cgi_FieldStorage
from webob.exc import HTTPRequestEntityTooLarge
from webob.multidict import MultiDict

__all__ = ["MOST_FIELDS", "MOST_FILES", "read_form"]

MOST_FIELDS: Final = 10_000
"""Fields of a form, files among them."""
MOST_FILES: Final = 100
"""Files of a form above 1000 bytes: each is kept open. A text is kept in memory."""
_LONGEST_HEAD: Final = 16_384
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
# Where WebOb keeps the form that it has read, and of which body it was.
_READ: Final = "webob._parsed_post_vars"


def read_form(request: webob.Request) -> None:
    """Have what `request.POST` is of a form be read, unless it was.

    Raises HTTPRequestEntityTooLarge for a form beyond the limits, ValueError and LookupError for
    what is none.
    """
    environ = request.environ
    if not _is_form(request) or request.charset != "UTF-8":
        return  # WebOb says so without a look at the body
    _, body = environ.get(_READ, (None, None))
    if body is not None and body is request.body_file_raw:
        return
    request.make_body_seekable()
    request.body_file_raw.seek(0)
    form = _Form(
        fp=_Counted(request.body_file_raw),
        environ={"CONTENT_LENGTH": "0", **environ, "QUERY_STRING": ""},
        keep_blank_values=True,
        encoding="utf8",
    )
    environ[_READ] = (MultiDict.from_fieldstorage(form), request.body_file_raw)


def _is_form(request: webob.Request) -> bool:
    kind = request.content_type
    return kind in _FORMS or (not kind and request.method == "POST")


class _Form(cgi_FieldStorage):  # type: ignore[misc]
    """A form, or a part of one."""

    def make_file(self) -> Any:
        """Where a field above 1000 bytes goes on."""
        if self.filename is None:
            return io.StringIO()
        self.fp.count_file()
        return super().make_file()

    def read_multi(self, *arguments: Any) -> None:
        self._check_whole()
        super().read_multi(*arguments)

    def read_urlencoded(self) -> None:
        self._check_whole()
        super().read_urlencoded()

    def _check_whole(self) -> None:
        if self.outerboundary:
            raise ValueError("a part has parts of its own")


class _Counted:
    """A body: `readline()` is a line of a part's head, `readline(size)` one of its content."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._parts = self._files = self._head = 0

    def readline(self, size: int = -1) -> bytes:
        if size >= 0:
            line: bytes = self._file.readline(size)
            return line
        line = self._file.readline(_LONGEST_HEAD)
        self._head += len(line)
        if self._head >= _LONGEST_HEAD:
            raise _too_much(f"a part whose head is longer than {_LONGEST_HEAD} bytes")
        if not line.strip():
            self._count_fields(1)
            self._head = 0
        return line

    def read(self, size: int = -1) -> bytes:
        """The fields of a form that is one line."""
        body: bytes = self._file.read(size)
        self._count_fields(body.count(b"&"))
        return body

    def count_file(self) -> None:
        self._files += 1
        if self._files > MOST_FILES:
            raise _too_much(f"more than {MOST_FILES} files")

    def _count_fields(self, count: int) -> None:
        self._parts += count
        if self._parts > MOST_FIELDS:
            raise _too_much(f"more than {MOST_FIELDS} fields")


def _too_much(what: str) -> HTTPRequestEntityTooLarge:
    return HTTPRequestEntityTooLarge(detail=f"The form has {what}.")
