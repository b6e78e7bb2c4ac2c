"""What may be done to a poll from outside while it is held."""

from enum import Enum
from typing import Protocol

__all__ = ["Ending", "HeldPoll"]


class Ending(Enum):
    """Why a poll is answered before it has anything to answer with."""

    CLOSING = "this process serves no more, or numbers start again: the client is to come back"
    SUPERSEDED = "a newer poll of the client has taken its place, or it has to be let in anew"


class HeldPoll(Protocol):
    """A poll, as far as its client and the hub care."""

    def interrupt(self, ending: Ending) -> None:
        """Have it answered now, with what it has."""

    def look_again(self) -> None:
        """There is something to tell its client, which is answered with it."""

    def read_again(self) -> None:
        """What came into the client's queue was taken and not answered: the log has it."""
