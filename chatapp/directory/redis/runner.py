"""Runs the directory's scripts at the engine, and knows whether it answers."""

import logging
from collections.abc import Callable
from typing import Any

from chatapp.directory.directory import DirectoryUnavailable
from chatapp.names import looks
from chatapp.redis.commands import Argument, Commands, Script
from chatapp.redis.engine import Engine, EngineUnavailable

__all__ = ["PREFIX", "ScriptRunner", "looks_of"]

log = logging.getLogger(__name__)

PREFIX = "chat:directory:"
"""All keys of the directory begin with it."""


class ScriptRunner:
    """`clock`: seconds, in place of the engine's own. `down`: the last call had no answer."""

    def __init__(self, engine: Engine, clock: Callable[[], float] | None) -> None:
        self.engine = engine
        self.clock = clock
        self.down = False

    def open(self) -> None:
        """Make the connection's client, on the loop that it is used on."""
        self._commands = Commands(self.engine)

    async def close(self) -> None:
        """Disconnect."""
        await self._commands.close()

    async def run(self, script: Script, *words: Argument) -> Any:
        """What the script returns. Raises DirectoryUnavailable."""
        now: Argument = "" if self.clock is None else round(self.clock() * 1000)
        try:
            return await self._commands.run(script, [PREFIX], [now, *words])
        except EngineUnavailable as error:
            if not self.down:
                log.error("the directory does not answer: %s", error)
            self.down = True
            raise DirectoryUnavailable(str(error)) from error


def looks_of(nick: str) -> str:
    """What the nick looks like, as the scripts take it: texts joined by line breaks."""
    return "\n".join(looks(nick))
