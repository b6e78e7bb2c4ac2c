"""HTTP/1.1 requests from bytes, without I/O (RFC 9110, RFC 9112).

httptools (llhttp) reads headers and frames bodies. Ours is what it leaves open: limits, the exact
request line, Host, one transfer coding, unknown methods, requests that ask for an upgrade. A head
is parsed only once it is whole, so a head that trickles in costs no more than one that does not.
"""

import re
from collections.abc import Callable
from typing import Final

import httptools

__all__ = ["HTTPError", "Request", "RequestParser", "head_end", "repeated_request"]

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# RFC 9112 section 3: exactly one space between the parts. Targets are visible ASCII, no fragment.
_REQUEST_LINE = re.compile(rb"(%s) ([!\"$-~]+) HTTP/1\.([01])\r\n" % _TOKEN)
_OTHER_VERSION = re.compile(rb"%s [!-~]+ HTTP/[0-9]\.[0-9]\r\n" % _TOKEN)
# RFC 9112 section 3.2, RFC 3986 section 3.2.2. A comma is what merged Host lines look like.
_HOST = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9\-._~%!$&'()*+;=]{1,255})(?::([0-9]{0,5}))?"
)
_ABSOLUTE_FORM = re.compile(rb"https?://([^/?]*)(.*)", re.IGNORECASE)
_UPGRADE_LINES = re.compile(rb"\r\n(?:upgrade|connection)[ \t]*:[^\r]*", re.IGNORECASE)
# What llhttp knows by name; any other token is shown to it as POST, which is framed the same.
_KNOWN_METHODS: Final = frozenset(
    b"GET POST HEAD PUT DELETE OPTIONS PATCH PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK "
    b"TRACE SEARCH REPORT".split()
)
# Bytes of a chunked body that are not content: chunk sizes, extensions, trailers.
_CHUNK_OVERHEAD = 16_384
_CHUNK_OVERHEAD_RATIO = 16


