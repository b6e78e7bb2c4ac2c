"""The processes that serve on the same listening sockets: started, restarted, replaced, stopped.

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
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from cogen.web.channel import RequestError
from cogen.web.child import Child, ChildEnded
from cogen.web.logs import reopen_log_files
from cogen.web.options import Options
from cogen.web.peers import PEERS_TIMEOUT
from cogen.web.signals import Signals
from cogen.web.systemd import notify

__all__ = ["Member", "StartFailed", "Supervisor"]

log = logging.getLogger(__name__)

# Seconds before a process is started again in place of one that ended: doubled each time.
_FIRST_DELAY, _LAST_DELAY = 0.1, 10.0
# One that has served this long died of something new.
_LONG_LIVED = 30.0
# One that serves has its shutdown_timeout to stop by itself, and this much more to end.
_STOP_MARGIN = 0.95
# One that does not serve yet has nothing to answer.
_START_MARGIN = 0.5


class StartFailed(Exception):
    """A new process does not serve, and is gone; the message says why."""


class Member(Protocol):
    """A process that serves: a Child, or the one that the supervisor runs in."""

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
        """End at once."""

    def reopen_log_files(self) -> None:
        """Let go of log files that were moved away, if it is another process."""

    async def wait(self) -> None:
        """Return when it has ended."""

    async def close(self) -> None:
        """Let go of what was used to talk to it, once it has ended."""


class Supervisor:
    """Keeps processes running that accept from `socks`, by `command`; a Router between them.

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
        self._patience = options.shutdown_timeout + _STOP_MARGIN
        self._start_timeout = options.reload_timeout or None
        self._count = 1 if itself is not None else options.workers
        self._alive: set[Member] = set()
        self._serving: list[Member] = []
        self._served = asyncio.Event()  # one serves, and has what only one can have
        self._turn = asyncio.Lock()  # of starting, where there can be one only
        self._keepers: dict[Member, asyncio.Task[None]] = {}
        self._delay = _FIRST_DELAY
        if itself is not None:
            self._alive.add(itself)
            self._serving.append(itself)
            self._served.set()

    async def start(self) -> None:
        """Start the workers; return when all serve. Raises StartFailed, once none is left."""
        await self._bring_up(range(1, self._count + 1), timeout=None)

    async def run(self, signals: Signals) -> None:
        """Do what `signals` ask for; return when all have ended."""
        while await signals.reload():
            notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
            await signals.unless_stopped(self.reload())
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
            if each not in new and each not in self._alive:
                keeper.cancel()
        for each in self._alive.difference(new):
            if not each.retired:
                each.retired = True
                each.retire()
        self._serving = [each for each in self._serving if not each.retired]
        return True

    async def stop(self) -> None:
        """Stop all, those that are starting too: gracefully, and after a deadline by force."""
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        await self._end(self._alive.copy())

    def kill(self) -> None:
        """End all at once; may be called in any thread."""
        for each in list(self._alive):
            each.kill()

    def reopen_log_files(self) -> None:
        """Have all processes, and this one, let go of log files that were moved away."""
        reopen_log_files()
        for each in self._alive:
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
                    for each in list(self._serving) if replace else ():
                        handed.append(each)
                        self._served.clear()
                        await each.hand_over()
                    await first.start()
                    others = [await self._spawn(number, new) for number in numbers[1:]]
                    await asyncio.gather(*map(_load_and_start, others))
            except BaseException as error:
                await self._give_up(new, handed)
                reason = self._reason(error)
                if reason is None:
                    raise
                raise StartFailed(reason) from error
            for child in new:
                keeper = self._keepers[child] = asyncio.ensure_future(self._keep(child))
                keeper.add_done_callback(functools.partial(self._keepers.pop, child))
            self._serving += new
            self._served.set()
        return new

    async def _spawn(self, number: int, new: list[Child]) -> Child:
        child = Child(
            number,
            {
                "current": lambda asked: self.ask_current(*asked),
                "all": self._ask_all,
                "outlived": self._outlived,
            },
        )
        await child.spawn(self._command, self._socks)
        self._alive.add(child)
        new.append(child)
        return child

    async def _give_up(self, new: Sequence[Child], handed: Sequence[Member]) -> None:
        await self._end(new)
        for each in handed:
            try:
                await each.take_back()
            except RequestError as error:
                log.error("%s could not take back what it had handed over: %s", each, error)
        if self._serving:
            self._served.set()

    def _reason(self, error: BaseException) -> str | None:
        """Why the start failed, if it is a reason to go on without it."""
        if isinstance(error, ChildEnded):
            return f"the new process did not start: {error}"
        if isinstance(error, RequestError):
            return f"what one process alone can have was not handed over: {error}"
        if isinstance(error, TimeoutError):
            return (
                "the new process did not serve within "
                f"reload_timeout = {self._start_timeout:g} seconds"
            )
        if isinstance(error, OSError):
            return f"the new process did not start: {self._command[0]}: {error.strerror}"
        return None

    async def _keep(self, child: Child) -> None:
        """Wait for the end of `child`, and have another take its place if it is missed."""
        await child.wait()
        await self._forget(child)
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

    # Ending.

    async def _end(self, members: Iterable[Member]) -> None:
        await asyncio.gather(*map(self._end_one, members))

    async def _end_one(self, each: Member) -> None:
        each.stop()
        try:
            async with asyncio.timeout(self._patience if each.serves else _START_MARGIN):
                await each.wait()
        except TimeoutError:
            log.warning("%s did not stop in time and is killed", each)
            each.kill()
            await each.wait()
        await self._forget(each)

    async def _forget(self, each: Member) -> None:
        self._alive.discard(each)
        if each in self._serving:
            self._serving.remove(each)
        if not self._serving:
            self._served.clear()
        await each.close()

    # Requests of one process to others.

    async def ask_current(self, name: str, data: Any) -> Any:
        while not self._served.is_set():
            await self._served.wait()
        return await self._serving[-1].request(name, data)

    async def ask_all(self, name: str, data: Any) -> dict[int, Any]:
        asked = {
            each.number: asyncio.ensure_future(each.request(name, data)) for each in self._serving
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

    async def _ask_all(self, asked: Any) -> list[tuple[int, Any]]:
        return list((await self.ask_all(*asked)).items())

    async def _outlived(self, _: Any) -> None:
        await asyncio.gather(*(each.wait() for each in self._alive if each.retired))


async def _load_and_start(child: Child) -> None:
    await child.load()
    await child.start()
