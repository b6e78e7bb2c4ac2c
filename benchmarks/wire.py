"""What a client sends, and what it reads in an answer: the chat's two wires, and that of nchan.

A client is told by bytes, not parsed twice: all who wait get the same body, so `read` keeps what
it found in the last one.
"""

import base64
import json
import re
import secrets

__all__ = ["WIRES", "News", "Wire"]

_FROM = b"Host: 127.0.0.1\r\nUser-Agent: benchmark\r\nAccept-Encoding: gzip, deflate\r\n"
_HEADERS = _FROM + b"Accept: application/json\r\n"
_SEQ = re.compile(rb'"seq":(\d+)')
_SENT = re.compile(rb'"text":"sent (\d+) ')
_SENT_AS = re.compile(rb": sent (\d+) as (\d+) ")


class News:
    """What an answer held: `seqs` of its messages, the times `sent` of each, the next `cursor`."""

    __slots__ = ("cursor", "sent", "seqs")

    def __init__(self, seqs: list[int], sent: list[int], cursor: bytes) -> None:
        self.seqs = seqs
        self.sent = sent  # nanoseconds of CLOCK_MONOTONIC
        self.cursor = cursor


class ChatWire:
    """JSON long polling as in docs/wire.md."""

    joins = True  # the first poll answers at once, with a cursor

    def __init__(self) -> None:
        self._body = b""
        self._news = News([], [], b"")

    def poll(self, cursor: bytes, cookie: bytes) -> bytes:
        since = b"&since=" + cursor if cursor else b""
        return b"GET /chat/pull/lobby?client=tab%b HTTP/1.1\r\n%b%b\r\n" % (since, _HEADERS, cookie)

    def push(self, text: bytes, cookie: bytes) -> bytes:
        body = b'{"text":"%b"}' % text
        return (
            b"POST /chat/push/lobby HTTP/1.1\r\n%b%bContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (_HEADERS, cookie, len(body), body)
        )

    def read(self, status: int, head: bytes, body: bytes) -> News:
        """Raises ValueError: the answer is none of the chat's."""
        if body == self._body:
            return self._news
        cursor = re.search(rb'"cursor":"([^"]+)"', body)
        if status != 200 or cursor is None:
            raise ValueError(f"{status}: {body[:200]!r}")
        seqs = [int(seq) for seq in _SEQ.findall(body)]
        self._news = News(seqs, [int(at) for at in _SENT.findall(body)], cursor[1])
        self._body = body
        return self._news


class KnownWire(ChatWire):
    """Each client is somebody else, whom a proxy names in each request."""

    def __init__(self) -> None:
        super().__init__()
        self._headers: dict[bytes, bytes] = {}

    def poll(self, cursor: bytes, cookie: bytes) -> bytes:
        return super().poll(cursor, self._named(cookie))

    def push(self, text: bytes, cookie: bytes) -> bytes:
        return super().push(text, self._named(cookie))

    def _named(self, cookie: bytes) -> bytes:
        """The header with the user whose badge the cookie is, and the cookie."""
        if not cookie:
            return b"Remote-User: %b\r\n" % secrets.token_hex(4).encode()
        headers = self._headers.get(cookie)
        if headers is None:
            badge = re.search(rb"chat_badge_\w+=[^.;]+\.([^.;]+)", cookie)
            if badge is None:
                raise ValueError(f"no badge in {cookie!r}")
            user = json.loads(base64.urlsafe_b64decode(badge[1]))[0].encode()
            headers = self._headers[cookie] = b"Remote-User: %b\r\n%b" % (user, cookie)
        return headers


class SeedWire(ChatWire):
    """The poll of the founding text: lines of text, from where the client was last."""

    def poll(self, cursor: bytes, cookie: bytes) -> bytes:
        return b"GET /chat/pull/lobby?client=tab HTTP/1.1\r\n%b%b\r\n" % (_FROM, cookie)

    def read(self, status: int, head: bytes, body: bytes) -> News:
        """Raises ValueError: the answer is none of the chat's."""
        if status != 200:
            raise ValueError(f"{status}: {body[:200]!r}")
        if body != self._body:
            found = _SENT_AS.findall(body)
            self._news = News([int(seq) for _, seq in found], [int(at) for at, _ in found], b"")
            self._body = body
        return self._news


class NchanWire:
    """nchan's: the cursor is a pair of headers, the publisher sends the body as it arrives."""

    joins = False

    def __init__(self) -> None:
        self._head = b""
        self._news = News([], [], b"")
        self._seq = 0

    def poll(self, cursor: bytes, cookie: bytes) -> bytes:
        return b"GET /chat/pull/lobby HTTP/1.1\r\n%b%b\r\n" % (_HEADERS, cursor)

    def push(self, text: bytes, cookie: bytes) -> bytes:
        self._seq += 1
        body = (
            b'{"messages":[{"room":"lobby","seq":%d,"nick":"guest-0001","text":"%b",'
            b'"at":1000000000.000000}],"cursor":"%d"}' % (self._seq, text, self._seq)
        )
        return (
            b"POST /chat/push/lobby HTTP/1.1\r\n%bContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (_HEADERS, len(body), body)
        )

    def read(self, status: int, head: bytes, body: bytes) -> News:
        """Raises ValueError: the answer is none of nchan's."""
        if status == 408:  # the poll's time is over; the cursor stays
            return News([], [], b"")
        if status != 200:
            raise ValueError(f"{status}: {body[:200]!r}")
        seqs = [int(seq) for seq in _SEQ.findall(body)]
        at = re.search(rb"\r\nLast-Modified: ([^\r]+)", head)
        tag = re.search(rb"\r\nEtag: ([^\r]+)", head)
        if at is None or tag is None:
            raise ValueError(f"no Last-Modified or Etag in {head!r}")
        cursor = b"If-Modified-Since: %b\r\nIf-None-Match: %b\r\n" % (at[1], tag[1])
        return News(seqs, [int(sent) for sent in _SENT.findall(body)], cursor)


Wire = ChatWire | NchanWire
WIRES: dict[str, type[Wire]] = {
    "chat": ChatWire,
    "known": KnownWire,
    "seed": SeedWire,
    "nchan": NchanWire,
}
