"""What every directory is: who is present, under which nick, in which room, and rate limits."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol, TypeAlias, TypeVar

from chatapp.directory.limits import Cost, Refusal

__all__ = [
    "PRESENCE_LIMIT",
    "Directory",
    "DirectoryObserver",
    "DirectoryUnavailable",
    "MayWait",
    "NickTaken",
    "OtherSecret",
    "Somebody",
]

PRESENCE_LIMIT = 500
"""So many participants of a room are listed; where there are more, no change is announced."""

_Result = TypeVar("_Result")

MayWait: TypeAlias = _Result | Awaitable[_Result]
"""The result, or an awaitable of it: either way what `environ['cogen.call']` takes."""


class Somebody(Protocol):
    """A participant, as far as a directory cares."""

    id: str
    nick: str


class NickTaken(Exception):
    """Another participant has that nick, or `taken`, which looks the same."""

    def __init__(self, taken: str) -> None:
        super().__init__(taken)
        self.taken = taken


class DirectoryUnavailable(Exception):
    """The directory does not answer; the message says why. Trying again later may help."""


class OtherSecret(Exception):
    """The workers of the cluster do not all sign with the same secret."""


class DirectoryObserver(Protocol):
    """Hears who comes and goes. Called on the event loop; must not raise.

    The same may be said twice. A `version` numbers the changes of a room's presence, the same at
    all workers of a cluster: it only grows. A directory of one process gives 0.
    """

    def present(self, room: str, identity: str, nick: str, version: int = 0) -> None:
        """That participant is in the room from now on, or has that nick from now on."""

    def absent(self, room: str, identity: str, version: int = 0) -> None:
        """None of that participant's clients is in the room any more."""

    def snapshot(self, room: str, people: Mapping[str, str], version: int) -> None:
        """`people` are in the room and nobody else, the nick of each by id.

        If they are more than PRESENCE_LIMIT, they are the first. It contains all changes up to
        `version`.
        """

    def renamed(self, identity: str, nick: str) -> None:
        """That is the participant's nick from now on."""

    def moved(self, identity: str, tab: str) -> None:
        """That client polls at another worker now."""

    def lease(self, identity: str, tab: str) -> float | None:
        """Seconds that the client's lease here has left; None if it has none."""


class Directory(ABC):
    """Who is present, at one process or at all workers. Used on one event loop.

    A client is a tab of a participant; a participant is present in a room while a client is.
    """

    shared = False
    """Whether all workers of a cluster have the same directory."""

    @abstractmethod
    async def open(self) -> None:
        """Make ready, or be ready later. Raises OtherSecret."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of everything. Whoever is present may go on at another worker."""

    # Participants and their nicks.

    @abstractmethod
    def join(self, identity: str, nick: str | None, numbered: bool = False) -> MayWait[str]:
        """A participant comes: returns their nick, which is `nick` unless it is another's.

        Then it is that with a number behind it if it is to be `numbered`, or else a guest's.
        """

    @abstractmethod
    def release(self, person: Somebody) -> None:
        """The participant has no client at this process any more."""

    @abstractmethod
    def leave(self, identity: str) -> MayWait[None]:
        """A participant leaves every worker at once, and the nick is free.

        This process has released them. Raises DirectoryUnavailable.
        """

    @abstractmethod
    def rename(self, person: Somebody, nick: str) -> MayWait[None]:
        """Give the participant another nick, which the observer hears of.

        Raises NickTaken, DirectoryUnavailable.
        """

    @abstractmethod
    def whose(self, nick: str) -> MayWait[str | None]:
        """The id of who has that nick, whatever the case of its letters; None: nobody has.

        Raises DirectoryUnavailable.
        """

    # Rooms.

    @abstractmethod
    def entered(self, person: Somebody, tab: str, room: str) -> None:
        """The client is in the room from now on, and this process keeps its lease."""

    @abstractmethod
    def left(self, person: Somebody, tab: str, room: str) -> None:
        """The client is in the room no more."""

    @abstractmethod
    def expired(self, person: Somebody, tab: str, room: str) -> None:
        """The client's lease here is over. The client may poll at another worker."""

    @abstractmethod
    def subscribe(self, room: str) -> MayWait[None]:
        """From now on, until `unsubscribe`, the observer hears who is in the room."""

    @abstractmethod
    def unsubscribe(self, room: str) -> None:
        """The observer need not hear of the room any more."""

    @abstractmethod
    def canonical_names(self, rooms: Sequence[str]) -> MayWait[Mapping[str, str]]:
        """For each of `rooms`, none of which is in the log: the name that all workers use for it.

        Of names that fold to the same, it is that of the room that somebody is in, or else the one
        that was asked for first. Empty if the directory does not answer.
        """

    @abstractmethod
    def people(self, room: str) -> MayWait[list[str]]:
        """Nicks of those in a room that is not subscribed to. Raises DirectoryUnavailable."""

    @abstractmethod
    def counts(self, rooms: Sequence[str]) -> MayWait[Mapping[str, int]]:
        """How many are in each of `rooms`. Raises DirectoryUnavailable."""

    # Limits.

    @abstractmethod
    def consume(
        self, costs: Sequence[Cost], person: Somebody | None = None
    ) -> MayWait[Refusal | None]:
        """Take the tokens of all `costs`, or, if a bucket has too few, none: then returns why not.

        The nick of `person` is right after it. Raises DirectoryUnavailable if there is a `person`;
        without one, costs that cannot be counted are let through.
        """

    # Clients that carry no cursor.

    @abstractmethod
    def load_cursor(self, person: Somebody, tab: str) -> MayWait[str | None]:
        """The cursor that was saved for the client, None if there is none."""

    @abstractmethod
    def save_cursor(self, person: Somebody, tab: str, cursor: str) -> MayWait[None]:
        """The client is about to be answered and is at `cursor` then."""

    @abstractmethod
    def trim(self) -> None:
        """Many clients have left: free what need not be kept of them."""
