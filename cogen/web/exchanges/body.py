"""Request bodies: `wsgi.input`, a blocking file, and `cogen.input`, operations.

Both read the same `Body`, which holds what has arrived and asks the connection for more as it
empties. A body that is complete before the application starts is a BytesIO.
"""

import io
from collections.abc import Callable
from typing import Any, Protocol

from cogen.core.durations import Duration
from cogen.core.events import PARKED, Operation
from cogen.core.schedulers import Waiter
from cogen.web.extensions import Wsgi
from cogen.web.http.errors import BodyError

__all__ = ["Body", "Input", "InputFile", "NoSource", "Read", "ReadLine", "ReadSome", "Source"]


class Source(Protocol):
    """Where a body comes from."""

    def body_wanted(self) -> None:
        """The application waits for more of the body."""


class NoSource:
    """The source of a body that is there already, or of none."""

    def body_wanted(self) -> None:
        """No more will come."""


class Body:
    """What has arrived of a request body and was not read yet: `size` bytes."""

    __slots__ = ("_data", "_reader", "_searched", "_source", "complete", "error")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._data = bytearray()
        self._reader: tuple[Waiter, Read] | None = None
        self._searched = 0  # bytes at the start in which no line ends
        self.complete = False
        self.error: BodyError | None = None

    @property
    def size(self) -> int:
        """Bytes that can be read without waiting."""
        return len(self._data)

    def feed(self, data: bytes) -> None:
        """More has arrived."""
        self._data += data

    def wake(self) -> None:
        """See if what has arrived is what the reader waits for."""
        if self._reader is None:
            return
        waiter, read = self._reader
        try:
            data = read.take(self)
        except BodyError as error:
            self._reader = None
            waiter.fail(error)
        else:
            if data is None:
                self._source.body_wanted()  # who sends may have been told to wait
            else:
                self._reader = None
                waiter.resume(data)

    def end(self, error: BodyError | None = None) -> None:
        """All has arrived, or with `error`: no more will."""
        self.complete = error is None
        self.error = error
        self.wake()

    def park(self, waiter: Waiter, read: "Read") -> None:
        """Resume `waiter` when `read` has its result. Raises RuntimeError if another waits."""
        if self._reader is not None:
            raise RuntimeError("two readers wait for the body of one request")
        self._reader = (waiter, read)
        self._source.body_wanted()

    def unpark(self) -> None:
        """Nobody waits any more."""
        self._reader = None

    def peek(self) -> bytes:
        """All that has arrived; it stays."""
        return bytes(self._data)

    def all(self) -> bytes:
        """Take all that has arrived."""
        data, self._data = bytes(self._data), bytearray()
        self._searched = 0
        return data

    def some(self, limit: int) -> bytes:
        """Take at most `limit` bytes of what has arrived."""
        if limit >= len(self._data):
            return self.all()
        data = bytes(self._data[:limit])
        del self._data[:limit]
        self._searched = 0
        return data

    def line_end(self, limit: int) -> int:
        """The length of the first line with its newline, of `limit` bytes, or 0: not yet."""
        end = self._data.find(b"\n", self._searched, limit) + 1
        if end:
            return end
        self._searched = min(limit, len(self._data))
        return limit if len(self._data) >= limit else 0


class Read(Operation):
    """Read `limit` bytes, fewer only at the end; negative: all. Result: bytes, b'' at the end.

    Raises BodyError in the waiter.
    """

    __slots__ = ("_body", "_limit")

    def __init__(self, body: Body, limit: int, timeout: Duration | None = None) -> None:
        super().__init__(timeout)
        self._body = body
        self._limit = limit

    def run(self, waiter: Waiter) -> Any:
        data = self.take(self._body)
        if data is not None:
            return data
        self._body.park(waiter, self)
        return PARKED

    def undo(self, waiter: Waiter) -> None:
        self._body.unpark()

    def take(self, body: Body) -> bytes | None:
        """The result, or None if it has not all arrived."""
        if body.error is not None:
            raise body.error
        if self._limit == 0:
            return b""
        if 0 < self._limit <= body.size:
            return body.some(self._limit)
        return body.all() if body.complete else None


class ReadSome(Read):
    """Read at most `limit` bytes, as they come. Result: bytes, b'' at the end."""

    __slots__ = ()

    def take(self, body: Body) -> bytes | None:
        """The result, or None if nothing has arrived."""
        if body.error is None and body.size and self._limit:
            return body.some(self._limit)
        return super().take(body)


class ReadLine(Read):
    """Read a line with its newline, at most `limit` bytes of it. Result: bytes, b'' at the end."""

    __slots__ = ()

    def take(self, body: Body) -> bytes | None:
        if body.error is not None:
            raise body.error
        length = body.line_end(self._limit)
        if length or self._limit == 0:
            return body.some(length)
        return body.all() if body.complete else None


# The longest line that is read whole where the application sets no limit.
_LINE_LIMIT = 65_536


class Input:
    """environ['cogen.input']: names operations that read the body without buffering it.

    `yield environ['cogen.input'].read(8192)`, then environ['cogen.wsgi'].result holds the bytes.
    """

    __slots__ = ("_wsgi", "body")

    def __init__(self, wsgi: Wsgi, body: Body) -> None:
        self._wsgi = wsgi
        self.body = body

    def read(self, n: int = -1, timeout: Duration | None = None) -> bytes:
        """Name a read of `n` bytes, fewer only at the end of the body; without `n`, of all."""
        return self._wsgi.name(Read(self.body, n, timeout))

    def read1(self, n: int = _LINE_LIMIT, timeout: Duration | None = None) -> bytes:
        """Name a read of at most `n` bytes, as they come: of what is there, if anything is."""
        return self._wsgi.name(ReadSome(self.body, n, timeout))

    def readline(self, n: int = _LINE_LIMIT, timeout: Duration | None = None) -> bytes:
        """Name a read of one line, of at most `n` bytes of it."""
        return self._wsgi.name(ReadLine(self.body, n, timeout))


class _RawInput(io.RawIOBase):
    def __init__(self, body: Body, wait: Callable[[Operation], Any]) -> None:
        self._body = body
        self._wait = wait

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data: bytes = self._wait(ReadSome(self._body, len(buffer)))
        buffer[: len(data)] = data
        return len(data)


class InputFile(io.BufferedReader):
    """wsgi.input of a body that is still arriving: reading it waits."""

    def __init__(self, body: Body, wait: Callable[[Operation], Any]) -> None:
        super().__init__(_RawInput(body, wait))
