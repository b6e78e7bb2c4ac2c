"""The hub: all that is alive. Participants, their clients, the rooms they are in, the log.

It is the log's observer: what has become durable is published in its room from here, whoever
pushed it and whether or not they are still there.
"""

import logging
import random
import secrets
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from chatapp.lib.batch import Batch
from chatapp.lib.client import Client
from chatapp.lib.cursor import Cursor
from chatapp.lib.limits import TokenBucket
from chatapp.lib.options import ChatOptions
from chatapp.lib.participant import Participant
from chatapp.lib.poll import Poll
from chatapp.lib.rooms import Room
from chatapp.lib.wire import BadInput, folded
from chatapp.model import Message, MessageLog, open_log
from cogen.core.schedulers import Scheduler

__all__ = ["Hub"]

log = logging.getLogger(__name__)

# How many polls a second may come back after a restart.
_RETURN_RATE = 500.0
_MOST_RETURN_SECONDS = 30.0


class Hub:
    """Made with the application, started on the server's event loop."""

    def __init__(self, options: ChatOptions) -> None:
        self.options = options
        self.log: MessageLog = open_log(
            options.log,
            self,
            history=options.history,
            max_age=options.max_age,
            max_rooms=options.max_rooms,
        )
        self.participants: dict[str, Participant] = {}
        self.rooms: dict[str, Room] = {}
        self.clients = 0
        self.published = 0
        self.closing = False
        self._nicks: dict[str, str] = {}  # folded: id of the participant who has it
        self._addresses: dict[str, TokenBucket] = {}
        self._scheduler: Scheduler | None = None

    async def start(self) -> None:
        """Open the log. Raises LogUnavailable."""
        if self._scheduler is None:
            self._scheduler = Scheduler.current()
            await self.log.open()

    async def shutdown(self) -> None:
        """Answer held polls, each with a delay after which to come back."""
        self.closing = True
        for participant in self.participants.values():
            for client in participant.clients.values():
                if client.poll is not None:
                    client.poll.interrupt(closing=True)

    async def close(self) -> None:
        """Forget everybody and close the log."""
        for participant in list(self.participants.values()):
            for client in list(participant.clients.values()):
                self._drop_client(client)
            self._drop_participant(participant)
        if self._scheduler is not None:
            self._scheduler = None
            await self.log.close()

    # The log's observer.

    def appended(self, messages: Sequence[Message]) -> None:
        self.published += len(messages)
        for name, group in groupby(messages, key=_room_of):
            room = self.rooms.get(name)
            if room is not None:
                room.publish(Batch(self.log.epoch, name, list(group)))

    def recreated(self, epoch: str) -> None:
        """Numbers start again: every client goes on from its cursor, which names the old log."""

    # Participants.

    def participant(self, identity: str, nick: str | None) -> Participant:
        """The one with that id, made if need be; with that nick unless another has it."""
        participant = self.participants.get(identity)
        if participant is not None:
            if not participant.clients:
                self._timers.start(participant, self.options.lease)
            return participant
        if len(self.participants) >= 2 * self.options.max_clients:
            raise BadInput(503, "The chat is full; try again soon.", 5)
        bucket = TokenBucket(self.options.push_burst, self._now())
        participant = Participant(identity, "", bucket, self._drop_participant)
        participant.nick = self._free_nick(nick, identity)
        self.participants[identity] = participant
        self._nicks[folded(participant.nick)] = identity
        self._timers.start(participant, self.options.lease)
        return participant

    def rename(self, participant: Participant, nick: str) -> None:
        """Raises BadInput if somebody who is here has that nick."""
        if self._nicks.get(folded(nick), participant.id) != participant.id:
            raise BadInput(409, f"The name {nick} is taken; choose another.")
        if nick == participant.nick:
            return
        del self._nicks[folded(participant.nick)]
        self._nicks[folded(nick)] = participant.id
        participant.nick = nick
        for room in self.rooms.values():
            room.renamed(participant)

    def may_push(self, participant: Participant) -> None:
        """Raises BadInput if it has pushed too much lately."""
        self._charge(participant.bucket)

    def may_begin(self, address: str) -> None:
        """Somebody unknown pushes: counted by address. Raises BadInput if there are too many."""
        bucket = self._addresses.get(address)
        if bucket is None:
            if len(self._addresses) >= _ADDRESSES:
                self._addresses.pop(next(iter(self._addresses)))
            bucket = TokenBucket(self.options.push_burst, self._now())
            self._addresses[address] = bucket
        self._charge(bucket)

    def _charge(self, bucket: TokenBucket) -> None:
        options = self.options
        wait = bucket.take(options.push_rate, options.push_burst, self._now())
        if wait:
            raise BadInput(429, "Too many messages; wait a moment.", wait)

    def _free_nick(self, nick: str | None, identity: str) -> str:
        while nick is None or self._nicks.get(folded(nick), identity) != identity:
            nick = f"guest-{secrets.token_hex(2)}"
        return nick

    # Polls.

    def poll(
        self,
        participant: Participant,
        tab: str,
        rooms: Sequence[str],
        since: Cursor | None,
        json: bool,
    ) -> Poll:
        """Begin a poll. Raises BadInput if there are too many clients."""
        client = participant.clients.get(tab)
        if client is None:
            client = self._new_client(participant, tab)
        self._timers.stop(client, self.options.lease)
        entered = [self.rooms.get(name) or self._new_room(name) for name in rooms]
        client.enter(entered)
        poll = Poll(client, entered, since, self.log.epoch, json)
        if self.closing:
            poll.closing = True
        return poll

    def end(self, poll: Poll) -> None:
        """The poll is over: from now on its client's lease runs."""
        poll.end()
        client = poll.client
        if client.poll is None and client.participant.clients.get(client.tab) is client:
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

    def _new_client(self, participant: Participant, tab: str) -> Client:
        if self.clients >= self.options.max_clients:
            raise BadInput(503, "The chat is full; try again soon.", 5)
        if len(participant.clients) >= self.options.max_clients_per_session:
            idle = [c for c in participant.clients.values() if c.poll is None]
            if not idle:
                raise BadInput(429, "Too many tabs of this browser are in the chat.", 5)
            self._drop_client(idle[0])
        if not participant.clients:
            self._timers.stop(participant, self.options.lease)
        client = Client(participant, tab, self.options.queue_size, self._drop_client)
        participant.clients[tab] = client
        self.clients += 1
        return client

    def _new_room(self, name: str) -> Room:
        assert self._scheduler is not None
        room = self.rooms[name] = Room(name, self._scheduler.loop, self._drop_room)
        return room

    # Leaving.

    def _drop_client(self, client: Client) -> None:
        participant = client.participant
        self._timers.stop(client, self.options.lease)
        client.leave_all()
        del participant.clients[client.tab]
        self.clients -= 1
        if not participant.clients:
            self._timers.start(participant, self.options.lease)

    def _drop_participant(self, participant: Participant) -> None:
        self._timers.stop(participant, self.options.lease)
        del self.participants[participant.id]
        del self._nicks[folded(participant.nick)]

    def _drop_room(self, room: Room) -> None:
        room.close()
        del self.rooms[room.name]

    @property
    def _timers(self) -> Any:
        assert self._scheduler is not None
        return self._scheduler.timers

    def _now(self) -> float:
        assert self._scheduler is not None
        return self._scheduler.loop.time()


# Addresses whose pushes without a session are counted; the oldest is forgotten beyond that.
_ADDRESSES = 10_000


def _room_of(message: Message) -> str:
    return message.room
