"""Follows what is changed beside the log, by whichever process."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from chatapp.directory import DirectoryUnavailable
from chatapp.model import LogUnavailable, MessageLog

__all__ = ["Follower", "Following"]

log = logging.getLogger(__name__)

# Who is banned is out at each worker within a second, also where one is slow for a moment.
_LOOK_SECONDS = 0.25


class Follower(Protocol):
    """What is kept under `key` tells whether something has changed."""

    key: str

    async def look(self, text: str | None, missed: bool) -> None:
        """That is kept there now; `missed`: for a time nobody could look.

        Raises LogUnavailable, DirectoryUnavailable.
        """


class Following:
    """Keeps `followers` as things are beside `log`, a quarter of a second late."""

    def __init__(self, log: MessageLog, followers: Sequence[Follower]) -> None:
        self._log = log
        self._followers = followers
        self._task: asyncio.Task[None] | None = None
        self._missed = False

    async def start(self) -> None:
        """The log is open."""
        try:
            await self._look()
        except (LogUnavailable, DirectoryUnavailable) as error:
            log.error("what is kept beside the log is not known yet: %s", error)
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Before the log is closed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self._look()
            except (LogUnavailable, DirectoryUnavailable) as error:
                if not self._missed:
                    log.info("what is kept beside the log is not known now: %s", error)
                self._missed = True
            except Exception:
                log.exception("what is kept beside the log could not be read")
                self._missed = True

    async def _look(self) -> None:
        found = await self._log.records.get([each.key for each in self._followers])
        for follower in self._followers:
            await follower.look(found.get(follower.key), self._missed)
        self._missed = False
