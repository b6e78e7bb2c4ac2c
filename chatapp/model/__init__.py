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

__all__ = [
    "LogObserver",
    "LogUnavailable",
    "Message",
    "MessageLog",
    "NonceReused",
    "RoomLimit",
    "Slice",
    "open_log",
]
