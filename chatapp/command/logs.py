"""The message log as `chatapp check` judges it: whether it is there and would open."""

import asyncio
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from chatapp.backends import Backend, MemoryBackend, RedisBackend, SQLiteBackend
from chatapp.command.findings import Finding, folder_findings, mode_findings
from chatapp.model.sqlite.files import Lock
from chatapp.model.sqlite.schema import VERSIONS

__all__ = ["holder_of", "log_findings"]


def holder_of(backend: Backend) -> str:
    """The process that writes the log, in words; empty if none does or, but for SQLite, always."""
    if not isinstance(backend, SQLiteBackend):
        return ""
    lock = Lock(backend.path)
    if not lock.exists():
        return ""
    try:
        if not lock.take_nowait():
            return lock.holder()
    except PermissionError:
        return ""  # that it is not to be written is another finding
    lock.release()
    return ""


def log_findings(backend: Backend) -> Iterator[Finding]:
    """What is wrong with the log of `backend`; a Redis is asked for it."""
    if isinstance(backend, SQLiteBackend):
        yield from _of_database(backend.path)
    elif isinstance(backend, RedisBackend):
        yield from _of_redis(backend)
    elif isinstance(backend, MemoryBackend):
        yield Finding("memory: forgets everything when the server ends", is_error=False)


def _of_database(path: str) -> Iterator[Finding]:
    yield from folder_findings("the folder", os.path.dirname(path))
    if not os.path.exists(path):
        return
    if not os.access(path, os.R_OK | os.W_OK):
        yield Finding(f"{path} is not to be read and written")
        return
    yield from mode_findings(path, 0o007, "can be read by everybody")
    # What no server has is not to be changed by a look, as by making the files that go with it.
    look = "mode=ro" if os.path.exists(f"{path}-wal") else "immutable=1"
    try:
        uri = f"{Path(path).as_uri()}?{look}"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            version = database.execute("pragma user_version").fetchone()[0]
    except sqlite3.Error as error:
        yield Finding(f"{path}: {error}")
        return
    if version not in (0, *VERSIONS):
        yield Finding(f"{path} is of another version of the chat ({version})")


def _of_redis(backend: RedisBackend) -> Iterator[Finding]:
    try:
        from redis.exceptions import RedisError

        from chatapp.redis.engine import Engine, advice
    except ModuleNotFoundError as error:
        yield Finding(str(backend.without_client(error)))
        return
    try:
        engine = Engine(backend.url)
    except ValueError as error:
        yield Finding(f"{error}")
        return
    try:
        info = asyncio.run(_info(engine))
    except (RedisError, OSError) as error:
        yield Finding(f"{engine}: {error}")
    else:
        for line in advice(info):
            yield Finding(f"{engine}: {line}", is_error=False)


async def _info(engine: Any) -> Mapping[str, Any]:
    async with engine.client() as client:
        info: Mapping[str, Any] = await client.info()
        return info
