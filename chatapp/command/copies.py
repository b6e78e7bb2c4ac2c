"""`chatapp backup` and `chatapp restore`: the messages, as one file."""

import os
import sys
from collections.abc import Iterator, Sequence

from chatapp.backends import Backend, SQLiteBackend
from chatapp.command.sections import Chat, IniError, Section, chat_of, sections
from chatapp.lib.secret import secret_path
from chatapp.model.sqlite.copies import CopyFailed, back_up, restore

__all__ = ["back_up_chat", "chat_backend", "only_chat", "restore_chat"]


def back_up_chat(copy: str, ini: str | None, data: str) -> None:
    """Copy the log of the chat to the file `copy`. Ends the program with one line if it cannot."""
    try:
        path, others = _files(ini, data)
        back_up(path, copy, others)
    except CopyFailed as error:
        raise SystemExit(f"chatapp: {error}") from None


def restore_chat(copy: str, ini: str | None, data: str) -> None:
    """Have the chat go on from `copy`. Ends the program with one line if it cannot."""
    try:
        path, others = _files(ini, data)
        kept = restore(path, copy, others)
    except CopyFailed as error:
        raise SystemExit(f"chatapp: {error}") from None
    if kept:
        sys.stdout.write(f"what was there is kept in {kept}\n")


def _files(ini: str | None, data: str) -> tuple[str, Sequence[str]]:
    """The database of the chat of the ini, or of `chatapp serve --data`; what else the chat has."""
    if ini is None:
        path = os.path.realpath(os.path.join(data, "chat.db"))
        return path, (str(secret_path("", data)),)
    chat = only_chat(ini)
    if not isinstance(chat.backend, SQLiteBackend):
        raise CopyFailed(f"{ini}: chat.log is not in SQLite, which alone is copied here")
    secret = secret_path(chat.options.secret_file, chat.options.data)
    return chat.backend.path, (str(secret), ini)


def chat_backend(ini: str | None, data: str) -> Backend:
    """That of the chat of the ini, or of `chatapp serve --data`. Raises CopyFailed."""
    if ini is None:
        return SQLiteBackend(_files(None, data)[0])
    return only_chat(ini).backend


def only_chat(ini: str) -> Chat:
    """The chat of the ini, which has one. Raises CopyFailed."""
    try:
        chats = [chat_of(section) for section in _chats(ini)]
    except (IniError, ValueError) as error:
        raise CopyFailed(f"{ini}: {error}") from None
    if len(chats) != 1:
        raise CopyFailed(f"{ini} has {len(chats)} sections of a chat: it takes one")
    return chats[0]


def _chats(ini: str) -> Iterator[Section]:
    for section in sections(ini):
        if isinstance(section, IniError):
            raise section
        if section.is_chat:
            yield section
