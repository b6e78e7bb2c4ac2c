"""The message log in an SQLite file, the embedded default.

One process writes the file, from a thread of its own; threads read it over read-only connections.
At a reload the file goes from the old process to the new one: the old one lets go of it, goes on
reading, and has what is still pushed to it stored by the new one.
"""

import asyncio
import logging
import os
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from chatapp.model.clock import Clock
from chatapp.model.log import Ask, Head, LogObserver, LogUnavailable, MessageLog, Slice, Stored
from chatapp.model.message import Draft
from chatapp.model.records import Record, Records
from chatapp.model.sqlite.entries import Entry
from chatapp.model.sqlite.readers import Readers
from chatapp.model.sqlite.store import Store
from chatapp.model.sqlite.succession import (
    NoSuccessor,
    Successor,
    reply_to,
    reply_to_change,
)
from chatapp.model.sqlite.writer import Writer
from cogen.web.peers import Answer

__all__ = ["LOCK_SECONDS", "SQLiteLog"]

log = logging.getLogger(__name__)

_Read = TypeVar("_Read")

# A process that lost its supervisor may still be answering its last polls.
LOCK_SECONDS = 12.0
"""Seconds for which a server waits until another process has let go of the file."""
# Where the file could not be opened again, it is tried again at a push, not more often than this.
_REOPEN_SECONDS = 1.0


class SQLiteLog(MessageLog):
    """Keeps `history` messages a room, none older than `max_age` seconds (0: any age).

    `patience`: seconds for which `open` waits where another process has the file.
    """

    def __init__(
        self,
        observer: LogObserver,
        path: str,
        history: int,
        max_age: float,
        max_rooms: int,
        clock: Clock | None = None,
        patience: float = LOCK_SECONDS,
    ) -> None:
        # Through links, so that a lock is one on the file itself.
        self.path = os.path.realpath(path)
        self._patience = patience
        self._clock = clock or Clock()
        writer = Writer(
            self.path, history, max_age, max_rooms, self._clock, observer.occupied, observer.kept
        )  # fmt: skip
        self.records = _OpenRecords(self)
        self._store = Store(self.path, writer, observer)
        self._observer = observer
        self._readers: Readers | None = None
        self._is_open = False
        self._opening = asyncio.Lock()
        self._failed: tuple[float, LogUnavailable] | None = None
        self._successor: Successor | None = None

    async def open(self) -> None:
        try:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
        except OSError as error:
            raise LogUnavailable(
                f"{error.filename or self.path}: {error.strerror or error}"
            ) from error
        self.epoch = await self._store.open(self._patience)
        self._is_open = True
        self._readers = Readers(self.path)

    async def close(self) -> None:
        # What writes last can put everything into the file itself.
        if self._readers is not None:
            self._readers.close()
        if self._is_open:
            self._is_open = False
            await self._store.close()

    async def append(self, draft: Draft, session: str, opens: bool = True) -> Stored:
        return await self._append(Entry(draft, session, opens))

    async def remove(self, room: str, seq: int, draft: Draft) -> Stored:
        removal = replace(draft, room=room).as_removal(seq)
        return await self._append(Entry(removal, "", opens=False, removes=True))

    async def rooms(self) -> list[Head]:
        assert self._readers is not None
        return await self._explained(self._readers.rooms())

    def canonical_names(self, rooms: Sequence[str]) -> Mapping[str, str]:
        return self._store.writer.names.of(rooms)

    async def read(self, room: str, after: int, limit: int) -> Slice:
        assert self._readers is not None
        return await self._explained(self._readers.read(room, after, limit))

    async def before(self, room: str, seq: int | None, limit: int) -> Slice:
        assert self._readers is not None
        return await self._explained(self._readers.before(room, seq, limit))

    async def _explained(self, reading: Coroutine[Any, Any, _Read]) -> _Read:
        """What SQLite says of files that somebody has changed tells nobody that they were."""
        try:
            return await reading
        except LogUnavailable:
            if self._is_open:
                await self._store.check()
            raise

    # From process to process.

    def answers(self) -> Mapping[str, Answer]:
        return {
            f"chat.append {self.path}": self._answer,
            f"chat.change {self.path}": self._answer_change,
        }

    async def _answer(self, asked: Any) -> Any:
        return await reply_to(self._append, asked)

    async def _answer_change(self, asked: Any) -> Any:
        return await reply_to_change(self.records, asked)

    async def hand_over(self, ask: Ask) -> None:
        self._successor = Successor(ask, self.path)
        if self._is_open:
            self._is_open = False
            await self._store.close()

    async def take_back(self) -> None:
        self._successor = None
        await self._reopen()

    async def _append(self, entry: Entry) -> Stored:
        if self._successor is not None:
            try:
                return await self._successor.append(entry)
            except NoSuccessor:
                # What serves now has its log elsewhere.
                self._successor = None
        if not self._is_open:
            await self._reopen()
        return await self._store.append(entry)

    async def find_records(self, keys: Sequence[str] | str) -> dict[str, str]:
        """The records under `keys`, or whose key begins with that text. Raises LogUnavailable."""
        assert self._readers is not None
        return await self._readers.records(keys, self._clock.wall())

    async def change_records(
        self, found: Mapping[str, str | None], changes: Mapping[str, Record | None]
    ) -> bool:
        """As Records has it."""
        if self._successor is not None:
            try:
                return await self._successor.change(found, changes)
            except NoSuccessor:
                self._successor = None
        if not self._is_open:
            await self._reopen()
        store = self._store
        return await store.thread.run(store.writer.change, found, changes)

    async def _reopen(self) -> None:
        """Open the file again. Raises LogUnavailable."""
        async with self._opening:
            if self._is_open:
                return
            now = time.monotonic()
            if self._failed is not None and now < self._failed[0] + _REOPEN_SECONDS:
                raise self._failed[1]
            try:
                epoch = await self._store.open(0)
            except LogUnavailable as error:
                self._failed = (now, error)
                raise
            self._is_open = True
            if epoch != self.epoch:
                self.epoch = epoch
                self._observer.recreated(epoch)


class _OpenRecords(Records):
    """Those in the file of `log`."""

    def __init__(self, log: SQLiteLog) -> None:
        self._log = log

    async def get(self, keys: Sequence[str]) -> dict[str, str]:
        return await self._log.find_records(keys)

    async def change(
        self, found: Mapping[str, str | None], changes: Mapping[str, Record | None]
    ) -> bool:
        return await self._log.change_records(found, changes)

    async def all(self, prefix: str) -> dict[str, str]:
        return await self._log.find_records(prefix)
