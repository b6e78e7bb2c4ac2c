"""Whether the files at the database's path are still those that are open.

One that was removed or replaced is written on without an error, and what is written goes nowhere.
One that was cut off is worse: chatapp.model.sqlite.wal.
"""

import logging
import os
import sqlite3
import stat
import time
from contextlib import suppress

from chatapp.model.log import LogUnavailable
from chatapp.model.sqlite.files import Lock
from chatapp.model.sqlite.wal import WriteAheadLog

__all__ = ["OpenFiles"]

log = logging.getLogger(__name__)

# While it is as it is the same line would be written at each message.
_SILENT_SECONDS = 60.0

_Identity = tuple[int, int] | None


class OpenFiles:
    """Of the database at `path`, which this process has the `lock` of."""

    def __init__(self, path: str, lock: Lock) -> None:
        self._path = path
        self._lock = lock
        self._known: dict[str, _Identity] = {}
        self._wrong = ""
        self._told = 0.0

    def refuse_links(self) -> None:
        """Before it is opened. Raises LogUnavailable if it has another name too."""
        status = os.stat(self._path)
        if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
            raise LogUnavailable(
                f"{self._path} has another name too (a hard link), by which another process may "
                "have it: one of them has to go"
            )

    def remember(self, db: sqlite3.Connection) -> None:
        """It was opened now."""
        self.wal = WriteAheadLog(self._path, db)
        self._known = {name: _identity(name) for name in (self._path, f"{self._path}-wal")}

    def check(self) -> None:
        """Raises LogUnavailable, and says so once a minute, until they are back."""
        self._judge(self.wrong())

    def check_written(self) -> None:
        """The same after something was written: what is in no file that is found is not stored."""
        self._judge(self._look() or self.wal.written())

    def wrong(self) -> str:
        """'' or why what is in the files must not be put together any more. Nothing is told."""
        return self._look() or self.wal.check()

    def _judge(self, wrong: str) -> None:
        now = time.monotonic()
        if wrong and (wrong != self._wrong or now - self._told >= _SILENT_SECONDS):
            self._told = now
            log.error("%s: nothing is stored until it is back or the chat is started anew", wrong)
        elif self._wrong and not wrong:
            log.warning("%s is back: messages are stored again", self._path)
        self._wrong = wrong
        if wrong:
            raise LogUnavailable(wrong, told=True)

    def _look(self) -> str:
        """'' or what is wrong."""
        for name, known in self._known.items():
            there = _identity(name)
            if there != known and known is not None:
                return f"{name} was {'replaced' if there else 'removed'} while it is in use"
        try:
            held = self._lock.is_held()
        except OSError as error:
            return f"{error.filename} was removed and cannot be made anew ({error.strerror})"
        return "" if held else f"another process has taken {self._path}"


def _identity(path: str) -> _Identity:
    with suppress(OSError):
        status = os.stat(path)
        return status.st_dev, status.st_ino
    return None
