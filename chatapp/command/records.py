"""The records of a chat from outside of its server, which may run or not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatapp.backends import Backend, RedisBackend, SQLiteBackend
from chatapp.model import LogUnavailable, Records
from chatapp.model.sqlite.records import FileRecords

__all__ = ["records_of"]


@asynccontextmanager
async def records_of(backend: Backend) -> AsyncIterator[Records]:
    """Those beside the log of `backend`. Ends the program with one line if they cannot be had."""
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
