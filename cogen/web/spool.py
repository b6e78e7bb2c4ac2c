"""A request body that is taken in whole before the application runs, on disk if it is long."""

from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import Any

from cogen.core.events import Operation
from cogen.web.body import Body, NoSource, Read

__all__ = ["SpooledBody"]

_BLOCK = 65_536


class _SpooledFile(SpooledTemporaryFile[bytes]):
    """Closed when the last who has it lets it go."""

    def __del__(self) -> None:
        self.close()


class SpooledBody(Body):
    """Takes in all of `body`; what is above `limit` bytes goes to a temporary file.

    `file` is the body as a file, `length` its bytes; `wait` performs an operation. Raises BodyError
    if the rest does not come.
    """

    __slots__ = ("file", "length")

    def __init__(self, body: Body, limit: int, wait: Callable[[Operation], Any]) -> None:
        super().__init__(NoSource())
        self.file = _SpooledFile(max_size=limit)
        while block := wait(Read(body, _BLOCK)):
            self.file.write(block)
        self.length = self.file.tell()
        self.file.seek(0)
        self.complete = True

    @property
    def size(self) -> int:
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
