"""Whether the write-ahead log is still what was written.

SQLite knows from memory where its frames are. Where somebody has cut off or overwritten the file,
it finds others there, or zeros, and the next checkpoint copies those into the database: all of it
may be lost. So the file's head (SQLite's file format, section 4.1) and its size are looked at
before each transaction and after it.

They may change without us for two reasons. Another connection has put all into the database and cut
the file off, as `pragma wal_checkpoint(truncate)` does: then no frames are left. Or it has written.
"""

import os
import sqlite3
import sys
from contextlib import suppress

__all__ = ["WriteAheadLog"]

_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_HEAD = 32


class WriteAheadLog:
    """That of the database at `path`, which `db` alone writes as a rule."""

    def __init__(self, path: str, db: sqlite3.Connection) -> None:
        self._path = f"{path}-wal"
        self._db = db
        self._head, self._size = b"", 0
        self._data_version = self._now()
        self.written()

    def written(self) -> str:
        """`db` has written, or may have: '' or what is wrong."""
        self._head, self._size = self._look()
        if self._head[:4] in _MAGIC or (not self._size and self._is_empty()):
            return ""
        return self._line

    def check(self) -> str:
        """'' or what is wrong, before something is written."""
        head, size = self._look()
        if (head == self._head and size >= self._size) or (not size and self._is_empty()):
            return ""
        known = self._data_version
        with suppress(sqlite3.Error):
            self._data_version = self._now()
        return self._line if self._data_version == known else self.written()

    def abandon(self) -> None:
        """Have nothing of it copied into the database when `db` is closed."""
        if sys.version_info >= (3, 12):
            self._db.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
        else:
            # What cannot be read is not copied.
            with suppress(OSError):
                os.truncate(self._path, 0)

    @property
    def _line(self) -> str:
        return f"{self._path} was cut off or overwritten while it is in use"

    def _look(self) -> tuple[bytes, int]:
        # There are no locks on this file: closing it lets go of none.
        try:
            with open(self._path, "rb", buffering=0) as file:
                return file.read(_HEAD) or b"", os.fstat(file.fileno()).st_size
        except OSError:
            return b"", 0

    def _is_empty(self) -> bool:
        """Whether SQLite knows of no frames that are in the log and not in the database."""
        try:
            _, frames, copied = self._db.execute("pragma wal_checkpoint(passive)").fetchone()
        except sqlite3.Error:
            return False
        return bool(frames == copied)

    def _now(self) -> int:
        """Another number, once another connection has written."""
        version: int = self._db.execute("pragma data_version").fetchone()[0]
        return version
