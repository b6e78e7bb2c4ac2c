"""Where a poll is in one room: what it has, what it may lack, and what is lost."""

from collections.abc import Mapping, Sequence

from chatapp.live.cursor import Cursor
from chatapp.live.participant import Subscription
from chatapp.model import Message, MessageLog, Slice

__all__ = ["Gap", "Progress"]

# No seq is above it: a read after it tells the head of a room and nothing else.
_NOTHING = 2**53


class Gap:
    """What a client will not get of a room.

    `lost`: how many numbers have no message for it; `exact`: whether that is how many messages
    are lost; `damaged`: whether they are there and cannot be read; `recreated`: whether numbers
    begin again, so that nobody can say how many.
    """

    __slots__ = ("damaged", "exact", "lost", "recreated")

    def __init__(self, recreated: bool = False) -> None:
        self.lost = 0
        self.exact = not recreated
        self.damaged = False
        self.recreated = recreated


class Progress:
    """A poll in the room of `subscription`: from the cursor `since`, or from `sent` on.

    `sent`: seq of the newest message that the client was answered with in this log, None if there
    is none. `called`: what rooms are called, by the names that were asked for.

    `position`: seq of the newest message that the client has or is to have with the answer; None:
    it joins, and the head is not known yet. `behind`: whether the log may hold more, to be read
    before the poll waits; `unread`: whether it does, and that is left to the next poll. `version`:
    of the presence that the client knows, None if it knows none. Most polls have no `gap`.
    """

    __slots__ = ("behind", "gap", "position", "room", "subscription", "unread", "version")

    def __init__(
        self,
        subscription: Subscription,
        sent: int | None,
        since: Cursor | None,
        called: Mapping[str, str],
        log: MessageLog,
    ) -> None:
        self.subscription = subscription
        self.room = subscription.room
        self.position = sent
        self.unread = False
        self.version: int | None = None
        self.gap: Gap | None = None
        if since is not None:
            name = self.room.name
            self.version = since.versions.get(name)
            seq = since.seqs.get(name)
            if seq is None and called:
                seq = _seq_by_another_name(since, name, called)
            if seq is not None and since.epoch == log.epoch:
                self.position = seq
            elif seq is not None:
                self.position, lost = log.continued(since.epoch, name, seq)
                if lost:
                    # What the other log held after that is gone, and nobody knows how much it was.
                    self.gap = Gap(recreated=True)
        position = self.position
        self.behind = position is None or position != sent or subscription.unread

    @property
    def after(self) -> int:
        """The seq after which the log is to be read; who joins needs nothing but the head of it."""
        return _NOTHING if self.position is None else self.position

    def may_lack(self) -> bool:
        """Whether the log may hold more; if not, it is not `behind` from now on."""
        head = self.room.head
        if self.position is None:
            self.position = head
        self.behind = head is None or self.position != head
        return self.behind

    def read(self, held: Slice) -> Sequence[Message]:
        """The log gave `held`, which begins `after`; returns the messages that are news."""
        head = self.room.learn_head(held.last)
        position = self.position
        if position is None:
            self.position = head
            return ()
        if held.last < position:
            # Numbers that were given out are not there: the log was put back to an older state.
            self.gap = Gap(recreated=True)
            self.position = held.first - 1
            return ()
        lost = held.first - 1 - position
        if lost > 0:
            gap = self._lose(lost)
            gap.exact = gap.exact and position >= held.start
            position += lost
        if held.damaged:
            self._lose(len(held.damaged)).damaged = True
            position = held.damaged[-1]
        if held.messages:
            position = max(position, held.messages[-1].seq)
        self.position = position
        # What is left after a full answer is for the next poll; what came meanwhile is queued.
        self.behind = False
        self.unread = position < held.last
        return held.messages

    def _lose(self, count: int) -> Gap:
        if self.gap is None:
            self.gap = Gap()
        self.gap.lost += count
        return self.gap


def _seq_by_another_name(since: Cursor, room: str, called: Mapping[str, str]) -> int | None:
    """Where the cursor is in `room`, in which nobody had spoken: each had it as they came."""
    asked = (since.seqs.get(name) for name, now in called.items() if now == room)
    return next((seq for seq in asked if seq is not None), None)
