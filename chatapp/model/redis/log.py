"""The message log in Redis or Valkey, for several processes and machines."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    ResponseError,
)

from chatapp.model.clock import Clock
from chatapp.model.holes import Holes, window_after, window_before
from chatapp.model.log import (
    LOBBY,
    Head,
    LogObserver,
    LogUnavailable,
    MessageLog,
    NonceReused,
    NoSuchRoom,
    RoomLimit,
    Slice,
    Stored,
)
from chatapp.model.message import Draft, digest
from chatapp.model.redis.calls import Calls
from chatapp.model.redis.entries import Id, messages_in
from chatapp.model.redis.reader import Reader
from chatapp.model.redis.records import RedisRecords
from chatapp.model.redis.removing import FOLLOWED, REMOVE, Removals
from chatapp.model.redis.scripts import (
    APPEND,
    FIND,
    FOLD,
    HEADS,
    HEADS_KEY,
    LIST,
    NAMED,
    STREAM_KEY,
)
from chatapp.names import folded
from chatapp.redis.commands import Argument
from chatapp.redis.engine import Engine

__all__ = ["RedisLog"]

# A nonce is remembered this long after its message: far beyond any client's retries.
_NONCE_SECONDS = 86400
# Errors that do not go away by themselves: the start ends with them.
_REFUSALS = (AuthenticationError, AuthorizationError, NoPermissionError)
_NO_DATABASE = ("DB index is out of range", "invalid DB index", "SELECT is not allowed")
_TRIES = 3
# Names in one call: each is a step in which the engine does nothing else.
_AT_ONCE = 500


class RedisLog(MessageLog):
    """Keeps `history` messages a room, none older than `max_age` seconds (0: any age).

    What is stored is told from the stream that all write to, so that every process tells the same
    in the same order. The engine may be away, at the start as well: it is used when it is back.

    `clock` counts in place of the engine's own.
    """

    shared = True

    def __init__(
        self,
        observer: LogObserver,
        url: str,
        history: int,
        max_age: float,
        max_rooms: int,
        clock: Clock | None = None,
    ) -> None:
        self._engine = Engine(url)
        self._holes = Holes(str(self._engine))
        self._observer = observer
        self._history = history
        self._max_age = max_age
        self._max_rooms = max_rooms
        self._clock = clock
        self._reader: Reader | None = None
        self._knows_names = False

    @property
    def epoch(self) -> str:  # type: ignore[override]
        """The log's; empty until the engine has answered for the first time."""
        return self._reader.epoch if self._reader is not None else ""

    def statistics(self) -> dict[str, float]:
        if self._reader is None:
            return {"log_up": 0.0, "log_lag_seconds": 0.0}
        return {"log_up": float(self._reader.up), "log_lag_seconds": self._reader.lag}

    def continued(self, epoch: str, room: str, seq: int) -> tuple[int, bool]:
        assert self._reader is not None
        return self._reader.past.place(epoch, room, seq)

    async def learn_epoch(self, epoch: str) -> None:
        assert self._reader is not None
        if epoch != self.epoch and epoch not in self._reader.past:
            await self._locate()

    async def open(self) -> None:
        # A long answer to a read does not hold up what is stored.
        self._writes = Calls(self._engine)
        self._reads = Calls(self._engine)
        clock = self._clock
        self.records = RedisRecords(self._writes, clock.wall if clock else None)
        self._removals = Removals(self._remove)
        self._reader = Reader(self._engine, self._reads, self._observer)
        try:
            await self._reader.locate()
            await self._know_names()
        except LogUnavailable as error:
            if _is_final(error.__cause__):
                await self.close()
                raise
        self._reader.start()

    async def close(self) -> None:
        if self._reader is not None:
            await self._removals.close()
            await self._writes.close()
            await self._reader.close()
            await self._reads.close()

    async def append(self, draft: Draft, session: str, opens: bool = True) -> Stored:
        assert self._reader is not None
        reader, nonce = self._reader, draft.nonce
        await self._know_names()
        used_for, fold = digest(draft.text).hex(), folded(draft.room)
        keys = [HEADS_KEY, STREAM_KEY]
        if nonce is not None:
            # Older versions kept it under the name as it was written.
            keys += [_nonce_key(name, session, nonce) for name in (fold, draft.room)]
        kind, *rest = await self._settled(
            lambda: self._writes.run(
                APPEND,
                keys,
                (
                    self.epoch, draft.room, self._now(), self._history, self._max_age,
                    self._max_rooms, used_for, _NONCE_SECONDS, int(opens), fold, reader.known,
                    *draft.pairs(),
                ),
            ),
            lambda answer: answer[0] != b"epoch",
        )  # fmt: skip
        if kind == b"unknown":
            raise NoSuchRoom(draft.room)
        if kind == b"rooms":
            raise RoomLimit("all that there may be are in use")
        room = rest.pop(0).decode()
        if kind == b"known":
            known_digest, seq, *_ = rest[0].split(b" ")
            if known_digest != used_for.encode():
                raise NonceReused(f"nonce {nonce!r} was used for another text")
            return Stored(room, int(seq))
        seq, identifier = rest
        reader.wrote(identifier, room, seq)
        return Stored(room, seq)

    async def remove(self, room: str, seq: int, draft: Draft) -> Stored:
        return await self._removals.remove(room, seq, draft)

    async def _remove(
        self, room: str, removals: Sequence[tuple[int, Draft]]
    ) -> Sequence[Stored | None]:
        """Remove these messages of the room; None: there is none. Raises LogUnavailable."""
        assert self._reader is not None
        reader = self._reader
        await self._know_names()
        words: list[Argument] = []
        for seq, draft in removals:
            pairs = list(draft.as_removal(seq).pairs())
            words += [seq, len(pairs), *pairs]
        _, called, told = await self._settled(
            lambda: self._writes.run(
                REMOVE,
                (HEADS_KEY, STREAM_KEY),
                (
                    self.epoch, room, folded(room), self._now(), self._history, self._max_age,
                    reader.known, FOLLOWED, len(removals), *words,
                ),
            ),
            lambda answer: answer[0] != b"epoch",
        )  # fmt: skip
        name = called.decode()
        for seq, identifier in filter(None, told):
            reader.wrote(identifier, name, seq)
        return [None if each is None else Stored(name, each[0]) for each in told]

    async def rooms(self) -> list[Head]:
        flat, spoken, newest = await self._reads.run(LIST, [HEADS_KEY])
        times = {name: float(at) for name, at in zip(spoken[::2], spoken[1::2], strict=True)}
        for message in messages_in(LOBBY, newest):
            times[LOBBY.encode()] = message.at
        heads = [
            Head(name.decode(errors="replace"), int(seq), times.get(name, 0.0))
            for name, seq in zip(flat[::2], flat[1::2], strict=True)
            if not name.endswith(b" ")
        ]
        return sorted(heads, key=attrgetter("at"), reverse=True)

    async def canonical_names(self, rooms: Sequence[str]) -> Mapping[str, str]:
        await self._know_names()
        words = [word for room in rooms for word in (room, folded(room))]
        called = await self._reads.run(NAMED, [HEADS_KEY], words)
        return {room: str(name, "utf-8") for room, name in zip(rooms, called, strict=True) if name}

    async def _know_names(self) -> None:
        """Rooms of an older version lack what their names fold to."""
        if self._knows_names:
            return
        _, flat = await self._reads.run(HEADS, (HEADS_KEY, STREAM_KEY))
        names = [name.decode(errors="replace") for name in flat[::2] if not name.endswith(b" ")]
        for at in range(0, len(names), _AT_ONCE):
            words = [word for name in names[at : at + _AT_ONCE] for word in (name, folded(name))]
            await self._writes.run(FOLD, [HEADS_KEY], words)
        self._knows_names = True

    async def read(self, room: str, after: int, limit: int) -> Slice:
        bounds, entries = await self._find(room, "XRANGE", f"{after + 1}-0", "+", limit)
        window = window_after(*bounds[:2], after, limit)
        return self._holes.slice(room, bounds, window, messages_in(room, entries))

    async def before(self, room: str, seq: int | None, limit: int) -> Slice:
        if seq is not None and seq <= 1:
            limit = 0
        last = "+" if seq is None else f"{seq - 1}-0"
        bounds, entries = await self._find(room, "XREVRANGE", last, "-", limit)
        window = window_before(*bounds[:2], seq, limit)
        return self._holes.slice(room, bounds, window, messages_in(room, reversed(entries)))

    async def _find(
        self, room: str, command: str, start: str, end: str, limit: int
    ) -> tuple[tuple[int, int, int], Sequence[Any]]:
        """First, last and start of the room, and entries of its stream."""
        arguments: tuple[Argument, ...] = (
            room, self._now(), self._max_age, command, start, end, limit,
        )  # fmt: skip
        _, last, first, entries, began = await self._settled(
            lambda: self._reads.run(FIND, (HEADS_KEY, _room_key(room)), arguments),
            lambda answer: answer[0] == self.epoch.encode() and self.epoch,
        )
        return (Id.of(first).time if first else last + 1, last, began), entries

    async def _settled(
        self, ask: Callable[[], Any], is_ours: Callable[[Any], object]
    ) -> tuple[Any, ...]:
        """The answer to `ask` of the log whose epoch is known here; looks again if it is not."""
        for _ in range(_TRIES):
            answer = await ask()
            if is_ours(answer):
                return tuple(answer)
            await self._locate()
        raise LogUnavailable(f"{self._engine}: the log is being begun anew")

    async def _locate(self) -> None:
        """Others look as well, one after the other: nobody waits for more than one answer.

        Raises LogUnavailable.
        """
        assert self._reader is not None
        patience = self._engine.patience
        try:
            async with asyncio.timeout(patience):
                await self._reader.locate()
        except TimeoutError as error:
            raise LogUnavailable(f"{self._engine}: no answer in {patience:g} s") from error

    def _now(self) -> Argument:
        return "" if self._clock is None else self._clock.wall()


def _room_key(room: str) -> str:
    return f"chat:room:{room}"


def _nonce_key(room: str, session: str, nonce: str) -> str:
    return "chat:nonce:" + digest("\0".join((room, session, nonce))).hex()


def _is_final(error: BaseException | None) -> bool:
    """Whether no waiting helps."""
    if isinstance(error, _REFUSALS):
        return True
    return isinstance(error, ResponseError) and any(each in str(error) for each in _NO_DATABASE)
