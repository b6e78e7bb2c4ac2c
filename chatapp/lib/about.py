"""What clients are told of the server."""

from typing import Any

from chatapp.lib.wire import MOST_NICK, MOST_ROOM
from chatapp.options import ChatOptions

__all__ = ["about"]


def about(options: ChatOptions, version: str) -> dict[str, Any]:
    """The `limits` of what it takes, in characters and rooms, and the `version` of its files."""
    limits = {
        "message": options.max_message,
        "rooms": options.max_rooms_per_poll,
        "room": MOST_ROOM,
        "nick": MOST_NICK,
    }
    return {"limits": limits, "version": version}
