"""The hub: all that is alive here. Participants, their clients, the rooms they are in.

It is the log's observer: what has become durable is published in its room from here, whoever
pushed it and whether or not they are still there. It is the directory's as well: who comes and
goes, here or at another worker, is told in the room.
"""

import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Any

from chatapp.backends import backend_of
from chatapp.directory import Directory, MayWait, TokenBuckets
from chatapp.identity.person import Person
from chatapp.live.batch import Batch
from chatapp.live.errors import ChatFull, TooManyPlaces
from chatapp.live.figures import Figures
from chatapp.live.held import Ending
from chatapp.live.participant import Client, Participant
from chatapp.live.places import Places
from chatapp.live.poll import Poll
from chatapp.live.request import PollRequest
from chatapp.live.rooms import Room
from chatapp.model import LogUnavailable, Message, MessageLog
from chatapp.model.message import REMOVAL
from chatapp.names import folded
from chatapp.options import ChatOptions
from chatapp.remembering import forget
from cogen.core.schedulers import Scheduler
from cogen.web.peers import Peers

__all__ = ["Hub"]

log = logging.getLogger(__name__)

# How many polls a second may come back after a restart.
_RETURN_RATE = 500.0
_MOST_RETURN_SECONDS = 30.0
# After that one who found no place may try again.
_FULL_SECONDS = 5.0


