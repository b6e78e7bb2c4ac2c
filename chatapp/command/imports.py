"""`chatapp import`: the rooms of an export, with the numbers that their messages have."""

import asyncio
import os
import sys
import time

from chatapp.backends import SQLiteBackend
from chatapp.command.beside import Nobody
from chatapp.command.community import Place, place
from chatapp.community.asking import Unfit, checked_reason
from chatapp.community.book import Book
from chatapp.community.edits import Edit
from chatapp.console.deeds import console_deed
from chatapp.console.errors import ConsoleError
from chatapp.console.importing import Import, read_import
from chatapp.lib.wire import BadInput, checked_room
from chatapp.model.log import LogUnavailable
from chatapp.model.sqlite.adopting import Adopting, CannotAdopt
from chatapp.model.sqlite.files import Lock
from chatapp.names import folded

__all__ = ["import_chat"]


def import_chat(file: str, ini: str | None, data: str, reason: str = "") -> None:
    """Take the rooms of the export in `file`, `-` is standard input, all of them or none.

    Ends the program with one line if it cannot.
    """
    where = place(ini, data)
    try:
        found = _read(file)
        count = _taken(where, found, checked_reason(reason))
    except (CannotAdopt, ConsoleError, LogUnavailable, Unfit) as error:
        raise SystemExit(f"chatapp: {error}") from None
    except OSError as error:
        raise SystemExit(f"chatapp: {error.filename}: {error.strerror or error}") from None
    sys.stdout.write(f"taken in: rooms {len(found.names)}, messages {count}\n")


def _read(file: str) -> Import:
    try:
        if file == "-":
            found = read_import(sys.stdin)
        else:
            with open(file, encoding="utf-8") as lines:
                found = read_import(lines)
    except UnicodeDecodeError as error:
        raise ConsoleError(f"{file}: {error}") from None
    for name in found.names:
        try:
            checked_room(name)
        except BadInput as error:
            raise ConsoleError(f"{name!r:.40}: {error}") from None
    return found


def _taken(where: Place, found: Import, reason: str) -> int:
    """How many messages were stored."""
    if not isinstance(where.backend, SQLiteBackend):
        raise ConsoleError("an import goes into a log in SQLite")
    path = where.backend.path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.geteuid() == 0 != os.stat(os.path.dirname(path)).st_uid:
        raise ConsoleError(f"{path} belongs to another user: be that one, who serves")
    lock = Lock(path)
    if not lock.take_nowait():
        raise ConsoleError(f"{path} is in use by a server, {lock.holder()}: stop that first")
    try:
        return asyncio.run(_adopted(where, path, lock, found, reason))
    finally:
        lock.release()


async def _adopted(where: Place, path: str, lock: Lock, found: Import, reason: str) -> int:
    records = Adopting(path, found.messages)
    records.open(lock)
    options = where.options
    log = where.backend.log(
        Nobody(), history=options.history, max_age=options.max_age, max_rooms=options.max_rooms
    )
    log.records = records
    book = Book(log)
    there = {folded(name): name for name in records.rooms()}
    if there and options.max_age:
        raise ConsoleError("where chat.max_age is set, an import goes into an empty log")
    count = sum(map(len, found.messages.values()))

    def decide() -> Edit:
        for name in sorted(found.names):
            called = there.get(folded(name)) or book.called(name)
            if called is not None:
                raise ConsoleError(f"there is a room called {called} already: nothing is taken in")
        more = f"{len(found.names)} rooms, {count} messages"
        deed = console_deed(time.time(), "import", more=more, reason=reason)
        return Edit(found.rooms, deed=deed)

    await book.change(decide)
    return count
