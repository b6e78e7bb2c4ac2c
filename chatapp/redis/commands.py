"""One connection for many callers: what is asked for while a batch is under way is the next one.

A script is one step for the engine. Here it is sent by its digest, and once in full where the
engine has forgotten it. A batch whose answer does not come is not sent again: nobody knows what
became of it, so everybody in it is told that. What could not be sent in time is not sent later.
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from typing import Any

from redis.exceptions import NoScriptError, RedisError

from chatapp.redis.engine import Engine, EngineUnavailable

__all__ = ["Argument", "Commands", "Script"]

log = logging.getLogger(__name__)

Argument = str | bytes | int | float
"""What a script may be given: text is sent as UTF-8."""

# Calls that wait for their turn; more are refused rather than kept in memory.
_MAX_WAITING = 10_000
_BATCH = 500


class Script:
    """A script in Lua, which the engine runs as one step."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class _Call:
    __slots__ = ("future", "late", "script", "values")

    def __init__(self, script: Script, values: Sequence[Argument]) -> None:
        self.script = script
        self.values = values
        self.late = False  # whoever asked was told that there is no answer
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def settle(self, answer: Any) -> None:
        """`answer` is the result, or why there is none. Whoever asked may have left."""
        if self.future.done():
            return
        if isinstance(answer, Exception):
            self.future.set_exception(answer)
        else:
            self.future.set_result(answer)


class Commands:
    """Runs scripts on `engine`, each batch in the order in which it was asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._client = engine.client()
        self._waiting: list[_Call] = []
        self._sending: asyncio.Task[None] | None = None

    async def run(
        self, script: Script, keys: Sequence[Argument], arguments: Sequence[Argument] = ()
    ) -> Any:
        """What `script` returns for these keys and arguments: bytes, int, None or lists of them.

        Raises EngineUnavailable if the engine did not do it, or did not say whether it did.
        """
        if len(self._waiting) >= _MAX_WAITING:
            raise EngineUnavailable(f"{self._engine}: too many calls wait for an answer")
        # Encoded here, so that text that is no Unicode fails its own call and no other.
        values = [v.encode() if isinstance(v, str) else v for v in (*keys, *arguments)]
        call = _Call(script, (len(keys), *values))
        self._waiting.append(call)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        patience = self._engine.patience
        try:
            async with asyncio.timeout(patience):
                return await call.future
        except TimeoutError as error:
            call.late = True
            self._engine.answered(in_time=False)
            raise EngineUnavailable(f"{self._engine}: no answer in {patience:g} s") from error

    async def disconnect(self) -> None:
        """Begin again with a new connection: with Sentinels, to what is the master now."""
        await self._client.connection_pool.disconnect(inuse_connections=False)

    async def close(self) -> None:
        """Send what was accepted, then disconnect."""
        if self._sending is not None:
            await self._sending
        await self._client.aclose()

    async def _send(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
                batch = [call for call in batch if not call.late]
                if batch:
                    await self._settle(batch)
        finally:
            self._sending = None

    async def _settle(self, batch: Sequence[_Call]) -> None:
        answers = await self._answers(batch)
        for call, answer in zip(batch, answers, strict=True):
            call.settle(self._unavailable(answer) if isinstance(answer, Exception) else answer)

    async def _answers(self, batch: Sequence[_Call]) -> list[Any]:
        """The answer to each call, or the exception in its place."""
        answers = await self._exchange("EVALSHA", batch)
        forgotten = [n for n, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if forgotten:
            again = await self._exchange("EVAL", [batch[n] for n in forgotten])
            for n, answer in zip(forgotten, again, strict=True):
                answers[n] = answer
        return answers

    async def _exchange(self, command: str, batch: Sequence[_Call]) -> list[Any]:
        try:
            pipeline = self._client.pipeline(transaction=False)
            for call in batch:
                script = call.script.digest if command == "EVALSHA" else call.script.text
                pipeline.execute_command(command, script, *call.values)
            answers: list[Any] = await pipeline.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            return [error] * len(batch)
        except Exception as error:
            # Whatever it is, those who wait are answered, and those who come after.
            log.exception("%s: calls could not be sent", self._engine)
            return [error] * len(batch)
        self._engine.answered(in_time=True)
        return answers

    def _unavailable(self, error: Exception) -> EngineUnavailable:
        unavailable = EngineUnavailable(f"{self._engine}: {error}")
        unavailable.__cause__ = error
        return unavailable
