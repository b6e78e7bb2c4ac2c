"""How much of a form is read: strangers send any number of fields, files and headers.

WebOb reads forms by the standard library's `cgi`, which limits none of them, keeps each file above
1000 bytes open, and takes a time that grows with the square of a part's head.
"""

from __future__ import annotations

from typing import Any, Final

import webob
from webob.exc import HTTPRequestEntityTooLarge

__all__ = ["MOST_FIELDS", "MOST_FILES", "LimitedForm"]

MOST_FIELDS: Final = 10_000
"""Fields of a form, files among them."""
MOST_FILES: Final = 100
"""Files of a form."""
_LONGEST_HEAD: Final = 16_384


class LimitedForm(webob.Request):  # type: ignore[misc]
    """The request whose `POST` raises HTTPRequestEntityTooLarge for a form beyond the limits."""

    @property
    def body_file(self) -> Any:
        """The body, as `cgi` reads a form of it."""
        return _Counted(webob.Request.body_file.fget(self))

    @body_file.setter
    def body_file(self, value: Any) -> None:
        webob.Request.body_file.fset(self, value)


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
        if b"filename" in line.lower():
            self._files += 1
        if not line.strip():
            self._parts += 1
            self._head = 0
        self._check()
        return line

    def read(self, size: int = -1) -> bytes:
        """The fields of a form that is one line."""
        body: bytes = self._file.read(size)
        self._parts += body.count(b"&")
        self._check()
        return body

    def _check(self) -> None:
        if self._parts > MOST_FIELDS:
            raise _too_much(f"more than {MOST_FIELDS} fields")
        if self._files > MOST_FILES:
            raise _too_much(f"more than {MOST_FILES} files")


def _too_much(what: str) -> HTTPRequestEntityTooLarge:
    return HTTPRequestEntityTooLarge(detail=f"The form has {what}.")
