"""Writing the file, which one process does at a time.

One thread writes, in group commits: all that was pushed while the last commit ran goes into the
next. `synchronous=FULL` with WAL makes an answered message survive a power failure; group commit
pays for it.
"""

import asyncio
import logging
from collections.abc import Sequence

from chatapp.model.log import LogObserver, LogUnavailable, Stored
from chatapp.model.sqlite.entries import Entry
from chatapp.model.sqlite.files import Lock, keep_private
from chatapp.model.sqlite.threads import Threads
from chatapp.model.sqlite.writer import Writer

__all__ = ["MAX_WAITING", "Store"]

log = logging.getLogger(__name__)

# Messages that wait to be stored; more are refused rather than kept in memory.
MAX_WAITING = 10_000
_SWEEP_SECONDS = 60.0
# Where a removed text is not out of all files yet, it is tried again, seldomer and seldomer.
_FIRST_DELAY, _LAST_DELAY = 0.5, 60.0


class Store:
    """The file at `path` while it is this process that writes it; it can be opened again."""

    def __init__(self, path: str, writer: Writer, observer: LogObserver) -> None:
        self.writer = writer
        self._path = path
        self._observer = observer
        self._lock = Lock(path)
        self._waiting: list[tuple[Entry, asyncio.Future[Stored]]] = []
        self._committing: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._erasing: asyncio.Task[None] | None = None

    async def open(self, patience: float) -> str:
        """Returns the epoch. Raises LogUnavailable; LogInUse, after `patience` seconds."""
        self.thread = Threads(1, "log-writer", self._path)
        try:
            await self._lock.take(patience)
            keep_private(self._path)
            epoch = await self.thread.run(self.writer.open, self._lock)
        except BaseException as error:
            await self._release()
            if isinstance(error, OSError):
                raise LogUnavailable(
                    f"{error.filename or self._path}: {error.strerror or error}"
                ) from error
            raise
        self._sweeping = asyncio.create_task(self._sweep())
        self._erasing = asyncio.create_task(self._erase())
        return epoch

    async def close(self) -> None:
        """Store what was accepted, and let go of the file."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        if self._committing is not None:
            await asyncio.wait((self._committing,))
        if self._erasing is not None:
            self._erasing.cancel()
            self._erasing = None
        try:
            await self._release()
        except LogUnavailable as error:
            log.warning("the newest messages stay in %s-wal: %s", self._path, error)

    async def _release(self) -> None:
        try:
            await self.thread.run(self.writer.close)
        finally:
            self.thread.close()
            self._lock.release()

    async def check(self) -> None:
        """Raises LogUnavailable if the files are not those any more that were opened."""
        await self.thread.run(self.writer.check)

    async def append(self, entry: Entry) -> Stored:
        """As MessageLog has it."""
        if len(self._waiting) >= MAX_WAITING:
            raise LogUnavailable("too many messages wait to be stored")
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, future))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit())
        return await future

    async def _commit(self) -> None:
        """Store what waits, and what comes to wait meanwhile."""
        while self._waiting:
            batch, self._waiting = self._waiting, []
            entries = [entry for entry, _ in batch]
            outcomes: Sequence[Stored | Exception]
            try:
                outcomes, stored = await self.thread.run(self.writer.commit, entries)
            except LogUnavailable as error:
                outcomes = [error] * len(batch)
            except Exception as error:
                # Whatever it is, those who wait are answered, and those who come after.
                log.exception("%s: messages could not be stored", self._path)
                outcomes = [LogUnavailable(f"{self._path}: {error}")] * len(batch)
            else:
                if stored:
                    self._observer.appended(stored)
                if any(entry.removes for entry in entries) and not await self._has_erased():
                    self._erase_later()
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.done():
                    continue
                if isinstance(outcome, Exception):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)
        self._committing = None

    def _erase_later(self) -> None:
        if self._erasing is None or self._erasing.done():
            log.warning(
                "%s: what was removed stays in its write-ahead log while somebody reads it",
                self._path,
            )
            self._erasing = asyncio.create_task(self._erase())

    async def _erase(self) -> None:
        """Go on until what was removed is in no file."""
        delay = _FIRST_DELAY
        while not await self._has_erased():
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LAST_DELAY)

    async def _has_erased(self) -> bool:
        try:
            return await self.thread.run(self.writer.erase)
        except LogUnavailable as error:
            if not error.told:
                log.warning("what was removed could not be erased yet: %s", error)
        except Exception:
            log.exception("%s: what was removed could not be erased", self._path)
        return False

    async def _sweep(self) -> None:
        while True:
            try:
                await self.thread.run(self.writer.forget_old)
            except LogUnavailable as error:
                if not error.told:
                    log.warning("old messages could not be deleted: %s", error)
            except Exception:
                log.exception("%s: old messages could not be deleted", self._path)
            await asyncio.sleep(_SWEEP_SECONDS)
