"""HTTP/1.1 request heads from bytes, without I/O (RFC 9110, RFC 9112).

httptools (llhttp) judges header lines. Ours is what it leaves open: limits, the exact request line,
unknown methods, higher minor versions, requests that ask for an upgrade; `fields` reads what the
headers mean. A head is parsed only once it is whole, so one that trickles in costs no more.
"""

import re
from typing import Any, Final

import httptools

from cogen.web.http.errors import HTTPError
from cogen.web.http.request import Request, check_coding, read_headers, read_target
from cogen.web.http.tokens import TCHAR

__all__ = ["RequestParser", "empty_lines", "head_end", "repeated_request"]

_TCHAR = TCHAR.encode()
# RFC 9112 section 3: exactly one space between the parts. Targets are visible ASCII, no fragment.
_REQUEST_LINE = re.compile(rb"(%s{1,64}) ([!\"$-~]+) HTTP/1\.([0-9])\r\n" % _TCHAR)
_OTHER_VERSION = re.compile(rb"%s{1,64} [!\"$-~]+ HTTP/[02-9]\.[0-9]\r\n" % _TCHAR)
# What may become a request line when more of it has come.
_LINE_SO_FAR = re.compile(
    rb"%s{0,64}|%s{1,64} (?:[!\"$-~]*|[!\"$-~]+ [HTP]{0,4}(?:/[0-9.]{0,3}\r?)?)" % (_TCHAR, _TCHAR)
)
_EMPTY_LINES = re.compile(rb"(?:\r\n)*")
_MOST_EMPTY_LINES = 8
_CHUNKED_LINE = re.compile(rb"(\r\ntransfer-encoding:)[ \t]*(chunked)[ \t]*\r\n", re.IGNORECASE)
_LENGTH_LINE = re.compile(rb"\r\ncontent-length[ \t]*:", re.IGNORECASE)
_UPGRADE_LINES = re.compile(rb"\r\n(?:upgrade|connection)[ \t]*:[^\r]*", re.IGNORECASE)
# What llhttp knows by name; any other token is shown to it as POST, which is framed the same.
_KNOWN_METHODS: Final = frozenset(
    b"GET POST HEAD PUT DELETE OPTIONS PATCH PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK "
    b"TRACE SEARCH REPORT".split()
)


# A request line of the plainest kind, without the version.
_PLAIN_LINE = re.compile(rb"GET (/[!\"$-~]*)")


def repeated_request(line: bytes, known: Request) -> bool:
    """Whether `known`, a GET without a body, is asked again but for its target, which it gets.

    `line` is what stands before the version. A long-polling client sends the same headers again
    and again: they need not be parsed again. False if `line` takes a closer look.
    """
    target = known.target
    if len(line) == 4 + len(target) and line.endswith(target) and line.startswith(b"GET "):
        return True
    match = _PLAIN_LINE.fullmatch(line)
    if match is None:
        return False
    known.target = known.path = match[1]
    return True


def empty_lines(data: bytes, before: int) -> int:
    """How many empty lines `data` starts with, where as many as `before` have been skipped.

    They are skipped before a request: one at least, says RFC 9112 section 2.2, for old clients send
    one behind a body. Raises HTTPError if there are more than a few.
    """
    match = _EMPTY_LINES.match(data)
    lines = match.end() // 2 if match is not None else 0
    if before + lines > _MOST_EMPTY_LINES:
        raise HTTPError(400, f"More than {_MOST_EMPTY_LINES} empty lines come before the request.")
    return lines


def head_end(data: bytes, seen: int, line_limit: int, head_limit: int) -> int:
    """Where the head that `data` starts with ends, 0 if it has not ended yet.

    The first `seen` bytes were there at the last call for the same head. Raises HTTPError as soon
    as what is there can be no head: too long (414, 431), a bare CR or LF, no request line (400).
    """
    end = data.find(b"\r\n\r\n", max(0, seen - 3)) + 4
    if end > 3:
        _check_line_ends(data[:end], 0)
        if end > head_limit:
            raise _head_too_long(head_limit)
        if end > line_limit and data.find(b"\r\n", 0, line_limit) < 0:
            raise _line_too_long(data, line_limit)
        return end
    if data.find(b"\r\n", 0, seen) < 0:
        _check_line_so_far(data, line_limit)
    _check_line_ends(data, seen)
    if len(data) > head_limit:
        raise _head_too_long(head_limit)
    return 0


