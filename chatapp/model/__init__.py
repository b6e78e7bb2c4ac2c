"""The message logs: one contract, several engines."""

from chatapp.model.log import (
    LOBBY,
    LogObserver,
    LogUnavailable,
    MessageLog,
    NonceReused,
    NoSuchRoom,
    RoomLimit,
    Slice,
    Stored,
)
from chatapp.model.message import Draft, Message

__all__ = [
    "LOBBY",
    "Draft",
    "LogObserver",
    "LogUnavailable",
    "Message",
    "MessageLog",
    "NoSuchRoom",
    "NonceReused",
    "RoomLimit",
    "Slice",
    "Stored",
]
