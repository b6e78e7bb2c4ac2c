"""The verbs of who is in charge: by the running chat, or where none runs beside its log.

A running chat of one process is asked by its control socket. Where the log is in Redis the verb is
done there by itself, and all workers follow.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from chatapp.backends import Backend, MemoryBackend, SQLiteBackend
from chatapp.command.beside import run_beside
from chatapp.command.copies import chat_backend, only_chat
from chatapp.console.client import NotReached, ask
from chatapp.console.errors import ConsoleError
from chatapp.model.log import LogInUse, LogUnavailable
from chatapp.model.sqlite.copies import CopyFailed
from chatapp.model.sqlite.files import Lock
from chatapp.options import ChatOptions

__all__ = ["Place", "do", "place", "print_done"]

# A server that is just replaced by another one is there again in that time.
_PATIENCE_SECONDS = 15.0
_MEMORY_PATIENCE_SECONDS = 1.0
_RETRY_SECONDS = 0.1


class Place(NamedTuple):
    """Which chat is meant."""

    options: ChatOptions
    backend: Backend


def place(ini: str | None, data: str) -> Place:
    """The chat of the ini, or of `chatapp serve --data`. Ends the program with one line."""
    try:
        if ini is not None:
            chat = only_chat(ini)
            return Place(chat.options, chat.backend)
        return Place(ChatOptions(data=data), chat_backend(None, data))
    except (CopyFailed, ValueError) as error:
        raise SystemExit(f"chatapp: {error}") from None


def print_done(verb: str, ini: str | None, data: str, **given: Any) -> None:
    """Do what the verb means, and print what comes of it. Ends the program with one line."""
    do(place(ini, data), verb, given, lambda line: sys.stdout.write(f"{line}\n"))


def do(where: Place, verb: str, given: Mapping[str, Any], tell: Callable[[str], object]) -> None:
    """Do what the verb means, and tell each line of what comes of it.

    Ends the program with one line if it cannot be done.
    """
    try:
        if where.backend.shared:
            asyncio.run(run_beside(where.options, where.backend, verb, given, tell))
        else:
            _do_alone(where, verb, given, tell)
    except (ConsoleError, LogUnavailable, ValueError) as error:
        raise SystemExit(f"chatapp: {error}") from None


def _do_alone(
    where: Place, verb: str, given: Mapping[str, Any], tell: Callable[[str], object]
) -> None:
    """By the server, or where none runs beside the log, which one process at a time has.

    Raises ConsoleError, LogUnavailable.
    """
    backend = where.backend
    if isinstance(backend, SQLiteBackend):
        backend = SQLiteBackend(backend.path, patience=0)
    is_memory = isinstance(backend, MemoryBackend)
    patience = _MEMORY_PATIENCE_SECONDS if is_memory else _PATIENCE_SECONDS
    deadline = time.monotonic() + patience
    while not _asked(where, verb, given, tell, deadline):
        try:
            asyncio.run(run_beside(where.options, backend, verb, given, tell))
        except LogInUse:  # by a server that has started since, which can be asked
            continue
        return


def _asked(
    where: Place,
    verb: str,
    given: Mapping[str, Any],
    tell: Callable[[str], object],
    deadline: float,
) -> bool:
    """Whether the running chat was asked; False: none runs, and its log can be had.

    Raises ConsoleError.
    """
    while True:
        try:
            for line in ask(where.options.data, verb, given, where.backend.name):
                tell(line)
        except NotReached as error:
            missing = str(error)
        else:
            return True
        if isinstance(where.backend, SQLiteBackend):
            holder = _holder(where.backend.path)
            if not holder:
                return False
            missing = f"{where.backend.path} is in use by {holder}, and {missing}"
        if time.monotonic() > deadline:
            raise ConsoleError(f"the chat cannot be asked: {missing}")
        time.sleep(_RETRY_SECONDS)


def _holder(path: str) -> str:
    """The process that has the database, in words; empty: none. Raises ConsoleError."""
    if not os.path.exists(path):
        raise ConsoleError(f"there is no chat: {path} is not there")
    if os.geteuid() == 0 != os.stat(path).st_uid:
        raise ConsoleError(f"{path} belongs to another user, and no chat runs: be that one")
    lock = Lock(path)
    try:
        if not lock.take_nowait():
            return lock.holder()
    except OSError as error:
        raise ConsoleError(f"{error.filename}: {error.strerror or error}") from None
    lock.release()
    return ""
