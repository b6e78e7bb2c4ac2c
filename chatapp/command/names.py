"""`chatapp names` and `chatapp free`: which names are kept, and one that is to be anybody's."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatapp.backends import Backend, RedisBackend, SQLiteBackend
from chatapp.command.copies import chat_backend
from chatapp.identity.names import free_name, kept_names
from chatapp.model import LogUnavailable, Records
from chatapp.model.sqlite.copies import CopyFailed
from chatapp.model.sqlite.records import FileRecords

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
    async with _records(backend) as records:
        for nick in sorted({name.nick for name in await kept_names(records)}):
            sys.stdout.write(f"{nick}\n")


async def _free(backend: Backend, name: str) -> None:
    async with _records(backend) as records:
        freed = sorted({each.nick for each in await free_name(records, name)})
    if not freed:
        raise SystemExit(f"chatapp: the name {name} is not kept")
    sys.stdout.write(f"anybody can take {', '.join(freed)} now\n")


@asynccontextmanager
async def _records(backend: Backend) -> AsyncIterator[Records]:
    """Those beside the log of `backend`, whether a server runs or not."""
    try:
        if isinstance(backend, SQLiteBackend):
            yield FileRecords(backend.path)
        elif isinstance(backend, RedisBackend):
            async with _of_redis(backend) as records:
                yield records
        else:
            raise SystemExit("chatapp: memory: keeps names in the server's process alone")
    except LogUnavailable as error:
        raise SystemExit(f"chatapp: {error}") from None


@asynccontextmanager
async def _of_redis(backend: RedisBackend) -> AsyncIterator[Records]:
    try:
        from chatapp.model.redis.records import EngineRecords
    except ModuleNotFoundError as error:
        raise SystemExit(f"chatapp: {backend.without_client(error)}") from None
    records = EngineRecords(backend.url)
    try:
        yield records
    finally:
        await records.close()