def _check_line_ends(head: bytes, seen: int) -> None:
    """Every CR and LF is half of a CRLF, but for a CR whose LF may be on its way."""
    start = seen - 1 if seen and head[seen - 1] == 13 else seen
    pairs = head.count(b"\r\n", start)
    if head.count(b"\n", start) != pairs or head.count(b"\r", start) - pairs > head.endswith(b"\r"):
        raise HTTPError(400, "A line ends in a bare CR or LF.")


def _check_line_so_far(data: bytes, line_limit: int) -> None:
    end = data.find(b"\r\n", 0, line_limit) + 2
    if end > 1:
        if not _REQUEST_LINE.match(data):
            raise _bad_request_line(data)
    elif len(data) > line_limit:
        raise _line_too_long(data, line_limit)
    elif not _LINE_SO_FAR.fullmatch(data):
        raise _bad_request_line(data)


def _head_too_long(limit: int) -> HTTPError:
    return HTTPError(431, f"The request headers are longer than {limit} bytes.")


def _line_too_long(data: bytes, limit: int) -> HTTPError:
    if b" " not in data[:65]:
        return _bad_request_line(data)
    return HTTPError(414, f"The request line is longer than {limit} bytes.")


def _bad_request_line(head: bytes) -> HTTPError:
    if _OTHER_VERSION.match(head):
        return HTTPError(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.")
    return HTTPError(400, "The request line is malformed.")


class RequestParser:
    """Parses one request head after the other.

    It is of no more use (`reusable`) once it raised, or parsed the head of a request that has a
    body or is the last of its connection: httptools waits for the end of that message. Which is the
    last httptools judges by more headers than HTTP/1.1 knows, as by Proxy-Connection.
    """

    __slots__ = ("_headers", "_last", "_parser", "_seen_head", "reusable")

    def __init__(self) -> None:
        self._parser: Any = httptools.HttpRequestParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._seen_head = self._last = False
        self.reusable = True

    def close(self) -> None:
        """It is of no more use: break the cycle with httptools' own parser, which calls back."""
        self._parser = None

    # Callbacks of httptools.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header line."""
        # httptools takes off the spaces in front, not the tabs nor what is behind.
        self._headers.append((name, value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._seen_head = True
        self._last = not self._parser.should_keep_alive()

    # What a connection calls.

    def parse(self, head: bytes, max_headers: int) -> Request:
        """The request whose whole head is `head`. Raises HTTPError."""
        self.reusable = self._seen_head = False
        self._headers = []
        line = _REQUEST_LINE.match(head)
        if line is None:
            raise _bad_request_line(head)
        request = Request()
        request.method, request.target, minor = line.groups()
        request.http11 = minor != b"0"
        fed = head
        if minor > b"1":
            fed = head[: line.end() - 3] + b"1" + head[line.end() - 2 :]
        if request.method not in _KNOWN_METHODS:
            if request.method == b"CONNECT":
                raise HTTPError(501, "This server is no proxy: CONNECT is not supported.")
            fed = b"POST" + fed[len(request.method) :]
        self._feed(fed)
        request.headers = self._headers
        if len(request.headers) > max_headers:
            raise HTTPError(431, f"The request has more than {max_headers} headers.")
        read_headers(request)
        read_target(request)
        self.reusable = not self._last and request.keep_alive and request.content_length is None
        return request

    def _feed(self, head: bytes) -> None:
        try:
            self._parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            self._feed_without_upgrade(head)
        except httptools.HttpParserError as error:
            self._check_coding(head)
            # llhttp stumbles over a tab behind the coding.
            clean = _CHUNKED_LINE.sub(rb"\1\2\r\n", head)
            if clean == head:
                raise HTTPError(400, f"The request head is malformed: {error}.") from None
            self._feed_again(clean)
        if not self._seen_head:
            raise HTTPError(400, "The request head is malformed.")

    def _feed_again(self, head: bytes) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._headers = []
        self._feed(head)

    def _check_coding(self, head: bytes) -> None:
        """The head is refused: see whether that is for a coding which has a status of its own."""
        for name, value in self._headers:
            if name.lower() == b"transfer-encoding" and not _LENGTH_LINE.search(head):
                check_coding(value)

    def _feed_without_upgrade(self, head: bytes) -> None:
        """Parse it as if it asked for no upgrade (RFC 9110 section 7.8: a server may ignore it)."""
        headers = self._headers
        self._feed_again(_UPGRADE_LINES.sub(b"", head))
        self._headers = headers
