"""A room that somebody is in: its publish/subscribe queue and who is present."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chatapp.directory import CROWD, Directory
from chatapp.lib.batch import Batch, Head, News
from cogen.core.pubsub import PublishSubscribeQueue

if TYPE_CHECKING:
    from chatapp.lib.client import Client

__all__ = ["Room"]

# Changes of presence are told together: this often, and the seldomer the more there are to tell.
_NEWS_SECONDS = 0.2
_NEWS_RATE = 2000.0


class Room:
    """`head`: seq of its newest message, None until it is known.

    `presence`: the nick of each participant who is present, by id, as the directory tells it;
    announced soon after it changes. `known`: whether the directory has told who is there.
    """

    __slots__ = (
        "_clients",
        "_directory",
        "_emptied",
        "_loop",
        "_told",
        "_untold",
        "head",
        "known",
        "name",
        "presence",
        "pubsub",
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
        self.known = not directory.shared
        self.head: int | None = None
        self.pubsub = PublishSubscribeQueue()
        self.presence: dict[str, str] = {}
        self._clients = 0
        self._loop = loop
        self._untold: dict[str, str | None] = {}  # by id: the nick as last told, None: absent
        self._told: asyncio.TimerHandle | None = None

    def publish(self, batch: Batch) -> None:
        # A client that comes from another process may have brought news of a later one.
        self.head = max(self.head or 0, batch.last)
        self.pubsub.publish_nowait(batch)

    def missed(self, head: int) -> None:
        """Messages up to `head` are in the log and are not published."""
        self.head = max(self.head or 0, head)
        self.pubsub.publish_nowait(Head(self.name, head))

    def learn_head(self, last: int) -> int:
        """The log said that `last` is the newest; returns what is the newest by now."""
        if self.head is None or last > self.head:
            self.head = last
        return self.head

    # Presence.

    def joined(self, client: "Client") -> None:
        self._clients += 1
        self._directory.entered(client.participant, client.tab, self.name)

    def left(self, client: "Client") -> None:
        """`client` is elsewhere now."""
        self._directory.left(client.participant, client.tab, self.name)
        self._uncount()

    def gone(self, client: "Client") -> None:
        """`client` has ended here."""
        self._directory.gone(client.participant, client.tab, self.name)
        self._uncount()

    def _uncount(self) -> None:
        self._clients -= 1
        if not self._clients:
            self._emptied(self)

    def people(self) -> list[str]:
        """The nicks of those present, in the order they came; at most CROWD."""
        return list(self.presence.values())[:CROWD]

    def present(self, identity: str, nick: str) -> None:
        """The participant is here, under that nick."""
        if self.presence.get(identity) != nick:
            self._changing(identity)
            self.presence[identity] = nick

    def absent(self, identity: str) -> None:
        if identity in self.presence:
            self._changing(identity)
            del self.presence[identity]

    def counted(self, people: Mapping[str, str]) -> None:
        """These are here and nobody else; if more than CROWD, they are the first.

        The first count is told to nobody: who comes into a room is given the list.
        """
        if not self.known:
            self.known = True
            self.presence = {**people, **self.presence}
            self._untold.clear()
            return
        for identity in self.presence.keys() - people.keys():
            self.absent(identity)
        for identity, nick in people.items():
            self.present(identity, nick)

    def _changing(self, identity: str) -> None:
        self._untold.setdefault(identity, self.presence.get(identity))
        if self._told is None:
            delay = max(_NEWS_SECONDS, len(self.presence) / _NEWS_RATE)
            self._told = self._loop.call_later(delay, self._tell)

    def _tell(self) -> None:
        self._told = None
        untold, self._untold = self._untold, {}
        if len(self.presence) > CROWD:
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
        if changes:
            self.pubsub.publish_nowait(News(self.name, changes))

    def close(self) -> None:
        """Nobody is in it any more."""
        if self._told is not None:
            self._told.cancel()
