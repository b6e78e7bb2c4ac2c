"""The operations of a socket, by the names of cogen 0.2."""

import asyncio
import errno
import os
import socket
import stat
from functools import partial
from typing import IO, Any

from cogen.core.coroutines import coro
from cogen.core.descriptors import (
    ConnectionClosed,
    Descriptor,
    IncompleteRead,
    SocketError,
    SocketOperation,
)
from cogen.core.events import PARKED
from cogen.core.schedulers import Waiter

__all__ = [
    "Accept",
    "Connect",
    "Readable",
    "Recv",
    "RecvAll",
    "Send",
    "SendAll",
    "SendFile",
    "octets",
]

_BEGUN = (0, errno.EINPROGRESS, errno.EISCONN)

# What a file is sent in one go before others have their turn.
_GO = 256 * 1024


def octets(data: Any) -> memoryview:
    """What is to be sent, as bytes. Raises TypeError, with the remedy, for text."""
    if isinstance(data, str):
        raise TypeError(f"bytes are sent, not text: {data[:20]!r}.encode() makes bytes of it")
    return memoryview(data).cast("B")


class Readable(SocketOperation):
    """Wait until there is something to receive, or somebody to accept; nothing is taken."""

    __slots__ = ("_parked",)

    def begin(self) -> None:
        self._parked = False

    def call(self) -> Any:
        if self._parked:
            return None
        self._parked = True  # the loop says it
        return PARKED


class Recv(SocketOperation):
    """Receive from one byte to `len` of them. Raises ConnectionClosed where the peer has ended."""

    __slots__ = ("len",)

    def __init__(self, sock: Descriptor, len: int = 4096, **options: Any) -> None:
        super().__init__(sock, **options)
        self.len = len

    def call(self) -> bytes:
        sock = self.sock
        if sock.rest:
            data, sock.rest = sock.rest[: self.len], sock.rest[self.len :]
        else:
            data = sock.socket.recv(self.len)
        if not data and self.len and sock.socket.type == socket.SOCK_STREAM:
            raise ConnectionClosed("the peer has closed the connection: nothing more will come")
        return data


class Send(SocketOperation):
    """Send some of `buff`, at least a byte; the result is how many there were."""

    __slots__ = ("buff", "sent")
    writing = True

    def __init__(self, sock: Descriptor, buff: Any, **options: Any) -> None:
        super().__init__(sock, **options)
        self.buff = octets(buff)
        self.sent = 0

    def begin(self) -> None:
        self.sent = 0

    def call(self) -> int:
        self.sent = self.sock.socket.send(self.buff)
        return self.sent


class SendAll(Send):
    """Send all of `buff`; the result is how many bytes that was.

    Left before the end, `sent` says how many have gone.
    """

    __slots__ = ()

    def call(self) -> Any:
        self.sent += self.sock.socket.send(self.buff[self.sent :])
        self.moved = True
        return self.sent if self.sent == len(self.buff) else PARKED


class SendFile(SocketOperation):
    """Send a file from `offset` (where it stands, if not given) on; the result is how many bytes.

    `length` bytes, or up to its end, which comes first. The system sends a real file without a
    copy; anything else is read in blocks of `blocksize` bytes, 0 for all at once.
    """

    __slots__ = ("_copied", "_end", "blocksize", "file_handle", "length", "offset", "sent")
    writing = True

    def __init__(
        self,
        file_handle: IO[bytes],
        sock: Descriptor,
        offset: int | None = None,
        length: int | None = None,
        blocksize: int = 4096,
        **options: Any,
    ) -> None:
        super().__init__(sock, **options)
        self.file_handle = file_handle
        self.offset = file_handle.tell() if offset is None else offset
        self.length = length
        self.blocksize = blocksize
        self._copied = not _is_regular(file_handle)
        self.begin()

    def begin(self) -> None:
        self.sent = 0
        self._end = self.offset + self.length if self.length else None

    def call(self) -> Any:
        enough = self.sent + _GO
        while self.sent < enough:
            position = self.offset + self.sent
            left = _GO if self._end is None else min(_GO, self._end - position)
            sent = (self._copy if self._copied else self._send)(position, left) if left else 0
            if not sent:
                return self.sent
            self.sent += sent
            self.moved = True
        return PARKED

    def _send(self, position: int, count: int) -> int:
        return os.sendfile(self.sock.fileno(), self.file_handle.fileno(), position, count)

    def _copy(self, position: int, count: int) -> int:
        self.file_handle.seek(position)
        block = self.file_handle.read(min(count, self.blocksize) if self.blocksize else count)
        return self.sock.socket.send(block) if block else 0


