"""How far the log has come, kept beside the database: a file that went back in time is noticed.

Yesterday's copy in the database's place gives out numbers that clients have had. No copy of the
database brings along what is kept here, in the lock file: how many messages each epoch has stored.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress

__all__ = ["Marks"]

_EPOCHS = 10
_MOST_BYTES = 4096


class Marks:
    """`file()` is the descriptor of the lock file, while this process has the lock."""

    def __init__(self, file: Callable[[], int]) -> None:
        self._file = file
        self._marks: dict[str, int] = {}

    def read(self) -> None:
        """Take what is kept; what cannot be read is as nothing. Raises OSError."""
        self._marks = {}
        with suppress(ValueError, AttributeError):
            kept = json.loads(os.pread(self._file(), _MOST_BYTES, 0))
            self._marks = {str(name): int(stored) for name, stored in kept.items()}

    def lost(self, epoch: str, stored: int) -> int:
        """How many messages of `epoch` a database lacks that has had `stored`."""
        return max(0, self._marks.get(epoch, 0) - stored)

    def write(self, epoch: str, stored: int) -> None:
        """`stored` messages of `epoch` are durable."""
        others = [(name, n) for name, n in self._marks.items() if name != epoch]
        self._marks = dict([*others, (epoch, stored)][-_EPOCHS:])
        content = json.dumps(self._marks).encode() + b"\n"
        # A mark that is too low only notices less; the messages are stored.
        with suppress(OSError):
            os.pwrite(self._file(), content, 0)
            os.ftruncate(self._file(), len(content))
