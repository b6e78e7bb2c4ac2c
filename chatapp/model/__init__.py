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

__all__ = [
    "LOBBY",
    "LogObserver",
    "LogUnavailable",
    "Message",
    "MessageLog",
    "NoSuchRoom",
    "NonceReused",
    "RoomLimit",
    "Slice",
]
