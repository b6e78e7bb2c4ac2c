"""One request and its response: the application's iterator, its operations, its bytes.

The iterator is asked for chunks. An empty one after an operation was named parks the exchange
until the operation has its outcome; any other empty one lets the others run. No header goes out
before the first chunk that is not empty, so what the application sets after a wait still counts.

Chunks of an application that never waited are on their way before the next is asked for (PEP
3333). One that waits through the extensions is cooperative, its next chunk comes at once or names
an operation: the server holds its first chunk until it has seen whether another follows, so that
a short answer leaves with its length in one write.
"""

import logging
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextvars import Context, copy_context
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final

from greenlet import GreenletExit, greenlet

from cogen.core.coroutines import Coroutine, operation_of
from cogen.core.events import PARKED, Operation
from cogen.core.schedulers import SLICE, Waiter
from cogen.web.extensions import Wsgi
from cogen.web.http import HTTPError, Request
from cogen.web.response import Head, date_line, plain_response

if TYPE_CHECKING:
    from cogen.web.connection import Connection

__all__ = ["Exchange"]

log = logging.getLogger(__name__)

_END: Final = object()
# Larger chunks are sent in slices of this size, each when the one before has left.
_SLICE_BYTES: Final = 65_536


class Drain(Operation):
    """Wait until the client has taken most of what was written."""

    __slots__ = ("_connection",)

    def __init__(self, connection: "Connection") -> None:
        super().__init__()
        self._connection = connection

    def run(self, waiter: Waiter) -> Any:
        if not self._connection.write_paused:
            return None
        self._connection.drainer = waiter
        return PARKED

    def undo(self, waiter: Waiter) -> None:
        self._connection.drainer = None


