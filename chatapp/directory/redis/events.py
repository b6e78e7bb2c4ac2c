"""Reads the streams that the scripts write: the cluster's presence events, this worker's moves.

A move is a client of this worker that polls at another one now.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

from redis.exceptions import RedisError

from chatapp.redis.engine import Engine

__all__ = ["EventReader", "StreamEntry"]

log = logging.getLogger(__name__)

_BLOCK_MILLISECONDS = 5000
_MOST_AT_ONCE = 500
_RETRY_SECONDS = 0.5

StreamEntry = Mapping[str, str]
"""The fields of one entry of a stream."""


class EventReader:
    """Calls `event(entry)` for entries of the stream `events`, `moved(entry)` for those of `moves`.

    `missed()` is called where there may have been events that were not read.
    """

    def __init__(
        self,
        engine: Engine,
        events: str,
        moves: str,
        event: Callable[[StreamEntry], None],
        moved: Callable[[StreamEntry], None],
        missed: Callable[[], None],
    ) -> None:
        self._client = engine.blocking_client()
        self._events = events
        self._moves = moves
        self._event = event
        self._moved = moved
        self._missed = missed
        self._positions: dict[Any, Any] = {}  # none while it is not known where the streams end
        self._moves_position = "0-0"
        self._number: int | None = None  # of the last event read
        self._expected = 0
        self.highest = 0  # number that was ever read
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read what is written from now on, or from when the engine answers."""
        with contextlib.suppress(RedisError, OSError):
            await self._find_end()
        self._task = asyncio.create_task(self._run())

    async def expect(self, number: int) -> None:
        """The event of that number is written, and is to be read before the next call.

        If it is not, the connection leads to another server, or to one that is gone.
        """
        late, self._expected = self._expected, number
        if self._positions and late <= number and self.highest < late:
            log.warning("the presence events do not come: connecting again")
            await self._stop()
            self._positions = {}
            self.highest = late  # a snapshot makes up for what was not read
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop reading and disconnect."""
        await self._stop()
        await self._client.aclose()

    async def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._client.connection_pool.disconnect()

    async def _find_end(self) -> None:
        last: Any = await self._client.xrevrange(self._events, count=1)
        self._positions = {self._events: "0-0", self._moves: self._moves_position}
        self._number = None
        for name, fields in last:
            self._positions[self._events] = name.decode()
            self._count(int(fields[b"n"]))

    async def _run(self) -> None:
        away = False
        while True:
            try:
                if not self._positions:
                    await self._find_end()
                    self._missed()
                    away = False
                self._take(await self._read())
                continue
            except (RedisError, OSError) as error:
                if not away:
                    log.warning("no presence events until the engine answers again: %s", error)
                away = True
            except Exception:
                # Whatever it is, without a reader nobody here would see who comes and goes.
                log.exception("presence events could not be taken")
            self._positions = {}
            await self._client.connection_pool.disconnect()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _read(self) -> Any:
        reading: Any = self._client.xread(
            self._positions, count=_MOST_AT_ONCE, block=_BLOCK_MILLISECONDS
        )
        # An engine that neither answers nor closes the connection is gone as well.
        return await asyncio.wait_for(reading, 2 * _BLOCK_MILLISECONDS / 1000)

    def _take(self, streams: Any) -> None:
        for stream, entries in streams or ():
            name = stream.decode()
            for position, fields in entries:
                self._positions[name] = position.decode()
                entry = {_text(key): _text(value) for key, value in fields.items()}
                if name == self._moves:
                    self._moves_position = self._positions[name]
                    self._moved(entry)
                else:
                    self._count(int(entry["n"]))
                    self._event(entry)

    def _count(self, number: int) -> None:
        before, self._number = self._number, number
        self.highest = max(self.highest, number)
        if before is not None and number != before + 1:
            self._missed()


def _text(stored: bytes) -> str:
    """A bad byte in a nick is replaced, and has no other effect."""
    return stored.decode(errors="replace")
