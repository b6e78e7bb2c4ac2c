"""A room that somebody is in: its publish/subscribe queue and who is present."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from chatapp.directory import PRESENCE_LIMIT, Directory, Person
from chatapp.live.batch import Batch, NewHead, PresenceChanges
from cogen.core.pubsub import PublishSubscribeQueue

if TYPE_CHECKING:
    from chatapp.live.client import Client

__all__ = ["Room"]

# Changes of presence are told together: this often, and the seldomer the more there are to tell.
_NEWS_SECONDS = 0.2
_NEWS_RATE = 2000.0


class Room:
    """`head`: seq of its newest message, None until it is known.

    `presence`: the nick of each participant who is present, by id, as the directory tells it;
    announced soon after it changes. `known`: whether the directory has told who is there.
    `version`: of the last change that is in it; `told`: of the last that was announced.
    """

    __slots__ = (
        "_clients",
        "_directory",
        "_emptied",
        "_guessed",
        "_listed",
        "_loop",
        "_telling",
        "_untold",
        "head",
        "known",
        "name",
        "presence",
        "pubsub",
        "shared",
        "told",
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
        self.known = not directory.shared
        self.version = self.told = 0
        self._guessed = False  # whether anybody was given a list without its being known
        self.head: int | None = None
        self.pubsub = PublishSubscribeQueue()
        self.presence: dict[str, str] = {}
        self._clients = 0
        self._loop = loop
        # By id: the nick as last told, None: absent; and the nick in lists that were given since.
        self._untold: dict[str, str | None] = {}
        self._listed: dict[str, set[str | None]] = {}
        self._telling: asyncio.TimerHandle | None = None

    def publish(self, batch: Batch) -> None:
        """Hand the batch to everybody's watch."""
        # A client that comes from another process may have brought news of a later one.
        self.head = max(self.head or 0, batch.last)
        self.pubsub.publish_nowait(batch)

    def missed(self, head: int) -> None:
        """Messages up to `head` are in the log and are not published."""
        self.head = max(self.head or 0, head)
        self.pubsub.publish_nowait(NewHead(self.name, head))

    def learn_head(self, last: int) -> int:
        """The log said that `last` is the newest; returns what is the newest by now."""
        if self.head is None or last > self.head:
            self.head = last
        return self.head

    # Presence.

    def joined(self, client: "Client") -> None:
        """`client` is here from now on."""
        self._clients += 1
        if not client.participant.visiting:
            self._directory.entered(client.participant, client.tab, self.name)

    def left(self, client: "Client") -> None:
        """`client` is elsewhere now."""
        self._directory.left(client.participant, client.tab, self.name)
        self._uncount()

    def gone(self, client: "Client") -> None:
        """`client` has ended here."""
        if not client.participant.visiting:
            self._directory.expired(client.participant, client.tab, self.name)
        self._uncount()

    def _uncount(self) -> None:
        self._clients -= 1
        if not self._clients:
            self._emptied(self)

    def people(self, asking: Person | None = None) -> list[str]:
        """Nicks of those present, in the order they came, and who asks; at most PRESENCE_LIMIT."""
        self._guessed = self._guessed or not self.known
        for identity in self._untold:
            self._listed.setdefault(identity, set()).add(self.presence.get(identity))
        people = list(islice(self.presence.values(), PRESENCE_LIMIT))
        if asking is not None and asking.id not in self.presence:
            people.append(asking.nick)
        return people[-PRESENCE_LIMIT:]

    @property
    def changing(self) -> bool:
        """Whether there are changes to tell, which a list that is given now may lack later."""
        return bool(self._untold)

    def present(self, identity: str, nick: str, version: int = 0) -> None:
        """The participant is here, under that nick."""
        if self.presence.get(identity) != nick:
            self._changing(identity)
            self.presence[identity] = nick
        self._reached(version)

    def absent(self, identity: str, version: int = 0) -> None:
        if identity in self.presence:
            self._changing(identity)
            del self.presence[identity]
        self._reached(version)

    def snapshot(self, people: Mapping[str, str], version: int) -> None:
        """These are here and nobody else; if more than PRESENCE_LIMIT, they are the first.

        The first count need not be told: who comes into a room is given the list.
        """
        if not self.known and not self._guessed:
            self.presence = dict(people)
        self.known = True
        for identity in self.presence.keys() - people.keys():
            self.absent(identity)
        for identity, nick in people.items():
            self.present(identity, nick)
        self._reached(version)

    def _reached(self, version: int) -> None:
        self.version = max(self.version, version)
        if self._telling is None:
            self.told = self.version

    def _changing(self, identity: str) -> None:
        self._untold.setdefault(identity, self.presence.get(identity))
        if self._telling is None:
            delay = max(_NEWS_SECONDS, len(self.presence) / _NEWS_RATE)
            self._telling = self._loop.call_later(delay, self._tell)

    def _tell(self) -> None:
        self._telling = None
        self.told = self.version
        untold, self._untold = self._untold, {}
        listed, self._listed = self._listed, {}
        if len(self.presence) > PRESENCE_LIMIT:
            return
        changes: list[dict[str, Any]] = []
        for identity, was in untold.items():
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
            self.pubsub.publish_nowait(PresenceChanges(self.name, changes, self.told, stale))

    def close(self) -> None:
        """Nobody is in it any more."""
        if self._telling is not None:
            self._telling.cancel()
