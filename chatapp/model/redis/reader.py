"""Follows the stream of what is stored, on a connection of its own, and tells the observer.

It always asks for what comes after the last entry that it has seen, so what is stored while the
engine is away, or before a blocked read is registered, is not missed. What the engine itself has
lost is found by looking, on every new connection and every few seconds:

- the stream is trimmed past the last entry seen: the observer hears where the rooms are now;
- the log is gone: it is begun anew, under another epoch;
- the last entry seen is not there, though older ones are: the engine was put back to an older state
  (a replica was promoted that had not heard of it). Numbers will be given out twice, so the log
  goes on under another epoch, and it is kept where each room was when that began;
- a replica was promoted, and nothing is missed here: a client may have had a message that no
  process knows any more. So there is another epoch as well, for those who were further than it is.
"""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from redis.exceptions import RedisError, ResponseError

from chatapp.model.log import LogObserver, LogUnavailable
from chatapp.model.message import Message
from chatapp.model.redis.calls import Calls
from chatapp.model.redis.entries import START, Id, Known, message_in
from chatapp.model.redis.past import Ended, Past
from chatapp.model.redis.scripts import BEGIN, HEADS, HEADS_KEY, LOCATE, STREAM_KEY
from chatapp.redis.engine import Engine, advice

__all__ = ["Reader"]

log = logging.getLogger(__name__)

_KEYS = (HEADS_KEY, STREAM_KEY)
# Seconds that a read waits for news, that it may take longer, and between two looks.
_BLOCK_SECONDS = 4.0
_GRACE_SECONDS = 4.0
_LOOK_SECONDS = 5.0
_FIRST_DELAY, _LAST_DELAY = 0.05, 1.0
_READ_COUNT = 1000
# Epochs that are remembered.
_PAST = 10
# After one that has ended, in what the engine keeps: nobody knows of a message that was lost.
_NOTHING_KNOWN = "?"


class _Unreadable(Exception):
    """An entry is no message; the message says which."""


class _Located(NamedTuple):
    """What LOCATE found."""

    epoch: bytes | None
    since: bytes | None
    past: bytes | None
    first: bytes | None
    last: bytes | None
    entry: Any
    promoted: int


