"""What every directory is: who is here, under which nick, in which room, and how much they push."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol, TypeAlias, TypeVar

from chatapp.directory.limits import Charge, Refusal

__all__ = [
    "CROWD",
    "Directory",
    "DirectoryObserver",
    "DirectoryUnavailable",
    "MayWait",
    "NickTaken",
    "OtherSecret",
    "Person",
]

# In a room of more than this, nobody's coming and going is told, and this many are listed.
CROWD = 500

_Result = TypeVar("_Result")

MayWait: TypeAlias = _Result | Awaitable[_Result]
"""The result, or an awaitable of it: either way what `environ['cogen.call']` takes."""


class Person(Protocol):
    """A participant, as far as a directory cares."""

    id: str
    nick: str


class NickTaken(Exception):
    """Somebody else who is here has that nick, or `taken`, which looks the same."""

    def __init__(self, taken: str) -> None:
        super().__init__(taken)
        self.taken = taken


class DirectoryUnavailable(Exception):
    """The directory does not answer; the message says why. Trying again later may help."""


class OtherSecret(Exception):
    """The workers of the cluster do not all sign with the same secret."""


class DirectoryObserver(Protocol):
    """Hears who comes and goes. Called on the event loop; must not raise.

    The same may be told twice. A `mark` numbers the changes of a room, the same at all workers of
    a cluster: it only grows. One process has no use for it, and gives 0.
    """

    def present(self, room: str, identity: str, nick: str, mark: int = 0) -> None:
        """That participant is in the room, or has that nick from now on."""

    def absent(self, room: str, identity: str, mark: int = 0) -> None:
        """None of that participant's clients is in the room any more."""

    def counted(self, room: str, people: Mapping[str, str], mark: int) -> None:
        """These are in the room, the nick of each by id; if more than CROWD, the first of them.

        All changes up to `mark` are in it.
        """

    def renamed(self, identity: str, nick: str) -> None:
        """That is the participant's nick from now on."""

    def moved(self, identity: str, tab: str) -> None:
        """That client polls at another worker now."""

    def lease(self, identity: str, tab: str) -> float | None:
        """Seconds that the client's lease here has left; None if it has none."""


class Directory(ABC):
    """Who is here, of one process or of all workers. Used on one event loop.

    A client is a tab of a participant; a participant is present in a room while a client is.
    """

    shared = False
    """Whether all workers of a cluster have the same."""

    @abstractmethod
    async def open(self) -> None:
        """Make ready, or be ready later. Raises OtherSecret."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of everything. Whoever is here may go on at another worker."""

    # Participants and their nicks.

    @abstractmethod
    def join(self, identity: str, nick: str | None) -> MayWait[str]:
        """Somebody comes: the nick they have, which is `nick` unless it is another's."""

    @abstractmethod
    def part(self, person: Person) -> None:
        """This process has no more to do with `person`."""

    @abstractmethod
    def leave(self, identity: str) -> MayWait[None]:
        """Somebody goes at once, from every worker: nobody has the nick. This process has parted.

        Raises DirectoryUnavailable.
        """

    @abstractmethod
    def rename(self, person: Person, nick: str) -> MayWait[None]:
        """`renamed` and `present` tell of it. Raises NickTaken, DirectoryUnavailable."""

    # Rooms.

    @abstractmethod
    def entered(self, person: Person, tab: str, room: str) -> None:
        """That client of `person` is in the room from now on, and keeps its lease."""

    @abstractmethod
    def left(self, person: Person, tab: str, room: str) -> None:
        """That client is in the room no more."""

    @abstractmethod
    def gone(self, person: Person, tab: str, room: str) -> None:
        """That client has not polled here for its lease. It may poll at another worker."""

    @abstractmethod
    def know(self, room: str) -> MayWait[None]:
        """Have the observer know who is in the room, from now on until `forget`."""

    @abstractmethod
    def forget(self, room: str) -> None:
        """The observer need not know of the room any more."""

    @abstractmethod
    def called(self, rooms: Sequence[str]) -> MayWait[Mapping[str, str]]:
        """What rooms are called that are in no log, where somebody at another worker is in them.

        Or has just asked: of names that say the same the first is meant. Without an answer: {}.
        """

    @abstractmethod
    def people(self, room: str) -> MayWait[list[str]]:
        """Nicks of those in a room that is not known here. Raises DirectoryUnavailable."""

    # Limits.

    @abstractmethod
    def charge(
        self, charges: Sequence[Charge], person: Person | None = None
    ) -> MayWait[Refusal | None]:
        """Take all of `charges`, or, if that is too much, nothing: then it returns why.

        The nick of `person` is right after it. Raises DirectoryUnavailable if there is a `person`;
        what nobody known is to be charged with is let through where it cannot be counted.
        """

    # Clients that carry no cursor.

    @abstractmethod
    def recall(self, person: Person, tab: str) -> MayWait[str | None]:
        """The cursor that was remembered for the client, None if there is none."""

    @abstractmethod
    def remember(self, person: Person, tab: str, cursor: str) -> MayWait[None]:
        """The client is about to be answered and is at `cursor` then."""

    @abstractmethod
    def trim(self) -> None:
        """A crowd has gone: let go of what need not be kept of it."""
