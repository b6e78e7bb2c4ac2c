"""Starts the processes that serve on the same listening sockets, restarts them, replaces them.

Workers are the same command run again, so a reload brings new code. All accept from the same
queue in the kernel: a connection that waits there while processes change is taken by the next.

At a reload the new process loads the application while those before serve. Then they are asked to
hand over what only one process can have, like the file of a log; the new one starts; they retire.
If it does not come to serve, they take back what they handed over, and all is as before.
"""

import asyncio
import contextlib
import functools
import logging
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

from cogen.web.options import Options
from cogen.web.peers import Answer, RequestError
from cogen.web.processes.beats import beating
from cogen.web.processes.child import Child, ChildEnded
from cogen.web.processes.logs import reopen_log_files
from cogen.web.processes.members import Member, Members
from cogen.web.processes.signals import Signals
from cogen.web.processes.systemd import notify

__all__ = ["StartFailed", "Supervisor"]

log = logging.getLogger(__name__)

# Seconds before a process is started again in place of one that ended: doubled each time.
_FIRST_DELAY, _LAST_DELAY = 0.1, 10.0
# One that has served this long died of something new.
_LONG_LIVED = 30.0
# Where there are several, none has what others need: one that is stuck is not waited for longer.
_HAND_OVER_SECONDS = 5.0


class StartFailed(Exception):
    """A new process does not serve, and is gone; the message says why."""


