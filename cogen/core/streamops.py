"""The operations of a stream."""

import errno
from typing import TYPE_CHECKING, Any

from cogen.core.descriptors import ConnectionClosed, IncompleteRead, SocketError
from cogen.core.events import PARKED, Operation, OperationTimeout
from cogen.core.schedulers import Waiter
from cogen.core.socketops import octets

if TYPE_CHECKING:
    from cogen.core.streams import Stream

__all__ = [
    "IdleTimeout",
    "LineTooLong",
    "Read",
    "ReadExactly",
    "ReadLine",
    "ReadSome",
    "ReadUntil",
    "StreamOperation",
    "WaitClosed",
    "Write",
]


class IdleTimeout(OperationTimeout):
    """The peer has sent, or taken, nothing for as long as the stream's `idle`."""


class LineTooLong(SocketError):
    """No end of a line is in the first `limit` bytes; they stay unread."""


class StreamOperation(Operation):
    """Base of the operations of a stream: `attempt` is asked again when something has changed."""

    __slots__ = ("_idle", "stream", "waiter")

    def __init__(self, stream: "Stream", timeout: float | None) -> None:
        super().__init__(stream.idle if timeout is None else timeout)
        self._idle = timeout is None
        self.stream = stream
        self.waiter: Waiter | None = None

    def attempt(self) -> Any:
        """The result, or PARKED."""
        raise NotImplementedError

    def run(self, waiter: Waiter) -> Any:
        try:
            if waiter.scheduler is not self.stream.scheduler:
                raise RuntimeError(f"{self.stream!r} belongs to another loop: use it there")
            if self.waiter is not None:
                raise RuntimeError(f"{self!r} is being waited for: make one for each who waits")
            result = self.attempt()
            if result is PARKED:
                self._park(waiter)
                self.waiter = waiter
            return result
        finally:
            del self, waiter

    def try_again(self, progress: bool = False) -> None:
        """Something has changed; `progress`: a byte has come."""
        waiter = self.waiter
        try:
            assert waiter is not None
            try:
                result = self.attempt()
            except SocketError as error:
                self.undo(waiter)
                waiter.fail(error)
            else:
                if result is not PARKED:
                    self.undo(waiter)
                    waiter.resume(result)
                elif progress and self._idle:
                    waiter.touch()
        finally:
            del self, waiter

    def _park(self, waiter: Waiter) -> None:
        stream = self.stream
        if stream._waiting is None:
            stream._waiting = {}
        stream._waiting[waiter] = self

    def undo(self, waiter: Waiter) -> None:
        self.waiter = None
        stream = self.stream
        if stream._waiting is not None:
            stream._waiting.pop(waiter, None)
            if not stream._waiting:
                stream._waiting = None

    def expire(self, waiter: Waiter) -> None:
        self.undo(waiter)
        waiter.fail(IdleTimeout(self) if self._idle else OperationTimeout(self), crowd=True)

    def __repr__(self) -> str:
        within = f" within {self.timeout:g} s" if self.has_end else ""
        return f"<{type(self).__name__} {self.stream!r}{within}>"


class Read(StreamOperation):
    """Base of the reads: one at a time."""

    __slots__ = ()

    def run(self, waiter: Waiter) -> Any:
        try:
            reader = self.stream._reader
            if reader is not None:
                raise RuntimeError(f"{self.stream!r} is being read already: let one coroutine read")
            return super().run(waiter)
        finally:
            del self, waiter

    def _park(self, waiter: Waiter) -> None:
        self.stream.park(self)

    def undo(self, waiter: Waiter) -> None:
        self.waiter = None
        self.stream._reader = None

    def attempt(self) -> Any:
        try:
            stream = self.stream
            if stream._closed:
                stream.check_open()
            count = self.enough()
            if count:
                return stream.take(count)
            if not stream._ended:
                return PARKED
            stream.check_open()
            return self.at_end()
        finally:
            del self, stream

    def enough(self) -> int:
        """How many bytes of the buffer are the result; 0: more have to come."""
        raise NotImplementedError

    def at_end(self) -> bytes:
        """Nothing more will come."""
        raise NotImplementedError


