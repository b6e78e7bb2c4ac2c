"""A participant: a session that takes part, and its clients, the tabs and programs that poll."""

import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from chatapp.directory import Somebody
from chatapp.identity.person import Person
from chatapp.live.cursor import Cursor
from chatapp.live.figures import Figures
from chatapp.live.held import HeldPoll
from chatapp.live.rooms import Room
from cogen.core.coroutines import Coroutine, coro
from cogen.core.queue import Full, Queue

__all__ = ["Client", "Participant", "Subscription"]

log = logging.getLogger(__name__)

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Participant:
    """Lives while it has clients, and a while after.

    A visitor has brought no cookie yet, reads for one poll, and is not here for others.
    `person`: who that is, where people are known.
    `you`: what else they are told of themselves.
    `sender` is the id that the log keeps with their messages; a visitor has none ('').
    `token` is the signed token with which it last came, once that has been verified; `address`
    has its place. `clients` are those that are alive, by tab; `leave(participant)` is called when
    it has been without one for a lease.
    """

    __slots__ = (
        "address",
        "clients",
        "id",
        "is_visitor",
        "leave",
        "nick",
        "person",
        "sender",
        "token",
        "you",
    )

    def __init__(
        self,
        identity: str,
        nick: str,
        leave: "Callable[[Participant], None] | None",
        address: str | None = None,
        is_visitor: bool = False,
        sender: str = "",
        person: Person | None = None,
    ) -> None:
        self.id = identity
        self.is_visitor = is_visitor
        self.nick = nick
        self.sender = sender
        self.person = person
        self.address = address
        self.token = ""
        self.you = _NOTHING
        self.clients: dict[str, Client] = {}
        self.leave = leave

    def expire(self) -> None:
        """The lease has ended: no client came in time."""
        if self.leave is not None:
            self.leave(self)

    def __repr__(self) -> str:
        return f"<Participant {self.nick}>"


class Subscription:
    """A client in one room.

    `watch`: the coroutine that brings what is published there into the client's queue; None: there
    is none, so the log is to be read. `sent`: seq of the newest message that the client has been
    answered with, in the log of its epoch; None: it was not answered yet. `unread`: whether the
    log held more than that, which was never in the queue. `listed`: whether the client was given
    the people while changes of presence waited to be announced.
    """

    __slots__ = ("listed", "room", "sent", "unread", "watch")

    def __init__(self, room: Room) -> None:
        self.room = room
        self.watch: Coroutine | None = None
        self.sent: int | None = None
        self.unread = False
        self.listed = False


class Client:
    """One tab or program of a participant: what comes to its rooms, in one bounded queue.

    `subscriptions`: of the rooms that it is in, by name. `messages`: the queue, from which its
    polls are answered. `epoch`: of the log whose numbers the subscriptions have. `poll`: the one
    that is held for it, if one is; `wants_news`: whether that takes changes of presence. `address`
    has its place; `leave(client)` is called when its lease has ended. `rooms_changed`: whether it
    is to be told that the list of its rooms is another.
    """

    __slots__ = (
        "address",
        "epoch",
        "figures",
        "leave",
        "messages",
        "participant",
        "poll",
        "rooms_changed",
        "subscriptions",
        "tab",
        "wants_news",
    )

    def __init__(
        self,
        participant: Participant,
        tab: str,
        queue_size: int,
        leave: "Callable[[Client], None] | None",
        figures: Figures,
        address: str | None = None,
    ) -> None:
        self.participant = participant
        self.tab = tab
        self.address = address
        self.leave = leave
        self.figures = figures
        self.messages: Queue[Any] = Queue(queue_size)
        self.epoch = ""
        self.subscriptions: dict[str, Subscription] = {}
        self.poll: HeldPoll | None = None
        self.wants_news = False
        self.rooms_changed = False

    @coro
    def watch(self, room: Room) -> Any:
        """Lives as long as this client is in `room`, or until its queue is full.

        A client that fetches nothing while its queue fills up costs no more than the queue: all
        that is in it is given up, and the next poll reads on from the log.
        """
        messages = self.messages  # what this fetches yet when it was given up is not for the next
        yield room.pubsub.subscribe()
        while True:
            items = yield room.pubsub.fetch()
            if not self.wants_news and not any(item.is_messages for item in items):
                continue
            try:
                messages.put_nowait(items)
            except Full:
                log.info("%r left %d batches: they are given up", self, len(messages))
                self.figures.full_queues += 1
                self.forget()
                return

    def watched(self, subscription: Subscription, watch: Coroutine) -> None:
        """`watch` has been started: what is published from now on reaches the queue.

        It ends where the client has left the room since it was asked for.
        """
        if self.subscriptions.get(subscription.room.name) is not subscription:
            watch.cancel()
            return
        subscription.room.pubsub.subscribe_nowait(watch)
        subscription.watch = watch

    def enter(self, rooms: Sequence[Room]) -> None:
        """Be in these rooms and no others."""
        subscriptions = self.subscriptions
        for room in rooms:
            subscription = subscriptions.get(room.name)
            if subscription is None or subscription.room is not room:
                if subscription is not None:
                    self.leave_room(room.name)  # one of that name which the hub has forgotten
                subscriptions[room.name] = Subscription(room)
                room.entered(self._presence, self.tab)
        if len(subscriptions) > len(rooms):
            staying = {room.name for room in rooms}
            for name in [name for name in subscriptions if name not in staying]:
                self.leave_room(name)

    @property
    def cursor(self) -> Cursor | None:
        """Where it is; None if it was not answered yet."""
        sent = {name: each.sent for name, each in self.subscriptions.items()}
        seqs = {name: seq for name, seq in sent.items() if seq is not None}
        return Cursor(self.epoch, seqs) if seqs else None

    def begin_epoch(self, epoch: str) -> None:
        """Numbers belong to that epoch from now on, of which this client has had no message."""
        self.epoch = epoch
        for subscription in self.subscriptions.values():
            subscription.sent = None

    def forget(self) -> None:
        """Watch nothing and hold nothing; where the client is, it stays."""
        self.messages = Queue(self.messages.maxsize)
        for subscription in self.subscriptions.values():
            _unwatch(subscription)

    def leave_all(self) -> None:
        """Be in no room any more."""
        for name in list(self.subscriptions):
            self.leave_room(name)

    def leave_room(self, name: str) -> None:
        """Be in that room no more."""
        self._unsubscribe(name).left(self._presence, self.tab)

    def go(self) -> None:
        """The client's time here is over; it may go on at another worker."""
        self.messages = Queue(self.messages.maxsize)
        for name in list(self.subscriptions):
            self._unsubscribe(name).expired(self._presence, self.tab)

    def expire(self) -> None:
        """The lease has ended: no poll came in time."""
        if self.leave is not None:
            self.leave(self)

    @property
    def _presence(self) -> Somebody | None:
        """Who is present where this client is; None: a visitor, whom nobody sees."""
        return None if self.participant.is_visitor else self.participant

    def _unsubscribe(self, name: str) -> Room:
        subscription = self.subscriptions.pop(name)
        _unwatch(subscription)
        return subscription.room

    def __repr__(self) -> str:
        return f"<Client {self.tab or '-'} of {self.participant.nick}>"


def _unwatch(subscription: Subscription) -> None:
    watch, subscription.watch = subscription.watch, None
    if watch is not None:
        watch.cancel()
        subscription.room.pubsub.drop(watch)
