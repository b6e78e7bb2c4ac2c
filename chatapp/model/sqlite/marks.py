"""How far the log has come, kept beside the database: a file that went back in time is noticed.

Yesterday's copy in the database's place gives out numbers that clients have had. No copy of the
database brings along what is kept here, in the lock file: how many messages each epoch has stored.
Beside that stands which process writes, for one that waits for the lock to name it.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

__all__ = ["Marks", "counted", "writer_of"]

_EPOCHS = 10
_MOST_BYTES = 4096
# The name under which the process stands; no epoch has it.
_PID = "pid"


def writer_of(path: str) -> int | None:
    """The process that has the database at `path` open; None if that cannot be told."""
    with suppress(OSError, ValueError, AttributeError, TypeError):
        pid = int(json.loads(Path(f"{path}.lock").read_bytes()).get(_PID, 0))
        return pid if pid > 0 and _is_alive(pid) else None
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True  # another user's
    except OSError:
        return False
    return True


def counted(messages: int) -> str:
    """So many messages, in words."""
    return "1 message" if messages == 1 else f"{messages} messages"


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
            marks = [(str(name), int(stored)) for name, stored in kept.items()]
            self._marks = {name: stored for name, stored in marks if name != _PID}

    def lost(self, epoch: str, stored: int) -> int:
        """How many messages of `epoch` a database lacks that has had `stored`."""
        return max(0, self._marks.get(epoch, 0) - stored)

    def newest(self) -> tuple[str, int]:
        """The epoch that was written last, and how many messages it has had; "" and 0 if none."""
        return next(reversed(self._marks.items()), ("", 0))

    def write(self, epoch: str, stored: int) -> None:
        """`stored` messages of `epoch` are durable."""
        others = [(name, n) for name, n in self._marks.items() if name != epoch]
        self._marks = dict([*others, (epoch, stored)][-_EPOCHS:])
        content = json.dumps({_PID: os.getpid(), **self._marks}).encode() + b"\n"
        # A mark that is too low only notices less; the messages are stored.
        with suppress(OSError):
            os.pwrite(self._file(), content, 0)
            os.ftruncate(self._file(), len(content))
