"""A client: one tab (or program) of a participant, with the queue from which its polls answer."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chatapp.live.figures import Figures
from cogen.core.coroutines import Coroutine, coro
from cogen.core.queue import Full, Queue

if TYPE_CHECKING:
    from chatapp.live.participant import Participant
    from chatapp.live.poll import Poll
    from chatapp.live.rooms import Room

__all__ = ["Client"]

log = logging.getLogger(__name__)


class Client:
    """Bridges the rooms it watches into one bounded queue, `messages`.

    `sent` has, for each room, the seq in the log of `epoch` that was answered with last; `unread`
    are the rooms whose log holds more that was never in the queue; `listed` those of which it was
    given the people while changes waited. `poll` is the poll that is held for it, if one is.
    `address` has its place.
    """

    __slots__ = (
        "_rooms",
        "_watches",
        "address",
        "dead",
        "epoch",
        "figures",
        "leave",
        "listed",
        "messages",
        "participant",
        "poll",
        "sent",
        "tab",
        "unread",
        "wants_news",
    )

    def __init__(
        self,
        participant: "Participant",
        tab: str,
        queue_size: int,
        leave: Any,
        figures: Figures,
        address: str | None = None,
    ) -> None:
        self.participant = participant
        self.tab = tab
        self.address = address
        self.leave = leave  # called when its lease has ended: leave(client)
        self.figures = figures
        self.messages: Queue[Any] = Queue(queue_size)
        self.dead = False
        self.epoch = ""
        self.sent: dict[str, int] = {}
        self.unread: frozenset[str] = frozenset()
        self.listed: frozenset[str] = frozenset()
        self.poll: Poll | None = None
        self.wants_news = False
        self._rooms: dict[str, Room] = {}
        self._watches: dict[str, Coroutine] = {}

    @coro
    def watch(self, room: "Room") -> Any:
        """Lives as long as this client is in `room`, or until its queue is full.

        A client that fetches nothing while its queue fills up costs no more than the queue: it is
        dead then, and its next poll reads on from the log.
        """
        yield room.pubsub.subscribe()
        while True:
            items = yield room.pubsub.fetch()
            if not self.wants_news and not any(item.is_messages for item in items):
                continue
            try:
                self.messages.put_nowait(items)
            except Full:
                log.info("%r is dead: it left %d batches", self, len(self.messages))
                self.dead = True
                self.figures.full_queues += 1
                self.forget()
                return

    def watched(self, room: "Room", watch: Coroutine) -> None:
        """`watch` has been started for `room`: what is published from now on reaches the queue."""
        room.pubsub.subscribe_nowait(watch)
        self._watches[room.name] = watch

    def watches(self, room: str) -> bool:
        """Whether there is a watch for the room."""
        return room in self._watches

    def enter(self, rooms: "Sequence[Room]") -> None:
        """Be in these rooms and no others."""
        entered = self._rooms
        for room in rooms:
            if room.name not in entered:
                entered[room.name] = room
                room.joined(self)
        if len(entered) > len(rooms):
            staying = {room.name for room in rooms}
            for name in [name for name in entered if name not in staying]:
                self._leave(name)

    def forget(self) -> None:
        """Watch nothing and hold nothing; where it is, it stays."""
        self.messages = Queue(self.messages.maxsize)
        for name in list(self._watches):
            self._unwatch(name)

    def leave_all(self) -> None:
        """Be in no room any more."""
        for name in list(self._rooms):
            self._leave(name)

    def go(self) -> None:
        """Its time here is over; it may go on at another worker."""
        for name in list(self._rooms):
            self._forget_room(name).gone(self)

    def expire(self) -> None:
        """The lease has ended: no poll came in time."""
        self.leave(self)

    def _leave(self, name: str) -> None:
        self._forget_room(name).left(self)

    def _forget_room(self, name: str) -> "Room":
        self._unwatch(name)
        self.sent.pop(name, None)
        return self._rooms.pop(name)

    def _unwatch(self, name: str) -> None:
        watch = self._watches.pop(name, None)
        if watch is not None:
            watch.cancel()
            self._rooms[name].pubsub.drop(watch)

    def __repr__(self) -> str:
        return f"<Client {self.tab or '-'} of {self.participant.nick}>"
