"""From the URL of the message log to the directory that goes with it."""

from collections.abc import Callable
from typing import Any

from chatapp.directory.directory import Directory, DirectoryObserver
from chatapp.directory.limits import Limits
from chatapp.directory.local import LocalDirectory
from chatapp.model.url import LogURL

__all__ = ["open_directory"]


def open_directory(
    url: LogURL,
    observer: DirectoryObserver,
    limits: Limits,
    clock: Callable[[], float],
    **shared: Any,
) -> Directory:
    """The directory, not opened yet, of those who have the message log at `url`.

    Of one process, whose monotonic `clock` counts; or in Redis if the log is, with the options
    `shared` of a RedisDirectory.
    """
    if url.kind != "redis":
        return LocalDirectory(observer, limits, clock)
    from chatapp.directory.redis.directory import RedisDirectory

    return RedisDirectory(url.place, observer, limits, **shared)
