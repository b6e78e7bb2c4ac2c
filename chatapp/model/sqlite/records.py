"""The records in the SQLite file, each with the Unix time until which it is kept, if there is one.

Whoever has a connection can read and change them: the server by its own, and an import, while no
server has the file.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from chatapp.model.clock import Clock
from chatapp.model.log import LogUnavailable
from chatapp.model.records import Record, Records

__all__ = ["FileRecords", "change_records", "find_records", "forget_records"]

_KEPT = "(expires is null or expires > ?)"
# Keys in one question: SQLite takes 32,766 variables.
_AT_ONCE = 500


def find_records(db: sqlite3.Connection, keys: Sequence[str] | str, now: float) -> dict[str, str]:
    """Those of `keys`, or whose key begins with that text, that are there at that Unix time."""
    found: dict[str, str] = {}
    if isinstance(keys, str):
        question = f"select key, text from records where substr(key, 1, ?) = ? and {_KEPT}"
        rows = db.execute(f"{question} order by key", (len(keys), keys, now))
        return {_text(key): _text(text) for key, text in rows}
    for at in range(0, len(keys), _AT_ONCE):
        some = keys[at : at + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        rows = db.execute(
            f"select key, text from records where key in ({marks}) and {_KEPT}", (*some, now)
        )
        found.update((_text(key), _text(text)) for key, text in rows)
    return found


def change_records(
    db: sqlite3.Connection,
    found: Mapping[str, str | None],
    changes: Mapping[str, Record | None],
    now: float,
) -> bool:
    """As Records has it, in the transaction that has begun."""
    there = find_records(db, list(found), now)
    if any(there.get(key) != text for key, text in found.items()):
        return False
    for key, record in changes.items():
        if record is None:
            db.execute("delete from records where key = ?", (key,))
        else:
            expires = None if record.seconds is None else now + record.seconds
            db.execute(
                "insert or replace into records values (?, ?, ?)", (key, record.text, expires)
            )
    return True


def forget_records(db: sqlite3.Connection, now: float) -> None:
    """Delete those whose time is over."""
    db.execute("delete from records where expires <= ?", (now,))


def _text(stored: str | bytes) -> str:
    return stored.decode(errors="replace") if isinstance(stored, bytes) else stored


class FileRecords(Records):
    """Those of the database at `path`, from outside of its server."""

    def __init__(self, path: str, clock: Clock | None = None) -> None:
        self._path = path
        self._clock = clock or Clock()

    async def get(self, keys: Sequence[str]) -> dict[str, str]:
        with self._transaction() as db:
            return find_records(db, keys, self._clock.wall())

    async def change(
        self, found: Mapping[str, str | None], changes: Mapping[str, Record | None]
    ) -> bool:
        with self._transaction() as db:
            return change_records(db, found, changes, self._clock.wall())

    async def all(self, prefix: str) -> dict[str, str]:
        with self._transaction() as db:
            return find_records(db, prefix, self._clock.wall())

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        uri = f"{Path(self._path).absolute().as_uri()}?mode=rw"
        try:
            with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db:
                db.execute("begin immediate")
                with db:
                    yield db
        except sqlite3.Error as error:
            raise LogUnavailable(f"{self._path}: {error}") from error
