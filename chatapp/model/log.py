"""What every message log is: the promises, the errors."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from chatapp.model.message import Draft, Message
from chatapp.model.records import Records
from cogen.web.peers import Answer

__all__ = [
    "LOBBY",
    "Ask",
    "Head",
    "LogInUse",
    "LogObserver",
    "LogUnavailable",
    "MessageLog",
    "NoSuchMessage",
    "NoSuchRoom",
    "NonceReused",
    "RoomLimit",
    "Slice",
    "Stored",
]

LOBBY = "lobby"
"""The room that is always there: it counts as none, and gives way to none."""


class Slice(NamedTuple):
    """Part of a room: `messages` in order of seq, and what the log holds of the room.

    `first`: seq of the oldest message held, `last + 1` if there is none; `last`: of the newest
    ever stored. `start`: the seq after which the room began, 0 unless one of its name has given
    way; up to there the numbers are at least as many as the messages were. `damaged`: of those in
    this part that cannot be read.
    """

    first: int
    last: int
    messages: list[Message]
    start: int = 0
    damaged: Sequence[int] = ()


class Stored(NamedTuple):
    """Where a message is: the room by its own name, and its number there."""

    room: str
    seq: int


class Head(NamedTuple):
    """A room: its name, the seq of its newest message, and the Unix time at which that came.

    `at` is 0 if nobody knows.
    """

    name: str
    last: int
    at: float


class LogUnavailable(Exception):
    """The log cannot store or read now; the message says why. Trying again later may help.

    `told`: whether that was written down already.
    """

    def __init__(self, why: str, told: bool = False) -> None:
        super().__init__(why)
        self.told = told


class LogInUse(LogUnavailable):
    """Another process has the log, which one process at a time writes."""


class NonceReused(Exception):
    """A nonce came back with another text than the message that it was first used for."""


class NoSuchMessage(Exception):
    """There is no message of that number to be removed: none is held, or it was removed before."""


class NoSuchRoom(Exception):
    """Nobody has spoken in that room, and it was not to be opened."""


class RoomLimit(Exception):
    """The log has as many rooms as it may have, and all are in use."""


Ask = Callable[[str, Any], Awaitable[Any]]
"""Asks the process that serves now, as cogen.web.peers has it."""


class LogObserver(Protocol):
    """Hears what the log has stored. Called on the event loop; must not raise."""

    def appended(self, messages: Sequence[Message]) -> None:
        """These are durable: each message once, those of a room in order of seq."""

    def recreated(self, epoch: str) -> None:
        """The log was begun anew, or goes on from an older state: numbers are given out again."""

    def missed(self, heads: Mapping[str, int]) -> None:
        """Messages are stored that `appended` will not tell: `heads` has the last seq by room."""

    def occupied(self, room: str) -> bool:
        """Whether somebody is in the room, as far as is known here. Called in any thread."""

    def kept(self, room: str) -> bool:
        """Whether the room gives way to none, however silent it is. Called in any thread."""


class MessageLog(ABC):
    """A durable sequence of messages for each room. Used on one event loop.

    What was stored is told to the observer, not only to who stored it: a pusher that left between
    the call and the commit takes nothing away.

    Where there are as many rooms as there may be, the longest silent that nobody is in gives way
    to one that is opened. Whoever comes back to it hears of a gap: its numbers go on. One that is
    `kept` never does.

    A name means the room that is called exactly that, or else one whose name says the same
    (chatapp.names.folded). Of an older version there may be several of those.
    """

    epoch: str
    """Changes if, and only if, a number may be given out again; known once the log is open.

    Empty as long as a log that is elsewhere has not been reached since the start.
    """

    records: Records
    """What is kept beside the messages, once the log is open."""

    shared = False
    """Whether several processes may have it open at once."""

    def continued(self, epoch: str, room: str, seq: int) -> tuple[int, bool]:
        """Where in this log somebody is who was at `seq` in the log of another epoch.

        At its beginning, unless this log goes on from a state of that one. And whether messages
        may be missing to them, of those that were in the other or of their own.
        """
        return 0, True

    async def learn_epoch(self, epoch: str) -> None:  # noqa: B027
        """Somebody is in that epoch: another process may have begun it, unheard of here so far.

        Raises LogUnavailable.
        """

    def statistics(self) -> dict[str, float]:
        """Of a log that is elsewhere: `log_up`, 1 or 0, and `log_lag_seconds`."""
        return {}

    def answers(self) -> Mapping[str, Answer]:
        """What it answers to processes before this one, by the names of their requests."""
        return {}

    async def hand_over(self, ask: Ask) -> None:  # noqa: B027
        """Store what was accepted, and let a new process have what only one can.

        What is still appended here is stored there: `ask` is how. Reads go on.
        """

    async def take_back(self) -> None:  # noqa: B027
        """The new process did not come: store here again. Raises LogUnavailable."""

    @abstractmethod
    async def open(self) -> None:
        """Make ready. Raises LogUnavailable."""

    @abstractmethod
    async def close(self) -> None:
        """Store what was accepted, then let go of everything."""

    @abstractmethod
    async def append(self, draft: Draft, session: str, opens: bool = True) -> Stored:
        """Store a message; returns when it is durable. `opens`: the room may be a new one.

        The message has the name that the room was first given. The same nonce of the same `session`
        in the same room with the same text is the same message: nothing is added, and where it is
        stored is returned. Raises NonceReused for another text, NoSuchRoom, RoomLimit,
        LogUnavailable.
        """

    @abstractmethod
    async def remove(self, room: str, seq: int, draft: Draft) -> Stored:
        """Take away the text of a message, and store `draft` as what tells of it.

        The message stays under its number, as Message.emptied has it, for all who read from then
        on, and the observer hears of the draft alone, which is of the kind REMOVAL, about `seq`.
        The text is in nothing then that the log keeps. Its nonce still means the message, and
        brings nothing back. Both are done, or neither. Raises NoSuchMessage, also for one that
        tells of another; LogUnavailable.
        """

    @abstractmethod
    async def rooms(self) -> list[Head]:
        """Those in which somebody has spoken, the last spoken in first. Raises LogUnavailable."""

    @abstractmethod
    def canonical_names(
        self, rooms: Sequence[str]
    ) -> Mapping[str, str] | Awaitable[Mapping[str, str]]:
        """What those of `rooms` are called that are here, or the lobby. Raises LogUnavailable."""

    @abstractmethod
    async def read(self, room: str, after: int, limit: int) -> Slice:
        """The first `limit` messages held with a seq above `after`. Raises LogUnavailable."""

    @abstractmethod
    async def before(self, room: str, seq: int | None, limit: int) -> Slice:
        """The last `limit` messages held with a seq below `seq`; None: the newest of all.

        Raises LogUnavailable.
        """
