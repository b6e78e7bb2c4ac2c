"""wsgi.file_wrapper: a file-like object as blocks, read as the client takes them (PEP 3333)."""

import io
import os
import stat
from typing import Any, Final

__all__ = ["FileWrapper"]


# Whose bytes are those of the file itself: a GzipFile has a `fileno` too.
_PLAIN: Final = (io.BufferedReader, io.BufferedRandom, io.FileIO)
# Objects around one, like those of tempfile and of Django, that are looked into.
_DEPTH: Final = 3


class FileWrapper:
    """Iterates over what is left of `file` in blocks of `block_size` bytes; closes it with itself.

    `length` is how much is left where that is known, of a regular file, else None.
    """

    __slots__ = ("_block_size", "_file", "_left", "_plain", "length")

    def __init__(self, file: Any, block_size: int = 65536) -> None:
        self._file = file
        self._block_size = block_size
        self._plain = _plain(file)
        self.length = self._left = _length(self._plain)

    def __iter__(self) -> "FileWrapper":
        return self

    def __next__(self) -> bytes:
        size = self._block_size if self._left is None else min(self._block_size, self._left)
        block: bytes = self._file.read(size) if size else b""
        if not block:
            raise StopIteration
        if self._left is not None:
            self._left -= len(block)
        return block

    def fileno(self) -> int:
        """The number of the file, where its length is known."""
        number: int = self._plain.fileno()
        return number

    def position(self) -> int:
        """Where what is left of it begins, where its length is known."""
        return int(self._plain.tell())

    def skip(self) -> None:
        """Read no more: the client does not want the content, or gets it another way."""
        self._block_size = 0

    def close(self) -> None:
        """Close the file, if it can be (PEP 3333)."""
        close = getattr(self._file, "close", None)
        if close is not None:
            close()


def _plain(file: Any) -> Any:
    """The file itself that `file` reads from, or None."""
    for _ in range(_DEPTH):
        if isinstance(file, _PLAIN):
            return file
        file = getattr(file, "file", None)
    return None


def _length(file: Any) -> int | None:
    if file is None:
        return None
    try:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return None
        return max(0, status.st_size - int(file.tell()))
    except (AttributeError, OSError, ValueError):
        # Closed, or of no file of the system.
        return None
