"""From the URL of `chat.log` to what keeps a chat: its log, and the directory that goes with it.

To add one, write a Backend and name it in `backend_of`; docs/inside.md has the steps.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

from chatapp.directory.directory import Directory, DirectoryObserver
from chatapp.directory.limits import Limits
from chatapp.directory.local import LocalDirectory
from chatapp.model.log import LogObserver, MessageLog
from chatapp.model.memory import MemoryLog
from chatapp.model.sqlite.log import LOCK_SECONDS, SQLiteLog
from chatapp.redis import SCHEMES

__all__ = ["Backend", "MemoryBackend", "RedisBackend", "SQLiteBackend", "backend_of"]

_SQLITE = "sqlite:///"

_Part = TypeVar("_Part", MessageLog, Directory)


class Backend(ABC):
    """Makes a log and the directory that goes with it, which are not opened yet.

    One that several processes share needs both to be shared: with a directory for each process,
    nobody would see who is at another one, nicks would be taken twice, and limits not hold.
    """

    shared = False
    """Whether several processes may have the log and the directory at once."""
    name = ""
    """Of one that is not shared, which log it is."""

    def log(self, observer: LogObserver, **options: Any) -> MessageLog:
        """The log, of `options` that every log has: `history`, `max_age` (seconds), `max_rooms`.

        Raises ValueError for a URL that names none.
        """
        return self._checked(self._log(observer, **options))

    def directory(
        self,
        observer: DirectoryObserver,
        limits: Limits,
        clock: Callable[[], float],
        **shared: Any,
    ) -> Directory:
        """The directory. `clock`: monotonic seconds, of this process.

        `shared` are options that one for all processes needs: `lease`, `poll_timeout` (seconds),
        `fingerprint` (of the secret that cookies are signed with).
        """
        return self._checked(self._directory(observer, limits, clock, **shared))

    @abstractmethod
    def _log(self, observer: LogObserver, **options: Any) -> MessageLog:
        """As `log` has it."""

    def _directory(
        self,
        observer: DirectoryObserver,
        limits: Limits,
        clock: Callable[[], float],
        **shared: Any,
    ) -> Directory:
        """As `directory` has it: that of one process, unless another is made here."""
        return LocalDirectory(observer, limits, clock)

    def _checked(self, part: _Part) -> _Part:
        if part.shared != self.shared:
            raise TypeError(
                f"{type(self).__name__}.shared is {self.shared}, {type(part).__name__}.shared is "
                f"{part.shared}: backend, log and directory are all shared, or none is"
            )
        return part


class MemoryBackend(Backend):
    """`memory:`, which forgets everything when the process ends."""

    name = "memory:"

    def _log(self, observer: LogObserver, **options: Any) -> MessageLog:
        return MemoryLog(observer, **options)


class SQLiteBackend(Backend):
    """`sqlite:///PATH`; `path` leads through links, so that all who have the file name it alike.

    `patience`: seconds for which a log waits where another process has the file.
    """

    def __init__(self, path: str, patience: float = LOCK_SECONDS) -> None:
        self.path = self.name = os.path.realpath(path)
        self.patience = patience

    def _log(self, observer: LogObserver, **options: Any) -> MessageLog:
        return SQLiteLog(observer, path=self.path, patience=self.patience, **options)


class RedisBackend(Backend):
    """`url` is that of a Redis: see chatapp.redis.engine. Its client need not be installed."""

    shared = True

    def __init__(self, url: str) -> None:
        self.url = url

    def _log(self, observer: LogObserver, **options: Any) -> MessageLog:
        try:
            from chatapp.model.redis.log import RedisLog
        except ModuleNotFoundError as error:
            raise self.without_client(error) from None
        return RedisLog(observer, url=self.url, **options)

    def _directory(
        self,
        observer: DirectoryObserver,
        limits: Limits,
        clock: Callable[[], float],
        **shared: Any,
    ) -> Directory:
        from chatapp.directory.redis.directory import RedisDirectory

        return RedisDirectory(self.url, observer, limits, **shared)

    def without_client(self, error: ModuleNotFoundError) -> Exception:
        """What to raise where an import for it failed."""
        if (error.name or "").partition(".")[0] != "redis":
            return error
        scheme = self.url.partition(":")[0]
        return ValueError(
            f"a log in {scheme}:// needs the client: pip install 'redis[hiredis]>=8.1,<9'"
        )


def backend_of(url: str) -> Backend:
    """`memory:`, `sqlite:///PATH`, or the URL of a Redis.

    PATH is the rest, as it is written: relative to the working folder, absolute if it begins with
    a slash. The scheme may be in any case (RFC 3986 3.1). Raises ValueError for anything else.
    """
    scheme, colon, rest = url.partition(":")
    scheme = scheme.lower()
    whole = f"{scheme}{colon}{rest}"
    if whole == "memory:":
        return MemoryBackend()
    if whole.startswith(_SQLITE) and whole != _SQLITE:
        return SQLiteBackend(whole.removeprefix(_SQLITE))
    if scheme in SCHEMES and colon:
        return RedisBackend(whole)
    raise ValueError(
        f"{url!r} is no message log: memory:, sqlite:///PATH or redis://HOST[:PORT][/DB]"
    )
