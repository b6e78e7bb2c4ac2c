"""Whether the write-ahead log is still what was written.

SQLite knows from memory where its frames are. Where somebody has cut off or overwritten the file,
it finds others there, or zeros, and the next checkpoint copies those into the database: all of it
may be lost. So the file's head (SQLite's file format, section 4.1) and its size are looked at
before each transaction and after it.

They may change without us for two reasons. Another connection has put all into the database and cut
the file off, as `pragma wal_checkpoint(truncate)` does: then no frames are left. Or it has written.

Whoever closes a database last makes such a copy too, and then removes the log and its index, by
their names: they may be those of another database by then. A second connection keeps the first
from that, and cannot do it itself, since it only reads.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

__all__ = ["WriteAheadLog"]

_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_HEAD = 32


class WriteAheadLog:
    """That of the database at `path`, which `db` alone writes as a rule. Raises OSError."""

    def __init__(self, path: str, db: sqlite3.Connection) -> None:
        self._path = f"{path}-wal"
        self._db = db
        self._head, self._size = b"", 0
        self._data_version = 0
        self._second = sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True)
        try:
            # There are no locks on this file: closing it lets go of none.
            self._file = os.open(self._path, os.O_RDWR)
        except OSError:
            self._second.close()
            raise
        try:
            # From its first question on it has the file open.
            self._second.execute("select count(*) from meta").fetchone()
            self.written()
        except BaseException:
            self.close()
            raise

    def written(self) -> str:
        """`db` has written, or may have: '' or what is wrong."""
        self._head, self._size = self._look()
        self._data_version = self._now()
        if self._head[:4] in _MAGIC or (not self._size and self._is_empty()):
            return ""
        return self._line

    def check(self) -> str:
        """'' or what is wrong, before something is written."""
        head, size = self._look()
        if not size:
            return "" if self._is_empty() else self._line
        if head == self._head:
            return "" if size >= self._size else self._line
        # Somebody who has written has begun it anew, or it is not SQLite's any more.
        return self._line if self._now() == self._data_version else self.written()

    def discard_rest(self) -> None:
        """Of a log that was cut off: SQLite would take the rest of it for newer than the database.

        That may have what came behind it, and is as of one moment. One that was overwritten is left
        alone: SQLite knows that it is none of its own, or whoever put it there knows whose it is.
        """
        head, size = self._look()
        if head == self._head and size < self._size:
            os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Let `db` be closed as the last, with everything in the database itself.

        Where it is closed before, nothing is copied into the database and nothing removed.
        """
        self._second.close()
        os.close(self._file)

    @property
    def _line(self) -> str:
        return f"{self._path} was cut off or overwritten while it is in use"

    def _look(self) -> tuple[bytes, int]:
        return os.pread(self._file, _HEAD, 0), os.fstat(self._file).st_size

    def _is_empty(self) -> bool:
        """Whether SQLite knows of no frames in the log."""
        try:
            _, frames, _ = self._db.execute("pragma wal_checkpoint(passive)").fetchone()
        except sqlite3.Error:
            return False
        return bool(frames == 0)

    def _now(self) -> int:
        """Another number, once another connection has written; as it was if that cannot be told."""
        version = self._data_version
        with suppress(sqlite3.Error):
            version = self._db.execute("pragma data_version").fetchone()[0]
        return version
