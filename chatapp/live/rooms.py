"""A room that somebody is in: its publish/subscribe queue, its head, and who is present.

Who is present. The directory tells each change with its version, a number that only grows and is
the same at all workers; one process has no use for it and gives 0.

| `has_snapshot` | guessed | | the directory's next snapshot |
|---|---|---|---|
| no | no | nobody was given a list | becomes the presence, and is announced to nobody |
| no | yes | somebody was given what was known so far | is announced where it differs from that |
| yes | no | the presence follows the directory | is announced where it differs |

There is no fourth: the first snapshot ends the guesses.

What is announced. Changes wait for a moment, so that a reload is none and many are one:

| | changes | timer | `announced` |
|---|---|---|---|
| quiet | none | none | is `version` |
| waiting | some | runs | is at most `version` |

A list that is given while changes wait is written down beside them: whoever has it needs another
where it turns out wrong. A head and a version never go back, whatever comes late.
"""

import asyncio
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any
from weakref import WeakValueDictionary

from chatapp.directory import PRESENCE_LIMIT, Directory, Somebody
from chatapp.live.batch import Batch, NewHead, PresenceChanges
from cogen.core.pubsub import PublishSubscribeQueue

__all__ = ["Room"]

# Changes of presence are announced together: this often, and the seldomer the more people.
_NEWS_SECONDS = 0.2
_NEWS_RATE = 2000.0


class Room:
    """`head`: seq of its newest message, None until the log or a batch has told it.

    `presence`: the nick of each participant who is present, by id. `has_snapshot`: whether
    the directory has said who that is. `version`: of the newest change in it; `announced`: of the
    newest that clients were told of. `emptied(room)` is called when the last client has left.
    """

    __slots__ = (
        "_batches",
        "_changes",
        "_clients",
        "_directory",
        "_emptied",
        "_guessed",
        "_listed",
        "_loop",
        "_timer",
        "announced",
        "has_snapshot",
        "head",
        "name",
        "presence",
        "pubsub",
        "shared",
        "version",
    )

    def __init__(
        self,
        name: str,
        loop: asyncio.AbstractEventLoop,
        directory: Directory,
        emptied: "Callable[[Room], None]",
    ) -> None:
        self.name = name
        self._directory = directory
        self._emptied = emptied
        self.shared = directory.shared
        self.has_snapshot = not directory.shared
        self.version = self.announced = 0
        self._guessed = False
        self.head: int | None = None
        self.pubsub = PublishSubscribeQueue()
        # By the seq of its first message: those that somebody has not had yet.
        self._batches: WeakValueDictionary[int, Batch] = WeakValueDictionary()
        self.presence: dict[str, str] = {}
        self._clients = 0
        self._loop = loop
        # By id: the nick as last announced, None: absent; and the nicks in lists given since.
        self._changes: dict[str, str | None] = {}
        self._listed: dict[str, set[str | None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    # Messages.

    def publish(self, batch: Batch) -> None:
        """Hand `batch` to everybody who watches."""
        # A client that comes from another process may have brought news of a later one.
        if self.head is None or batch.last > self.head:
            self.head = batch.last
        self._batches[batch.first] = batch
        self.pubsub.publish_nowait(batch)

    def empty(self, seq: int) -> None:
        """That message was removed: its text goes also out of what waits for clients."""
        for batch in list(self._batches.values()):
            batch.empty(seq)

    def missed(self, head: int) -> None:
        """Messages up to the seq `head` are in the log and are not published."""
        self.head = max(self.head or 0, head)
        self.pubsub.publish_nowait(NewHead(self.name, head))

    def learn_head(self, last: int) -> int:
        """The log said that the seq `last` is the newest; returns what is the newest by now."""
        if self.head is None or last > self.head:
            self.head = last
        return self.head

    # Clients. `person`: whose client it is, None for a visitor, whom nobody sees.

    def entered(self, person: Somebody | None, tab: str) -> None:
        """That client is in the room from now on."""
        self._clients += 1
        if person is not None:
            self._directory.entered(person, tab, self.name)

    def left(self, person: Somebody | None, tab: str) -> None:
        """That client is elsewhere now."""
        if person is not None:
            self._directory.left(person, tab, self.name)
        self._uncount()

    def expired(self, person: Somebody | None, tab: str) -> None:
        """That client has ended here; it may poll at another worker."""
        if person is not None:
            self._directory.expired(person, tab, self.name)
        self._uncount()

    def _uncount(self) -> None:
        self._clients -= 1
        if not self._clients:
            self._emptied(self)

    # Presence.

    def people(self, asking: Somebody | None = None) -> list[str]:
        """The nicks of those present, in the order they came, and who asks.

        At most PRESENCE_LIMIT of them. Until there is a snapshot it is a guess.
        """
        if not self.has_snapshot:
            self._guessed = True
        for identity in self._changes:
            self._listed.setdefault(identity, set()).add(self.presence.get(identity))
        people = list(islice(self.presence.values(), PRESENCE_LIMIT))
        if asking is not None and asking.id not in self.presence:
            people.append(asking.nick)
        return people[-PRESENCE_LIMIT:]

    @property
    def is_changing(self) -> bool:
        """Whether changes wait to be announced, which a list that is given now may lack later."""
        return bool(self._changes)

    def present(self, identity: str, nick: str, version: int = 0) -> None:
        """The participant is here, under that nick."""
        if self.presence.get(identity) != nick:
            self._change(identity)
            self.presence[identity] = nick
        self._reach(version)

    def absent(self, identity: str, version: int = 0) -> None:
        """The participant is not here any more."""
        if identity in self.presence:
            self._change(identity)
            del self.presence[identity]
        self._reach(version)

    def snapshot(self, people: Mapping[str, str], version: int) -> None:
        """These are here and nobody else, the nick of each by id.

        If they are more than PRESENCE_LIMIT, they are the first.
        """
        if not self.has_snapshot and not self._guessed:
            self.presence = dict(people)
        self.has_snapshot, self._guessed = True, False
        for identity in self.presence.keys() - people.keys():
            self.absent(identity)
        for identity, nick in people.items():
            self.present(identity, nick)
        self._reach(version)

    def _reach(self, version: int) -> None:
        self.version = max(self.version, version)
        if self._timer is None:
            self.announced = self.version

    def _change(self, identity: str) -> None:
        self._changes.setdefault(identity, self.presence.get(identity))
        if self._timer is None:
            delay = max(_NEWS_SECONDS, len(self.presence) / _NEWS_RATE)
            self._timer = self._loop.call_later(delay, self._announce)

    def _announce(self) -> None:
        self._timer = None
        self.announced = self.version
        before, self._changes = self._changes, {}
        listed, self._listed = self._listed, {}
        if len(self.presence) > PRESENCE_LIMIT:
            return
        changes: list[dict[str, Any]] = []
        for identity, was in before.items():
            now = self.presence.get(identity)
            if was == now:
                continue  # gone and back, or came for a moment
            if was is None:
                changes.append({"room": self.name, "event": "join", "nick": now})
            elif now is None:
                changes.append({"room": self.name, "event": "leave", "nick": was})
            else:
                changes.append({"room": self.name, "event": "nick", "nick": now, "was": was})
        stale = any(nicks != {self.presence.get(each)} for each, nicks in listed.items())
        if changes or stale:
            self.pubsub.publish_nowait(PresenceChanges(self.name, changes, self.announced, stale))

    def close(self) -> None:
        """Nobody is in it any more: nothing is announced."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._changes.clear()
            self._listed.clear()
