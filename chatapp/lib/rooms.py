"""A room that somebody is in: its publish/subscribe queue and who is present."""

import asyncio
from collections.abc import Callable
from typing import Any

from chatapp.lib.batch import Batch, News
from chatapp.lib.participant import Participant
from cogen.core.pubsub import PublishSubscribeQueue

__all__ = ["CROWD", "Room"]

# In a room of more than this, nobody's coming and going is told, and this many are listed.
CROWD = 500
# Changes of presence are told together: this often, and the seldomer the more there are to tell.
_NEWS_SECONDS = 0.2
_NEWS_RATE = 2000.0


class Room:
    """`head`: seq of its newest message, None until it is known.

    `presence`: the nick of each participant who is present, by id; announced to the others soon
    after it changes.
    """

    __slots__ = (
        "_clients",
        "_emptied",
        "_loop",
        "_told",
        "_untold",
        "head",
        "name",
        "presence",
        "pubsub",
    )

    def __init__(
        self,
        name: str,
        loop: asyncio.AbstractEventLoop,
        emptied: "Callable[[Room], None]",
    ) -> None:
        self.name = name
        self._emptied = emptied
        self.head: int | None = None
        self.pubsub = PublishSubscribeQueue()
        self.presence: dict[str, str] = {}
        self._clients: dict[str, int] = {}
        self._loop = loop
        self._untold: dict[str, str | None] = {}  # by id: the nick as last told, None: absent
        self._told: asyncio.TimerHandle | None = None

    def publish(self, batch: Batch) -> None:
        self.head = batch.last
        self.pubsub.publish_nowait(batch)

    def learn_head(self, last: int) -> int:
        """The log said that `last` is the newest; returns what is the newest by now."""
        if self.head is None or last > self.head:
            self.head = last
        return self.head

    # Presence.

    def joined(self, participant: Participant) -> None:
        """A client of `participant` has come."""
        count = self._clients.get(participant.id, 0)
        self._clients[participant.id] = count + 1
        if not count:
            self._change(participant.id, participant.nick)

    def left(self, participant: Participant) -> None:
        """A client of `participant` has gone."""
        count = self._clients[participant.id] - 1
        if count:
            self._clients[participant.id] = count
        else:
            del self._clients[participant.id]
            self._change(participant.id, None)
        if not self._clients:
            self._emptied(self)

    def renamed(self, participant: Participant) -> None:
        if participant.id in self.presence:
            self._change(participant.id, participant.nick)

    def people(self) -> list[str]:
        """The nicks of those present, in the order they came; at most CROWD."""
        return list(self.presence.values())[:CROWD]

    def _change(self, identity: str, nick: str | None) -> None:
        self._untold.setdefault(identity, self.presence.get(identity))
        if nick is None:
            del self.presence[identity]
        else:
            self.presence[identity] = nick
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
