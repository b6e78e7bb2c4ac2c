"""Response heads, without I/O (PEP 3333, RFC 9110, RFC 9112)."""

import re
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Final

from cogen.web.http.environ import SERVER_SOFTWARE
from cogen.web.http.errors import HTTPError
from cogen.web.http.tokens import TOKEN

__all__ = [
    "Head",
    "early_hints",
    "forget_heads",
    "head_of",
    "plain_response",
    "server_lines",
    "trailer_section",
]

_STATUS = re.compile(r"[2-9][0-9]{2}(?: [\t\x20-\x7e\x80-\xff]*)?")
_NAME = re.compile(TOKEN)
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
# RFC 9110 section 6.5.1: what frames, routes, authenticates, or says how content is to be taken.
_NO_TRAILERS: Final = _HOP_BY_HOP | {
    "authorization", "cache-control", "connection", "content-encoding", "content-length",
    "content-range", "content-type", "date", "expires", "host", "location", "retry-after",
    "server", "set-cookie", "vary", "www-authenticate",
}  # fmt: skip
_SPECIAL: Final = _HOP_BY_HOP | {"connection", "content-length", "date", "server"}
# Names and heads repeat; what is remembered of them is bounded, in number and length: a stranger's
# words may be in them. Names that the server itself sends are there from the start.
_KEPT: Final = 500
_NAME_LENGTH: Final = 64
_HEAD_BYTES: Final = 768
_lower_names = {name: name.lower() for name in ("Content-Type", "Content-Length")}
_heads: dict[Any, "Head"] = {}


class Head:
    """The status and headers an application gave, checked and encoded. Immutable.

    Raises TypeError or ValueError, naming the header, for what HTTP or PEP 3333 does not allow.
    `bodyless`: no content, whatever the method (RFC 9110 sections 6.4.1 and 15.3.6); `closes`: the
    application asked for the connection to be closed.
    """

    __slots__ = ("_names", "bodyless", "closes", "code", "content_length", "encoded")

    def __init__(self, status: Any, headers: Any) -> None:
        if type(status) is not str or not _STATUS.fullmatch(status):
            raise ValueError(f"status must be like '200 OK', not {status!r}")
        self.code = int(status[:3])
        self.bodyless = self.code in (204, 205, 304)
        self.content_length: int | None = None
        self.closes = False
        self._names: set[str] = set()
        lines = [f"HTTP/1.1 {status if len(status) > 3 else status + ' '}\r\n"]
        for name, value in headers:
            lower = _lower_names.get(name) or _lower_name(name)
            if type(value) is not str or not value.isprintable() or not value.isascii():
                _check_value(name, value)
            if lower in _SPECIAL and not self._special(lower, value):
                continue
            lines.append(f"{name}: {value}\r\n")
        self.encoded = "".join(lines).encode("latin-1")

    @property
    def of_events(self) -> bool:
        """Whether the content is a stream of events, of which browsers ask for another."""
        return b"\r\ncontent-type: text/event-stream" in self.encoded.lower()

    def _special(self, name: str, value: str) -> bool:
        """Take note of it; whether it is sent as it is."""
        self._names.add(name)
        if name == "content-length":
            if not (value.isascii() and value.isdigit()):
                raise ValueError(f"Content-Length must be a number, not {value!r}")
            if self.content_length not in (None, int(value)):
                raise ValueError("two different Content-Length headers")
            self.content_length = int(value)
            return self.code not in (204, 205)
        if name == "connection":
            self.closes = "close" in value.lower()
            return False
        if name in _HOP_BY_HOP:
            raise ValueError(f"the header {name} is the server's to set (PEP 3333)")
        return True

    def encode(self, framing: bytes, body: bytes = b"") -> bytes:
        """The head, with `body` behind it; `framing` is whole lines."""
        names = self._names
        if names and ("date" in names or "server" in names):
            return b"".join((self.encoded, framing, self._missing_lines(), b"\r\n", body))
        return b"".join((self.encoded, framing, server_lines(), b"\r\n", body))

    def _missing_lines(self) -> bytes:
        date, server = server_lines().splitlines(keepends=True)
        return (b"" if "date" in self._names else date) + (
            b"" if "server" in self._names else server
        )


