"""Taking in rooms with their messages under the numbers that they have, all or nothing."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing

from chatapp.model.log import LogUnavailable
from chatapp.model.message import Message, values_of
from chatapp.model.records import Record
from chatapp.model.sqlite.files import Lock, keep_private
from chatapp.model.sqlite.records import FileRecords, change_records
from chatapp.model.sqlite.removing import begin_clean, overwrite_deleted
from chatapp.model.sqlite.schema import INSERT, count, head_of, is_new, prepare

__all__ = ["Adopting", "CannotAdopt"]


class CannotAdopt(Exception):
    """A room's numbers were given out here already; the message says which."""


class Adopting(FileRecords):
    """Records of the database at `path`, of which no server has the lock: with the first change
    of them the `messages`, by room, are stored too."""

    def __init__(self, path: str, messages: Mapping[str, Sequence[Message]]) -> None:
        super().__init__(path)
        self._messages = messages

    def open(self, lock: Lock) -> None:
        """Make the database if need be; `lock` is taken. Raises LogUnavailable, OSError."""
        assert lock.file()
        keep_private(self._path)
        try:
            with closing(sqlite3.connect(self._path, isolation_level=None)) as db:
                new = is_new(db)
                prepare(db, self._path)
                overwrite_deleted(db)
                if new:
                    begin_clean(db)
        except sqlite3.Error as error:
            raise LogUnavailable(f"{self._path}: {error}") from error

    def rooms(self) -> list[str]:
        """Those in which somebody has spoken."""
        with self._transaction() as db:
            return [name for [name] in db.execute("select room from heads")]

    async def change(
        self, found: Mapping[str, str | None], changes: Mapping[str, Record | None]
    ) -> bool:
        """As Records has it. Raises CannotAdopt."""
        with self._transaction() as db:
            if not change_records(db, found, changes, self._clock.wall()):
                return False
            self._store(db)
        self._messages = {}
        return True

    def _store(self, db: sqlite3.Connection) -> None:
        for room, messages in self._messages.items():
            if messages:
                self._begin(db, room, messages)
        # By age, as what is deleted first is at the front.
        rows = sorted(
            (message for messages in self._messages.values() for message in messages),
            key=lambda message: (message.at, message.seq),
        )
        db.executemany(INSERT, map(values_of, rows))
        count(db, len(rows))

    def _begin(self, db: sqlite3.Connection, room: str, messages: Sequence[Message]) -> None:
        last, _ = head_of(db, room)
        first = messages[0].seq
        if first <= last:
            raise CannotAdopt(
                f"{room}: messages up to {last} were numbered here, and the first is {first}"
            )
        db.execute(
            "insert into heads (room, seq, start, at) values (?, ?, ?, ?)",
            (room, messages[-1].seq, 0, messages[-1].at),
        )
