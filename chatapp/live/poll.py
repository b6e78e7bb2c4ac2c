"""One poll: where its client is, what is missing, and the answer.

The controller does the waiting. In a loop it asks what to do: start to watch a room, read the log,
or wait for the queue. A room is watched *before* its log is read, and what comes both ways is told
apart by its seq, so there is no window between the two.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import orjson

from chatapp.live.batch import Batch, NewHead, PresenceChanges, as_json, as_text, nothing
from chatapp.live.client import Client
from chatapp.live.cursor import Cursor
from chatapp.live.request import PollRequest
from chatapp.live.rooms import Room
from chatapp.model import MessageLog, Slice
from chatapp.model.message import handle

__all__ = ["READ_LIMIT", "Poll"]

# Messages that one answer takes from the log of a room.
READ_LIMIT = 200
_NO_ROOMS: Final[frozenset[str]] = frozenset()
_NONE: Final[Mapping[str, int]] = MappingProxyType({})
_NONE_CALLED: Final[Mapping[str, str]] = MappingProxyType({})


class Poll:
    """A poll of `client`, which is in `rooms`, from where it asked, or from where the client is.

    `hold`: seconds for which it waits for news; `timeout`: those for which polls do; `retry`: after
    which its client is to come back, None: at once. The last two are told; with a list of people
    also what there is to say `about` the server. `waiting` is true while it waits for the queue. It
    may be interrupted in any wait. `owes`: it has taken from the queue, or is to read, what its
    client was not answered yet.

    One who is visiting hears of no changes of presence: each answer has the people. `called`: by
    the name that was asked for, what a room is called; told where it is another.

    Most polls just wait for one batch: what the others need is made when it is needed.
    """

    __slots__ = (
        "_batch",
        "_behind",
        "_damaged",
        "_gaps",
        "_inexact",
        "_log",
        "_people",
        "_pieces",
        "_recreated",
        "_unread",
        "_versions",
        "about",
        "called",
        "client",
        "closing",
        "epoch",
        "hold",
        "joining",
        "json",
        "news",
        "owes",
        "positions",
        "retry",
        "rooms",
        "superseded",
        "timeout",
        "waiting",
    )

    def __init__(
        self,
        client: Client,
        rooms: Sequence[Room],
        request: PollRequest,
        log: MessageLog,
        json: bool,
        timeout: float,
        about: Mapping[str, Any],
        called: Mapping[str, str] = _NONE_CALLED,
    ) -> None:
        self.client = client
        self.rooms = {room.name: room for room in rooms}
        self.epoch = epoch = log.epoch
        self._log = log
        self.json = json
        self.timeout = timeout
        self.about = about
        self.called = {a: name for a, name in called.items() if a != name} if called else called
        self.hold = timeout if request.held else 0.0
        since = request.since
        if since is None and client.sent and client.epoch != epoch:
            since = Cursor(client.epoch, client.sent)
        self.joining = since is None and not client.sent
        self.superseded = False
        self.closing = False
        self.waiting = False
        self.retry: float | None = None
        self.news: tuple[dict[str, Any], ...] = ()
        self.positions: dict[str, int | None] = {}
        self._pieces: tuple[bytes, ...] = ()
        self._batch: Batch | None = None  # the one that is the whole answer so far
        self._gaps: Mapping[str, int] = _NONE
        self._recreated: frozenset[str] = _NO_ROOMS
        self._inexact = False  # whether fewer messages may be lost than numbers are
        self._damaged = False
        self._people = False
        self._versions: Mapping[str, int] = _NONE if since is None else since.versions
        self.owes = False
        self._unread: frozenset[str] = _NO_ROOMS  # of these the log holds more than was read
        self._behind: frozenset[str] = _NO_ROOMS
        self._find_positions(since)
        client.wants_news = json and not client.participant.visiting
        held = client.poll
        client.poll = self
        if held is not None:
            held.interrupt(superseded=True)

    def _find_positions(self, since: Cursor | None) -> None:
        sent = self.client.sent if self.client.epoch == self.epoch else {}
        unread = self.client.unread
        for name in self.rooms:
            position = sent.get(name)
            if since is not None:
                position = self._asked(since, name, position)
            self.positions[name] = position
            if position is None or position != sent.get(name) or name in unread:
                self._behind |= {name}

    def _asked(self, since: Cursor, name: str, sent: int | None) -> int | None:
        """Where the cursor says that the client is in the room."""
        seq = since.seqs.get(name)
        if seq is None and self.called:
            # Nobody had spoken there, and it was called as each who came had it.
            asked = (since.seqs.get(a) for a, called in self.called.items() if called == name)
            seq = next((each for each in asked if each is not None), None)
        if seq is None:
            return sent
        if since.epoch == self.epoch:
            return seq
        position, lost = self._log.continued(since.epoch, name, seq)
        if lost:
            # What the other log held after that is gone, and nobody knows how much it was.
            self._recreated |= {name}
        return position

    def interrupt(self, superseded: bool = False, closing: bool = False) -> None:
        """Have it answered now, with what it has."""
        self.superseded = self.superseded or superseded
        self.closing = self.closing or closing
        self._wake()

    @property
    def interrupted(self) -> bool:
        """Whether it is to be answered at once, whatever there is to tell."""
        return self.superseded or self.closing

    def _wake(self) -> None:
        if self.waiting and self.client.messages.empty():
            self.client.messages.put_nowait(())

    # What is to be done, in this order.

    def unwatched(self) -> Room | None:
        """A room to watch from now on: the client is new in it, or was dead."""
        for name, room in self.rooms.items():
            if not self.client.watches(name):
                return room
        return None

    def watching(self, room: Room, watch: Any) -> None:
        """`watch` was started for `room`."""
        self.client.dead = False
        self.client.watched(room, watch)
        self._behind |= {room.name}
        self.owes = True

    def list_people(self, room: Room) -> None:
        """The client needs a list of who is in `room`, unless it had one and follows since then."""
        version = self._versions.get(room.name)
        if self.client.wants_news and (version is None or version < room.told):
            self._people = True

    def to_read(self) -> tuple[str, int] | None:
        """A room to read from the log, and the seq after which."""
        while self._behind:
            name = next(iter(self._behind))
            position = self.positions[name]
            head = self.rooms[name].head
            if position is None and head is not None:
                position = self.positions[name] = head
            if position is None:
                return name, _NOTHING
            if position != head:
                return name, position
            self._behind -= {name}
        return None

    def read(self, name: str, held: Slice) -> None:
        """The log gave `held` for the room `name`."""
        if self.interrupted:
            return  # the log may have been begun anew meanwhile
        head = self.rooms[name].learn_head(held.last)
        position = self.positions[name]
        if position is None:
            self.positions[name] = head
            return
        if held.last < position:
            # Numbers that were given out are not there: the log was put back to an older state.
            self._recreated |= {name}
            self.positions[name] = held.first - 1
            return
        lost = held.first - 1 - position
        if lost > 0:
            self._lose(name, lost)
            self._inexact = self._inexact or position < held.start
            position += lost
        if held.damaged:
            self._damaged = True
            self._lose(name, len(held.damaged))
            position = held.damaged[-1]
        if held.messages:
            position = max(position, held.messages[-1].seq)
            self._take_messages(held.messages)
        self.positions[name] = position
        # What is left after a full answer is for the next poll; what came meanwhile is queued.
        self._behind -= {name}
        if position < held.last:
            self._unread |= {name}
        else:
            self._unread -= {name}
        self.list_people(self.rooms[name])

    def _lose(self, name: str, count: int) -> None:
        self._gaps = {**self._gaps, name: self._gaps.get(name, 0) + count}

    def take(self, items: Iterable[Any]) -> None:
        """These came from the queue; whatever else is in it is taken as well."""
        queue = self.client.messages
        while True:
            for item in items:
                self.owes = True
                if isinstance(item, Batch):
                    self._take_batch(item)
                elif isinstance(item, NewHead):
                    self._take_head(item)
                elif self.client.wants_news and item.room in self.rooms:
                    self._take_presence(item)
            if queue.empty():
                return
            items = queue.get_nowait()

    @property
    def complete(self) -> bool:
        """Whether there is something to answer with."""
        return bool(
            self._pieces
            or self._batch
            or self.superseded
            or self.closing
            or self.joining
            or self.news
            or (self.json and (self._people or self._gaps or self._recreated))
        )

    # The answer.

    @property
    def cursor(self) -> str:
        """Where the client is once it has the answer."""
        seqs = {name: seq for name, seq in self.positions.items() if seq is not None}
        return Cursor(self.epoch, seqs, self._versions).encode()

    def answer(self) -> bytes:
        """The body. The client is now where it says."""
        if self.superseded:
            return self._empty()
        client = self.client
        if client.epoch != self.epoch:
            client.epoch, client.sent = self.epoch, {}
        for name, position in self.positions.items():
            if position is not None:
                client.sent[name] = position
        client.unread = self._unread
        self.owes = False
        if not self.json:
            return self._batch.text if self._batch is not None else b"".join(self._pieces)
        return self._shared() or self._with_extras()

    def end(self) -> None:
        """It is over, answered or not."""
        client = self.client
        if client.poll is self:
            client.poll = None
        if self.owes:
            # The log has it.
            if client.poll is None:
                client.forget()
            else:
                client.poll._reread()

    def _reread(self) -> None:
        """The poll before has what this one waits for, and was not answered."""
        self._behind = self._behind.union(self.rooms)
        for room in self.rooms.values():
            self.list_people(room)
        self._wake()

    def _empty(self) -> bytes:
        if not self.json:
            return b""
        # Its client polls again already; where it was, it is.
        return b'{"messages":[]}'

    def _shared(self) -> bytes:
        """The body that others in the same place get as well; empty if this one's is its own."""
        if len(self.rooms) > 1 or self._pieces or self.retry is not None or self.called:
            return b""
        if self._gaps or self._recreated or self.news or self._people or self.joining:
            return b""
        if self.client.participant.visiting:
            return b""
        if self._batch is not None:
            return self._batch.answer
        ((name, position),) = self.positions.items()
        if position is None:
            return b""
        return nothing(self.epoch, name, position, self._versions.get(name, 0), self.timeout)

    def _with_extras(self) -> bytes:
        if self._batch is not None:
            self._pieces += (self._batch.json,)
        person = self.client.participant
        people = self._listed() if self._people or person.visiting else None
        extras: dict[str, Any] = {"cursor": self.cursor}
        if self.called:
            extras["names"] = self.called
        if self._gaps or self._recreated:
            extras["gap"] = self._gap()
        if self.news:
            extras["presence"] = self.news
        if people is not None:
            extras["people"] = people
        if self.joining or people is not None:
            extras["you"] = {
                "nick": person.nick or None,
                "sender": handle(person.sender) if person.sender else None,
                "cookie": not person.visiting,
            }
            extras.update(self.about)
        extras["advice"] = advice = {"timeout": self.timeout}
        if self.retry is not None:
            advice["retry"] = self.retry
        return b'{"messages":[%b],%b' % (b",".join(self._pieces), orjson.dumps(extras)[1:])

    def _listed(self) -> dict[str, list[str]]:
        """Who is there, in each room; the client knows it from now on."""
        participant = self.client.participant
        asking = None if participant.visiting else participant
        if any(room.shared for room in self.rooms.values()):
            self._versions = {name: room.version for name, room in self.rooms.items()}
        changing = (name for name, room in self.rooms.items() if room.changing)
        self.client.listed = frozenset(changing)
        return {name: room.people(asking) for name, room in self.rooms.items()}

    def _gap(self) -> dict[str, Any]:
        lost = sum(self._gaps.values())
        self.client.figures.gaps += 1
        self.client.figures.lost += lost
        reason = "damaged" if self._damaged else "trimmed"
        return {
            "lost": lost,
            "reason": "recreated" if self._recreated else reason,
            "rooms": {name: self._gaps.get(name, 0) for name in self._recreated.union(self._gaps)},
            "exact": not (self._recreated or self._inexact),
        }

    # Taking in.

    def _take_presence(self, news: PresenceChanges) -> None:
        if news.room in self.client.listed:
            self.client.listed -= {news.room}
            self._people = self._people or news.stale
        if news.version:
            if news.version <= self._versions.get(news.room, 0):
                return  # the client had it at another worker
            self._versions = {**self._versions, news.room: news.version}
        self.news += tuple(news.changes)

    def _take_batch(self, batch: Batch) -> None:
        position = self.positions.get(batch.room)
        if position is None or batch.last <= position:
            return
        if batch.first > position + 1:
            self._behind |= {batch.room}
            return
        self.positions[batch.room] = batch.last
        is_next = batch.first == position + 1
        if is_next and not self._pieces and self._batch is None and not self._is_own(batch):
            self._batch = batch
        else:
            self._take_messages(batch.messages[position + 1 - batch.first :])

    def _is_own(self, batch: Batch) -> bool:
        """Whether this client is told more of it than others are."""
        return self.json and self.client.participant.sender in batch.senders

    def _take_head(self, head: NewHead) -> None:
        position = self.positions.get(head.room)
        if position is not None and head.seq > position:
            self._behind |= {head.room}

    def _take_messages(self, messages: Any) -> None:
        encode = as_json if self.json else as_text
        sender = self.client.participant.sender
        if self._batch is not None:
            self._pieces += (encode(self._batch.messages, sender),)
            self._batch = None
        if messages:
            self._pieces += (encode(messages, sender),)


# No seq is above it: a read after it tells the head of a room and nothing else.
_NOTHING = 2**53
