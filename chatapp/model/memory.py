"""The message log that lives as long as the process: for trying out and for tests."""

import math
import secrets
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from itertools import islice

from chatapp.model.clock import Clock
from chatapp.model.log import (
    LOBBY,
    Head,
    LogObserver,
    MessageLog,
    NonceReused,
    NoSuchMessage,
    NoSuchRoom,
    RoomLimit,
    Slice,
    Stored,
)
from chatapp.model.message import LASTING, Draft, Message, digest
from chatapp.model.names import Names
from chatapp.model.records import MemoryRecords
from chatapp.model.rooms import AT_ONCE, slot, to_give_way

__all__ = ["MemoryLog"]

_NONCES = 100_000


class _Room:
    __slots__ = ("at", "last", "messages", "spoken", "start", "stored")

    def __init__(self, start: int) -> None:
        self.start = self.last = start
        self.spoken = 0.0  # by the time that has passed
        self.at = 0.0  # as the clock was set
        self.messages: deque[Message] = deque()
        self.stored: deque[float] = deque()  # when each was, by the time that has passed


class MemoryLog(MessageLog):
    """Keeps `history` messages a room, none older than `max_age` seconds (0: any age)."""

    def __init__(
        self,
        observer: LogObserver,
        history: int,
        max_age: float,
        max_rooms: int,
        clock: Clock | None = None,
    ) -> None:
        self.epoch = secrets.token_urlsafe(6)
        self._observer = observer
        self._history = history
        self._max_age = max_age
        self._max_rooms = max_rooms
        self._clock = clock or Clock()
        self.records = MemoryRecords(self._clock.wall)
        self._rooms: OrderedDict[str, _Room] = OrderedDict()  # the longest silent first
        self._names = Names()
        self._gone: dict[str, int] = {}  # by slot: the last number of rooms that gave way
        # By room, session and nonce: the message's number, and the digest of its text.
        self._nonces: OrderedDict[tuple[str, str, str], tuple[int, bytes]] = OrderedDict()

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to store."""

    async def append(self, draft: Draft, session: str, opens: bool = True) -> Stored:
        room, nonce = self._names.meant(draft.room), draft.nonce
        if nonce is not None and (known := self._nonces.get((room, session, nonce))) is not None:
            seq, used_for = known
            if used_for != digest(draft.text):
                raise NonceReused(f"nonce {nonce!r} was used for another text")
            return Stored(room, seq)
        message = self._stored(draft, room, opens)
        if nonce is not None:
            self._nonces[room, session, nonce] = message.seq, digest(draft.text)
            if len(self._nonces) > _NONCES:
                self._nonces.popitem(last=False)
        self._observer.appended([message])
        return Stored(room, message.seq)

    async def remove(self, room: str, seq: int, draft: Draft) -> Stored:
        room = self._names.meant(room)
        messages = self._held(room).messages
        at = seq - messages[0].seq if messages else -1
        if not 0 <= at < len(messages) or messages[at].kind in LASTING:
            raise NoSuchMessage(f"{room} has no message {seq}")
        self._rooms[room].messages[at] = messages[at].emptied()
        removal = self._stored(draft.as_removal(seq), room, False)
        self._observer.appended([removal])
        return Stored(room, removal.seq)

    async def rooms(self) -> list[Head]:
        return [Head(name, room.last, room.at) for name, room in reversed(self._rooms.items())]

    def canonical_names(self, rooms: Sequence[str]) -> Mapping[str, str]:
        return self._names.of(rooms)

    async def read(self, room: str, after: int, limit: int) -> Slice:
        held = self._held(room)
        skipped = max(0, after + 1 - held.first)
        return held._replace(messages=list(islice(held.messages, skipped, skipped + limit)))

    async def before(self, room: str, seq: int | None, limit: int) -> Slice:
        held = self._held(room)
        end = len(held.messages) if seq is None else max(0, seq - held.first)
        end = min(end, len(held.messages))
        return held._replace(messages=held.messages[max(0, end - limit) : end])

    def _stored(self, draft: Draft, room: str, opens: bool) -> Message:
        """The message that `draft` is by now. Raises NoSuchRoom, RoomLimit."""
        now = self._clock.passed()
        kept = self._rooms.get(room) or self._opened(room, opens, now)
        kept.last += 1
        kept.spoken = now
        kept.at = round(self._clock.wall(), 3)
        self._rooms.move_to_end(room)
        message = draft.stored(room, kept.last, kept.at)
        kept.messages.append(message)
        kept.stored.append(now)
        self._trim(kept)
        return message

    def _opened(self, name: str, opens: bool, now: float) -> _Room:
        start = self._gone.get(slot(name), 0)
        if name != LOBBY:
            if not opens:
                raise NoSuchRoom(name)
            for _ in range(AT_ONCE):
                if len(self._rooms) - (LOBBY in self._rooms) < self._max_rooms:
                    break
                self._give_way(now)
        room = self._rooms[name] = _Room(start)
        self._names.add(name)
        return room

    def _give_way(self, now: float) -> None:
        silences = ((name, room.spoken) for name, room in self._rooms.items())
        name = to_give_way(silences, self._observer.occupied, self._observer.kept, now)
        if name is None:
            raise RoomLimit("all that there may be are in use")
        last, kept = self._rooms.pop(name).last, slot(name)
        self._names.discard(name)
        self._gone[kept] = max(last, self._gone.get(kept, 0))

    def _held(self, name: str) -> Slice:
        room = self._rooms.get(name)
        if room is None:
            start = self._gone.get(slot(name), 0)
            return Slice(start + 1, start, [], start)
        self._trim(room)
        first = room.last + 1 - len(room.messages)
        return Slice(first, room.last, list(room.messages), room.start)

    def _trim(self, room: _Room) -> None:
        oldest = self._clock.passed() - self._max_age if self._max_age else -math.inf
        while len(room.messages) > self._history or (room.stored and room.stored[0] < oldest):
            room.messages.popleft()
            room.stored.popleft()
