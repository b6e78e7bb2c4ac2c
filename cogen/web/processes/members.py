"""The processes of a server: who is alive, who serves, what they ask each other, how they end."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from cogen.web.peers import PEERS_TIMEOUT, RequestError, Router

__all__ = ["Member", "Members"]

log = logging.getLogger(__name__)

# One that serves has its shutdown_timeout to stop by itself, and this much more to end.
_STOP_MARGIN = 0.95
# One that does not serve yet has nothing to answer.
_START_MARGIN = 0.5
# Seconds to take back what was handed over.
_TAKE_BACK_SECONDS = 2.0


class Member(Protocol):
    """A process of a server: a Child, or the one that all this runs in."""

    number: int
    retired: bool
    """It may end: another serves in its place."""

    @property
    def serves(self) -> bool:
        """Whether it has come to serve."""

    async def hand_over(self) -> None:
        """Let go of what only one process can have. Raises RequestError."""

    async def take_back(self) -> None:
        """Have again what was handed over, if anything was. Raises RequestError."""

    async def request(self, name: str, data: Any) -> Any:
        """What its application answers. Raises RequestError."""

    def retire(self) -> None:
        """Answer what it holds, and end."""

    def stop(self) -> None:
        """End gracefully: also one that retires, and waits for nothing any more."""

    def kill(self) -> None:
        """End at once, if it is another process."""

    async def beat(self) -> None:
        """Return when it has given a sign that its loop turns. Raises RequestError."""

    def dump(self) -> None:
        """Have its log tell what it is at. May be called in any thread."""

    def reopen_log_files(self) -> None:
        """Let go of log files that were moved away, if it is another process."""

    async def wait(self) -> None:
        """Return when it has ended."""

    async def close(self) -> None:
        """Let go of what was used to talk to it, once it has ended."""


class Members(Router):
    """They are a Router. `alive` are all, `serving` those whose places nobody else has taken."""

    def __init__(self, shutdown_timeout: float) -> None:
        self.alive: set[Member] = set()
        self.serving: list[Member] = []
        self._patience = shutdown_timeout + _STOP_MARGIN
        self._served = asyncio.Event()  # one serves, and has what only one can have
        self._leaving: set[asyncio.Task[None]] = set()

    # Coming and going.

    def serve(self, members: Iterable[Member]) -> None:
        """They serve from now on."""
        self.alive.update(members)
        self.serving += members
        self._served.set()

    async def hand_over(self, member: Member) -> None:
        """Requests wait from now on, until one serves or takes back. Raises RequestError."""
        self._served.clear()
        await member.hand_over()

    async def take_back(self, members: Sequence[Member]) -> None:
        """All is as it was before they handed over."""
        await asyncio.gather(*map(self._take_back, members))
        if self.serving:
            self._served.set()

    async def _take_back(self, member: Member) -> None:
        try:
            async with asyncio.timeout(_TAKE_BACK_SECONDS):
                await member.take_back()
        except (RequestError, TimeoutError) as error:
            why = str(error) or "it does not answer"
            log.error("%s could not take back what it had handed over: %s", member, why)

    def retire(self, members: Iterable[Member]) -> None:
        """Others serve in their place: they answer what they hold and end."""
        for each in members:
            if each.serves and not each.retired:
                each.retired = True
                each.retire()
                self._leave(each)
        self.serving = [each for each in self.serving if not each.retired]

    def dismiss(self, members: Iterable[Member]) -> None:
        """Have them end, and do not wait for it."""
        for each in members:
            each.stop()
            self._leave(each)

    def _leave(self, member: Member) -> None:
        task = asyncio.ensure_future(self._see_off(member))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def end(self, members: Iterable[Member]) -> None:
        """Stop them, gracefully, and after a deadline by force; return when they have ended."""
        members = list(members)
        for each in members:
            each.stop()
        await asyncio.gather(*map(self._see_off, members))

    async def _see_off(self, member: Member) -> None:
        try:
            async with asyncio.timeout(self._patience if member.serves else _START_MARGIN):
                await member.wait()
        except TimeoutError:
            log.warning("%s did not stop in time", member)
            member.kill()
            await member.wait()
        await self.forget(member)

    async def forget(self, member: Member) -> None:
        """It has ended."""
        self.alive.discard(member)
        if member in self.serving:
            self.serving.remove(member)
        if not self.serving:
            self._served.clear()
        await member.close()

    async def end_all(self) -> None:
        """As `end`, of all that are alive."""
        await self.end(self.alive)
        await asyncio.gather(*self._leaving)

    def kill_all(self) -> None:
        """May be called in any thread."""
        for each in list(self.alive):
            each.kill()

    def dump_all(self) -> None:
        """May be called in any thread."""
        for each in list(self.alive):
            if each.serves:
                each.dump()

    # Requests of one to others.

    async def ask_current(self, name: str, data: Any) -> Any:
        while not self._served.is_set():
            await self._served.wait()
        return await self.serving[-1].request(name, data)

    async def ask_all(self, name: str, data: Any) -> dict[int, Any]:
        asked = {
            each.number: asyncio.ensure_future(each.request(name, data)) for each in self.serving
        }
        if asked:
            _, late = await asyncio.wait(asked.values(), timeout=PEERS_TIMEOUT)
            for task in late:
                task.cancel()
        return {
            number: task.result()
            for number, task in asked.items()
            if task.done() and not task.cancelled() and task.exception() is None
        }

    async def outlived(self) -> None:
        """Return when none is left that others have replaced."""
        await asyncio.gather(*(each.wait() for each in self.alive if each.retired))
