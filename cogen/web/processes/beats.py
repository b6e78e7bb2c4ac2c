"""Telling the service manager that the loop turns, and ending a worker whose loop does not.

WATCHDOG=1 is sent by the loop of the process that the manager has started, itself or a supervisor.
A supervisor asks those that serve for a sign: one that has given none for the manager's time is
told to say what it is at, and killed; another takes its place, and the others are left alone.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from cogen.web.peers import RequestError
from cogen.web.processes.members import Member, Members
from cogen.web.processes.systemd import notify, watchdog_seconds

__all__ = ["beating"]

log = logging.getLogger(__name__)

# Signs in the manager's time, as sd_watchdog_enabled(3) advises.
_SIGNS = 2
# Seconds that one has to say what it is at.
_LAST_WORDS = 1.0


@contextlib.asynccontextmanager
async def beating(members: Members) -> AsyncIterator[None]:
    """Meanwhile the manager is told, if it wants to be."""
    seconds = watchdog_seconds()
    if not seconds:
        yield
        return
    task = asyncio.ensure_future(_Beats(members, seconds).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class _Beats:
    def __init__(self, members: Members, seconds: float) -> None:
        self._members = members
        self._seconds = seconds
        self._asked: dict[Member, asyncio.Task[None]] = {}

    async def run(self) -> None:
        try:
            while True:
                notify("WATCHDOG=1")
                for each in self._members.serving:
                    if each not in self._asked:
                        self._asked[each] = asyncio.ensure_future(self._ask(each))
                await asyncio.sleep(self._seconds / _SIGNS)
        finally:
            for task in list(self._asked.values()):
                task.cancel()

    async def _ask(self, member: Member) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await member.beat()
        except RequestError:
            return  # it is gone, or an older one that knows no beat: it answers
        except TimeoutError:
            log.error(
                "%s has given no sign for %g s: it is killed, and another takes its place",
                member,
                self._seconds,
            )
            member.dump()
            await asyncio.sleep(_LAST_WORDS)
            member.kill()
        finally:
            del self._asked[member]
