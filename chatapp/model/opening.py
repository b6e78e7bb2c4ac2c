"""From the URL of a message log to the log."""

from typing import Any

from chatapp.model.memory import MemoryLog
from chatapp.model.message import LogObserver, MessageLog
from chatapp.model.sqlite.log import SQLiteLog
from chatapp.model.url import LogURL

__all__ = ["open_log", "without_client"]


def open_log(url: LogURL, observer: LogObserver, **options: Any) -> MessageLog:
    """The log at `url`, not opened yet; `options` are those of every log. Raises ValueError."""
    if url.kind == "memory":
        return MemoryLog(observer, **options)
    if url.kind == "sqlite":
        return SQLiteLog(observer, path=url.place, **options)
    try:
        from chatapp.model.redis.log import RedisLog
    except ModuleNotFoundError as error:
        raise without_client(url, error) from None
    return RedisLog(observer, url=url.place, **options)


def without_client(url: LogURL, error: ModuleNotFoundError) -> Exception:
    """What to raise where an import for a log in Redis failed."""
    if (error.name or "").partition(".")[0] != "redis":
        return error
    scheme = url.place.partition(":")[0]
    return ValueError(
        f"a log in {scheme}:// needs the client: pip install 'redis[hiredis]>=8.1,<9'"
    )