class Supervisor:
    """Keeps processes running that accept from `socks`, by `command`.

    They are the workers that `options` ask for, or the one that takes the place of `itself`, the
    process in which this runs.
    """

    def __init__(
        self,
        command: Sequence[str],
        socks: Sequence[socket.socket],
        options: Options,
        itself: Member | None = None,
    ) -> None:
        self._command = command
        self._socks = socks
        self._start_timeout = options.reload_timeout or None
        self._count = 1 if itself is not None else options.workers
        self.members = Members(options.shutdown_timeout)
        self._turn = asyncio.Lock()  # of starting, where there can be one only
        self._keepers: dict[Member, asyncio.Task[None]] = {}
        self._delay = _FIRST_DELAY
        if itself is not None:
            self.members.serve([itself])

    async def start(self) -> None:
        """Start the workers; return when all serve. Raises StartFailed, once none is left."""
        await self._bring_up(range(1, self._count + 1), timeout=None)

    async def run(self, signals: Signals) -> None:
        """Do what `signals` ask for; return when all have ended."""
        async with beating(self.members):
            while await signals.reload():
                notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
                done = await signals.unless_outdated(self.reload())
                if done is None and not signals.stopping:
                    log.info("what was starting is given up: files have changed meanwhile")
                notify("READY=1")
            notify("STOPPING=1")
            await self.stop()

    async def reload(self) -> bool:
        """Replace what serves by new processes; False, and all is as before, if one ends."""
        numbers = range(1, self._count + 1)
        try:
            new = await self._bring_up(numbers, self._start_timeout, replace=True)
        except StartFailed as error:
            log.error("the reload is given up, and what served before goes on: %s", error)
            return False
        # Also those that took somebody's place meanwhile, or are about to.
        for each, keeper in self._keepers.items():
            if each not in new and each not in self.members.alive:
                keeper.cancel()
        self.members.retire(self.members.alive.difference(new))
        return True

    async def stop(self) -> None:
        """Stop all, those that are starting too: gracefully, and after a deadline by force."""
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        # No other process is started; clients and balancers see at once that none is there.
        for sock in self._socks:
            sock.close()
        await self.members.end_all()

    def reopen_log_files(self) -> None:
        """Have all processes, and this one, let go of log files that were moved away."""
        reopen_log_files()
        for each in self.members.alive:
            each.reopen_log_files()

    # Starting.

    async def _bring_up(
        self, numbers: Sequence[int], timeout: float | None, replace: bool = False
    ) -> list[Child]:
        """New processes, which serve; with `replace`, those that served before have handed over.

        Raises StartFailed, once none of the new is left and all is as before. One goes first: what
        keeps it from serving is said once, and not by each of them.
        """
        new: list[Child] = []
        handed: list[Member] = []
        async with contextlib.AsyncExitStack() as turn:
            try:
                async with asyncio.timeout(timeout):
                    first = await self._spawn(numbers[0], new)
                    await first.load()
                    if self._count == 1:
                        await turn.enter_async_context(self._turn)
                    if replace:
                        handed += self.members.serving
                        await asyncio.gather(*map(self._hand_over, handed))
                    await first.start()
                    others = [await self._spawn(number, new) for number in numbers[1:]]
                    await asyncio.gather(*map(_load_and_start, others))
            except BaseException as error:
                await self._give_up(new, handed, error)
                raise StartFailed(self._reason(error)) from error
            for child in new:
                keeper = self._keepers[child] = asyncio.ensure_future(self._keep(child))
                keeper.add_done_callback(functools.partial(self._keepers.pop, child))
            self.members.serve(new)
        return new

    async def _spawn(self, number: int, new: list[Child]) -> Child:
        child = Child(number, self._answers)
        await child.spawn(self._command, self._socks)
        self.members.alive.add(child)
        new.append(child)
        return child

    @property
    def _answers(self) -> Mapping[str, Answer]:
        members = self.members

        async def ask_all(asked: Any) -> list[tuple[int, Any]]:
            return list((await members.ask_all(*asked)).items())

        return {
            "current": lambda asked: members.ask_current(*asked),
            "all": ask_all,
            "outlived": lambda _: members.outlived(),
        }

    async def _hand_over(self, member: Member) -> None:
        try:
            async with asyncio.timeout(_HAND_OVER_SECONDS if self._count > 1 else None):
                await self.members.hand_over(member)
        except TimeoutError:
            log.warning("%s does not answer; what takes its place starts all the same", member)

    async def _give_up(
        self, new: Sequence[Child], handed: Sequence[Member], error: BaseException
    ) -> None:
        """All is as before; an `error` that is no failure of the start is raised again."""
        if isinstance(error, Exception) or self._count == 1:
            await self.members.end(new)
            await self.members.take_back(handed)
        else:
            # It stops, or others have taken the place: nobody else needs what these have.
            self.members.dismiss(new)
        if not isinstance(error, Exception):
            raise error

    def _reason(self, error: BaseException) -> str:
        """Why the start failed."""
        if isinstance(error, TimeoutError):
            return (
                "the new process did not serve within "
                f"reload_timeout = {self._start_timeout:g} seconds"
            )
        if isinstance(error, OSError):
            return f"the new process did not start: {self._command[0]}: {error.strerror or error}"
        if isinstance(error, RequestError):
            return f"what only one process can have was not handed over: {error}"
        if not isinstance(error, ChildEnded):
            log.error("unexpected in a start", exc_info=error)
        return f"the new process did not start: {error}"

    async def _keep(self, child: Child) -> None:
        """Wait for the end of `child`, and have another take its place if it is missed."""
        await child.wait()
        await self.members.forget(child)
        if child.retired:
            return
        log.error("worker %d ended with status %d", child.pid, child.status)
        if time.monotonic() - child.started > _LONG_LIVED:
            self._delay = _FIRST_DELAY
        while True:
            delay, self._delay = self._delay, min(self._delay * 2, _LAST_DELAY)
            await asyncio.sleep(delay)
            try:
                [other] = await self._bring_up([child.number], self._start_timeout)
            except StartFailed as error:
                log.error(
                    "nothing takes the place of worker %d, another try follows in %g seconds: %s",
                    child.pid, self._delay, error,
                )  # fmt: skip
            else:
                log.info("worker %d took its place", other.pid)
                return


async def _load_and_start(child: Child) -> None:
    await child.load()
    await child.start()
