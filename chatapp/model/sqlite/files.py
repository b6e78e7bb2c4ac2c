"""The files of the log: for their owner alone, and for one process at a time."""

import asyncio
import fcntl
import logging
import os
import stat
import time
from contextlib import suppress

from chatapp.model.log import LogInUse
from chatapp.model.sqlite.marks import writer_of

__all__ = ["Lock", "database_files", "keep_private", "name_one"]

log = logging.getLogger(__name__)

_MODE = 0o600
_OTHERS = 0o007
_RETRY_SECONDS = 0.05


def keep_private(path: str) -> None:
    """Make the database if need be, and let nobody else read it. Raises OSError.

    SQLite makes its other files with the mode of this one. Of files that are there already, from
    an older version, those that everybody may read become private; a group that may is meant to.
    """
    with suppress(FileExistsError):
        made = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
        try:
            os.fchmod(made, _MODE)  # whatever the umask takes
        finally:
            os.close(made)
    for file in (path, f"{path}-wal", f"{path}-shm"):
        with suppress(FileNotFoundError):
            mode = os.stat(file).st_mode
            if stat.S_ISREG(mode) and mode & _OTHERS:
                _restrict(file)


def _restrict(file: str) -> None:
    try:
        os.chmod(file, _MODE)
    except PermissionError:
        log.warning("%s can be read by everybody, and it is another user who can change that", file)


def database_files(path: str) -> tuple[str, ...]:
    """All that belongs to the database at `path`, there or not; itself first."""
    return (path, *(f"{path}{suffix}" for suffix in ("-wal", "-shm", "-journal", ".lock")))


def name_one(path: str, other: str) -> bool:
    """Whether the two names, however they are written, lead to one file, there or not yet."""
    with suppress(OSError):
        if os.path.samefile(path, other):
            return True
    for a, b in ((path, other), (os.path.realpath(path), os.path.realpath(other))):
        (folder, name), (other_folder, other_name) = (
            os.path.split(os.path.abspath(each)) for each in (a, b)
        )
        with suppress(OSError):
            if name == other_name and os.path.samefile(folder, other_folder):
                return True
    return False


class Lock:
    """One process at a time has it: two that write would number messages alike."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    def exists(self) -> bool:
        """Whether a server has ever had the database."""
        return os.path.exists(f"{self._path}.lock")

    async def take(self, patience: float) -> None:
        """Raises LogInUse if another process has it for `patience` seconds; OSError."""
        if self.take_nowait():
            return
        if patience:
            log.warning("waiting up to %g s for %s: %s has it", patience, self._path, self.holder())
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            await asyncio.sleep(_RETRY_SECONDS)
            if self.take_nowait():
                return
        raise LogInUse(
            f"{self._path} is in use by {self.holder()}: a chat of its own needs another folder, "
            "by chat.log and chat.data or by --data of `chatapp serve`; workers and machines "
            "that are one chat have chat.log in Redis, redis://HOST"
        )

    def holder(self) -> str:
        """Who has it, in words, when it could not be taken."""
        pid = writer_of(self._path)
        return f"process {pid}" if pid else "another process"

    def take_nowait(self) -> bool:
        """False if another process has it. Raises OSError."""
        file = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            with suppress(PermissionError):
                os.fchmod(file, _MODE)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException as error:
            os.close(file)
            if isinstance(error, BlockingIOError):
                return False
            raise
        self._file = file
        return True

    def is_held(self) -> bool:
        """Whether this process has it; taken again if somebody has removed its file.

        Raises OSError.
        """
        held = self._file
        with suppress(FileNotFoundError):
            if held is None or os.path.samestat(os.fstat(held), os.stat(f"{self._path}.lock")):
                return held is not None
        if not self.take_nowait():
            return False
        if held is not None:
            os.close(held)
        return True

    def file(self) -> int:
        """The descriptor of its file, while this process has it."""
        assert self._file is not None
        return self._file

    def release(self) -> None:
        """Let another process have it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
