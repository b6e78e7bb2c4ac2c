"""A participant: a session that takes part, with its nick and its clients."""

from typing import Any

from chatapp.live.client import Client

__all__ = ["Participant"]


class Participant:
    """Lives while it has clients, and a while after.

    One who is `visiting` has brought no cookie yet, reads for one poll, and is not here for others.
    `sender` is the id that the log keeps with their messages; one who is visiting has none ('').
    `token` is the signed token with which it last came, once that has been verified; `address`
    has its place.
    """

    __slots__ = ("address", "clients", "id", "leave", "nick", "sender", "token", "visiting")

    def __init__(
        self,
        identity: str,
        nick: str,
        leave: Any,
        address: str | None = None,
        visiting: bool = False,
        sender: str = "",
    ) -> None:
        self.id = identity
        self.visiting = visiting
        self.nick = nick
        self.sender = sender
        self.address = address
        self.token = ""
        self.clients: dict[str, Client] = {}
        self.leave = leave  # called when it has been without a client for its time

    def expire(self) -> None:
        """The participant has been without a client for its time."""
        self.leave(self)

    def __repr__(self) -> str:
        return f"<Participant {self.nick}>"
