"""`chatapp.bots` by the name that it had first, which programs go on importing."""

from chatapp.bots import (
    ChatClient,
    ChatError,
    Event,
    Gap,
    Message,
    NoAnswer,
    Presence,
    Removal,
    events_of,
)

__all__ = [
    "ChatClient",
    "ChatError",
    "Event",
    "Gap",
    "Message",
    "NoAnswer",
    "Presence",
    "Removal",
    "events_of",
]
