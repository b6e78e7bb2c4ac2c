"""Threads in which SQLite is called."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from chatapp.model.log import LogUnavailable

__all__ = ["Threads"]

_Result = TypeVar("_Result")


class Threads:
    """`count` threads, called `name`, for the file at `path`."""

    def __init__(self, count: int, name: str, path: str) -> None:
        self._executor = ThreadPoolExecutor(count, name)
        self._path = path

    async def run(self, function: Callable[..., _Result], *args: Any) -> _Result:
        """What `function` returns in one of them. Raises LogUnavailable if the engine fails."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, function, *args)
        except sqlite3.Error as error:
            raise LogUnavailable(f"{self._path}: {error}") from error

    def close(self) -> None:
        """Wait for what they do, and end them."""
        self._executor.shutdown()
