"""`chatapp names` and `chatapp free`: which names are kept, and one that is to be anybody's."""

import asyncio
import sys

from chatapp.backends import Backend
from chatapp.command.copies import chat_backend
from chatapp.command.records import records_of
from chatapp.identity.names import free_name, kept_names
from chatapp.model.sqlite.copies import CopyFailed

__all__ = ["free_chat_name", "print_names"]


def print_names(ini: str | None, data: str) -> None:
    """Print the names that are kept, each once. Ends the program with one line if it cannot."""
    asyncio.run(_print_names(_backend(ini, data)))


def free_chat_name(name: str, ini: str | None, data: str) -> None:
    """Have a name be anybody's. Ends the program with one line if it is not kept."""
    asyncio.run(_free(_backend(ini, data), name))


def _backend(ini: str | None, data: str) -> Backend:
    try:
        return chat_backend(ini, data)
    except (CopyFailed, ValueError) as error:
        raise SystemExit(f"chatapp: {error}") from None


async def _print_names(backend: Backend) -> None:
    async with records_of(backend) as records:
        for nick in sorted({name.nick for name in await kept_names(records)}):
            sys.stdout.write(f"{nick}\n")


async def _free(backend: Backend, name: str) -> None:
    async with records_of(backend) as records:
        freed = sorted({each.nick for each in await free_name(records, name)})
    if not freed:
        raise SystemExit(f"chatapp: the name {name} is not kept")
    sys.stdout.write(f"anybody can take {', '.join(freed)} now\n")
