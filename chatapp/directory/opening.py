"""From the URL of the message log to the directory that goes with it."""

from collections.abc import Callable

from chatapp.directory.directory import Directory, DirectoryObserver
from chatapp.directory.local import LocalDirectory

__all__ = ["open_directory"]


def open_directory(
    url: str, observer: DirectoryObserver, rate: float, burst: int, clock: Callable[[], float]
) -> Directory:
    """The directory, not opened yet, of the processes that share the message log at `url`."""
    return LocalDirectory(observer, rate, burst, clock)
