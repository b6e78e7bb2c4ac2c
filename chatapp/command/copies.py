"""`chatapp backup` and `chatapp restore`: the messages, as one file."""

import os
import sys
from collections.abc import Iterator

from chatapp.backends import SQLiteBackend
from chatapp.command.sections import IniError, Section, chat_of, sections
from chatapp.model.sqlite.copies import CopyFailed, back_up, restore

__all__ = ["back_up_chat", "restore_chat"]


def back_up_chat(copy: str, ini: str | None, data: str) -> None:
    """Copy the log of the chat to the file `copy`. Ends the program with one line if it cannot."""
    try:
        back_up(_database(ini, data), copy)
    except CopyFailed as error:
        raise SystemExit(f"chatapp: {error}") from None


def restore_chat(copy: str, ini: str | None, data: str) -> None:
    """Have the chat go on from `copy`. Ends the program with one line if it cannot."""
    try:
        kept = restore(_database(ini, data), copy)
    except CopyFailed as error:
        raise SystemExit(f"chatapp: {error}") from None
    if kept:
        sys.stdout.write(f"what was there is kept in {kept}\n")


def _database(ini: str | None, data: str) -> str:
    """The file in which the chat of the ini, or of `chatapp serve --data`, keeps its messages."""
    if ini is None:
        return os.path.realpath(os.path.join(data, "chat.db"))
    try:
        backends = [chat_of(section).backend for section in _chats(ini)]
    except (IniError, ValueError) as error:
        raise CopyFailed(f"{ini}: {error}") from None
    if len(backends) != 1:
        raise CopyFailed(f"{ini} has {len(backends)} sections of a chat: it takes one")
    if not isinstance(backends[0], SQLiteBackend):
        raise CopyFailed(f"{ini}: chat.log is not in SQLite, which alone is copied here")
    return backends[0].path


def _chats(ini: str) -> Iterator[Section]:
    for section in sections(ini):
        if isinstance(section, IniError):
            raise section
        if section.is_chat:
            yield section