class Accept(SocketOperation):
    """Take the next connection; the result is (Socket, address)."""

    __slots__ = ()

    def call(self) -> tuple[Descriptor, Any]:
        connection, address = self.sock.socket.accept()
        made: Any = type(self.sock)
        return made(sock=connection), address


class Connect(SocketOperation):
    """Connect `sock` to `addr`; the result is `sock`. A name is looked up in a thread."""

    __slots__ = ("_begun", "_lookup", "addr")
    writing = True

    def __init__(self, sock: Descriptor, addr: Any, **options: Any) -> None:
        super().__init__(sock, **options)
        self.addr = addr
        self._lookup: asyncio.Future[Any] | None = None

    def begin(self) -> None:
        self._begun = False

    def run(self, waiter: Waiter) -> Any:
        if _is_numeric(self.sock.socket.family, self.addr):
            return super().run(waiter)
        there = self.sock.socket
        loop = waiter.scheduler.loop
        self._lookup = loop.create_task(
            loop.getaddrinfo(
                *self.addr[:2], family=there.family, type=there.type, proto=there.proto
            )
        )
        self._lookup.add_done_callback(partial(self._found, waiter))
        return PARKED

    def _found(self, waiter: Waiter, lookup: "asyncio.Future[Any]") -> None:
        try:
            if self._lookup is not lookup:  # left in the meantime
                if not lookup.cancelled():
                    lookup.exception()
                return
            self._lookup = None
            try:
                self.addr = lookup.result()[0][4]
                result = super().run(waiter)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 (raised in the waiter)
                waiter.fail(self._failed(error))
            else:
                if result is not PARKED:
                    waiter.resume(result)
        finally:
            del self, waiter, lookup

    def _failed(self, error: BaseException) -> BaseException:
        """What is raised for `error`, of the look-up or of what came after it."""
        if isinstance(error, UnicodeError):
            return SocketError(errno.EINVAL, f"{self.addr[0]!r:.80} is no name of a host: {error}")
        if isinstance(error, OSError) and not isinstance(error, SocketError):
            return SocketError(error.errno, f"{error.strerror}: {self!r}")
        return error

    def undo(self, waiter: Waiter) -> None:
        if self._lookup is not None:
            lookup, self._lookup = self._lookup, None
            lookup.cancel()
        else:
            super().undo(waiter)

    def call(self) -> Any:
        there = self.sock.socket
        if not self._begun:
            self._begun = True
            code = there.connect_ex(self.addr)
        else:
            code = there.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or _again(there, self.addr)
        if code == errno.EINPROGRESS:
            return PARKED
        if code not in _BEGUN:
            raise SocketError(code, f"{os.strerror(code)}: {self!r}")
        return self.sock

    def __repr__(self) -> str:
        return f"<Connect {self.sock!r} to {self.addr!r}>"


@coro
def RecvAll(sock: Descriptor, length: int, **options: Any) -> Any:
    """Receive exactly `length` bytes. Raises IncompleteRead where the peer ends before.

    Left before the end, what has come is there for the next `recv`.
    """
    data = bytearray()
    try:
        while len(data) < length:
            data += yield Recv(sock, length - len(data), **options)
    except ConnectionClosed:
        raise IncompleteRead(bytes(data), f"{length}") from None
    except BaseException:
        sock.give_back(bytes(data))
        raise
    return bytes(data)


def _again(there: socket.socket, address: Any) -> int:
    """Whether it is connected by now: the loop may say so too early."""
    try:
        there.getpeername()
    except OSError as error:
        return errno.EINPROGRESS if error.errno == errno.ENOTCONN else error.errno or errno.EIO
    return 0


def _is_numeric(family: int, address: Any) -> bool:
    """Whether `address` can be connected to without a look-up."""
    if family not in (socket.AF_INET, socket.AF_INET6):
        return True
    try:
        socket.inet_pton(family, address[0])
    except OSError:
        return False
    return True


def _is_regular(file: IO[bytes]) -> bool:
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except (AttributeError, OSError):  # a file that is none of the system's
        return False
