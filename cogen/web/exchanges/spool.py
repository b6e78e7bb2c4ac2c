"""Request bodies that are taken in whole before the application reads them, on disk if long."""

import io
import threading
from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import Any, Protocol

from cogen.core.durations import Duration
from cogen.web.exchanges.body import Body, NoSource, Read
from cogen.web.http.errors import HTTPError

__all__ = ["Spool", "SpooledBody", "SpooledInput"]

_BLOCK = 65_536


class _Taker(Protocol):
    """The exchange whose body it is."""

    def wait(
        self, what: Any, /, *args: Any, timeout: Duration | None = None, **kwargs: Any
    ) -> Any: ...

    def add_done_callback(self, callback: Callable[[Any], None]) -> None: ...


class Spool:
    """The room for bodies: one above `limit` bytes goes to a temporary file; `total` for all."""

    def __init__(self, limit: int, total: int) -> None:
        self.limit = limit
        self.used = 0
        self._total = total
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Take room for `size` bytes more. Raises HTTPError 503."""
        with self._lock:
            if self.used + size > self._total:
                raise HTTPError(503, "The server has no room for another body; try again soon.")
            self.used += size

    def give_back(self, size: int) -> None:
        """So many bytes that were taken are free again."""
        with self._lock:
            self.used -= size


class _SpooledFile(SpooledTemporaryFile[bytes]):
    """Closed when the last who has it lets it go."""

    def __del__(self) -> None:
        self.close()


class SpooledBody(Body):
    """Takes in all of `body`, for `taker`: its room is given back when that has ended.

    `file` is the body as a file, `length` its bytes. Raises BodyError if the rest does not come,
    HTTPError if there is no room.
    """

    __slots__ = ("file", "length")

    def __init__(self, body: Body, spool: Spool, taker: _Taker) -> None:
        super().__init__(NoSource())
        self.file = _SpooledFile(max_size=spool.limit)
        self.length = 0
        taker.add_done_callback(lambda _: spool.give_back(self.length))
        while block := taker.wait(Read(body, _BLOCK)):
            spool.take(len(block))
            self.length += len(block)
            self.file.write(block)
        self.file.seek(0)
        self.complete = True

    @property
    def size(self) -> int:
        """Bytes that were not read yet."""
        return self.length - self.file.tell()

    def all(self) -> bytes:
        return self.file.read()

    def some(self, limit: int) -> bytes:
        return self.file.read(limit)

    def line_end(self, limit: int) -> int:
        start = self.file.tell()
        length = len(self.file.readline(limit))
        self.file.seek(start)
        return length


class _RawSpooled(io.RawIOBase):
    def __init__(self, take: Callable[[], SpooledBody]) -> None:
        self._take = take
        self._body: SpooledBody | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._body is None:
            self._body = self._take()
        data = self._body.some(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class SpooledInput(io.BufferedReader):
    """wsgi.input of a body that is taken in when it is first read."""

    def __init__(self, body: Body, spool: Spool, taker: _Taker) -> None:
        super().__init__(_RawSpooled(lambda: SpooledBody(body, spool, taker)))
