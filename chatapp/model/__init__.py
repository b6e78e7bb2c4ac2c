"""The message logs: one contract, several engines."""

from chatapp.model.message import (
    LOBBY,
    LogObserver,
    LogUnavailable,
    Message,
    MessageLog,
    NonceReused,
    NoSuchRoom,
    RoomLimit,
    Slice,
)
from chatapp.model.opening import open_log
from chatapp.model.url import LogURL, parse_log_url

__all__ = [
    "LOBBY",
    "LogObserver",
    "LogURL",
    "LogUnavailable",
    "Message",
    "MessageLog",
    "NoSuchRoom",
    "NonceReused",
    "RoomLimit",
    "Slice",
    "open_log",
    "parse_log_url",
]
