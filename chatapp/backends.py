"""From the URL of `chat.log` to what keeps a chat: its log, and the directory that goes with it.

To add one, write a Backend and name it in `backend_of`.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from chatapp.directory.directory import Directory, DirectoryObserver
from chatapp.directory.limits import Limits
from chatapp.directory.local import LocalDirectory
from chatapp.model.log import LogObserver, MessageLog
from chatapp.model.memory import MemoryLog
from chatapp.model.sqlite.log import SQLiteLog
from chatapp.redis import SCHEMES

__all__ = ["Backend", "MemoryBackend", "RedisBackend", "SQLiteBackend", "backend_of"]

_SQLITE = "sqlite:///"


class Backend(ABC):
    """Makes a log and a directory, which are not opened yet."""

    shared = False
    """Whether several processes may have it at once."""

    @abstractmethod
    def log(self, observer: LogObserver, **options: Any) -> MessageLog:
        """`options` are those of every log. Raises ValueError."""

    def directory(
        self,
        observer: DirectoryObserver,
        limits: Limits,
        clock: Callable[[], float],
        **shared: Any,
    ) -> Directory:
        """That of one process, whose monotonic `clock` counts; `shared` are options of others."""
        return LocalDirectory(observer, limits, clock)


class MemoryBackend(Backend):
    """`memory:`, which forgets everything when the process ends."""

    def log(self, observer: LogObserver, **options: Any) -> MessageLog:
        return MemoryLog(observer, **options)


class SQLiteBackend(Backend):
    """`sqlite:///PATH`; `path` leads through links, so that all who have the file name it alike."""

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(path)

    def log(self, observer: LogObserver, **options: Any) -> MessageLog:
        return SQLiteLog(observer, path=self.path, **options)


class RedisBackend(Backend):
    """`url` is that of a Redis: see chatapp.redis.engine. Its client need not be installed."""

    shared = True

    def __init__(self, url: str) -> None:
        self.url = url

    def log(self, observer: LogObserver, **options: Any) -> MessageLog:
        try:
            from chatapp.model.redis.log import RedisLog
        except ModuleNotFoundError as error:
            raise self.without_client(error) from None
        return RedisLog(observer, url=self.url, **options)

    def directory(
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