class Hub:
    """Made with the application, started on the server's event loop.

    `fingerprint`: of the secret that this process signs cookies with; `about`: what clients are
    told of what is served. `keeps(room)`: whether a room gives way to none, called in any thread;
    `recorded(name)`: what the room is called that is meant, if it has a record.
    """

    def __init__(
        self,
        options: ChatOptions,
        fingerprint: str = "",
        about: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.options = options
        self.about = about
        backend = backend_of(options.log)
        self.log: MessageLog = backend.log(
            self,
            history=options.history,
            max_age=options.max_age,
            max_rooms=options.max_rooms,
        )
        self.directory: Directory = backend.directory(
            self,
            limits=options.limits(),
            clock=self.now,
            lease=options.lease,
            poll_timeout=options.poll_timeout,
            fingerprint=fingerprint,
        )
        self.participants: dict[str, Participant] = {}
        # More than one of a sender, where somebody has tokens for some rooms beside one for all.
        self.by_sender: dict[str, tuple[Participant, ...]] = {}
        self.rooms: dict[str, Room] = {}
        self._names: dict[str, str] = {}  # of one of them each, by what it folds to
        self.clients = 0
        self._client_places = Places(options.address_clients)
        self._session_places = Places(2 * options.address_clients)
        self._visitor_places = Places(options.address_clients)
        self._first_polls = TokenBuckets(options.first_polls())
        self._visitors: set[Client] = set()
        self.figures = Figures()
        self.keeps: Callable[[str], bool] = _none
        self.recorded: Callable[[str], str | None] = _unknown
        self.closing = False
        self._scheduler: Scheduler | None = None

    async def start(self, peers: Peers) -> None:
        """Open log and directory. Raises LogUnavailable, OtherSecret."""
        if self._scheduler is None:
            self._scheduler = Scheduler.current()
            self._timers = self._scheduler.timers
            self._peers = peers
            await self.log.open()
            for name, answer in self.log.answers().items():
                peers.answer(name, answer)
            await self.directory.open()

    async def hand_over(self) -> None:
        """Let a new process have the log, where only one can."""
        await self.log.hand_over(self._peers.ask_current)

    async def take_back(self) -> None:
        """The new process did not start."""
        try:
            await self.log.take_back()
        except LogUnavailable as error:
            log.error("the message log could not be taken back; pushes try it again: %s", error)

    def trim(self) -> None:
        """Many clients have gone: forget what they made this remember."""
        forget()
        self.directory.trim()

    def ready(self) -> str:
        """'' or one line that says why polls cannot be answered yet."""
        return "" if self.log.epoch else "the message log has not been reached yet"

    async def shutdown(self) -> None:
        """Answer held polls, each with a delay after which to come back."""
        self.closing = True
        for client in self._all_clients():
            if client.poll is not None:
                client.poll.interrupt(Ending.CLOSING)

    async def close(self) -> None:
        """Forget everybody and close log and directory."""
        for visitor in list(self._visitors):
            self._drop_visitor(visitor)
        for participant in list(self.participants.values()):
            for client in list(participant.clients.values()):
                self._drop_client(client)
            self._drop_participant(participant)
        if self._scheduler is not None:
            await self.directory.close()
            await self.log.close()
            self._scheduler = None

    # The log's observer.

    def appended(self, messages: Sequence[Message]) -> None:
        self.figures.published += len(messages)
        for name, group in groupby(messages, key=_room_of):
            room = self.rooms.get(name)
            if room is None:
                self.named(name)
            else:
                told, timeout = list(group), self.options.poll_timeout
                batch = Batch(self.log.epoch, name, told, timeout, room.announced)
                for message in told:
                    if message.kind == REMOVAL and message.about is not None:
                        batch.empty(message.about)
                        room.empty(message.about)
                room.publish(batch)

    def recreated(self, epoch: str) -> None:
        """Numbers start again: every client goes on from its cursor, which names the old log."""
        for room in self.rooms.values():
            room.head = None
        for client in self._all_clients():
            if client.poll is not None:
                client.poll.interrupt(Ending.CLOSING)
            client.forget()

    def missed(self, heads: Mapping[str, int]) -> None:
        for name, room in self.rooms.items():
            room.missed(heads.get(name, 0))

    def occupied(self, room: str) -> bool:
        return room in self.rooms

    def kept(self, room: str) -> bool:
        return self.keeps(room)

    # The directory's observer.

    def present(self, room: str, identity: str, nick: str, version: int = 0) -> None:
        if (here := self.rooms.get(room)) is not None:
            here.present(identity, nick, version)

    def absent(self, room: str, identity: str, version: int = 0) -> None:
        if (here := self.rooms.get(room)) is not None:
            here.absent(identity, version)

    def snapshot(self, room: str, people: Mapping[str, str], version: int) -> None:
        if (here := self.rooms.get(room)) is not None:
            here.snapshot(people, version)

    def renamed(self, identity: str, nick: str) -> None:
        if (participant := self.participants.get(identity)) is not None:
            participant.nick = nick

    def moved(self, identity: str, tab: str) -> None:
        client = self._client(identity, tab)
        if client is not None:
            if client.poll is not None:
                client.poll.interrupt(Ending.SUPERSEDED)
            self._drop_client(client)

    def lease(self, identity: str, tab: str) -> float | None:
        client = self._client(identity, tab)
        if client is None:
            return None
        left = self._timers.left(client, self.options.lease)
        return self.options.lease if left is None else left

    def _client(self, identity: str, tab: str) -> Client | None:
        participant = self.participants.get(identity)
        return participant.clients.get(tab) if participant is not None else None

    # Participants.

    def join(
        self,
        identity: str,
        nick: str | None,
        sender: str,
        address: str | None = None,
        person: Person | None = None,
    ) -> MayWait[Participant]:
        """The one with that id, made if need be; with that nick unless another has it.

        `sender`: the id that the log has of them; `person`: who they are, where that is known: then
        a nick that another has gets a number.

        Raises Refused if the chat is full, or the `address` has no place left.
        """
        participant = self.participants.get(identity)
        if participant is not None:
            if not participant.clients:
                self._timers.start(participant, self.options.lease)
            return participant
        if len(self.participants) >= 2 * self.options.max_clients:
            raise self._full()
        if not self._session_places.take(address):
            raise self._too_many("address_clients", "Too many sessions at your address.")
        given = self.directory.join(identity, nick, person is not None)
        if isinstance(given, str):
            return self._joined(identity, given, sender, address, person)
        return self._join_later(identity, given, sender, address, person)

    async def _join_later(
        self,
        identity: str,
        nick: Awaitable[str],
        sender: str,
        address: str | None,
        person: Person | None,
    ) -> Participant:
        try:
            given = await nick
        except BaseException:
            self._session_places.give_back(address)
            raise
        return self._joined(identity, given, sender, address, person)

    def _joined(
        self,
        identity: str,
        nick: str,
        sender: str,
        address: str | None,
        person: Person | None,
    ) -> Participant:
        participant = self.participants.get(identity)
        if participant is not None:
            self._session_places.give_back(address)
        else:
            participant = Participant(
                identity, nick, self._drop_participant, address, sender=sender, person=person
            )
            self.participants[identity] = participant
            self.by_sender[sender] = (*self.by_sender.get(sender, ()), participant)
            self._timers.start(participant, self.options.lease)
        return participant

    def people(self, room: str) -> MayWait[list[str]]:
        """The nicks of those in the room. Raises DirectoryUnavailable."""
        here = self.rooms.get(room)
        if here is not None and here.has_snapshot:
            return here.people()
        return self.directory.people(room)

    # Polls.

    def poll(
        self,
        participant: Participant,
        request: PollRequest,
        json: bool,
        address: str | None,
        called: Mapping[str, str],
    ) -> Poll:
        """Begin a poll. `called`: what rooms are called, by the names that others have for them.

        `address`: what a new client's place is counted by; None: by nothing. Who has left since
        they asked is answered as if the poll had been held at that time. Raises Refused if the
        client is new and there are too many, LogUnavailable.
        """
        if not self.log.epoch:
            raise LogUnavailable("it has not been reached yet")
        alive = self.participants.get(participant.id)
        has_left = alive is None and not participant.is_visitor
        if has_left:
            participant = Participant(participant.id, "", None, is_visitor=True)
        elif alive is not None and not participant.is_visitor:
            participant = alive
        client = participant.clients.get(request.tab)
        if client is None:
            client = self._new_client(participant, request.tab, address)
        self._timers.stop(client, self.options.lease)
        names = request.rooms
        if called:
            names = tuple(dict.fromkeys(called.get(name, name) for name in names))
        if request.written:
            others = {n: name for n, name in called.items() if n not in request.written.values()}
            called = {**others, **{w: called.get(n, n) for w, n in request.written.items()}}
        rooms = []
        for name in names:
            room = self.rooms.get(name)
            rooms.append(self._new_room(name) if room is None else room)
        client.enter(rooms)
        timeout = self.options.poll_timeout
        poll = Poll(client, rooms, request, self.log, json, timeout, self.about, called)
        if has_left:
            poll.ended = Ending.SUPERSEDED
        elif self.closing:
            poll.ended = Ending.CLOSING
        return poll

    def end(self, poll: Poll) -> None:
        """The poll is over: from now on its client's lease runs."""
        poll.end()
        client = poll.client
        if client.participant.is_visitor:
            self._drop_visitor(client)
        elif client.poll is None and client.participant.clients.get(client.tab) is client:
            self._timers.start(client, self.options.lease)

    def return_delay(self) -> float:
        """Seconds after which a client should come back after the restart: spread out."""
        longest = min(_MOST_RETURN_SECONDS, max(1.0, self.clients / _RETURN_RATE))
        return round(random.uniform(0.2, longest), 1)

    def statistics(self) -> dict[str, int]:
        """Counts of what is alive."""
        return {
            "participants": len(self.participants),
            "clients": self.clients,
            "rooms": len(self.rooms),
        }

    def welcomes(self, address: str | None) -> bool:
        """Whether one more who polls without a cookie is answered at once, as who is new.

        There may be too many of them: who never brings back a cookie comes again and again.
        """
        return address is None or not self._first_polls.take(address, self.now())

    def _new_client(self, participant: Participant, tab: str, address: str | None) -> Client:
        options = self.options
        if participant.is_visitor:
            return self._new_visitor(participant, tab, address)
        if self.clients >= options.max_clients:
            raise self._full()
        if len(participant.clients) >= options.max_clients_per_session:
            idle = [c for c in participant.clients.values() if c.poll is None]
            if not idle:
                line = "Too many tabs of this browser are in the chat."
                raise self._too_many("max_clients_per_session", line)
            idle[0].leave_all()
            self._drop_client(idle[0])
        if not self._client_places.take(address):
            raise self._too_many("address_clients", "Too many clients at your address.")
        if not participant.clients:
            self._timers.stop(participant, options.lease)
        client = Client(
            participant, tab, options.queue_size, self._drop_client, self.figures, address
        )
        participant.clients[tab] = client
        self.clients += 1
        return client

    def _new_visitor(self, participant: Participant, tab: str, address: str | None) -> Client:
        if not self._visitor_places.take(address):
            raise self._too_many("address_clients", "Too many clients at your address.")
        queue_size = self.options.queue_size
        visitor = Client(participant, tab, queue_size, None, self.figures, address)
        self._visitors.add(visitor)
        return visitor

    def _full(self) -> ChatFull:
        self.figures.limited["max_clients"] += 1
        return ChatFull("The chat is full; try again soon.", _FULL_SECONDS)

    def _too_many(self, limit: str, line: str) -> TooManyPlaces:
        self.figures.limited[limit] += 1
        return TooManyPlaces(line, _FULL_SECONDS)

    def _new_room(self, name: str) -> Room:
        assert self._scheduler is not None
        loop = self._scheduler.loop
        room = self.rooms[name] = Room(name, loop, self.directory, self._drop_room)
        self._names.setdefault(folded(name), name)
        return room

    def live_name(self, name: str) -> str:
        """What a room is called of which the log has none: as its record says, or as it was first
        by those who are in it.

        A name that nobody is in stays as it is.
        """
        return self.recorded(name) or self._names.get(folded(name), name)

    def named(self, name: str) -> None:
        """The room is called so, as it has a record or somebody has spoken in it, here or
        elsewhere: those who are in it by another name come again, and are told.
        """
        room = self.rooms.get(self._names.get(folded(name), name))
        if room is not None and room.name != name and not room.head:
            self._forget_room(room)
            for client in self._all_clients():
                if client.poll is not None and room.name in client.subscriptions:
                    client.poll.interrupt(Ending.SUPERSEDED)

    def _all_clients(self) -> list[Client]:
        here = [client for each in self.participants.values() for client in each.clients.values()]
        return [*here, *self._visitors]

    # Leaving.

    def _drop_visitor(self, client: Client) -> None:
        if client in self._visitors:
            self._visitors.remove(client)
            self._visitor_places.give_back(client.address)
            client.go()

    def leave(self, identity: str) -> MayWait[None]:
        """The one with that id goes at once, with all clients. Raises DirectoryUnavailable."""
        participant = self.participants.get(identity)
        if participant is not None:
            for client in list(participant.clients.values()):
                if client.poll is not None:
                    client.poll.interrupt(Ending.SUPERSEDED)
                client.leave_all()
                self._drop_client(client)
            self._drop_participant(participant)
        return self.directory.leave(identity)

    def expel(self, identity: str, room: str) -> None:
        """The one with that id is out of that room at once, with all clients.

        What polls are held for it answer nothing, and what waits for them is given up: who polls
        again goes on in the other rooms without a hole, and has to be let into this one anew.
        """
        participant = self.participants.get(identity)
        if participant is not None:
            for client in list(participant.clients.values()):
                if room in client.subscriptions:
                    self._turn_out(client, room)

    def tell_rooms(self, identity: str) -> None:
        """The list of rooms of the one with that id is another now: all clients are told."""
        participant = self.participants.get(identity)
        if participant is not None:
            for client in participant.clients.values():
                client.rooms_changed = True
                if client.poll is not None:
                    client.poll.look_again()

    def leave_visitors(self, address: str) -> None:
        """The polls of those who are no participants end, of that address."""
        for visitor in self._visitors:
            if visitor.address == address and visitor.poll is not None:
                visitor.poll.interrupt(Ending.SUPERSEDED)

    def _turn_out(self, client: Client, room: str) -> None:
        if client.poll is not None:
            client.poll.interrupt(Ending.SUPERSEDED)
        client.forget()
        client.leave_room(room)

    def ask_again(self, identity: str) -> None:
        """The held polls of the one with that id are answered, so that each shows who asks."""
        participant = self.participants.get(identity)
        for client in () if participant is None else participant.clients.values():
            if client.poll is not None:
                client.poll.interrupt(Ending.SUPERSEDED)

    def _drop_client(self, client: Client) -> None:
        participant = client.participant
        self._timers.stop(client, self.options.lease)
        client.go()
        del participant.clients[client.tab]
        self._client_places.give_back(client.address)
        self.clients -= 1
        if not participant.clients:
            self._timers.start(participant, self.options.lease)

    def _drop_participant(self, participant: Participant) -> None:
        self._timers.stop(participant, self.options.lease)
        del self.participants[participant.id]
        others = tuple(p for p in self.by_sender[participant.sender] if p is not participant)
        if others:
            self.by_sender[participant.sender] = others
        else:
            del self.by_sender[participant.sender]
        self._session_places.give_back(participant.address)
        self.directory.release(participant)

    def _drop_room(self, room: Room) -> None:
        room.close()
        self.directory.unsubscribe(room.name)
        if self.rooms.get(room.name) is room:
            self._forget_room(room)

    def _forget_room(self, room: Room) -> None:
        del self.rooms[room.name]
        fold = folded(room.name)
        if self._names.get(fold) == room.name:
            del self._names[fold]

    def now(self) -> float:
        """Seconds, monotonic, from some time on."""
        assert self._scheduler is not None
        return self._scheduler.loop.time()


def _unknown(name: str) -> str | None:
    return None


def _none(room: str) -> bool:
    return False


def _room_of(message: Message) -> str:
    return message.room