class Exchange(Waiter):
    """Runs the application for one request on `connection`."""

    __slots__ = (
        "_bodyless",
        "_callbacks",
        "_chunked",
        "_connection",
        "_environ",
        "_exhausted",
        "_head",
        "_held",
        "_hold",
        "_iterable",
        "_iterator",
        "_keep_alive",
        "_remaining",
        "_request",
        "_unsent",
        "_wsgi",
        "context",
        "ended",
        "head_sent",
        "runner",
        "sent",
        "waits",
    )

    def __init__(self, connection: "Connection", request: Request, wsgi: Wsgi) -> None:
        super().__init__(connection.server.scheduler)
        self._connection = connection
        self._request = request
        self._wsgi = wsgi
        self._environ: dict[str, Any] | None = None
        self._iterable: Any = None
        self._iterator: Iterator[bytes] | None = None
        self._exhausted = False
        self._head: Head | None = None
        self._held = b""  # the first chunk, until it is known whether another follows
        self._hold = False
        self._unsent: Iterator[bytes | memoryview] | None = None
        self._remaining: int | None = None  # bytes the Content-Length still allows
        self._chunked = False
        self._bodyless = False
        self._keep_alive = False
        self._callbacks: list[Callable[[Exchange], None]] | None = None
        self.context: Context = copy_context()
        self.runner: greenlet | None = None
        self.waits = False  # parked, or ready again, in an operation the application named
        self.head_sent = False
        self.sent = 0
        self.ended = False

    # The life of the exchange, seen from the connection.

    def start(self, environ: dict[str, Any]) -> None:
        """Call the application."""
        self._environ = environ
        self._connection.server.runners.run(self)

    def step(self) -> None:
        if not self.ended:
            self._connection.server.runners.run(self)

    def hang_up(self) -> None:
        """The client is gone: undo what is waited for and close the iterator."""
        if self.ended:
            return
        self.ended = True
        self.withdraw()
        runner, self.runner = self.runner, None
        if runner is not None:
            runner.throw(GreenletExit)
        self.context.run(self._close)

    def hurry(self) -> None:
        """End a wait that has a timeout as if its time were up."""
        if self.operation is not None and self.operation.timeout is not None:
            self.operation.expire(self)

    def add_done_callback(self, callback: Callable[["Exchange"], None]) -> None:
        """Have `callback(self)` called at the end, after the iterator's close()."""
        if self._callbacks is None:
            self._callbacks = []
        self._callbacks.append(callback)

    def wait(self, operation: Any) -> Any:
        """environ['cogen.wait']: perform `operation` and return its result, or raise.

        The request waits; the server goes on. Raises RuntimeError outside of the request.
        """
        result = self.perform(operation_of(operation, self))
        if result is not PARKED:
            return result
        self._connection.server.runners.wait(self)
        value, error = self.value, self.error
        self.value = self.error = None
        if error is not None:
            raise error
        return value

    # In a runner.

    def drive(self) -> None:
        """Go on until the exchange is parked, ended, or has had its share of the turn."""
        try:
            if self._environ is not None:
                environ, self._environ = self._environ, None
                self._call_application(environ)
            elif self.waits:
                self._deliver()
            if self._iterator is not None:
                self._iterate()
        except Exception as error:  # noqa: BLE001 (the application's; it becomes a 500)
            self._fail(error)

    def _call_application(self, environ: dict[str, Any]) -> None:
        application = self._connection.server.application
        self._iterable = iterable = application(environ, self.start_response)
        if isinstance(iterable, (list, tuple)):
            self._hold = len(iterable) == 1
        self._iterator = iter(iterable)

    def _deliver(self) -> None:
        self.waits = False
        value, error = self.value, self.error
        self.value = self.error = None
        if error is not None:
            self._wsgi.failed(error)
        else:
            self._wsgi.succeeded(value)

    def _iterate(self) -> None:
        iterator, wsgi = self._iterator, self._wsgi
        assert iterator is not None
        for _ in range(SLICE):
            if self._unsent is not None and not self._flush():
                return
            if self._exhausted:
                self._complete()
                return
            chunk: Any = next(iterator, _END)
            if chunk is _END:
                self._finish()
            elif wsgi.pending:
                if chunk:
                    raise wsgi.lost(f"the chunk {chunk[:40]!r} came")
                if self._performed() is PARKED:
                    return
            elif not chunk or not self._take(chunk):
                break
        self.scheduler.ready(self)

    def _performed(self) -> Any:
        """Perform what was named: PARKED, or anything else once it has its outcome."""
        wsgi = self._wsgi
        wsgi.pending = False
        if self._held:
            self._send_held()
        operation = wsgi.operation
        try:
            if not isinstance(operation, Operation):
                if not (isinstance(operation, Coroutine) or isawaitable(operation)):
                    wsgi.succeeded(operation)
                    return None
                operation = operation_of(operation, self)
            result = self.perform(operation)
        except (Exception, CancelledError) as error:  # noqa: BLE001 (the application gets it)
            wsgi.failed(error)
            return None
        if result is PARKED:
            self.waits = True
        else:
            wsgi.succeeded(result)
        return result

    def _take(self, chunk: Any) -> bool:
        """Take a chunk that is not empty; False if it should leave before the next is made."""
        if type(chunk) is not bytes:
            raise TypeError(f"the application yielded {chunk!r:.80}: chunks must be bytes")
        cooperative = self._hold or self._wsgi.used
        if cooperative and not self.head_sent and not self._held:
            self._held = chunk
            return True
        if self._held:
            self._send_held()
        self._send(chunk, last=False)
        return cooperative

    def _send_held(self) -> None:
        held, self._held = self._held, b""
        self._send(held, last=False)

    def _finish(self) -> None:
        """The iterator has ended."""
        if self._wsgi.pending:
            raise self._wsgi.lost("the iteration ended")
        self._exhausted = True
        if not self.head_sent:
            held, self._held = self._held, b""
            self._send(held, last=True)
        elif self._chunked:
            self._connection.write(b"0\r\n\r\n")
        if self._remaining:
            self._keep_alive = False
            log.error(
                "%s: the body is %d bytes shorter than its Content-Length: the connection closes",
                self,
                self._remaining,
            )

    # Bytes.

    def start_response(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: Any = None,
    ) -> Callable[[bytes], None]:
        """PEP 3333. Nothing is sent yet. Raises ValueError or TypeError for a bad head."""
        if exc_info is not None:
            try:
                if self.head_sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self._head is not None:
            raise RuntimeError("start_response was called twice without exc_info (PEP 3333)")
        self._head = Head(status, headers)
        return self.write

    def write(self, data: bytes) -> None:
        """PEP 3333: send `data` before the iterable's chunks; waits while the client is slow."""
        if type(data) is not bytes:
            raise TypeError(f"write() takes bytes, not {data!r:.80}")
        if self._held:
            self._send_held()
        if data:
            self._send(data, last=False)
        while self._unsent is not None and not self._write_unsent():
            self.wait(Drain(self._connection))

    def _send(self, chunk: bytes, last: bool) -> None:
        """Write a chunk, behind the head if it is the first."""
        length = len(chunk)
        out = b"" if self.head_sent else self._encode_head(length if last else None)
        excess = 0
        if self._bodyless:
            chunk = b""
        elif self._remaining is not None:
            excess = max(0, length - self._remaining)
            if excess:
                chunk = chunk[: self._remaining]
            self._remaining -= len(chunk)
        self.sent += len(chunk)
        tail = b""
        if self._chunked and chunk:
            out += b"%x\r\n" % length
            tail = b"\r\n"
        if len(chunk) <= _SLICE_BYTES:
            self._connection.write(out + chunk + tail if chunk else out)
        else:
            self._unsent = _slices(out, chunk, tail)
        if excess:
            raise ValueError(f"the body is at least {excess} bytes longer than its Content-Length")

    def _encode_head(self, whole_length: int | None) -> bytes:
        """The head; `whole_length` is the length of the body where it is known."""
        head, request = self._head, self._request
        if head is None:
            raise RuntimeError("the application did not call start_response before its first chunk")
        self.head_sent = True
        self._bodyless = head.bodyless or request.method == b"HEAD"
        keep_alive = self._connection.persists(request) and not head.closes
        framing = ""
        if head.bodyless:
            pass
        elif head.content_length is not None:
            if not self._bodyless:
                self._remaining = head.content_length
        elif whole_length is not None:
            if whole_length or not self._bodyless:
                framing = f"Content-Length: {whole_length}\r\n"
        elif request.http11:
            framing = "Transfer-Encoding: chunked\r\n"
            self._chunked = not self._bodyless
        else:
            keep_alive = False
        if not keep_alive:
            framing += "Connection: close\r\n"
        elif not request.http11:
            framing += "Connection: keep-alive\r\n"
        self._keep_alive = keep_alive
        return head.encode(framing, date_line())

    def _flush(self) -> bool:
        """Write on with what is unsent; False if parked because the client is slow."""
        while not self._write_unsent():
            if self.perform(Drain(self._connection)) is PARKED:
                return False
        return True

    def _write_unsent(self) -> bool:
        """Write until all is written (True) or the transport has enough (False)."""
        assert self._unsent is not None
        for data in self._unsent:
            self._connection.write(data)
            if self._connection.write_paused:
                return False
        self._unsent = None
        return not self._connection.write_paused

    # The end.

    def _fail(self, error: Exception) -> None:
        if self.ended:
            return
        log.error("%s: %s: %s", self, type(error).__name__, error, exc_info=error)
        self._keep_alive = False
        self._unsent = None
        if not self.head_sent:
            self.head_sent = True
            refusal = HTTPError(500, "The server could not answer this request; its log says why.")
            self._head = None
            self._connection.write(plain_response(refusal, self._request.method == b"HEAD"))
        elif self._remaining != 0:
            self._connection.truncated = True
        self._complete()

    def _complete(self) -> None:
        """All is written: close the iterable and give the connection back."""
        self.ended = True
        self._close()
        self._connection.exchange_ended(self, self._keep_alive)

    def _close(self) -> None:
        iterable, self._iterable = self._iterable, None
        self._iterator = self._unsent = None
        close = getattr(iterable, "close", None)
        if close is not None:
            try:
                close()
            except Exception:
                log.exception("%s: close() of the response failed", self)
        # An exception's traceback leads back here.
        self._wsgi.exception = self._wsgi.result = None
        callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            callback(self)

    def __repr__(self) -> str:
        request = self._request
        return f"{request.method.decode()} {request.target[:200].decode()}"


def _slices(head: bytes, chunk: bytes, tail: bytes) -> Iterator[bytes | memoryview]:
    if head:
        yield head
    view = memoryview(chunk)
    for start in range(0, len(view), _SLICE_BYTES):
        yield view[start : start + _SLICE_BYTES]
    if tail:
        yield tail
