"""Streams: connections as bytes in order, with lines, exact reads, TLS and back-pressure.

    with (yield connect_tcp("example.org", 443, tls=True)) as stream:
        yield stream.write(b"hello\\n")
        line = yield stream.read_line()        # b"" at the end

A stream stands on a transport of the loop, over TCP, TLS, a Unix socket or a pipe. One coroutine at
a time reads; any number write. Reading more than is asked for stops at some kilobytes, and `write`
waits while the peer takes nothing: a slow peer holds up its own coroutine, and fills no memory.

What has come and was not handed over is there for the next read, whatever ended the one before.
"""

import asyncio
import contextlib
import errno
import ssl
from collections.abc import Callable
from typing import Any

from cogen.core.descriptors import ConnectionClosed, SocketError
from cogen.core.events import Await, Operation
from cogen.core.schedulers import Scheduler, Waiter
from cogen.core.streamops import (
    IdleTimeout,
    LineTooLong,
    Read,
    ReadExactly,
    ReadLine,
    ReadSome,
    ReadUntil,
    StreamOperation,
    WaitClosed,
    Write,
)

__all__ = [
    "IdleTimeout",
    "LineTooLong",
    "OpenStream",
    "Stream",
    "address_text",
    "connect_tcp",
    "connect_unix",
]

# Bytes that are held unread before the transport reads no more, and where it goes on.
_MOST_UNREAD, _LEAST_UNREAD = 64 * 1024, 16 * 1024
# Bytes that are held unsent before `write` waits, and where it goes on.
_MOST_UNSENT, _LEAST_UNSENT = 64 * 1024, 16 * 1024

_GONE = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)

LINE = 64 * 1024
"""Bytes of the longest line, if `limit` is not given."""


class Stream(asyncio.Protocol):
    """A connection. `idle`: seconds without a byte after which a read or write is given up; `peer`:
    the address of the other end, of a Unix socket an empty string.

    `read`, `read_exactly`, `read_line`, `read_until`, `write` and `wait_closed` are operations, to
    be yielded or awaited; all else is done at once. `timeout` of an operation, in seconds, is for
    all of it, and takes the place of `idle`. A connection that breaks raises ConnectionClosed.
    """

    __slots__ = (
        "_buffer",
        "_closed",
        "_ended",
        "_error",
        "_lost",
        "_reader",
        "_reading_paused",
        "_sent_eof",
        "_transport",
        "_waiting",
        "_writing_paused",
        "idle",
        "peer",
        "scheduler",
    )

    def __init__(self, scheduler: Scheduler, idle: float | None = None) -> None:
        self.scheduler = scheduler
        self.idle = idle
        self.peer: Any = None
        self._transport: Any = None
        self._buffer = bytearray()
        self._reader: Read | None = None
        self._waiting: dict[Waiter, StreamOperation] | None = None  # who writes, or for the end
        self._reading_paused = self._writing_paused = False
        self._ended = False  # nothing more will come
        self._closed = False  # by us
        self._sent_eof = False
        self._lost = False  # the transport has ended
        self._error: tuple[int, str] | None = None  # by which it broke

    def read(self, most: int = 65536, timeout: float | None = None) -> "StreamOperation":
        """From one byte to `most` of them; b"" at the end."""
        return ReadSome(self, most, timeout)

    def read_exactly(self, count: int, timeout: float | None = None) -> "StreamOperation":
        """`count` bytes. Raises IncompleteRead, with what has come, at the end."""
        return ReadExactly(self, count, timeout)

    def read_line(self, limit: int = LINE, timeout: float | None = None) -> "StreamOperation":
        """A line with its end; the last may have none; b"" at the end.

        Raises LineTooLong if it is longer than `limit` bytes.
        """
        return ReadLine(self, b"\n", limit, timeout)

    def read_until(
        self, separator: bytes, limit: int = LINE, timeout: float | None = None
    ) -> "StreamOperation":
        """All up to `separator`, and that. Raises IncompleteRead at the end, and LineTooLong."""
        return ReadUntil(self, separator, limit, timeout)

    def write(self, data: Any, timeout: float | None = None) -> "StreamOperation":
        """Send `data`, bytes; waits while the peer takes nothing. Left, it is sent all the same."""
        return Write(self, data, timeout)

    def wait_closed(self, timeout: float | None = None) -> "StreamOperation":
        """Wait until the connection has ended and its descriptor is closed."""
        return WaitClosed(self, timeout)

    def send_eof(self) -> None:
        """Tell the peer that nothing more will come; it may still send. TLS has no such thing.

        If the peer has told the same, the connection ends.
        """
        if not self._transport.can_write_eof():
            raise RuntimeError(f"{self!r} cannot be closed for writing alone: close it")
        self._sent_eof = True
        if self._ended:
            self._transport.close()  # nothing goes in either direction
        elif not self._lost:
            self._transport.write_eof()

    def close(self) -> None:
        """End the connection; what was written is still sent. May be called twice."""
        self._closed = True
        self._transport.close()

    def abort(self) -> None:
        """End the connection now; what was not sent is lost."""
        self._closed = True
        self._transport.abort()

    def get_extra_info(self, name: str) -> Any:
        """What asyncio's transports tell: `sockname`, `socket`, `ssl_object`, `peercert`.

        None once the connection has ended.
        """
        return None if self._lost else self._transport.get_extra_info(name)

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> bytes:
        line: bytes = await self.read_line()
        if not line:
            raise StopAsyncIteration
        return line

    def __repr__(self) -> str:
        if self._transport is None:
            return "<Stream not connected>"
        return f"<Stream {address_text(self.peer)}>"

    # Called by the transport.

    def connection_made(self, transport: Any) -> None:
        """It is connected."""
        self._transport = transport
        # It may have gone already; uvloop's pipes have no name, and fail where they are asked.
        with contextlib.suppress(OSError, AttributeError):
            self.peer = transport.get_extra_info("peername")
        # A pipe to be read has no such thing.
        with contextlib.suppress(AttributeError, NotImplementedError):
            transport.set_write_buffer_limits(_MOST_UNSENT, _LEAST_UNSENT)

    def data_received(self, data: bytes) -> None:
        """`data` has come."""
        self._buffer += data
        if self._reader is not None:
            self._reader.try_again(progress=True)
        if self._reader is None and len(self._buffer) >= _MOST_UNREAD and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Nothing more will come; whether we may still send."""
        self._ended = True
        if self._reader is not None:
            self._reader.try_again()
        return not self._sent_eof and self._transport.can_write_eof()

    def pause_writing(self) -> None:
        """The peer takes nothing."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """It takes something again."""
        self._writing_paused = False
        self._try_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended, and broke if there is an `exc`."""
        self._lost = self._ended = True
        if exc is not None:
            code = getattr(exc, "errno", None) or errno.ECONNABORTED
            self._error = code, getattr(exc, "strerror", None) or str(exc) or repr(exc)
        if self._reader is not None:
            self._reader.try_again()
        self._try_waiting()

    # Called by the operations.

    def park(self, operation: "Read") -> None:
        """`operation` waits for what comes."""
        self._reader = operation
        self._read_on(0)

    def take(self, count: int) -> bytes:
        """Up to `count` bytes of what has come."""
        buffer = self._buffer
        taken = bytes(buffer[:count]) if count < len(buffer) else bytes(buffer)
        del buffer[:count]
        self._read_on(_LEAST_UNREAD)
        return taken

    def _read_on(self, least: int) -> None:
        if self._reading_paused and (not least or len(self._buffer) < least) and not self._lost:
            self._reading_paused = False
            self._transport.resume_reading()

    def check_open(self) -> None:
        """Raises ConnectionClosed, or SocketError if it was closed on this side."""
        if self._closed:
            raise SocketError(errno.EBADF, f"the stream was closed on this side: {self!r}")
        if self._error is not None:
            raise ConnectionClosed(self._error[0], f"{self._error[1]}: {self!r}")

    def _try_waiting(self) -> None:
        if self._waiting is not None:
            for operation in list(self._waiting.values()):
                operation.try_again()


