"""Reading the file: two threads, each with a read-only connection of its own."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from chatapp.model.holes import Holes, window_after, window_before
from chatapp.model.log import Head, Slice
from chatapp.model.message import FIELDS, Message, message_of
from chatapp.model.sqlite.records import find_records
from chatapp.model.sqlite.schema import head_of
from chatapp.model.sqlite.threads import Threads

__all__ = ["Readers"]

_READERS = 2
_ROWS = (
    f"select {', '.join(field.name for field in FIELDS)} from messages"
    " where room = ? and seq between ? and ? order by seq"
)


class Readers:
    """They read whoever writes, this process or another."""

    def __init__(self, path: str) -> None:
        self._uri = f"{Path(path).as_uri()}?mode=ro"
        self._threads = Threads(_READERS, "log-reader", path)
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._holes = Holes(path)

    async def read(self, room: str, after: int, limit: int) -> Slice:
        """As MessageLog has it."""
        return await self._threads.run(self._select, room, window_after, after, limit)

    async def before(self, room: str, seq: int | None, limit: int) -> Slice:
        """As MessageLog has it."""
        return await self._threads.run(self._select, room, window_before, seq, limit)

    async def rooms(self) -> list[Head]:
        """As MessageLog has it."""
        return await self._threads.run(self._rooms)

    def _rooms(self) -> list[Head]:
        rows = self._connection().execute("select room, seq, at from heads order by at desc")
        heads = []
        for name, seq, at in rows:
            with suppress(AttributeError, TypeError, ValueError):
                heads.append(Head(name.decode(), int(seq), float(at)))
        return heads

    async def records(self, keys: Sequence[str] | str, now: float) -> dict[str, str]:
        """The records that find_records finds. Raises LogUnavailable."""
        return await self._threads.run(self._find, keys, now)

    def _find(self, keys: Sequence[str] | str, now: float) -> dict[str, str]:
        return find_records(self._connection(), keys, now)

    def close(self) -> None:
        """Wait for the reads that have begun, then close the connections."""
        self._threads.close()
        for connection in self._connections:
            connection.close()

    def _select(self, room: str, window_of: Callable[..., range], *place: Any) -> Slice:
        """Rows and bounds of `room`, all as of one moment. Runs in a reader's thread."""
        connection = self._connection()
        connection.execute("begin")
        try:
            last, start = head_of(connection, room)
            first = connection.execute(
                "select min(seq) from messages where room = ?", (room,)
            ).fetchone()
            bounds = first[0] or last + 1, last, start
            window = window_of(*bounds[:2], *place)
            messages = _messages(connection, room, window)
        finally:
            # Where SQLite fails it may have ended the transaction by itself.
            if connection.in_transaction:
                connection.execute("rollback")
        return self._holes.slice(room, bounds, window, messages)

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self._uri, uri=True, isolation_level=None, check_same_thread=False
            )
            connection.text_factory = bytes  # what is damaged is no text
            connection.execute("pragma wal_autocheckpoint = 0")
            self._local.connection = connection
            self._connections.append(connection)
        return connection


def _messages(connection: sqlite3.Connection, room: str, window: range) -> list[Message]:
    """Those in `window` that can be read."""
    if not window:
        return []
    try:
        rows = connection.execute(_ROWS, (room, window[0], window[-1])).fetchall()
    except sqlite3.DatabaseError as error:
        if not _is_damage(error):
            raise
        rows = list(_one_by_one(connection, room, window))
    messages = []
    for row in rows:
        with suppress(ValueError):
            messages.append(message_of(row))
    return messages


def _one_by_one(connection: sqlite3.Connection, room: str, window: range) -> Iterator[Any]:
    """The rows that are on pages that can be read."""
    for seq in window:
        try:
            yield from connection.execute(_ROWS, (room, seq, seq)).fetchall()
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_CORRUPT
