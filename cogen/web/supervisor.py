"""Worker processes on the same listening sockets: started, restarted, replaced, stopped.

Workers are the same command run again, so a reload brings new code. All accept from the same
queue in the kernel: a connection that waits there while workers change is taken by the next.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import Sequence

from cogen.web.signals import Signals
from cogen.web.systemd import notify
from cogen.web.worker import worker_environment

__all__ = ["Supervisor"]

log = logging.getLogger(__name__)

# Seconds before a worker that died is replaced: doubled each time, from the first to the last.
_FIRST_DELAY, _LAST_DELAY = 0.1, 10.0
# One that has served this long died of something new.
_LONG_LIVED = 30.0
# Workers have their shutdown_timeout to stop by themselves, and this much more.
_STOP_MARGIN = 5.0


class _Child:
    """A worker process; `retired`: it may end, others have taken its place."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        self.process = process
        self.control = control
        self.started = time.monotonic()
        self.retired = False

    def signal(self, number: signal.Signals) -> None:
        if self.process.returncode is None:
            self.process.send_signal(number)


class Supervisor:
    """Keeps `count` workers running `command`, which accept from `socks`."""

    def __init__(
        self,
        command: Sequence[str],
        socks: Sequence[socket.socket],
        count: int,
        shutdown_timeout: float,
    ) -> None:
        self._command = command
        self._socks = socks
        self._count = count
        self._patience = shutdown_timeout + _STOP_MARGIN
        self._children: set[_Child] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._delay = _FIRST_DELAY

    async def start(self) -> bool:
        """Start the workers and return when all serve; False, once none is left, if one ended."""
        return bool(await self._start())

    async def reload(self) -> bool:
        """Replace the workers by new ones; if those do not come up, False, and all is as before."""
        new = await self._start()
        if not new:
            log.error("the new workers did not start; the ones before go on")
            return False
        # Also those that took somebody's place meanwhile.
        for child in self._children.difference(new):
            child.retired = True
            child.signal(signal.SIGHUP)
        return True

    async def _start(self) -> list[_Child]:
        """New workers, which serve; none if one of them ended.

        One goes first: what keeps it from serving is said once, and not by each of them.
        """
        children = [await self._spawn()]
        serve = [await self._comes_up(children[0])]
        if all(serve):
            others = [await self._spawn() for _ in range(self._count - 1)]
            children += others
            serve += await asyncio.gather(*map(self._comes_up, others))
        if all(serve):
            for child in children:
                self._watch(child)
            return children
        for child, serves in zip(children, serve, strict=True):
            # One that does not serve is about to end, and to say why.
            if serves:
                child.signal(signal.SIGTERM)
        await self._all_end(children)
        return []

    async def run(self, signals: Signals) -> None:
        """Do what `signals` ask for; return when all have ended."""
        while await signals.reload():
            notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
            await signals.unless_stopped(self.reload())
            notify("READY=1")
        notify("STOPPING=1")
        await self.stop()

    async def stop(self) -> None:
        """Stop the workers, those that are starting too: gracefully, after a deadline by force."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for child in self._children:
            child.signal(signal.SIGTERM)
        await self._all_end(list(self._children))

    async def _spawn(self) -> _Child:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs, contextlib.ExitStack() as stack:
            stack.enter_context(ours)
            process = await asyncio.create_subprocess_exec(
                *self._command,
                pass_fds=[theirs.fileno(), *(sock.fileno() for sock in self._socks)],
                env=worker_environment(theirs, self._socks),
            )
            stack.pop_all()
        child = _Child(process, ours)
        self._children.add(child)
        return child

    async def _comes_up(self, child: _Child) -> bool:
        said = await asyncio.get_running_loop().sock_recv(child.control, 1)
        return bool(said)

    def _watch(self, child: _Child) -> None:
        task = asyncio.ensure_future(self._replace(child))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _replace(self, child: _Child) -> None:
        """Wait for the end of `child`, and have another take its place if it is missed."""
        status = await child.process.wait()
        if not child.retired:
            log.error("worker %d ended with status %d", child.process.pid, status)
            if time.monotonic() - child.started > _LONG_LIVED:
                self._delay = _FIRST_DELAY
            await asyncio.sleep(self._delay)
            self._delay = min(self._delay * 2, _LAST_DELAY)
        self._forget(child)
        if child.retired:
            return
        other = await self._spawn()
        self._watch(other)
        log.info("worker %d took its place", other.process.pid)

    def _forget(self, child: _Child) -> None:
        child.control.close()
        self._children.discard(child)

    async def _all_end(self, children: Sequence[_Child]) -> None:
        waits = [asyncio.ensure_future(child.process.wait()) for child in children]
        if waits:
            _, late = await asyncio.wait(waits, timeout=self._patience)
            if late:
                log.warning("%d workers did not stop in time and are killed", len(late))
                for child in children:
                    child.signal(signal.SIGKILL)
                await asyncio.wait(waits)
        for child in children:
            self._forget(child)