class HTTPError(Exception):
    """The request is refused: `status` is the code, `args[0]` one readable line."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status


class Request:
    """The head of a request.

    `target` is as sent; `path` its path part (absolute form taken apart), `headers` the pairs in
    order with names as sent. `content_length` is None without a body, -1 for a chunked one.
    """

    __slots__ = (
        "content_length",
        "expect_continue",
        "headers",
        "host",
        "http11",
        "keep_alive",
        "method",
        "path",
        "target",
    )

    method: bytes
    target: bytes
    path: bytes
    host: bytes | None
    headers: list[tuple[bytes, bytes]]
    http11: bool
    keep_alive: bool
    content_length: int | None
    expect_continue: bool


# A request line of the plainest kind, without the version.
_PLAIN_LINE = re.compile(rb"GET (/[!\"$-~]*)")


def repeated_request(line: bytes, known: Request) -> Request | None:
    """The request that differs from `known`, a GET without a body, in its target alone.

    `line` is what stands before the version. A long-polling client sends the same headers again
    and again: they need not be parsed again. None if `line` takes a closer look.
    """
    match = _PLAIN_LINE.fullmatch(line)
    if match is None:
        return None
    request = Request()
    request.method = b"GET"
    request.target = request.path = match[1]
    request.host = known.host
    request.http11 = request.keep_alive = True
    request.content_length = None
    request.expect_continue = False
    return request


def head_end(data: bytes, line_limit: int, head_limit: int) -> int:
    """Where the head that `data` starts with ends, 0 if it has not ended yet.

    Raises HTTPError as soon as what is there can be no head: too long (414, 431), control
    characters, a bare CR or LF (400).
    """
    end = data.find(b"\r\n\r\n") + 4
    head = data[:end] if end > 3 else data
    pairs = head.count(b"\r\n")
    if head.count(b"\n") != pairs or head.count(b"\r") - pairs > head.endswith(b"\r"):
        raise HTTPError(400, "A line ends in a bare CR or LF.")
    if len(head) > line_limit and head.find(b"\r\n", 0, line_limit) < 0:
        raise HTTPError(414, f"The request line is longer than {line_limit} bytes.")
    if len(head) > head_limit:
        raise HTTPError(431, f"The request headers are longer than {head_limit} bytes.")
    if end > 3:
        return end
    if _CONTROL.search(head):
        raise HTTPError(400, "The request holds control characters.")
    return 0


_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class RequestParser:
    """Parses one request after the other: `head`, then `body` until `complete`.

    `on_body(data)` is called for each piece of a body. A parser serves any connection between
    requests; one that raised, or whose request was the last of its connection, is of no more use
    (`reusable`).
    """

    __slots__ = (
        "_chunks",
        "_headers",
        "_overhead",
        "_parser",
        "_seen_head",
        "complete",
        "on_body_data",
        "received",
        "reusable",
    )

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._seen_head = False
        self._overhead = 0
        self.received = 0
        self._chunks: _ChunkScanner | None = None
        self.complete = False
        self.reusable = True
        self.on_body_data: Callable[[bytes], None] | None = None

    # Callbacks of httptools.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._seen_head = True

    def on_body(self, data: bytes) -> None:
        self.received += len(data)
        if self.on_body_data is not None:
            self.on_body_data(data)

    def on_message_complete(self) -> None:
        self.complete = True

    # What a connection calls.

    def head(self, head: bytes, max_headers: int) -> Request:
        """Parse a whole head; leading empty lines are skipped (RFC 9112 section 2.2).

        Raises HTTPError.
        """
        self.complete = self._seen_head = False
        self._overhead = self.received = 0
        self._headers = []
        self._chunks = None
        head = head.lstrip(b"\r\n")
        line = _REQUEST_LINE.match(head)
        if line is None:
            raise _bad_request_line(head)
        request = Request()
        request.method, request.target, minor = line.groups()
        request.http11 = minor == b"1"
        fed = head
        if request.method not in _KNOWN_METHODS:
            if request.method == b"CONNECT":
                raise HTTPError(501, "This server is no proxy: CONNECT is not supported.")
            fed = b"POST" + head[len(request.method) :]
        self._feed(fed)
        request.headers = self._headers
        if len(request.headers) > max_headers:
            raise HTTPError(431, f"The request has more than {max_headers} headers.")
        _read_headers(request)
        _read_target(request)
        self.reusable = request.keep_alive
        return request

    def body_end(self, data: bytes) -> int:
        """How many bytes of `data`, the next of a chunked message, belong to it."""
        if self._chunks is None:
            self._chunks = _ChunkScanner()
        return self._chunks.scan(data)

    def body(self, data: bytes) -> None:
        """Parse the next bytes after the head: of the body alone where its length is known.

        Raises HTTPError.
        """
        before = self.received
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise HTTPError(400, f"The request body is malformed: {error}.") from None
        self._overhead += len(data) - (self.received - before)
        if self._overhead > _CHUNK_OVERHEAD + _CHUNK_OVERHEAD_RATIO * self.received:
            raise HTTPError(400, "The chunks of the body are more framing than content.")
        if self._chunks is not None and self._chunks.ended != self.complete:
            raise HTTPError(400, "The end of the chunked body is in doubt.")

    def _feed(self, head: bytes) -> None:
        try:
            self._parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            self._feed_without_upgrade(head)
        except httptools.HttpParserError as error:
            raise HTTPError(400, f"The request head is malformed: {error}.") from None
        if not self._seen_head:
            raise HTTPError(400, "The request head is malformed.")

    def _feed_without_upgrade(self, head: bytes) -> None:
        """Parse it as if it asked for no upgrade (RFC 9110 section 7.8: a server may ignore it).

        The body then follows as usual; llhttp would leave it unread.
        """
        headers = self._headers
        self._parser = httptools.HttpRequestParser(self)
        self.complete = False
        self._headers = []
        self._feed(_UPGRADE_LINES.sub(b"", head))
        self._headers = headers


class _ChunkScanner:
    """Finds where a chunked body ends (RFC 9112 section 7.1); llhttp judges what is in it.

    httptools does not say where a message ended, and what follows is the next request.
    """

    __slots__ = ("_in_trailers", "_line", "_skip", "ended")

    def __init__(self) -> None:
        self._skip = 0  # bytes of chunk data, with its CRLF, still to come
        self._line = b""
        self._in_trailers = False
        self.ended = False

    def scan(self, data: bytes) -> int:
        at = 0
        while at < len(data) and not self.ended:
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
                at += step
                continue
            newline = data.find(b"\n", at)
            if newline < 0:
                self._line += data[at:]
                if len(self._line) > _CHUNK_OVERHEAD:
                    raise HTTPError(400, "A chunk size or trailer line is too long.")
                return len(data)
            line, self._line = self._line + data[at : newline + 1], b""
            at = newline + 1
            self._read_line(line)
        return at

    def _read_line(self, line: bytes) -> None:
        if self._in_trailers:
            self.ended = line == b"\r\n"
            return
        digits = _CHUNK_SIZE.match(line)
        if digits is None:
            raise HTTPError(400, "A chunk size is malformed.")
        size = int(digits[0], 16)
        if size:
            self._skip = size + 2
        else:
            self._in_trailers = True


_CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,16}(?=[;\r])")


def _bad_request_line(head: bytes) -> HTTPError:
    if _OTHER_VERSION.match(head):
        return HTTPError(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.")
    return HTTPError(400, "The request line is malformed.")


def _read_headers(request: Request) -> None:
    """Find what the server itself needs in the headers, and refuse what may be smuggled."""
    found: dict[bytes, bytes] = {}
    for name, value in request.headers:
        if len(name) not in _WANTED_LENGTHS:
            continue
        name = name.lower()
        if name not in _WANTED:
            continue
        if name not in found:
            found[name] = value
        elif name == b"connection":
            found[name] += b"," + value
        else:
            raise HTTPError(400, f"The request has two {name.decode().title()} headers.")
    _check_host(request, found.get(b"host"))
    request.content_length = _body_length(request, found)
    expect = found.get(b"expect")
    if expect is not None and request.http11 and expect.lower() != b"100-continue":
        raise HTTPError(417, "The only expectation understood is 100-continue.")
    request.expect_continue = expect is not None and request.http11
    request.keep_alive = _persists(request, found.get(b"connection"))


_WANTED: Final = frozenset(
    (b"host", b"connection", b"content-length", b"transfer-encoding", b"expect")
)
_WANTED_LENGTHS: Final = frozenset(map(len, _WANTED))


def _body_length(request: Request, found: dict[bytes, bytes]) -> int | None:
    """RFC 9112 section 6.3; llhttp has refused what is no number, or comes with chunked."""
    coding = found.get(b"transfer-encoding")
    if coding is not None:
        if not request.http11:
            raise HTTPError(400, "HTTP/1.0 has no Transfer-Encoding.")
        if coding.lower() != b"chunked":
            raise HTTPError(501, "The only transfer coding understood is chunked.")
        return -1
    length = found.get(b"content-length")
    return None if length is None else int(length)


def _persists(request: Request, connection: bytes | None) -> bool:
    """RFC 9112 section 9.3."""
    if connection is None:
        return request.http11
    options = [option.strip() for option in connection.lower().split(b",")]
    return b"close" not in options and (request.http11 or b"keep-alive" in options)


def _check_host(request: Request, host: bytes | None) -> None:
    """RFC 9112 section 3.2: HTTP/1.1 needs one valid Host; RFC 9110 section 4.2.1: not empty."""
    request.host = host
    if host is None:
        if request.http11:
            raise HTTPError(400, "The request has no Host header.")
        return
    match = _HOST.fullmatch(host)
    if match is None or (match[1] and int(match[1]) > 65535):
        raise HTTPError(400, "The Host header is not a host.")


def _read_target(request: Request) -> None:
    """Set `path` (with the query) from the four forms of RFC 9112 section 3.2."""
    target = request.target
    if target.startswith(b"/"):
        request.path = target
        return
    if target == b"*":
        if request.method != b"OPTIONS":
            raise HTTPError(400, "The target * is for OPTIONS only.")
        request.path = b""
        return
    absolute = _ABSOLUTE_FORM.fullmatch(target)
    if absolute is None:
        raise HTTPError(400, "The request target is malformed.")
    # The authority of the target counts, not the Host header (section 3.2.2).
    _check_host(request, absolute[1])
    path = absolute[2]
    request.path = path if path.startswith(b"/") else b"/" + path
