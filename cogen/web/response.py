"""Response heads, without I/O (PEP 3333, RFC 9110, RFC 9112)."""

import re
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Final

from cogen.web.environ import SERVER_SOFTWARE
from cogen.web.http import HTTPError

__all__ = ["Head", "plain_response"]

_STATUS = re.compile(r"[2-9][0-9]{2}(?: [\t\x20-\x7e\x80-\xff]*)?")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BAD_IN_VALUE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
# RFC 9110 section 7.6.1; Connection itself is honoured.
_HOP_BY_HOP: Final = frozenset(
    (
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
_NAMES_KEPT: Final = 1000
_lower_names: dict[str, str] = {}


class Head:
    """The status and headers an application gave; checks them at once.

    Raises TypeError or ValueError, naming the header, for what HTTP or PEP 3333 does not allow.
    """

    __slots__ = ("closes", "code", "content_length", "lines", "names")

    def __init__(self, status: str, headers: list[tuple[str, str]]) -> None:
        if type(status) is not str or not _STATUS.fullmatch(status):
            raise ValueError(f"status must be like '200 OK', not {status!r}")
        self.code = int(status[:3])
        self.content_length: int | None = None
        self.closes = False
        self.names: set[str] = set()
        lines = [f"HTTP/1.1 {status if len(status) > 3 else status + ' '}\r\n"]
        for name, value in headers:
            lower = _lower_names.get(name) or _lower_name(name)
            if type(value) is not str or not value.isprintable() or not value.isascii():
                _check_value(name, value)
            if lower in _SPECIAL:
                self._special(lower, value)
                if lower == "connection" or (lower == "content-length" and self.code == 204):
                    continue
            lines.append(f"{name}: {value}\r\n")
        self.lines = "".join(lines)

    def _special(self, name: str, value: str) -> None:
        self.names.add(name)
        if name == "content-length":
            if not (value.isascii() and value.isdigit()):
                raise ValueError(f"Content-Length must be a number, not {value!r}")
            if self.content_length not in (None, int(value)):
                raise ValueError("two different Content-Length headers")
            self.content_length = int(value)
        elif name == "connection":
            self.closes = "close" in value.lower()
        elif name in _HOP_BY_HOP:
            raise ValueError(f"the header {name} is the server's to set (PEP 3333)")

    @property
    def bodyless(self) -> bool:
        """RFC 9110 section 6.4.1: no content, whatever the method."""
        return self.code in (204, 304)

    def encode(self, framing: str, date: str) -> bytes:
        """The bytes of the head; `framing` and `date` are whole lines."""
        names = self.names
        if names and "date" in names:
            date = ""
        server = "" if names and "server" in names else _SERVER_LINE
        return f"{self.lines}{framing}{date}{server}\r\n".encode("latin-1")


_SERVER_LINE: Final = f"Server: {SERVER_SOFTWARE}\r\n"
_SPECIAL: Final = _HOP_BY_HOP | {"connection", "content-length", "date", "server"}


def _lower_name(name: Any) -> str:
    if type(name) is not str or not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no header name")
    if len(_lower_names) < _NAMES_KEPT:
        _lower_names[name] = name.lower()
    return name.lower()


def _check_value(name: str, value: Any) -> None:
    if type(value) is not str:
        raise TypeError(f"the value of the header {name} must be str, not {value!r}")
    bad = _BAD_IN_VALUE.search(value)
    if bad is not None:
        raise ValueError(f"the value of the header {name} holds {bad[0]!r}: {value[:200]!r}")


class DateLine:
    """The Date header, made once a second."""

    __slots__ = ("_line", "_second")

    def __init__(self) -> None:
        self._second = 0
        self._line = ""

    def __call__(self) -> str:
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._line = f"Date: {formatdate(now, usegmt=True)}\r\n"
        return self._line


date_line = DateLine()


def plain_response(error: HTTPError, bodyless: bool = False, extra: str = "") -> bytes:
    """A whole response that says `error` in one line and closes; `extra` are header lines."""
    body = f"{error.args[0]}\n".encode()
    try:
        phrase = HTTPStatus(error.status).phrase
    except ValueError:
        phrase = "Error"
    head = Head(
        f"{error.status} {phrase}",
        [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))],
    ).encode(f"{extra}Connection: close\r\n", date_line())
    return head if bodyless else head + body
