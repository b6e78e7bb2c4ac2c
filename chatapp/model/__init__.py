"""The message logs: one contract, several engines."""

from chatapp.model.log import (
    LOBBY,
    Head,
    LogObserver,
    LogUnavailable,
    MessageLog,
    NonceReused,
    NoSuchMessage,
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
    "Head",
    "LogObserver",
    "LogUnavailable",
    "Message",
    "MessageLog",
    "NoSuchMessage",
    "NoSuchRoom",
    "NonceReused",
    "Record",
    "Records",
    "RoomLimit",
    "Slice",
    "Stored",
]
