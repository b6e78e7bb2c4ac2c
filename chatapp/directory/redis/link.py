"""The way to the engine: runs the directory's scripts, and knows whether it answers."""

import logging
from collections.abc import Callable
from typing import Any

from redis import exceptions as redis_exceptions

from chatapp.directory.directory import DirectoryUnavailable
from chatapp.model import LogUnavailable
from chatapp.model.redis.commands import Argument, Commands, Script
from chatapp.model.redis.engine import Engine

__all__ = ["PREFIX", "Link"]

log = logging.getLogger(__name__)

PREFIX = "chat:directory:"


class Link:
    """`clock`: seconds, in place of the engine's own. `down`: the last call had no answer;
    `stalled`: it was waited for in vain."""

    def __init__(self, engine: Engine, clock: Callable[[], float] | None) -> None:
        self.engine = engine
        self.clock = clock
        self.down = False
        self.stalled = False

    def open(self) -> None:
        """On the loop that it is used on."""
        self._commands = Commands(self.engine)

    async def close(self) -> None:
        await self._commands.close()

    async def run(self, script: Script, *words: Argument) -> Any:
        """What the script returns. Raises DirectoryUnavailable."""
        now: Argument = "" if self.clock is None else round(self.clock() * 1000)
        try:
            answer = await self._commands.run(script, [PREFIX], [now, *words])
        except LogUnavailable as error:
            if not self.down:
                log.error("the directory does not answer: %s", error)
            self.down = True
            self.stalled = isinstance(error.__cause__, TimeoutError | redis_exceptions.TimeoutError)
            raise DirectoryUnavailable(str(error)) from error
        self.stalled = False
        return answer

    def check(self) -> None:
        """For who asks several things in turn: to wait for an engine that stands still once is
        enough. Raises DirectoryUnavailable."""
        if self.stalled:
            raise DirectoryUnavailable(f"{self.engine} stands still")