class ReadSome(Read):
    """What has come, up to `most` bytes; b"" at the end."""

    __slots__ = ("most",)

    def __init__(self, stream: "Stream", most: int, timeout: float | None) -> None:
        super().__init__(stream, timeout)
        self.most = _positive(most, "read", "most")

    def enough(self) -> int:
        return min(self.most, len(self.stream._buffer))

    def at_end(self) -> bytes:
        return b""


class ReadExactly(Read):
    """`count` bytes, or IncompleteRead."""

    __slots__ = ("count",)

    def __init__(self, stream: "Stream", count: int, timeout: float | None) -> None:
        super().__init__(stream, timeout)
        self.count = _positive(count, "read_exactly", "count")

    def enough(self) -> int:
        return self.count if len(self.stream._buffer) >= self.count else 0

    def at_end(self) -> bytes:
        raise IncompleteRead(self.stream.take(self.count), str(self.count))


class ReadUntil(Read):
    """All up to `separator`, in at most `limit` bytes, or IncompleteRead or LineTooLong."""

    __slots__ = ("_searched", "limit", "separator")

    def __init__(
        self, stream: "Stream", separator: bytes, limit: int, timeout: float | None
    ) -> None:
        super().__init__(stream, timeout)
        self.separator = separator if type(separator) is bytes else bytes(octets(separator))
        if not self.separator:
            raise ValueError("read_until: the separator must not be empty")
        self.limit = _positive(limit, "read_until", "limit")
        self._searched = 0

    def enough(self) -> int:
        buffer = self.stream._buffer
        if not buffer:
            return 0
        start = self._searched if self.waiter is not None else 0
        found = buffer.find(self.separator, start)
        length = found + len(self.separator) if found >= 0 else len(buffer)
        if length > self.limit:
            raise LineTooLong(f"no {self.separator!r} is in {self.limit} bytes of {self.stream!r}")
        if found < 0:
            self._searched = max(0, len(buffer) - len(self.separator) + 1)
            return 0
        return length

    def at_end(self) -> bytes:
        stream = self.stream
        raise IncompleteRead(stream.take(len(stream._buffer)), f"up to {self.separator!r}")


class ReadLine(ReadUntil):
    """A line; at the end what is left."""

    __slots__ = ()

    def at_end(self) -> bytes:
        return self.stream.take(len(self.stream._buffer))


class Write(StreamOperation):
    """Send `data`, and wait while the peer takes nothing."""

    __slots__ = ("_unsent", "data")

    def __init__(self, stream: "Stream", data: Any, timeout: float | None) -> None:
        super().__init__(stream, timeout)
        self.data: bytes | None = data if isinstance(data, bytes) else bytes(octets(data))

    def attempt(self) -> Any:
        try:
            stream = self.stream
            stream.check_open()
            if stream._lost:
                raise ConnectionClosed(errno.EPIPE, f"the peer has gone: {stream!r}")
            if self.waiter is None and self.data:
                stream._transport.write(self.data)
            if not stream._writing_paused:
                return None
            self._unsent = stream._transport.get_write_buffer_size()
            return PARKED
        finally:
            del self, stream

    def expire(self, waiter: Waiter) -> None:
        unsent = self.stream._transport.get_write_buffer_size()
        if self._idle and unsent < self._unsent:  # the peer takes it, slowly
            self._unsent = unsent
            waiter.touch()
        else:
            super().expire(waiter)


class WaitClosed(StreamOperation):
    """Wait until the connection has ended."""

    __slots__ = ()

    def __init__(self, stream: "Stream", timeout: float | None) -> None:
        super().__init__(stream, timeout)
        self._idle = False
        self.timeout = timeout

    def attempt(self) -> Any:
        return None if self.stream._lost else PARKED


def _positive(number: int, method: str, name: str) -> int:
    if number < 1:
        raise ValueError(f"{method}: {name} must be 1 or more bytes, not {number!r}")
    return number