class OpenStream(Await):
    """Make a Stream by `open_(loop, factory)`, of asyncio; left, nothing of it stays.

    `what` completes "cannot ..."; `idle` is the stream's. Raises SocketError and ssl.SSLError.
    """

    __slots__ = ("_idle", "_open", "what")

    def __init__(
        self,
        open_: Callable[[asyncio.AbstractEventLoop, Any], Any],
        what: str,
        idle: float | None,
        timeout: float | None,
    ) -> None:
        Operation.__init__(self, timeout)
        self._open = open_
        self._idle = idle
        self.what = what

    def run(self, waiter: Waiter) -> Any:
        self.awaitable = self._connect(waiter.scheduler)
        return super().run(waiter)

    async def _connect(self, scheduler: Scheduler) -> Stream:
        # uvloop returns a protocol of its own where there is TLS.
        stream = Stream(scheduler, self._idle)
        try:
            await self._open(scheduler.loop, lambda: stream)
        except ssl.SSLError:
            raise
        except OSError as error:
            made = ConnectionClosed if isinstance(error, _GONE) else SocketError
            what = error.strerror or str(error) or "the peer has gone"
            raise made(error.errno, f"cannot {self.what}: {what}") from None
        return stream

    def undo(self, waiter: Waiter) -> None:
        super().undo(waiter)
        self._future.add_done_callback(_give_up)

    def __repr__(self) -> str:
        return f"<OpenStream: {self.what}>"


def connect_tcp(
    host: str,
    port: int,
    *,
    tls: "ssl.SSLContext | bool | None" = None,
    server_hostname: str | None = None,
    idle: float | None = None,
    timeout: float | None = None,
) -> Operation:
    """Connect to a port; the result is a `Stream`. Raises SocketError, which names host and port.

    `tls`: True, or a context of one's own; the certificate has to be for `server_hostname`, which
    is `host` if not given, or ssl.SSLError is raised. `idle` is the stream's, `timeout` is for
    connecting, TLS's handshake too; both in seconds.
    """
    context = ssl.create_default_context() if tls is True else tls or None
    named = server_hostname or host if context else None

    def open_(loop: asyncio.AbstractEventLoop, factory: Any) -> Any:
        return loop.create_connection(factory, host, port, ssl=context, server_hostname=named)

    return OpenStream(open_, f"connect to {host}:{port}", idle, timeout)


def connect_unix(
    path: str, *, idle: float | None = None, timeout: float | None = None
) -> Operation:
    """Connect to the Unix socket at `path`; the result is a `Stream`. Raises SocketError."""

    def open_(loop: asyncio.AbstractEventLoop, factory: Any) -> Any:
        return loop.create_unix_connection(factory, path)

    return OpenStream(open_, f"connect to {path}", idle, timeout)


def address_text(address: Any) -> str:
    """`address` of a socket, for people."""
    if isinstance(address, tuple) and len(address) >= 2:
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    return str(address) if address else "a local client"


def _give_up(future: "asyncio.Future[Any]") -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().abort()
