"""From the URL of a message log to the log."""

from typing import Any
from urllib.parse import urlsplit

from chatapp.model.memory import MemoryLog
from chatapp.model.message import LogObserver, MessageLog
from chatapp.model.sqlite import SQLiteLog

__all__ = ["open_log"]

_REDIS = ("redis", "rediss", "redis+sentinel", "rediss+sentinel")


def open_log(url: str, observer: LogObserver, **options: Any) -> MessageLog:
    """The log that `url` names, not opened yet; `options` are those of every log.

    `memory:`, `sqlite:///PATH` (relative to the working folder), `sqlite:////PATH`, or the URL of
    a Redis: see chatapp.model.redis.engine. Raises ValueError for anything else.
    """
    parts = urlsplit(url)
    if parts.scheme == "memory" and url == "memory:":
        return MemoryLog(observer, **options)
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        return SQLiteLog(observer, path=parts.path[1:], **options)
    if parts.scheme in _REDIS:
        try:
            from chatapp.model.redis.log import RedisLog
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "redis":
                raise
            raise ValueError(
                f"a log in {parts.scheme}:// needs the client: pip install 'redis[hiredis]>=8.1,<9'"
            ) from None
        return RedisLog(observer, url=url, **options)
    raise ValueError(
        f"{url!r} is no message log: memory:, sqlite:///PATH or redis://HOST[:PORT][/DB]"
    )
