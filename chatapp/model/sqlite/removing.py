"""Taking a message's text out of the database, and out of every file that belongs to it.

SQLite overwrites what a row no longer has, and the pages that are freed, where `secure_delete` is
on. What is left then is the write-ahead log, in which the text stands as it was stored: all of it
is put into the database, and the log cut off. That has to wait for whoever reads what was before,
so a mark in the database says that it is to be done; it goes with the same transaction.

A file that an older version made may have copies of rows in its free space, which was not
overwritten: the first time that something is removed the database is written anew.
"""

import logging
import sqlite3
from collections.abc import Sequence

from chatapp.model.log import NoSuchMessage
from chatapp.model.message import LASTING, REMOVED, Message

__all__ = ["begin_clean", "empty", "erase", "has_to_erase", "overwrite_deleted", "without_text"]

log = logging.getLogger(__name__)

# Readers are through with what they read long before that, but for one from outside.
_READERS_MILLISECONDS = 200

_EMPTY = (
    f"update messages set kind = '{REMOVED}', text = '', nonce = null"
    f" where room = ? and seq = ? and kind not in ({', '.join('?' * len(LASTING))})"
)


def overwrite_deleted(db: sqlite3.Connection) -> None:
    """Of what this connection deletes from now on nothing is left in the database."""
    db.execute("pragma secure_delete = on")


def begin_clean(db: sqlite3.Connection) -> None:
    """The database is new: nothing was ever deleted from it otherwise."""
    db.execute("insert or ignore into meta values ('clean', '')")


def empty(db: sqlite3.Connection, room: str, seq: int) -> None:
    """Take the text of that message away, in the transaction that has begun.

    Raises NoSuchMessage.
    """
    if not db.execute(_EMPTY, (room, seq, *LASTING)).rowcount:
        raise NoSuchMessage(f"{room} has no message {seq}")
    db.execute("insert or ignore into meta values ('erasing', '')")


def without_text(messages: Sequence[Message], removal: Message) -> list[Message]:
    """The same messages, of which `removal` removes one perhaps."""
    place = removal.room, removal.about
    return [each.emptied() if (each.room, each.seq) == place else each for each in messages]


def has_to_erase(db: sqlite3.Connection) -> bool:
    """Whether texts that were taken away may still be in a file."""
    return _has(db, "erasing")


def erase(db: sqlite3.Connection) -> bool:
    """See to it that texts that were taken away are in no file; False: somebody reads it now."""
    if not _has(db, "clean"):
        log.warning("the database is written anew: it has free space of an older version")
        db.execute("vacuum")
        begin_clean(db)
    [patience] = db.execute("pragma busy_timeout").fetchone()
    db.execute(f"pragma busy_timeout = {_READERS_MILLISECONDS}")
    try:
        is_busy, _, _ = db.execute("pragma wal_checkpoint(truncate)").fetchone()
    finally:
        db.execute(f"pragma busy_timeout = {patience}")
    if is_busy:
        return False
    db.execute("delete from meta where key = 'erasing'")
    return True


def _has(db: sqlite3.Connection, key: str) -> bool:
    return db.execute("select 1 from meta where key = ?", (key,)).fetchone() is not None
