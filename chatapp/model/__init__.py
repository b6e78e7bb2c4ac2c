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
from chatapp.model.records import Record, Records

__all__ = [
    "LOBBY",
    "Draft",
    "LogObserver",
    "LogUnavailable",
    "Message",
    "MessageLog",
    "NoSuchRoom",
    "NonceReused",
    "Record",
    "Records",
    "RoomLimit",
    "Slice",
    "Stored",
]