class Reader:
    """`epoch` is the log's, empty until the engine has answered for the first time; `past` has
    those that it goes on from. `up`: the engine answers; `lag`: seconds by the engine's clock and
    this one's from when the last entry was written until it was read here."""

    def __init__(self, engine: Engine, commands: Calls, observer: LogObserver) -> None:
        self.epoch = ""
        self.past = Past()
        self.up = False
        self.lag = 0.0
        self._engine = engine
        self._client = engine.blocking_client()
        self._commands = commands
        self._observer = observer
        self._cursor = START
        # What is known to be in the stream: the newest entry that was read or written here.
        self._known = Known()
        self._last = START  # of the stream, at the last look
        self._lagging = False  # what comes after the cursor is not to be read from the stream
        self._lock = asyncio.Lock()
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Follow the stream from now on."""
        self._following = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Stop following, and disconnect."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._client.aclose()

    def wrote(self, identifier: bytes, room: str, seq: int) -> None:
        """A message was stored from here, as the entry of that id."""
        self._known = max(self._known, Known(Id.of(identifier), room, seq))

    @property
    def known(self) -> str:
        """The id of the newest entry that is known to be in the stream."""
        return str(self._known.id)

    async def locate(self) -> None:
        """See to it that `epoch` is the log's, of one that has lost nothing that is known here.

        Raises LogUnavailable.
        """
        async with self._lock:
            await self._located()

    async def _located(self) -> _Located:
        """Where the log is."""
        place, known = await self._found()
        if _contradict(place, known):
            # It may be another server that answered, one that is no longer the master.
            await self._commands.disconnect()
            place, known = await self._found()
        if _contradict(place, known):
            await self._begin(self.epoch)
            place, known = await self._found()
        return place

    async def _found(self) -> tuple[_Located, Known]:
        """Where the log is, of the epoch that is known here; and the entry that was looked for."""
        while True:
            known = self._known
            place = _Located(*await self._commands.run(LOCATE, _KEYS, [str(known.id)]))
            self._last = Id.of(place.last)
            if place.epoch is None:
                await self._begin("")
            elif place.epoch.decode() != self.epoch:
                await self._adopt(place)
            elif place.promoted:
                await self._begin(self.epoch, lost=_contradict(place, known))
            else:
                return place, known

    async def _look(self) -> None:
        """Find out whether anything was lost, and tell."""
        async with self._lock:
            place = await self._located()
            trimmed = self._cursor < Id.of(place.first) or self._last < self._cursor
            if trimmed or self._lagging:
                await self._catch_up()

    async def _begin(self, ended: str, lost: bool = True) -> None:
        if not lost:
            log.warning("%s: a replica was promoted, another epoch begins", self._engine)
        elif self.epoch:
            log.error("%s: messages were lost, the log is begun anew", self._engine)
        mark = "" if lost else _NOTHING_KNOWN
        await self._commands.run(BEGIN, _KEYS, [ended, secrets.token_urlsafe(6), mark])

    async def _adopt(self, place: _Located) -> None:
        """The log is another one than was known here."""
        assert place.epoch is not None and place.past is not None
        words = place.past.decode().split()[-_PAST:]
        past = Past(dict([await self._ended(word) for word in words]))
        epoch = place.epoch.decode()
        if past.unnoticed(self.epoch, self._known.room, self._known.seq):
            await self._begin(epoch)
            return  # to adopt that one
        self.past = past
        first, self.epoch = not self.epoch, epoch
        self._known = Known()
        self._cursor = self._last if first else Id.of(place.since)
        if not first:
            self._observer.recreated(self.epoch)

    async def _ended(self, word: str) -> tuple[str, Ended]:
        epoch = word.removesuffix(_NOTHING_KNOWN)
        _, heads = await self._heads(f"{HEADS_KEY}:{epoch}")
        return epoch, Ended(heads, lost=epoch == word)

    async def _catch_up(self) -> None:
        """The stream no longer has what came after the cursor; the rooms may have it."""
        self._last, heads = await self._heads(HEADS_KEY)
        self._cursor, self._known, self._lagging = self._last, Known(), False
        log.warning("%s: some entries were not read here; the rooms are", self._engine)
        self._observer.missed(heads)

    async def _heads(self, key: str) -> tuple[Id, dict[str, int]]:
        """The id of the stream's last entry, and the heads under `key` at that moment."""
        last, flat = await self._commands.run(HEADS, (key, STREAM_KEY))
        pairs = zip(flat[::2], flat[1::2], strict=True)
        rooms = [(name, seq) for name, seq in pairs if not name.endswith(b" ")]
        return Id.of(last), {name.decode(errors="replace"): int(seq) for name, seq in rooms}

    async def _follow(self) -> None:
        """Read for ever; while the engine is away, try again and again."""
        delay = _FIRST_DELAY
        away = False
        while True:
            try:
                await self._look()
                await self._advise()
                if away:
                    log.info("%s answers again", self._engine)
                self.up, away, delay = True, False, _FIRST_DELAY
                await self._read_on()
            except (LogUnavailable, RedisError, OSError, TimeoutError) as error:
                if not away:
                    log.error("no news until it answers again: %s", self._told(error))
                self.up, away = False, True
            except _Unreadable as error:
                log.error("%s: %s; the rooms are read", self._engine, error)
                self._lagging = True
            except Exception:
                # Whatever it is, to stop following would be silence.
                log.exception("%s: an entry could not be told", self._engine)
                self._lagging = True
            await self._client.connection_pool.disconnect()
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))
            delay = min(2 * delay, _LAST_DELAY)

    async def _advise(self) -> None:
        """Warn of settings that can lose messages, where one may ask for them."""
        try:
            async with asyncio.timeout(_GRACE_SECONDS):
                info = await self._client.info()
        except ResponseError:
            return
        for line in advice(info):
            log.warning("%s: %s", self._engine, line)

    def _told(self, error: Exception) -> str:
        if isinstance(error, LogUnavailable):
            return str(error)
        return f"{self._engine}: {str(error) or type(error).__name__}"

    async def _read_on(self) -> None:
        """Read until it fails."""
        loop = asyncio.get_running_loop()
        looked = loop.time()
        while True:
            missing = self._cursor < self._last
            entries = await self._wait()
            if missing and not entries:
                raise LogUnavailable(f"{self._engine}: this is not the server that has the log")
            goes_on = self._tell(entries)
            if not (entries and goes_on) or loop.time() - looked >= _LOOK_SECONDS:
                await self._look()
                looked = loop.time()

    async def _wait(self) -> Sequence[Any]:
        """The entries after the cursor, once there are any; none after a while."""
        block = round(_BLOCK_SECONDS * 1000)
        async with asyncio.timeout(_BLOCK_SECONDS + _GRACE_SECONDS):
            answer = await self._client.execute_command(  # type: ignore[no-untyped-call]
                "XREAD", "COUNT", _READ_COUNT, "BLOCK", block, "STREAMS", STREAM_KEY,
                str(self._cursor),
            )  # fmt: skip
        entries: Sequence[Any] = answer[0][1] if answer else ()
        return entries

    def _tell(self, entries: Sequence[Any]) -> bool:
        """False if it is to be looked where the log is: it ends there, or entries are missing."""
        messages: list[Message] = []
        ended, began = False, self._cursor
        for identifier, fields in entries:
            at = Id.of(identifier)
            if at <= self._cursor:
                continue  # a look has gone past it meanwhile
            if began < Id.of(fields.get(b"cut")):
                self._lagging = True  # some that were not read here were given up by then
            if b"epoch" in fields:
                if fields[b"epoch"].decode() != self.epoch:
                    ended = True
                    break
            else:
                message = self._message(at, fields)
                self._known = max(self._known, Known(at, message.room, message.seq))
                messages.append(message)
            self._cursor = at
        if messages:
            # Those of a room together, in their order.
            messages.sort(key=attrgetter("room"))
            self._observer.appended(messages)
            self.lag = max(0.0, time.time() - self._cursor.time / 1000)
        return not (ended or self._lagging)

    def _message(self, at: Id, fields: Any) -> Message:
        """Raises _Unreadable."""
        try:
            return message_in(fields)
        except ValueError:
            raise _Unreadable(f"the entry {at} of {STREAM_KEY} is damaged") from None


def _contradict(place: _Located, known: Known) -> bool:
    """Whether the stream goes back before `known`, and has not got it."""
    return (
        place.first is not None and Id.of(place.first) <= known.id and not known.is_in(place.entry)
    )
