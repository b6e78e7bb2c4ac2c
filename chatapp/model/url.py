"""What the URL of a message log means, for all that goes by it."""

from typing import NamedTuple

__all__ = ["LogURL", "parse_log_url"]

_SQLITE = "sqlite:///"
_REDIS = ("redis", "rediss", "redis+sentinel", "rediss+sentinel")


class LogURL(NamedTuple):
    """`kind`: memory, sqlite, or redis; `place`: nothing, a path, or the URL of the engine."""

    kind: str
    place: str


def parse_log_url(url: str) -> LogURL:
    """`memory:`, `sqlite:///PATH`, or the URL of a Redis: see chatapp.model.redis.engine.

    PATH is the rest, as it is written: relative to the working folder, absolute if it begins with
    a slash. The scheme may be in any case (RFC 3986 3.1). Raises ValueError for anything else.
    """
    scheme, colon, rest = url.partition(":")
    scheme = scheme.lower()
    whole = f"{scheme}{colon}{rest}"
    if whole == "memory:":
        return LogURL("memory", "")
    if whole.startswith(_SQLITE) and whole != _SQLITE:
        return LogURL("sqlite", whole.removeprefix(_SQLITE))
    if scheme in _REDIS and colon:
        return LogURL("redis", whole)
    raise ValueError(
        f"{url!r} is no message log: memory:, sqlite:///PATH or redis://HOST[:PORT][/DB]"
    )
