"""The tables of the file, and files that an older version made.

messages  those that are held, with a column for each field (chatapp.model.message); `id` is the
          order in which they were stored
heads     of each room: the newest seq, the one after which it began, and when somebody last spoke
gone      of rooms that gave way: the last seq, by slot (chatapp.model.rooms)
nonces    the message that each was used for, and a digest of its text; `nick` is of older versions,
          and empty
steps     of the machine's clock (chatapp.model.sqlite.ages)
records   what the chat knows beside messages (chatapp.model.records), by key; `expires`: Unix time
meta      the log's epoch, how many messages were ever stored, and what the clock last said; what
          is to be erased yet (chatapp.model.sqlite.removing)
"""

import logging
import secrets
import sqlite3

from chatapp.model.message import FIELDS
from chatapp.model.rooms import slot

__all__ = ["INSERT", "VERSIONS", "begin_epoch", "count", "head_of", "is_new", "prepare"]

log = logging.getLogger(__name__)

INSERT = (
    f"insert into messages ({', '.join(field.name for field in FIELDS)})"
    f" values ({', '.join('?' * len(FIELDS))})"
)
"""Stores a message, of whose fields the values are given in their order."""

_COLUMNS = ", ".join(f"{field.name} {field.column}" for field in FIELDS)
_TABLES = f"""
create table if not exists meta (key text primary key, value text not null) without rowid;
create table if not exists messages (id integer primary key, {_COLUMNS});
create unique index if not exists messages_by_seq on messages (room, seq);
create table if not exists heads (
    room text primary key, seq integer not null,
    start integer not null default 0, at real not null default 0) without rowid;
create table if not exists gone (slot text primary key, seq integer not null) without rowid;
create table if not exists steps (
    id integer primary key, messages integer not null, nonces integer not null,
    seconds real not null);
create table if not exists nonces (
    id integer primary key, room text not null, session text not null, nonce text not null,
    seq integer not null, nick text not null, digest blob not null, at real not null);
create unique index if not exists nonces_by_name on nonces (room, session, nonce);
create table if not exists records (
    key text primary key, text text not null, expires real) without rowid;
create index if not exists records_by_end on records (expires) where expires is not null;
"""
# That of the other tables, or of the newest field of a message.
_VERSION = max(4, *(field.since for field in FIELDS))
VERSIONS = tuple(range(1, _VERSION + 1))
"""Those that can be read; what is written is the last."""

_FROM_1 = """
alter table heads add column start integer not null default 0;
alter table heads add column at real not null default 0;
update heads set at = coalesce((select messages.at from messages
    where messages.room = heads.room order by messages.seq desc limit 1), 0);
"""

# No row is touched by it: what is damaged keeps no file from being opened.
_FROM_2 = "alter table nonces rename column sender to session;"


def _from(version: int) -> str:
    """What makes a file of that version one of this: nothing of a new one."""
    if not version:
        return ""
    columns = "".join(
        f"alter table messages add column {field.name} {field.column};"
        for field in FIELDS
        if field.since > version
    )
    others = "".join(made for since, made in ((1, _FROM_1), (2, _FROM_2)) if version <= since)
    return columns + others


def _new_epoch() -> str:
    """Of a log that no client has seen: what it knows of another does not count in this one."""
    return secrets.token_urlsafe(6)


def is_new(db: sqlite3.Connection) -> bool:
    """Whether the file has no tables of the chat yet: it was not there, or empty."""
    return not db.execute("pragma user_version").fetchone()[0]


def prepare(db: sqlite3.Connection, path: str) -> str:
    """Make the tables in the file at `path` if need be; returns the log's epoch."""
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    version = db.execute("pragma user_version").fetchone()[0]
    if version not in (0, *VERSIONS):
        raise sqlite3.DatabaseError(
            f"made by a newer version of the chat (its tables have version {version}, "
            f"this one knows those up to {_VERSION}): serve it with that one"
        )
    if 0 < version < _VERSION:
        log.warning(
            "%s: its tables are of version %d from now on, and were of %d: "
            "an older version of the chat will refuse it",
            path, _VERSION, version,
        )  # fmt: skip
    # Where nothing is to be made nothing is written: the disk may be full.
    numbered = f"pragma user_version = {_VERSION};" if version != _VERSION else ""
    db.executescript(f"begin immediate; {_from(version)} {_TABLES} {numbered} commit;")
    db.execute("insert or ignore into meta values ('epoch', ?)", (_new_epoch(),))
    db.execute(
        "insert or ignore into meta values ('stored', (select coalesce(sum(seq), 0) from heads))"
    )
    epoch: str = db.execute("select value from meta where key = 'epoch'").fetchone()[0]
    return epoch


def count(db: sqlite3.Connection, stored: int) -> int:
    """Count messages that are stored in this transaction; returns how many there ever were."""
    if stored:
        db.execute("update meta set value = value + ? where key = 'stored'", (stored,))
    found = db.execute("select cast(value as integer) from meta where key = 'stored'").fetchone()
    return int(found[0])


def begin_epoch(db: sqlite3.Connection) -> str:
    """Have the log go on under another epoch, which is returned."""
    epoch = _new_epoch()
    db.execute("update meta set value = ? where key = 'epoch'", (epoch,))
    return epoch


def head_of(db: sqlite3.Connection, room: str) -> tuple[int, int]:
    """The newest seq of the room, and the one after which it began or would begin."""
    head = db.execute("select seq, start from heads where room = ?", (room,)).fetchone()
    if head is not None:
        return head[0], head[1]
    gone = db.execute("select seq from gone where slot = ?", (slot(room),)).fetchone()
    return (gone[0], gone[0]) if gone is not None else (0, 0)
