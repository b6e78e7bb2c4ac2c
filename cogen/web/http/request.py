"""What the server itself reads in a request head: Host, the length of the body, the target.

Everything by which a request could be smuggled past another server is refused here (RFC 9112
sections 3.2, 6 and 11.2).
"""

import ipaddress
import re
from typing import Final

from cogen.web.http.errors import HTTPError
from cogen.web.http.tokens import TOKEN

__all__ = ["Request", "check_coding", "is_host", "read_headers", "read_target"]

# RFC 9110 section 7.2, RFC 3986 section 3.2.2. No comma, which is what merged Host lines look like.
_HOST = re.compile(
    rb"(?:\[(?:([0-9A-Fa-f:.]{2,45})|[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+;=:]+)\]"
    rb"|(?=[^:])[A-Za-z0-9\-._~!$&'()*+;=]*(?:%[0-9A-Fa-f]{2}[A-Za-z0-9\-._~!$&'()*+;=]*)*)"
    rb"(?::([0-9]{0,5}))?"
)
_ABSOLUTE_FORM = re.compile(rb"https?://([^/?]*)(.*)", re.IGNORECASE)
_WANTED: Final = frozenset(
    (b"host", b"connection", b"content-length", b"transfer-encoding", b"expect", b"te")
)
_WANTED_LENGTHS: Final = frozenset(map(len, _WANTED))
# These are lists, which may be spread over several lines (RFC 9110 section 5.3).
_LISTS: Final = frozenset((b"connection", b"expect", b"te"))


class Request:
    """The head of a request.

    `target` is as sent; `path` its path part (absolute form taken apart), `headers` the pairs in
    order with names as sent. `content_length` is None without a body, -1 for a chunked one;
    `takes_trailers` says that the client reads what comes behind the last chunk.
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
        "takes_trailers",
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
    takes_trailers: bool


def read_headers(request: Request) -> None:
    """Set what the headers of `request` say about it. Raises HTTPError."""
    found: dict[bytes, bytes] = {}
    for name, value in request.headers:
        if len(name) not in _WANTED_LENGTHS:
            continue
        name = name.lower()
        if name not in _WANTED:
            continue
        if name not in found:
            found[name] = value
        elif name in _LISTS:
            found[name] += b"," + value
        else:
            raise HTTPError(400, f"The request has two {name.decode().title()} headers.")
    _read_host(request, found.get(b"host"))
    request.content_length = _body_length(request, found)
    expect = found.get(b"expect")
    request.expect_continue = expect is not None and request.http11 and _expects(expect)
    request.keep_alive = _persists(request, found.get(b"connection"))
    request.takes_trailers = b"te" in found and _takes_trailers(found[b"te"])


def check_coding(coding: bytes) -> None:
    """Raises HTTPError unless the value of Transfer-Encoding is chunked alone."""
    codings = [each.strip(b" \t") for each in coding.lower().split(b",")]
    if codings == [b"chunked"]:
        return
    # RFC 9112 section 6.1: 501 for what is not understood, 400 where chunked is not the last.
    if b"chunked" in codings[:-1] or not all(map(_TOKEN.fullmatch, codings)):
        raise HTTPError(400, "The Transfer-Encoding leaves the length of the body in doubt.")
    raise HTTPError(501, "The only transfer coding understood is chunked.")


_TOKEN = re.compile(TOKEN.encode())


def _body_length(request: Request, found: dict[bytes, bytes]) -> int | None:
    """RFC 9112 section 6.3: None without a body, -1 for a chunked one."""
    coding = found.get(b"transfer-encoding")
    length = found.get(b"content-length")
    if coding is not None:
        if not request.http11:
            raise HTTPError(400, "HTTP/1.0 has no Transfer-Encoding.")
        if length is not None:
            raise HTTPError(400, "The request has both Content-Length and Transfer-Encoding.")
        check_coding(coding)
        return -1
    if length is None:
        return None
    if not length.isdigit() or len(length) > 18:
        raise HTTPError(400, "The Content-Length is not a number.")
    return int(length)


def _expects(expect: bytes) -> bool:
    """RFC 9110 section 10.1.1. Empty elements of a list do not count (section 5.6.1)."""
    expected = {each.strip(b" \t") for each in expect.lower().split(b",")} - {b""}
    if expected - {b"100-continue"}:
        raise HTTPError(417, "The only expectation understood is 100-continue.")
    return bool(expected)


def _takes_trailers(te: bytes) -> bool:
    """RFC 9110 section 10.1.4."""
    return any(each.strip(b" \t") == b"trailers" for each in te.lower().split(b","))


def _persists(request: Request, connection: bytes | None) -> bool:
    """RFC 9112 section 9.3."""
    if connection is None:
        return request.http11
    options = [option.strip() for option in connection.lower().split(b",")]
    return b"close" not in options and (request.http11 or b"keep-alive" in options)


def _read_host(request: Request, host: bytes | None) -> None:
    """RFC 9112 section 3.2: HTTP/1.1 needs one valid Host; RFC 9110 section 4.2.1: not empty."""
    request.host = host
    if host is None:
        if request.http11:
            raise HTTPError(400, "The request has no Host header.")
    elif not is_host(host):
        raise HTTPError(400, "The Host header is not a host.")


def is_host(host: bytes) -> bool:
    """Whether `host` is a host and perhaps a port, as Host holds them."""
    match = _HOST.fullmatch(host)
    if len(host) > 261 or match is None or (match[2] and int(match[2]) > 65535):
        return False
    if match[1] is None:
        return True
    try:
        ipaddress.IPv6Address(match[1].decode("ascii"))
    except ValueError:
        return False
    return True


def read_target(request: Request) -> None:
    """Set `path` (with the query) from the four forms of RFC 9112 section 3.2."""
    target = request.target
    if target.startswith(b"/"):
        request.path = target
        return
    if target == b"*":
        if request.method != b"OPTIONS":
            raise HTTPError(400, "The target * is for OPTIONS only.")
        request.path = target
        return
    absolute = _ABSOLUTE_FORM.fullmatch(target)
    if absolute is None:
        raise HTTPError(400, "The request target is malformed.")
    # The authority of the target counts, not the Host header (section 3.2.2).
    _read_host(request, absolute[1])
    path = absolute[2]
    request.path = path if path.startswith(b"/") else b"/" + path
