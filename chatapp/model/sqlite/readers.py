"""Reading the file: two threads, each with a read-only connection of its own."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

from chatapp.model.message import Message, Slice
from chatapp.model.sqlite.schema import head_of
from chatapp.model.sqlite.threads import Threads

__all__ = ["Readers"]

_READERS = 2
_AFTER = "select seq, nick, text, at from messages where room = ? and seq > ? order by seq limit ?"
_BEFORE = (
    "select seq, nick, text, at from messages where room = ? and seq < ? order by seq desc limit ?"
)


class Readers:
    """They read whoever writes, this process or another."""

    def __init__(self, path: str) -> None:
        self._uri = f"{Path(path).as_uri()}?mode=ro"
        self._threads = Threads(_READERS, "log-reader", path)
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def read(self, room: str, after: int, limit: int) -> Slice:
        """As MessageLog has it."""
        return await self._threads.run(self._select, room, _AFTER, (room, after, limit))

    async def before(self, room: str, seq: int | None, limit: int) -> Slice:
        """As MessageLog has it."""
        highest = 2**62 if seq is None else seq
        held = await self._threads.run(self._select, room, _BEFORE, (room, highest, limit))
        held.messages.reverse()
        return held

    def close(self) -> None:
        self._threads.close()
        for connection in self._connections:
            connection.close()

    def _select(self, room: str, query: str, values: tuple[Any, ...]) -> Slice:
        """Rows and bounds of `room`, all as of one moment. Runs in a reader's thread."""
        connection = self._connection()
        connection.execute("begin")
        try:
            rows = connection.execute(query, values).fetchall()
            last, start = head_of(connection, room)
            first = connection.execute(
                "select min(seq) from messages where room = ?", (room,)
            ).fetchone()
        finally:
            connection.execute("rollback")
        messages = [Message(room, *row) for row in rows]
        return Slice(first[0] or last + 1, last, messages, start)

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self._uri, uri=True, isolation_level=None, check_same_thread=False
            )
            connection.execute("pragma wal_autocheckpoint = 0")
            self._local.connection = connection
            self._connections.append(connection)
        return connection