def head_of(status: Any, headers: Any) -> Head:
    """The Head of `status` and `headers`: the same ones are checked and encoded once."""
    key = (status, *headers)
    try:
        head = _heads.get(key)
    except TypeError:
        # Not pairs of strings, or lists for tuples: Head says which.
        return Head(status, headers)
    if head is None:
        head = Head(status, headers)
        if len(head.encoded) <= _HEAD_BYTES:
            if len(_heads) >= _KEPT:
                _heads.clear()
            _heads[key] = head
    return head


def early_hints(headers: Any) -> bytes:
    """The interim response 103 with `headers`, pairs of str (RFC 8297); empty without any.

    Raises TypeError or ValueError, naming the header, for what a head may not have either, and for
    what frames a response (RFC 9110 section 8.6).
    """
    for name, _ in headers:
        if isinstance(name, str) and name.lower() in ("connection", "content-length"):
            raise ValueError(f"{name} may be in no interim response")
    return b"HTTP/1.1 103 Early Hints\r\n" + _lines(headers) + b"\r\n" if headers else b""


def trailer_section(headers: Any) -> bytes:
    """The trailers `headers`, pairs of str, behind the last chunk (RFC 9112 section 7.1.2).

    Raises TypeError or ValueError, naming the header, for what no trailer may be either.
    """
    for name, _ in headers:
        if isinstance(name, str) and name.lower() in _NO_TRAILERS:
            raise ValueError(f"{name} may be no trailer (RFC 9110 section 6.5.1)")
    return _lines(headers)


def _lines(headers: Any) -> bytes:
    """The lines of `headers`, checked as those of a head."""
    return Head("200 OK", headers).encoded.partition(b"\r\n")[2]


def forget_heads() -> None:
    """Those that are remembered: some are strangers' and hold on to memory around them."""
    _heads.clear()


def _lower_name(name: Any) -> str:
    if type(name) is not str or not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no header name")
    if len(_lower_names) < _KEPT and len(name) <= _NAME_LENGTH:
        _lower_names[name] = name.lower()
    return name.lower()


def _check_value(name: str, value: Any) -> None:
    if type(value) is not str:
        raise TypeError(f"the value of the header {name} must be str, not {value!r}")
    bad = _BAD_IN_VALUE.search(value)
    if bad is not None:
        raise ValueError(f"the value of the header {name} holds {bad[0]!r}: {value[:200]!r}")


class _ServerLines:
    """The Date and Server lines, made once a second."""

    __slots__ = ("_lines", "_until")

    def __init__(self) -> None:
        self._until = 0.0
        self._lines = b""

    def __call__(self) -> bytes:
        now = time.time()
        if now >= self._until or now < self._until - 1:
            second = int(now)
            self._until = second + 1.0
            self._lines = (
                f"Date: {formatdate(second, usegmt=True)}\r\nServer: {SERVER_SOFTWARE}\r\n".encode()
            )
        return self._lines


server_lines = _ServerLines()
"""Called: the Date and Server lines of now, bytes."""


def plain_response(error: HTTPError, bodyless: bool = False) -> bytes:
    """A whole response that says `error` in one line and closes."""
    body = f"{error.args[0]}\n".encode()
    try:
        phrase = HTTPStatus(error.status).phrase
    except ValueError:
        phrase = "Error"
    length = ("Content-Length", str(len(body)))
    head = Head(f"{error.status} {phrase}", [("Content-Type", "text/plain; charset=utf-8"), length])
    return head.encode(b"Connection: close\r\n", b"" if bodyless else body)
