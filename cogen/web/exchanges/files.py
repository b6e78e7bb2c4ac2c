"""wsgi.file_wrapper: a file-like object as blocks, read as the client takes them (PEP 3333)."""

import os
import stat
from typing import Any

__all__ = ["FileWrapper"]


class FileWrapper:
    """Iterates over what is left of `file` in blocks of `block_size` bytes; closes it with itself.

    `length` is how much is left where that is known, of a regular file, else None.
    """

    __slots__ = ("_block_size", "_file", "_left", "length")

    def __init__(self, file: Any, block_size: int = 65536) -> None:
        self._file = file
        self._block_size = block_size
        self.length = self._left = _length(file)

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

    def skip(self) -> None:
        """Read no more: the client does not want the content."""
        self._block_size = 0

    def close(self) -> None:
        """Close the file, if it can be (PEP 3333)."""
        close = getattr(self._file, "close", None)
        if close is not None:
            close()


def _length(file: Any) -> int | None:
    try:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return None
        return max(0, status.st_size - int(file.tell()))
    except (AttributeError, OSError, ValueError):
        # No file of the system: a BytesIO, a pipe, a wrapper of one's own.
        return None
