"""Sockets as operations: `Socket` has the methods of `socket.socket`, to be yielded or awaited.

    sock = Socket()
    yield sock.connect(("127.0.0.1", 7))
    yield sock.sendall(b"hello")
    data = yield sock.recv(1024)            # at least a byte; ConnectionClosed at the end

Names and behaviour are those of cogen 0.2; what is sent and received is bytes. A `timeout` is an
idle timeout: what has moved puts it off, unless `weak_timeout=False`. The operations that wait for
one side of a socket are served in the order they came. `cogen.core.streams` has lines, TLS and
servers in fewer words.
"""

import socket
from typing import IO, TYPE_CHECKING, Any

from cogen.core.descriptors import (
    ConnectionClosed,
    Descriptor,
    IncompleteRead,
    SocketError,
    SocketOperation,
)
from cogen.core.socketops import Accept, Connect, Readable, Recv, RecvAll, Send, SendAll, SendFile

if TYPE_CHECKING:
    from cogen.core.socketfiles import SocketFile

__all__ = [
    "Accept",
    "Connect",
    "ConnectionClosed",
    "IncompleteRead",
    "Readable",
    "Recv",
    "RecvAll",
    "Send",
    "SendAll",
    "SendFile",
    "Socket",
    "SocketError",
    "SocketOperation",
    "getdefaulttimeout",
    "setdefaulttimeout",
]

_default_timeout: Any = None


def getdefaulttimeout() -> Any:
    """The timeout, in seconds, that new sockets have; None: they wait for ever."""
    return _default_timeout


def setdefaulttimeout(timeout: Any) -> None:
    """Give `timeout` to sockets that are made from now on."""
    global _default_timeout
    _default_timeout = timeout


class Socket(Descriptor):
    """A socket that does not block; `family`, `type` and `proto` as of `socket.socket`.

    It is used on one loop. Closed while operations wait for it, those raise SocketError.
    """

    __slots__ = ("_timeout",)

    def __init__(
        self,
        family: int = socket.AF_INET,
        type: int = socket.SOCK_STREAM,
        proto: int = 0,
        sock: socket.socket | None = None,
    ) -> None:
        """`sock`: one that is there already, which is this one's from now on."""
        super().__init__(sock if sock is not None else socket.socket(family, type, proto))
        self._timeout = _default_timeout

    def recv(self, bufsize: int, **options: Any) -> "Recv":
        """The operation: from one byte to `bufsize` of them. Raises ConnectionClosed at the end.

        `options` of this and of the others: `timeout` in seconds, that of `settimeout` if not
        given, and `weak_timeout`.
        """
        return Recv(self, bufsize, **self._timed(options))

    def send(self, data: Any, **options: Any) -> "Send":
        """The operation: send some of `data`, at least a byte; how many there were."""
        return Send(self, data, **self._timed(options))

    def sendall(self, data: Any, **options: Any) -> "SendAll":
        """The operation: send all of `data`; how many bytes that was."""
        return SendAll(self, data, **self._timed(options))

    def sendfile(
        self,
        file_handle: IO[bytes],
        offset: int | None = None,
        length: int | None = None,
        blocksize: int = 4096,
        **options: Any,
    ) -> "SendFile":
        """The operation: send a file; see `SendFile`."""
        timed = self._timed(options)
        return SendFile(file_handle, self, offset, length, blocksize, **timed)

    def accept(self, **options: Any) -> "Accept":
        """The operation: the next connection, as (Socket, address)."""
        return Accept(self, **self._timed(options))

    def connect(self, address: Any, **options: Any) -> "Connect":
        """The operation: connect to `address`; the socket itself.

        After an error, make a new one.
        """
        return Connect(self, address, **self._timed(options))

    def makefile(self, mode: str = "rb", bufsize: int = -1) -> "SocketFile":
        """A file of bytes whose methods are coroutines; see `SocketFile`."""
        from cogen.core.socketfiles import SocketFile

        return SocketFile(self, mode, bufsize)

    def bind(self, address: Any) -> None:
        """Give it its own address; a name is looked up here and now."""
        self.socket.bind(address)

    def listen(self, backlog: int = 128) -> None:
        """Let connections come; `backlog`: how many the system holds until they are accepted."""
        self.socket.listen(backlog)

    def detach(self) -> socket.socket:
        """The socket of the system, for somebody else; this one is closed, but that is not."""
        there = self.socket
        self.leave_loop()
        self.socket = _closed()
        return there

    def shutdown(self, how: int) -> None:
        """Shut down one or both sides: `socket.SHUT_RD`, `SHUT_WR`, `SHUT_RDWR`."""
        self.socket.shutdown(how)

    def getpeername(self) -> Any:
        """The address of the other end."""
        return self.socket.getpeername()

    def getsockname(self) -> Any:
        """Its own address."""
        return self.socket.getsockname()

    def settimeout(self, timeout: Any) -> None:
        """Seconds for operations that are made from now on; None: for ever."""
        self._timeout = timeout

    def gettimeout(self) -> Any:
        """What `settimeout` was told."""
        return self._timeout

    def setblocking(self, blocking: Any) -> None:
        """It never blocks: RuntimeError if it shall."""
        if blocking:
            raise RuntimeError("a Socket never blocks: the loop would stand still")

    def setsockopt(self, *args: Any) -> None:
        """As of `socket.socket`."""
        self.socket.setsockopt(*args)

    def getsockopt(self, *args: Any) -> Any:
        """As of `socket.socket`."""
        return self.socket.getsockopt(*args)

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _timed(self, options: dict[str, Any]) -> dict[str, Any]:
        options.setdefault("timeout", self._timeout)
        return options


def _closed() -> socket.socket:
    sock = socket.socket()
    sock.close()
    return sock
