"""The message log in an SQLite file, the embedded default.

One thread writes, in group commits: all that was pushed while the last commit ran goes into the
next. Two threads read, each over its own read-only connection. `synchronous=FULL` with WAL makes
an answered message survive a power failure; group commit pays for it.
"""

import asyncio
import fcntl
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, TypeVar

from chatapp.model.message import LogObserver, LogUnavailable, Message, MessageLog, Slice
from chatapp.model.sqlitewriter import Entry, Writer

__all__ = ["SQLiteLog"]

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")

_READERS = 2
# Messages that wait for the disk; more are refused rather than kept in memory.
_MAX_WAITING = 10_000
# A reload's old process may still be answering its last polls.
_LOCK_SECONDS = 12.0
_LOCK_RETRY = 0.05
_SWEEP_SECONDS = 60.0


class SQLiteLog(MessageLog):
    """Keeps `history` messages a room, none older than `max_age` seconds (0: any age)."""

    def __init__(
        self,
        observer: LogObserver,
        path: str,
        history: int,
        max_age: float,
        max_rooms: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._observer = observer
        self._path = Path(path)
        self._writer = Writer(self._path, history, max_age, max_rooms, clock)
        self._lock: IO[Any] | None = None
        self._waiting: list[tuple[Entry, asyncio.Future[Message]]] = []
        self._committing: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def open(self) -> None:
        self._write_thread = ThreadPoolExecutor(1, "log-writer")
        self._read_threads = ThreadPoolExecutor(_READERS, "log-reader")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            await self._take_lock()
            self.epoch = await self._in(self._write_thread, self._writer.open)
        except OSError as error:
            await self._release()
            raise LogUnavailable(f"{self._path}: {error.strerror}") from error
        except LogUnavailable:
            await self._release()
            raise
        self._sweeping = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        if self._committing is not None:
            await self._committing
        await self._release()

    async def _release(self) -> None:
        await self._in(self._write_thread, self._writer.close)
        self._write_thread.shutdown()
        self._read_threads.shutdown()
        for connection in self._connections:
            connection.close()
        if self._lock is not None:
            self._lock.close()

    async def append(
        self, room: str, sender: str, nick: str, text: str, nonce: str | None = None
    ) -> Message:
        if len(self._waiting) >= _MAX_WAITING:
            raise LogUnavailable("too many messages wait to be stored")
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting.append((Entry(room, sender, nick, text, nonce), future))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit())
        return await future

    async def read(self, room: str, after: int, limit: int) -> Slice:
        return await self._in(
            self._read_threads,
            self._select,
            room,
            "select seq, nick, text, at from messages where room = ? and seq > ?"
            " order by seq limit ?",
            (room, after, limit),
        )

    async def before(self, room: str, seq: int | None, limit: int) -> Slice:
        held = await self._in(
            self._read_threads,
            self._select,
            room,
            "select seq, nick, text, at from messages where room = ? and seq < ?"
            " order by seq desc limit ?",
            (room, 2**62 if seq is None else seq, limit),
        )
        held.messages.reverse()
        return held

    async def _commit(self) -> None:
        """Store what waits, and what comes to wait meanwhile."""
        while self._waiting:
            batch, self._waiting = self._waiting, []
            entries = [entry for entry, _ in batch]
            outcomes: Sequence[Message | Exception]
            try:
                outcomes, stored = await self._in(self._write_thread, self._writer.commit, entries)
            except LogUnavailable as error:
                outcomes = [error] * len(batch)
            else:
                if stored:
                    self._observer.appended(stored)
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.done():
                    continue
                if isinstance(outcome, Exception):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)
        self._committing = None

    async def _sweep(self) -> None:
        while True:
            try:
                await self._in(self._write_thread, self._writer.forget_old)
            except LogUnavailable as error:
                log.warning("old messages could not be deleted: %s", error)
            await asyncio.sleep(_SWEEP_SECONDS)

    async def _in(
        self, threads: ThreadPoolExecutor, function: Callable[..., _Result], *args: Any
    ) -> _Result:
        """Run `function` in one of `threads`; the engine's errors become LogUnavailable."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(threads, function, *args)
        except sqlite3.Error as error:
            raise LogUnavailable(f"{self._path}: {error}") from error

    def _select(self, room: str, query: str, values: tuple[Any, ...]) -> Slice:
        """Rows and bounds of `room`, all as of one moment. Runs in a reader's thread."""
        connection = self._reader()
        connection.execute("begin")
        try:
            rows = connection.execute(query, values).fetchall()
            last = connection.execute("select seq from heads where room = ?", (room,)).fetchone()
            first = connection.execute(
                "select min(seq) from messages where room = ?", (room,)
            ).fetchone()
        finally:
            connection.execute("rollback")
        head = last[0] if last else 0
        return Slice(first[0] or head + 1, head, [Message(room, *row) for row in rows])

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.execute("pragma wal_autocheckpoint = 0")
            self._local.connection = connection
            self._connections.append(connection)
        return connection

    async def _take_lock(self) -> None:
        """One process at a time: two writers would number messages alike."""
        lock = open(f"{self._path}.lock", "a")  # noqa: SIM115 (held until close)
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    lock.close()
                    raise LogUnavailable(
                        f"{self._path} is in use by another process; for several workers or "
                        "machines use redis://"
                    ) from None
                await asyncio.sleep(_LOCK_RETRY)
            else:
                self._lock = lock
                return
