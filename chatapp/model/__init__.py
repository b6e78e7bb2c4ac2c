"""The message logs: one contract, several engines."""

from chatapp.model.message import (
    LogObserver,
    LogUnavailable,
    Message,
    MessageLog,
    NonceReused,
    RoomLimit,
    Slice,
)
from chatapp.model.opening import open_log
from chatapp.model.url import LogURL, parse_log_url

__all__ = [
    "LogObserver",
    "LogURL",
    "LogUnavailable",
    "Message",
    "MessageLog",
    "NonceReused",
    "RoomLimit",
    "Slice",
    "open_log",
    "parse_log_url",
]
