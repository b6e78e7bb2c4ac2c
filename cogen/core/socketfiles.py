"""The file of a socket: what `Socket.makefile` gives, as cogen 0.2 had it."""

from collections.abc import Iterable
from typing import Any

from cogen.core.coroutines import coro
from cogen.core.descriptors import ConnectionClosed
from cogen.core.socketops import octets
from cogen.core.sockets import Socket

__all__ = ["SocketFile"]

_BUFFER = 8192


class SocketFile:
    """A file of bytes over `sock`, whose methods are coroutines: `line = yield file.readline()`.

    Reading raises ConnectionClosed where the peer has ended and nothing is left. What has come is
    kept until it is asked for: a timeout in the middle of a line loses nothing. `bufsize`: bytes
    written that are held back until `flush`, 0 for none, 1 until a line is whole, -1 for 8192.
    Closing the file leaves the socket open. `options` are those of `Socket.recv`.
    """

    def __init__(self, sock: Socket, mode: str = "rb", bufsize: int = -1) -> None:
        self.mode = mode
        self.bufsize = _BUFFER if bufsize < 0 else bufsize
        self._sock: Socket | None = sock
        self._block = self.bufsize if self.bufsize > 1 else _BUFFER
        self._read = bytearray()
        self._searched = 0  # bytes of it that have no end of a line
        self._written = bytearray()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._sock is None

    def fileno(self) -> int:
        """The file descriptor of the socket."""
        return self._open().fileno()

    @coro
    def read(self, size: int = -1, **options: Any) -> Any:
        """`size` bytes, fewer if the peer ends before; all until it ends if negative."""
        while size < 0 or len(self._read) < size:
            if not (yield self._more(options)):
                if not self._read and size != 0:
                    raise _end()
                break
        return self._take(len(self._read) if size < 0 else size)

    @coro
    def readline(self, size: int = -1, **options: Any) -> Any:
        """A line with its end, or the first `size` bytes of one; the last may have no end."""
        while True:
            end = self._read.find(b"\n", self._searched) + 1
            if not end:
                self._searched = len(self._read)
            length = end or len(self._read)
            if 0 <= size <= length:
                return self._take(size)
            if end:
                return self._take(end)
            if not (yield self._more(options)):
                if not self._read:
                    raise _end()
                return self._take(len(self._read))

    @coro
    def readlines(self, sizehint: int = 0, **options: Any) -> Any:
        """The lines until the peer ends, or until they are `sizehint` bytes."""
        lines: list[bytes] = []
        total = 0
        while not sizehint or total < sizehint:
            try:
                line = yield self.readline(**options)
            except ConnectionClosed:
                break
            except BaseException:
                self._read[:0] = b"".join(lines)
                self._searched = 0
                raise
            lines.append(line)
            total += len(line)
        return lines

    @coro
    def write(self, data: Any, **options: Any) -> Any:
        """Write `data`, bytes; it is sent when the buffer is full, or by `flush`."""
        data = octets(data)
        self._open()
        self._written += data
        by_lines = self.bufsize == 1
        if b"\n" in bytes(data) if by_lines else len(self._written) >= self.bufsize:
            yield self.flush(**options)

    @coro
    def writelines(self, lines: Iterable[Any], **options: Any) -> Any:
        """Write all of `lines`; ends of lines are not added."""
        for line in lines:
            yield self.write(line, **options)

    @coro
    def flush(self, **options: Any) -> Any:
        """Send what was written; what an error kept from going stays written."""
        operation = self._open().sendall(bytes(self._written), **options)
        self._written.clear()
        try:
            yield operation
        finally:
            self._written[:0] = operation.buff[operation.sent :]

    @coro
    def close(self, **options: Any) -> Any:
        """Send what was written and end; the socket stays open."""
        try:
            if self._sock is not None:
                yield self.flush(**options)
        finally:
            self._sock = None

    def __aiter__(self) -> "SocketFile":
        return self

    async def __anext__(self) -> bytes:
        try:
            line: bytes = await self.readline()
        except ConnectionClosed:
            raise StopAsyncIteration from None
        return line

    def _open(self) -> Socket:
        if self._sock is None:
            raise ValueError("the file was closed")
        return self._sock

    def _take(self, count: int) -> bytes:
        taken = bytes(self._read[:count])
        del self._read[:count]
        self._searched = 0
        return taken

    @coro
    def _more(self, options: dict[str, Any]) -> Any:
        """Receive something; False at the end."""
        try:
            self._read += yield self._open().recv(self._block, **options)
        except ConnectionClosed as error:
            if error.errno is not None:  # it broke
                raise
            return False
        return True


def _end() -> ConnectionClosed:
    return ConnectionClosed("the peer has closed the connection: nothing more will come")
