"""Reads what the scripts tell: the news of the cluster, and which clients of this worker moved."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

from redis.exceptions import RedisError

from chatapp.redis.engine import Engine

__all__ = ["News"]

log = logging.getLogger(__name__)

_BLOCK_MILLISECONDS = 5000
_MOST_AT_ONCE = 500
_RETRY_SECONDS = 0.5

Entry = Mapping[str, str]


class News:
    """Calls `heard(entry)` for the entries of the stream `news`, `moved(entry)` for `moves`.

    `missed()`: there may have been entries that were not heard.
    """

    def __init__(
        self,
        engine: Engine,
        news: str,
        moves: str,
        heard: Callable[[Entry], None],
        moved: Callable[[Entry], None],
        missed: Callable[[], None],
    ) -> None:
        self._client = engine.blocking_client()
        self._news = news
        self._moves = moves
        self._heard = heard
        self._moved = moved
        self._missed = missed
        self._positions: dict[Any, Any] = {}  # none while it is not known where the streams are
        self._moved_at = "0-0"
        self._number: int | None = None  # of the last entry heard
        self._expected = 0
        self.highest = 0  # number that was ever heard
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Hear all that is told from now on, or from when the engine answers."""
        with contextlib.suppress(RedisError, OSError):
            await self._begin()
        self._task = asyncio.create_task(self._run())

    async def expect(self, number: int) -> None:
        """The news with that number were told, and are to be heard before the next call.

        If they are not, it is another server that is listened to, or one that is gone.
        """
        late, self._expected = self._expected, number
        if self._positions and late <= number and self.highest < late:
            log.warning("the news of who is here do not come: connecting again")
            await self._stop()
            self._positions = {}
            self.highest = late  # what was not heard is made up for
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        await self._stop()
        await self._client.aclose()

    async def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._client.connection_pool.disconnect()

    async def _begin(self) -> None:
        """Find out where the stream ends."""
        last: Any = await self._client.xrevrange(self._news, count=1)
        self._positions = {self._news: "0-0", self._moves: self._moved_at}
        self._number = None
        for name, fields in last:
            self._positions[self._news] = name.decode()
            self._count(int(fields[b"n"]))

    async def _run(self) -> None:
        away = False
        while True:
            try:
                if not self._positions:
                    await self._begin()
                    self._missed()
                    away = False
                self._take(await self._read())
                continue
            except (RedisError, OSError) as error:
                if not away:
                    log.warning("no news of who is here until it answers again: %s", error)
                away = True
            except Exception:
                # Whatever it is, to stop listening would be silence.
                log.exception("news of who is here could not be told")
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
                    self._moved_at = self._positions[name]
                    self._moved(entry)
                else:
                    self._count(int(entry["n"]))
                    self._heard(entry)

    def _count(self, number: int) -> None:
        expected, self._number = self._number, number
        self.highest = max(self.highest, number)
        if expected is not None and number != expected + 1:
            self._missed()


def _text(stored: bytes) -> str:
    """Of a bad byte in a nick nobody is to hear more than that."""
    return stored.decode(errors="replace")
