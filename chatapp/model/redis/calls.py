"""What the log asks of the engine."""

from collections.abc import Sequence
from typing import Any

from chatapp.model.log import LogUnavailable
from chatapp.redis.commands import Argument, Commands, Script
from chatapp.redis.engine import EngineUnavailable

__all__ = ["Calls"]


class Calls(Commands):
    """Commands whose failure is the log's."""

    async def run(
        self, script: Script, keys: Sequence[Argument], arguments: Sequence[Argument] = ()
    ) -> Any:
        """As of Commands. Raises LogUnavailable."""
        try:
            return await super().run(script, keys, arguments)
        except EngineUnavailable as error:
            raise LogUnavailable(str(error)) from error.__cause__
