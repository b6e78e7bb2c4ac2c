"""Follows the stream of what is stored, on a connection of its own, and tells the observer.

It always asks for what comes after the last entry that it has seen, so what is stored while the
engine is away, or before a blocked read is registered, is not missed. What the engine itself has
lost is found by looking (`locate`), on every new connection and every few seconds:

- the stream is trimmed past the last entry seen: the observer hears where the rooms are now;
- the log is gone: it is begun anew, under another epoch;
- the last entry seen is not there, though older ones are: the engine was put back to an older state
  (a replica was promoted that had not heard of it). Numbers will be given out twice, so the log
  goes on under another epoch, and it is kept where each room was when that began.
"""

import asyncio
import logging
import random
import secrets
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from redis.exceptions import RedisError, ResponseError

from chatapp.model.message import LogObserver, LogUnavailable, Message
from chatapp.model.redis.commands import Commands
from chatapp.model.redis.engine import Engine, advice
from chatapp.model.redis.scripts import BEGIN, HEADS, HEADS_KEY, LOCATE, STREAM_KEY

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


class _Id(NamedTuple):
    """The id of an entry: a time in milliseconds, and a number within it."""

    time: int
    number: int

    @classmethod
    def of(cls, text: bytes) -> "_Id":
        time, _, number = text.partition(b"-")
        return cls(int(time), int(number))

    def __str__(self) -> str:
        return f"{self.time}-{self.number}"


_START = _Id(0, 0)


class Reader:
    """`epoch` is the log's, empty until the engine has answered for the first time; `past` has the
    heads of the epochs that it goes on from, the oldest first."""

    def __init__(self, engine: Engine, commands: Commands, observer: LogObserver) -> None:
        self.epoch = ""
        self.past: dict[str, dict[str, int]] = {}
        self._engine = engine
        self._client = engine.blocking_client()
        self._commands = commands
        self._observer = observer
        self._cursor = _START
        # What is known to be in the stream: the newest entry that was read or written here.
        self._known = (_START, "", 0)
        self._last = _START  # of the stream, at the last look
        self._lagging = False  # what comes after the cursor is not to be read from the stream
        self._lock = asyncio.Lock()
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._following = asyncio.create_task(self._follow())

    async def close(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._client.aclose()

    def wrote(self, identifier: bytes, room: str, seq: int) -> None:
        """A message was stored from here, as the entry of that id."""
        self._known = max(self._known, (_Id.of(identifier), room, seq))

    async def locate(self) -> None:
        """Look where the log is, and tell if it is not where it was. Raises LogUnavailable."""
        async with self._lock:
            suspected = False
            while not await self._look(suspected):
                suspected = True

    async def _look(self, suspected: bool) -> bool:
        """False if something has to be looked at again."""
        known, room, seq = self._known
        found = await self._commands.run(LOCATE, _KEYS, [str(known)])
        epoch, since, past, first, last, entry = found
        if epoch is None:
            await self._begin("")
            return False
        self._last = _Id.of(last) if last else _START
        if epoch.decode() != self.epoch:
            await self._adopt(epoch.decode(), _Id.of(since), past.decode().split())
            return False
        held = first is not None and _Id.of(first) <= known
        if held and not _is_message(entry, room, seq):
            # Or it was another server that answered, one that is no longer the master.
            await (self._begin(self.epoch) if suspected else self._commands.disconnect())
            return False
        if self._lagging or first is None or _Id.of(first) > self._cursor:
            await self._catch_up()
        return True

    async def _begin(self, ended: str) -> None:
        if self.epoch:
            log.error("%s: messages were lost, the log is begun anew", self._engine)
        await self._commands.run(BEGIN, _KEYS, [ended, secrets.token_urlsafe(6)])

    async def _adopt(self, epoch: str, since: _Id, past: Sequence[str]) -> None:
        """The log is another one than was known here."""
        self.past = {
            ended: (await self._heads(f"{HEADS_KEY}:{ended}"))[1] for ended in past[-_PAST:]
        }
        first, self.epoch = not self.epoch, epoch
        self._known = (_START, "", 0)
        self._cursor = self._last if first else since
        if not first:
            self._observer.recreated(epoch)

    async def _catch_up(self) -> None:
        """The stream no longer has what came after the cursor; the rooms may have it."""
        self._last, heads = await self._heads(HEADS_KEY)
        self._cursor, self._known, self._lagging = self._last, (_START, "", 0), False
        log.warning("%s: some entries were not read here; the rooms are", self._engine)
        self._observer.missed(heads)

    async def _heads(self, key: str) -> tuple[_Id, dict[str, int]]:
        """The id of the stream's last entry, and the heads under `key` at that moment."""
        last, flat = await self._commands.run(HEADS, (key, STREAM_KEY))
        pairs = zip(flat[::2], flat[1::2], strict=True)
        heads = {name.decode(): int(seq) for name, seq in pairs if not name.endswith(b" ")}
        return _Id.of(last) if last else _START, heads

    async def _follow(self) -> None:
        """Read for ever; while the engine is away, try again and again."""
        delay = _FIRST_DELAY
        away = False
        while True:
            try:
                await self.locate()
                await self._advise()
                if away:
                    log.info("%s answers again", self._engine)
                away, delay = False, _FIRST_DELAY
                await self._read_on()
            except (LogUnavailable, RedisError, OSError, TimeoutError) as error:
                if not away:
                    log.error("no news until it answers again: %s", self._told(error))
                away = True
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
        return f"{self._engine}: {error or type(error).__name__}"

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
                await self.locate()
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
        """False if the log ends there and another one begins."""
        messages: list[Message] = []
        ended = False
        for identifier, fields in entries:
            at = _Id.of(identifier)
            if at <= self._cursor:
                continue  # a look has gone past it meanwhile
            if b"epoch" in fields:
                if fields[b"epoch"].decode() != self.epoch:
                    ended = True
                    break
            else:
                message = _message(fields)
                self._known = max(self._known, (at, message.room, message.seq))
                messages.append(message)
            self._cursor = at
        if messages:
            # Those of a room together, in their order.
            messages.sort(key=attrgetter("room"))
            self._observer.appended(messages)
        return not ended


def _message(fields: dict[bytes, bytes]) -> Message:
    return Message(
        fields[b"room"].decode(),
        int(fields[b"seq"]),
        fields[b"nick"].decode(),
        fields[b"text"].decode(),
        float(fields[b"at"]),
    )


def _is_message(entry: Any, room: str, seq: int) -> bool:
    """Whether an entry, as a script returns it, is that message."""
    if entry is None:
        return False
    names = iter(entry[1])
    fields = dict(zip(names, names, strict=True))
    return fields.get(b"room") == room.encode() and fields.get(b"seq") == b"%d" % seq
