"""wsgi.file_wrapper: a file-like object as blocks, read as the client takes them (PEP 3333)."""

import io
import os
import stat
import tempfile
from typing import Any

__all__ = ["FileWrapper"]


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
    """What `file` reads from, an open file of the system; None where it may read anything else.

    The type has to be the very one: a subclass, or an object around it, may decrypt or limit.
    """
    if type(file) is tempfile._TemporaryFileWrapper:
        file = file.file
    raw = file.raw if type(file) in (io.BufferedReader, io.BufferedRandom) else file
    own = type(raw) is io.FileIO and "read" not in {**vars(file), **vars(raw)}
    return file if own else None


def _length(file: Any) -> int | None:
    if file is None:
        return None
    try:
        status = os.fstat(file.fileno())
        # Files of the kernel's own, in /proc and /sys, have no blocks, and no or a wrong size.
        if not (stat.S_ISREG(status.st_mode) and status.st_size and status.st_blocks):
            return None
        return max(0, status.st_size - int(file.tell()))
    except (AttributeError, OSError, ValueError):
        # Closed, or of no file of the system.
        return None
