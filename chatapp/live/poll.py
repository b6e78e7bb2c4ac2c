"""One poll: where its client is, what is missing, and the answer.

The poll waits for nothing itself. Whoever does the waiting asks it for the next step:

| step | when | what comes of it |
|---|---|---|
| WATCH | a room has no watch: the client is new in it, or left its queue full | `watched` |
| READ | the log may hold more of a room than the poll has | `read` |
| WAIT | none of the others | `take`, or `interrupt`, or the end of `hold` |
| ANSWER | it is `ended`, has news, or is not held and the queue is empty | `answer` |

The first line that is true counts, but who is ended only answers. Then, or when its client hangs
up in any step, comes `end`, and nothing after it. A room is watched *before* its log is read, and
what comes both ways is told apart by its seq: there is no window between the two.

| `ended` | interrupted by CLOSING | by SUPERSEDED | the answer |
|---|---|---|---|
| None | CLOSING | SUPERSEDED | what there is |
| CLOSING | CLOSING | SUPERSEDED | what there is, and when to come back |
| SUPERSEDED | SUPERSEDED | SUPERSEDED | nothing: the client is where it was |

Refused: of the polls of a client one at most is not superseded, the newest; what the log gave is
not taken by one that is ended, whose numbers may be another log's. What was taken from the queue
and not answered (`owes`) is read again: by the poll that is held then, or by the next.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from chatapp.jsons import encode
from chatapp.live.batch import Batch, NewHead, PresenceChanges, as_json, as_text, nothing
from chatapp.live.cursor import Cursor
from chatapp.live.held import Ending
from chatapp.live.participant import Client
from chatapp.live.progress import Gap, Progress
from chatapp.live.request import PollRequest
from chatapp.live.rooms import Room
from chatapp.model import Message, MessageLog, Slice
from chatapp.model.message import handle
from cogen.core.coroutines import Coroutine

__all__ = [
    "ANSWER",
    "CLOSING",
    "READ",
    "READ_LIMIT",
    "SUPERSEDED",
    "WAIT",
    "WATCH",
    "Poll",
    "Step",
]

# Characters of JSON that a nick, and a change of who is present, have at most.
_NICK: Final = 40
_CHANGE: Final = 400
# Messages that one answer takes from the log of a room.
READ_LIMIT = 200
_NONE_CALLED: Final[Mapping[str, str]] = MappingProxyType({})


class Step(Enum):
    """What is to be done for a poll next."""

    WATCH = "start to watch a room"
    READ = "read a room from the log"
    WAIT = "wait for the client's queue"
    ANSWER = "answer"


# Python 3.11 calls a function for each look at a member of an Enum: here are all that polls need.
WATCH: Final = Step.WATCH
"""`Step.WATCH`."""
READ: Final = Step.READ
"""`Step.READ`."""
WAIT: Final = Step.WAIT
"""`Step.WAIT`."""
ANSWER: Final = Step.ANSWER
"""`Step.ANSWER`."""
CLOSING: Final = Ending.CLOSING
"""`Ending.CLOSING`."""
SUPERSEDED: Final = Ending.SUPERSEDED
"""`Ending.SUPERSEDED`."""


class Poll:
    """A poll of `client`, which is in `rooms`, from where it asked, or from where the client is.

    `held`: whether its client wants it to wait for news; `hold`: seconds for which it does;
    `timeout`: those for which polls do; `retry`: after which its client is to come back, None: at
    once. The last two are told; with a list of people also what there is to say `about` the server.
    `joining`: the client is told at once that it is here. `at`: the room that WATCH or READ is
    about. `waiting`: the queue is waited for; it may be interrupted in any step. `owes`: the queue
    gave, or the log is to give, what the client was not answered yet.

    A visitor hears of no changes of presence: each answer has the people. `called`: by
    the name that was asked for, what a room is called; told where it is another.

    Most polls just wait for one batch: what the others need is made when it is needed.
    """

    __slots__ = (
        "_batch",
        "_people",
        "_pieces",
        "about",
        "at",
        "called",
        "client",
        "ended",
        "epoch",
        "held",
        "hold",
        "joining",
        "json",
        "news",
        "owes",
        "retry",
        "rooms",
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
        self.epoch = epoch = log.epoch
        self.json = json
        self.timeout = timeout
        self.about = about
        self.called = {a: name for a, name in called.items() if a != name} if called else called
        self.held = request.held
        self.hold = timeout if request.held else 0.0
        self.ended: Ending | None = None
        self.waiting = False
        self.owes = False
        self.retry: float | None = None
        self.news: tuple[dict[str, Any], ...] = ()
        self._pieces: tuple[bytes, ...] = ()
        self._batch: Batch | None = None  # the one that is the whole answer so far
        self._people = False
        since = request.since
        if since is None and client.epoch != epoch:
            since = client.cursor
        self.joining = since is None
        self.rooms: dict[str, Progress] = {}
        self.at: Progress | None = None
        is_here = client.epoch == epoch
        for room in rooms:
            subscription = client.subscriptions[room.name]
            sent = subscription.sent if is_here else None
            self.rooms[room.name] = Progress(subscription, sent, since, self.called, log)
            self.joining = self.joining and sent is None
        client.wants_news = json and not client.participant.is_visitor
        held = client.poll
        client.poll = self
        if held is not None:
            held.interrupt(SUPERSEDED)

    # From outside, in any step.

    def interrupt(self, ending: Ending) -> None:
        """Have it answered now, with what it has."""
        if self.ended is not SUPERSEDED:
            self.ended = ending
        self._wake()

    def look_again(self) -> None:
        """There is something to tell the client, which is answered with it."""
        self._wake()

    def read_again(self) -> None:
        """What this one waits for was taken by the poll after it, and not answered."""
        for progress in self.rooms.values():
            progress.behind = True
            self._list_people(progress)
        self._wake()

    def _wake(self) -> None:
        if self.waiting and self.client.messages.empty():
            self.client.messages.put_nowait(())

    # The steps.

    def step(self) -> Step:
        """What is to be done now; where that is WATCH or READ, `at` is the room."""
        if self.ended is not None:
            return ANSWER
        gap = False
        for progress in self.rooms.values():
            if progress.subscription.watch is None:
                self.at = progress
                return WATCH
            if progress.behind and progress.may_lack():
                self.at = progress
                return READ
            gap = gap or progress.gap is not None
        if self._batch is not None or self._pieces or self.joining or self.news:
            return ANSWER
        if self.json and (self._people or gap or self.client.rooms_changed):
            return ANSWER
        return WAIT if self.hold or not self.client.messages.empty() else ANSWER

    def watched(self, watch: Coroutine) -> None:
        """`watch` was started for the room `at`."""
        assert self.at is not None
        self.client.watched(self.at.subscription, watch)
        self.at.behind = True
        self.owes = True

    def know_presence(self) -> None:
        """What the directory says of the room `at` has been asked for."""
        assert self.at is not None
        self._list_people(self.at)

    def _list_people(self, progress: Progress) -> None:
        """Answer with who is there, unless the client was told and has missed no change since."""
        version = progress.version
        if self.client.wants_news and (version is None or version < progress.room.announced):
            self._people = True

    def read(self, held: Slice) -> None:
        """The log gave `held` of the room `at`."""
        if self.ended is not None:
            return  # the log may have been begun anew meanwhile
        assert self.at is not None
        messages = self.at.read(held)
        if messages:
            self._take_messages(messages)
        if not self.at.behind:
            self._list_people(self.at)

    def take(self, items: Iterable[Any]) -> None:
        """These came from the queue; whatever else is in it is taken as well."""
        queue = self.client.messages
        while True:
            for item in items:
                self.owes = True
                progress = self.rooms.get(item.room)
                if progress is None:
                    continue
                if isinstance(item, Batch):
                    self._take_batch(progress, item)
                elif isinstance(item, NewHead):
                    position = progress.position
                    if position is not None and item.seq > position:
                        progress.behind = True
                elif self.client.wants_news:
                    self._take_presence(progress, item)
            if queue.empty():
                return
            items = queue.get_nowait()

    def _take_batch(self, progress: Progress, batch: Batch) -> None:
        position = progress.position
        if position is None or batch.last <= position:
            return
        if batch.first > position + 1:
            progress.behind = True
            return
        progress.position = batch.last
        is_next = batch.first == position + 1 and self._batch is None and not self._pieces
        # Who said something is told more of it than others are.
        if is_next and not (self.json and self.client.participant.sender in batch.senders):
            self._batch = batch
        else:
            self._take_messages(batch.messages[position + 1 - batch.first :])

    def _take_messages(self, messages: Sequence[Message]) -> None:
        told = as_json if self.json else as_text
        sender = self.client.participant.sender
        if self._batch is not None:
            self._pieces += (told(self._batch.messages, sender),)
            self._batch = None
        self._pieces += (told(messages, sender),)

    def _take_presence(self, progress: Progress, news: PresenceChanges) -> None:
        if progress.subscription.listed:
            progress.subscription.listed = False
            self._people = self._people or news.stale
        if news.version:
            if news.version <= (progress.version or 0):
                return  # the client had it at another worker
            progress.version = news.version
        self.news += tuple(news.changes)

    # The answer.

    @property
    def cursor(self) -> str:
        """Where the client is once it has the answer."""
        seqs = {}
        versions = {}
        for name, progress in self.rooms.items():
            if progress.position is not None:
                seqs[name] = progress.position
            if progress.version is not None:
                versions[name] = progress.version
        return Cursor(self.epoch, seqs, versions).encode()

    def answer(self) -> bytes:
        """The body. The client is now where it says."""
        if self.ended is SUPERSEDED:
            # Its client polls again already; where it was, it is.
            return b'{"messages":[]}' if self.json else b""
        client = self.client
        if client.epoch != self.epoch:
            client.begin_epoch(self.epoch)
        for progress in self.rooms.values():
            subscription = progress.subscription
            subscription.unread = progress.unread
            if progress.position is not None:
                subscription.sent = progress.position
        self.owes = False
        if not self.json:
            return self._batch.text if self._batch is not None else b"".join(self._pieces)
        return self._shared() or self._own()

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
                client.poll.read_again()

    def _shared(self) -> bytes:
        """The body that others in the same place get as well; empty if this one's is its own."""
        if len(self.rooms) > 1 or self._pieces or self.retry is not None or self.called:
            return b""
        if self.news or self._people or self.joining or self.client.participant.is_visitor:
            return b""
        if self.client.rooms_changed or not self.held:
            return b""
        (progress,) = self.rooms.values()
        if progress.gap is not None:
            return b""
        if self._batch is not None:
            return self._batch.answer
        if progress.position is None:
            return b""
        name, version = progress.room.name, progress.version or 0
        return nothing(self.epoch, name, progress.position, version, self.timeout)

    def _own(self) -> bytes:
        if self._batch is not None:
            self._pieces += (self._batch.json,)
        person = self.client.participant
        people = self._listed() if self._people or person.is_visitor else None
        gaps = {name: each.gap for name, each in self.rooms.items() if each.gap is not None}
        cursor = self.cursor
        extras: dict[str, Any] = {"cursor": cursor}
        if self.called:
            extras["names"] = self.called
        if gaps:
            extras["gap"] = self._told_gap(gaps)
        if self.news:
            extras["presence"] = self.news
        if people is not None:
            extras["people"] = people
        if self.client.rooms_changed:
            self.client.rooms_changed = False
            extras["changed"] = ["rooms"]
        is_told = self.joining or people is not None
        if is_told or not self.held:
            # Who comes back asks so: the answer that told may be lost, and another be signed in.
            extras["you"] = {
                "nick": person.nick or None,
                "sender": handle(person.sender) if person.sender else None,
                "cookie": not person.is_visitor,
                **person.you,
            }
        if is_told:
            extras.update(self.about)
        extras["advice"] = advice = {"timeout": self.timeout}
        if self.retry is not None:
            advice["retry"] = self.retry
        size = len(cursor) + _CHANGE * len(self.news)
        if people is not None:
            size += _NICK * sum(map(len, people.values()))
        return b'{"messages":[%b],%b' % (b",".join(self._pieces), encode(extras, size)[1:])

    def _listed(self) -> dict[str, list[str]]:
        """Who is there, in each room; the client knows it from now on."""
        participant = self.client.participant
        asking = None if participant.is_visitor else participant
        people = {}
        for name, progress in self.rooms.items():
            room = progress.room
            if room.shared:
                progress.version = room.version
            progress.subscription.listed = room.is_changing
            people[name] = room.people(asking)
        return people

    def _told_gap(self, gaps: Mapping[str, Gap]) -> dict[str, Any]:
        lost = sum(gap.lost for gap in gaps.values())
        self.client.figures.gaps += 1
        self.client.figures.lost += lost
        reason = "trimmed"
        if any(gap.recreated for gap in gaps.values()):
            reason = "recreated"
        elif any(gap.damaged for gap in gaps.values()):
            reason = "damaged"
        return {
            "lost": lost,
            "reason": reason,
            "rooms": {name: gap.lost for name, gap in gaps.items()},
            "exact": all(gap.exact for gap in gaps.values()),
        }
