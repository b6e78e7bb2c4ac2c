"""The bytes of one response: head, framing, honest lengths (RFC 9112 section 6, PEP 3333)."""

import logging
from collections.abc import Iterator
from typing import Any, Final

from cogen.core.events import PARKED, Operation
from cogen.core.schedulers import Waiter
from cogen.web.exchanges.front import Front
from cogen.web.http.errors import BodyError, HTTPError
from cogen.web.http.request import Request
from cogen.web.http.response import Head, plain_response

__all__ = ["Answer", "Drain", "fail"]

log = logging.getLogger(__name__)

# Larger chunks are sent in slices of this size, each when the one before has left.
_SLICE_BYTES: Final = 65_536


class Drain(Operation):
    """Wait until the client has taken most of what was written; `turn`: a turn of the loop only."""

    __slots__ = ("_front", "_turn")

    def __init__(self, front: Front, turn: bool = False) -> None:
        super().__init__(0.0 if turn else None)
        self._front = front
        self._turn = turn

    def run(self, waiter: Waiter) -> Any:
        if not (self._front.write_paused or self._turn):
            return None
        self._front.drainer = waiter
        return PARKED

    def undo(self, waiter: Waiter) -> None:
        self._front.drainer = None

    def expire(self, waiter: Waiter) -> None:
        self._front.drainer = None
        waiter.resume(None)


class Answer:
    """Writes the response to `request` that begins with `head`.

    `bodyless`: no content is sent, whatever the application yields. `sent` counts bytes of content,
    `left` those that Content-Length still allows (None: no limit), `length` is that of the whole
    body where the server knows it, `slices` are what is left of a large chunk on its way,
    `keep_alive` tells whether the connection outlives the answer.
    """

    __slots__ = (
        "_chunked",
        "_front",
        "_request",
        "bodyless",
        "head",
        "head_sent",
        "keep_alive",
        "left",
        "length",
        "sent",
        "slices",
    )

    def __init__(self, front: Front, request: Request, head: Head) -> None:
        self._front = front
        self._request = request
        self._chunked = False
        self.slices: Iterator[bytes | memoryview] | None = None
        self.head_sent = False
        self.keep_alive = False
        self.left: int | None = None
        self.length: int | None = None
        self.sent = 0
        self.begin(head)

    def begin(self, head: Head) -> None:
        """It begins with `head`, of which nothing was sent."""
        self.head = head
        self.bodyless = head.bodyless or self._request.method == b"HEAD"

    def send(self, chunk: bytes, last: bool = False) -> None:
        """Write `chunk`, behind the head if it is the first; `last`: it is the whole body.

        Raises ValueError, once the allowed part is written, if it exceeds the Content-Length.
        """
        if last and self.length is None:
            self.length = len(chunk)
        framing = None if self.head_sent else self._decide(self.length)
        excess = 0
        if self.bodyless:
            chunk = b""
        elif self.left is not None:
            excess = max(0, len(chunk) - self.left)
            chunk = chunk[: self.left] if excess else chunk
            self.left -= len(chunk)
        size = len(chunk)
        self.sent += size
        if self._chunked and size:
            self._write(framing, b"%x\r\n" % size, chunk, b"\r\n")
        elif size > _SLICE_BYTES:
            self._write(framing, b"", chunk, b"")
        elif framing is not None:
            self.head_sent = True
            self._front.write(self.head.encode(framing, chunk))
        else:
            self._front.write(chunk)
        if excess:
            raise ValueError(f"the body is at least {excess} bytes longer than its Content-Length")

    def opening(self) -> bytes:
        """The head, where the body is not sent by `send`."""
        self.head_sent = True
        return self.head.encode(self._decide(self.length))

    def end(self, trailer: bytes = b"") -> None:
        """The last chunk was sent before: close the framing, with `trailer` if it may be there."""
        if self._chunked:
            trailer = trailer if self._request.takes_trailers else b""
            self._front.write(b"0\r\n" + trailer + b"\r\n")

    def fall_short(self, name: object, at: str) -> None:
        """The last chunk has come, too early: such a body closes the connection."""
        self.keep_alive = False
        log.error(
            "%s: the body is %d bytes shorter than its Content-Length, so the connection closes:%s",
            name,
            self.left,
            at,
        )

    def write_on(self) -> bool:
        """Write on with a large chunk; False while the client has enough."""
        assert self.slices is not None
        for data in self.slices:
            self._front.write(data)
            if self._front.write_paused:
                return False
        self.slices = None
        return True

    def cut(self) -> None:
        """The answer failed after its head: see to it that it looks cut, if it has content."""
        self.slices = None
        if self.bodyless:
            return
        self.keep_alive = False
        if self.left != 0:
            self._front.truncated = True

    def _decide(self, whole: int | None) -> bytes:
        """The framing lines; `whole` is the length of the body where it is known."""
        head, request = self.head, self._request
        keep_alive = self._front.persists(request) and not head.closes
        framing = b""
        if head.bodyless:
            # Of these only 205 has a length that clients look at (RFC 9112 section 6.3).
            framing = b"Content-Length: 0\r\n" if head.code == 205 else b""
        elif head.content_length is not None:
            if not self.bodyless:
                self.left = head.content_length
        elif whole is not None:
            if whole or not self.bodyless:
                framing = b"Content-Length: %d\r\n" % whole
            if not self.bodyless:
                self.left = whole
        elif request.http11:
            framing = b"Transfer-Encoding: chunked\r\n"
            self._chunked = not self.bodyless
        else:
            keep_alive = False
        if not keep_alive:
            framing += b"Connection: close\r\n"
        elif not request.http11:
            framing += b"Connection: keep-alive\r\n"
        self.keep_alive = keep_alive
        return framing + self._front.timing() if self._front.times else framing

    def _write(self, framing: bytes | None, before: bytes, chunk: bytes, after: bytes) -> None:
        if framing is not None:
            self.head_sent = True
            before = self.head.encode(framing, before)
        if len(chunk) <= _SLICE_BYTES:
            self._front.write(before + chunk + after)
        else:
            self.slices = _slices(before, chunk, after)
            self.write_on()


def fail(front: Front, request: Request, error: BaseException) -> None:
    """Answer that the application failed with `error`; nothing was sent before."""
    if isinstance(error, HTTPError):
        refusal = error
    elif isinstance(error, BodyError):
        refusal = HTTPError(400, f"{str(error).capitalize()}.")
    else:
        refusal = HTTPError(500, "The server could not answer this request; its log says why.")
    front.refusal = refusal.status
    front.write(plain_response(refusal, request.method == b"HEAD"))


def _slices(before: bytes, chunk: bytes, after: bytes) -> Iterator[bytes | memoryview]:
    if before:
        yield before
    view = memoryview(chunk)
    for start in range(0, len(view), _SLICE_BYTES):
        yield view[start : start + _SLICE_BYTES]
    if after:
        yield after
