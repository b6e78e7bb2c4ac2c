"""Whole copies of the database: one is made while it is written, one is put in its place.

A copy is one file, without a write-ahead log beside it, for its owner alone.
"""

import os
import secrets
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from chatapp.model.sqlite.files import Lock, database_files, keep_private, name_one
from chatapp.model.sqlite.schema import VERSIONS, begin_epoch

__all__ = ["CopyFailed", "back_up", "restore"]


# What SQLite says of a file that it writes: of the copy, for the database is only read.
_UNWRITTEN = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_TRUNCATE")


# What the file of a copy begins with (SQLite's file format, section 1.3): the two bytes 1 say that
# it has no write-ahead log, which the database of a chat has.
_MAGIC = b"SQLite format 3\0"
_LEGACY = slice(18, 20)


class CopyFailed(Exception):
    """Nothing was copied; the message says why, in one line."""


def back_up(path: str, to: str, others: Sequence[str] = ()) -> None:
    """Copy the database at `path` to the file `to`, whether a server has it or not.

    What was answered before the call is in it. A copy that is there already is replaced when the
    new one is whole; no other file is. `others`: what the chat has beside the database's files.
    Raises CopyFailed.
    """
    if not os.path.exists(path):
        raise CopyFailed(f"{path} is not there")
    _refuse_own(to, path, others)
    with _errors_of(to):
        if not _may_be_replaced(to):
            raise CopyFailed(f"{to} is there and is no copy of a chat: it is not replaced")
    with _errors_of(path), _drafted(to) as draft, closing(_reader(path)) as source:
        _copy(source, draft)
    with _errors_of(path):
        _tidy(path)


def restore(path: str, copy: str, others: Sequence[str] = ()) -> str:
    """Put the database in the file `copy` in the place of the one at `path`, which no server has.

    It begins another epoch: clients are told of a gap, and get all that is kept again. Returns
    where the database that was there is kept, empty if there was none. `others`: what the chat has
    beside the database's files. Raises CopyFailed.
    """
    if not os.path.exists(copy):
        raise CopyFailed(f"{copy} is not there")
    _refuse_own(copy, path, others)
    if any(name_one(path, other) for other in others):
        raise CopyFailed(f"{path} has something else of the chat: no database takes its place")
    folder = os.path.dirname(path)
    lock = Lock(path)
    with _errors_of(path):
        os.makedirs(folder, exist_ok=True)
        if os.geteuid() == 0 != os.stat(folder).st_uid:
            raise CopyFailed(f"{folder} belongs to another user: be that one, who serves")
        if not lock.take_nowait():
            raise CopyFailed(f"{path} is in use by a server, {lock.holder()}: stop that first")
        try:
            with _drafted(path) as draft:
                with _errors_of(copy), closing(_reader(copy)) as source:
                    _copy(source, draft)
                with closing(sqlite3.connect(draft)) as database, database:
                    begin_epoch(database)
                return _put_aside(path)
        finally:
            lock.release()


def _refuse_own(file: str, path: str, others: Sequence[str]) -> None:
    if name_one(file, path):
        raise CopyFailed(f"{file} is the database itself")
    for own in (*database_files(path)[1:], *others):
        if name_one(file, own):
            raise CopyFailed(f"{file} belongs to the chat: a copy is a file of its own")


def _may_be_replaced(path: str) -> bool:
    """Whether nothing is there, or an empty file, or a copy; a folder has an error of its own."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return True
    if not stat.S_ISREG(mode):
        return stat.S_ISDIR(mode)
    with open(path, "rb") as file:
        head = file.read(_LEGACY.stop)
    return not head or (head.startswith(_MAGIC) and head[_LEGACY] == b"\1\1")


def _reader(path: str) -> sqlite3.Connection:
    """Reads what is in the write-ahead log too, and leaves it where it is."""
    source = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)
    try:
        source.execute("pragma wal_autocheckpoint = 0")
        version = source.execute("pragma user_version").fetchone()[0]
        if version not in VERSIONS:
            raise CopyFailed(f"{path} is no database of this version of the chat")
    except BaseException:
        source.close()
        raise
    return source


def _tidy(path: str) -> None:
    """Where no server is, the reader has left files that would seem to belong to the database."""
    lock = Lock(path)
    if lock.exists() and lock.take_nowait():
        try:
            with closing(sqlite3.connect(path)) as database:
                database.execute("pragma wal_checkpoint(truncate)")
        finally:
            lock.release()


def _copy(source: sqlite3.Connection, draft: str) -> None:
    with closing(sqlite3.connect(draft)) as database:
        source.backup(database)
        database.execute("pragma journal_mode = delete")
        found = database.execute("pragma quick_check(1)").fetchone()[0]
    if found != "ok":
        raise CopyFailed(f"the copy is damaged: {' '.join(found.split())}")


@contextmanager
def _drafted(path: str) -> Iterator[str]:
    """A private file beside `path`, which takes its place at the end.

    Nobody has asked for it: where it cannot be written, CopyFailed says so of `path`.
    """
    draft = f"{path}.{secrets.token_hex(4)}"
    try:
        keep_private(draft)
        yield draft
        _sync(draft)
        os.replace(draft, path)
        _sync(os.path.dirname(os.path.abspath(path)))
    except OSError as error:
        if error.filename in (None, draft):
            raise CopyFailed(f"{path}: {error.strerror or error}") from None
        raise
    except sqlite3.Error as error:
        if error.sqlite_errorname.startswith(_UNWRITTEN):
            raise CopyFailed(f"{path}: {error}") from None
        raise
    finally:
        for each in (draft, f"{draft}-journal"):
            with suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(each)


def _put_aside(path: str) -> str:
    """Rename the database at `path`, with all that belongs to it; it may be damaged."""
    if not os.path.exists(path):
        return ""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as database:
        database.execute("pragma wal_checkpoint(truncate)")
    kept = f"{path}.{datetime.now():%Y%m%d-%H%M%S.%f}"
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            os.rename(path + suffix, kept + suffix)
    return kept


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _errors_of(path: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise CopyFailed(f"{path}: {error}") from None
    except OSError as error:
        raise CopyFailed(f"{error.filename or path}: {error.strerror or error}") from None
