"""The thread that writes the SQLite log. Nothing here knows of an event loop."""

import hashlib
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

from chatapp.model.message import Message, NonceReused, RoomLimit

__all__ = ["SCHEMA_VERSION", "Entry", "Writer", "new_epoch"]

_SCHEMA = """
create table if not exists meta (key text primary key, value text not null) without rowid;
create table if not exists messages (
    id integer primary key, room text not null, seq integer not null,
    nick text not null, text text not null, at real not null);
create unique index if not exists messages_by_seq on messages (room, seq);
create table if not exists heads (room text primary key, seq integer not null) without rowid;
create table if not exists nonces (
    id integer primary key, room text not null, sender text not null, nonce text not null,
    seq integer not null, nick text not null, digest blob not null, at real not null);
create unique index if not exists nonces_by_name on nonces (room, sender, nonce);
"""
SCHEMA_VERSION = 1
# A nonce is remembered this long after its message: far beyond any client's retries.
_NONCE_SECONDS = 7 * 86400.0
_FORGET_AT_ONCE = 1000


def new_epoch() -> str:
    """Of a log that no client has seen: what it knows of another does not count in this one."""
    return secrets.token_urlsafe(6)


class Entry(NamedTuple):
    """A message to be stored."""

    room: str
    sender: str
    nick: str
    text: str
    nonce: str | None


class Writer:
    """All methods run in one thread. They raise sqlite3.Error where the engine fails."""

    def __init__(
        self,
        path: str,
        history: int,
        max_age: float,
        max_rooms: int,
        clock: Callable[[], float],
    ) -> None:
        self._path = path
        self._history = history
        self._max_age = max_age
        self._max_rooms = max_rooms
        self._clock = clock
        self._heads: dict[str, int] = {}
        self._db: sqlite3.Connection

    def open(self) -> str:
        """Open the file; returns the log's epoch."""
        db = sqlite3.connect(self._path, isolation_level=None)
        try:
            epoch = self._prepare(db)
        except BaseException:
            db.close()
            raise
        self._db = db
        self._load_heads()
        return epoch

    def _prepare(self, db: sqlite3.Connection) -> str:
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        version = db.execute("pragma user_version").fetchone()[0]
        if version not in (0, SCHEMA_VERSION):
            raise sqlite3.DatabaseError(f"made by another version of the chat ({version})")
        db.executescript(_SCHEMA)
        db.execute(f"pragma user_version = {SCHEMA_VERSION}")
        db.execute(
            "insert or ignore into meta values ('epoch', ?)",
            (new_epoch(),),
        )
        epoch: str = db.execute("select value from meta where key = 'epoch'").fetchone()[0]
        return epoch

    def close(self) -> None:
        """Close the file, if it is open, with everything in the database itself.

        What is in the write-ahead log only is easily forgotten by who copies the database.
        """
        if hasattr(self, "_db"):
            db = self._db
            del self._db
            try:
                db.execute("pragma wal_checkpoint(truncate)")
            finally:
                db.close()

    def commit(self, entries: Sequence[Entry]) -> tuple[list[Message | Exception], list[Message]]:
        """Store `entries` in one transaction: the outcome of each, and those that are new."""
        outcomes: list[Message | Exception] = []
        stored: list[Message] = []
        self._db.execute("begin immediate")
        try:
            for entry in entries:
                outcome, new = self._store(entry)
                outcomes.append(outcome)
                if new is not None:
                    stored.append(new)
            self._trim({message.room for message in stored})
            self._db.execute("commit")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("rollback")
            self._load_heads()
            raise
        return outcomes, stored

    def forget_old(self) -> None:
        """Delete messages and nonces past their age, from the oldest on: no gap is made."""
        now = self._clock()
        if self._max_age:
            self._forget("messages", now - self._max_age)
        self._forget("nonces", now - _NONCE_SECONDS)

    def _store(self, entry: Entry) -> tuple[Message | Exception, Message | None]:
        digest = hashlib.blake2b(entry.text.encode(), digest_size=16).digest()
        if entry.nonce is not None:
            known = self._known(entry, digest)
            if known is not None:
                return known, None
        head = self._heads.get(entry.room)
        if head is None and len(self._heads) >= self._max_rooms:
            return RoomLimit(f"there are {self._max_rooms} rooms already"), None
        seq = (head or 0) + 1
        at = round(self._clock(), 3)
        self._db.execute(
            "insert into messages (room, seq, nick, text, at) values (?, ?, ?, ?, ?)",
            (entry.room, seq, entry.nick, entry.text, at),
        )
        if entry.nonce is not None:
            self._db.execute(
                "insert into nonces (room, sender, nonce, seq, nick, digest, at)"
                " values (?, ?, ?, ?, ?, ?, ?)",
                (entry.room, entry.sender, entry.nonce, seq, entry.nick, digest, at),
            )
        self._heads[entry.room] = seq
        message = Message(entry.room, seq, entry.nick, entry.text, at)
        return message, message

    def _known(self, entry: Entry, digest: bytes) -> Message | Exception | None:
        row = self._db.execute(
            "select seq, nick, digest, at from nonces where room = ? and sender = ? and nonce = ?",
            (entry.room, entry.sender, entry.nonce),
        ).fetchone()
        if row is None:
            return None
        seq, nick, known_digest, at = row
        if known_digest != digest:
            return NonceReused(f"nonce {entry.nonce!r} was used for another text")
        return Message(entry.room, seq, nick, entry.text, at)

    def _trim(self, rooms: set[str]) -> None:
        """Write the heads of `rooms` and delete what is beyond their history."""
        heads = [(room, self._heads[room]) for room in rooms]
        self._db.executemany("insert or replace into heads values (?, ?)", heads)
        self._db.executemany(
            "delete from messages where room = ? and seq <= ?",
            [(room, head - self._history) for room, head in heads if head > self._history],
        )

    def _forget(self, table: str, oldest: float) -> None:
        """Delete from the front of `table` while it is older than `oldest`."""
        while True:
            rows = self._db.execute(
                f"select id, at from {table} order by id limit {_FORGET_AT_ONCE}"
            ).fetchall()
            old = 0
            while old < len(rows) and rows[old][1] < oldest:
                old += 1
            if old:
                self._db.execute(f"delete from {table} where id <= ?", (rows[old - 1][0],))
            if old < _FORGET_AT_ONCE:
                return

    def _load_heads(self) -> None:
        self._heads = dict(self._db.execute("select room, seq from heads"))
