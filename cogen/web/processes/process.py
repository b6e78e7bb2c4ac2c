"""A process that serves: by itself, or as a worker of a supervisor."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from cogen.web.connections.listen import log_addresses
from cogen.web.connections.tls import Certificate
from cogen.web.peers import ChannelClosed
from cogen.web.processes.logs import reopen_log_files
from cogen.web.processes.members import Member
from cogen.web.processes.signals import Signals
from cogen.web.processes.supervisor import Supervisor
from cogen.web.processes.systemd import notify
from cogen.web.processes.worker import RETIRE_GRACE, Worker
from cogen.web.server import Server

__all__ = ["Process"]

log = logging.getLogger(__name__)

# Seconds above shutdown_timeout within which it ends, whatever keeps it.
_STOP_MARGIN = 0.75


def _nothing() -> None:
    """A worker has none that end with it."""


class Process(Member):
    """This process serves: as a worker, or by itself; it is a Member then."""

    number = 1
    retired = False
    serves = True

    def __init__(
        self,
        server: Server,
        socks: Sequence[socket.socket],
        certificate: Certificate | None,
        signals: Signals,
    ) -> None:
        self._server = server
        self._socks = socks
        self._certificate = certificate
        self._signals = signals
        self._worker: Worker | None = None
        self._handing: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()

    async def run(self, command: Sequence[str]) -> None:
        """Serve by itself, and supervise what takes its place; `command` starts that."""
        supervisor = Supervisor(command, self._socks, self._server.options, self)
        self._server.peers.router = supervisor.members
        members = supervisor.members
        await self._start(members.kill_all, supervisor.reopen_log_files, members.dump_all)
        log_addresses(self._socks, self._server.options)
        log.info("%s", self._server.mode)
        notify("READY=1")
        await supervisor.run(self._signals)
        self._result()

    async def work(self, worker: Worker) -> None:
        """Serve as a worker."""
        self._server.peers.router = self._worker = worker
        answers = {
            "hand_over": lambda _: self.hand_over(),
            "take_back": lambda _: self.take_back(),
            "retire": self._retired,
            "reopen_log_files": self._asked_to_reopen,
            "beat": lambda _: self.beat(),
            "request": lambda asked: self.request(*asked),
        }
        await worker.connect(answers, lambda: os.kill(os.getpid(), signal.SIGTERM))
        try:
            await worker.may_start()
            await self._start(_nothing, reopen_log_files, self.dump)
            await worker.serves()
            stopped = asyncio.ensure_future(self._until_stopped())
            await self.wait()
            stopped.cancel()
        except ChannelClosed:
            log.info("the supervisor ended before this process served")
            return
        finally:
            await worker.disconnect()
        self._result()

    async def _start(
        self, give_up: Callable[[], None], reopen: Callable[[], None], dump: Callable[[], None]
    ) -> None:
        # The loop closes what it listens on; a reload hands the sockets on.
        certificate, loop = self._certificate, self._server.scheduler.loop
        tls = certificate.context if certificate is not None else None
        await self._server.start([sock.dup() for sock in self._socks], tls)
        if certificate is not None:
            certificate.watch(loop)
        patience = self._server.options.shutdown_timeout + _STOP_MARGIN
        self._signals.take(self._server.scheduler.loop, patience, give_up, reopen, dump)
        self._server.collector.start()

    async def _until_stopped(self) -> None:
        # A reload is the supervisor's, also where the signal was sent to all processes.
        while await self._signals.reload():
            log.info("SIGHUP: a reload is asked of process %d, which supervises", os.getppid())
        self.stop()

    async def _retired(self, _: None) -> None:
        self.retire()

    async def _asked_to_reopen(self, _: None) -> None:
        reopen_log_files()

    # A Member.

    async def hand_over(self) -> None:
        # Who gives up waiting for it does not break it off.
        self._handing = asyncio.ensure_future(self._server.hand_over())
        await asyncio.shield(self._handing)

    async def take_back(self) -> None:
        if self._handing is not None:
            await asyncio.gather(asyncio.shield(self._handing), return_exceptions=True)
            await self._server.take_back()

    async def request(self, name: str, data: Any) -> Any:
        return await self._server.peers.called(name, data)

    def retire(self) -> None:
        if self._ending is not None:
            return
        log.info("a new process serves; still answered here: %s", self._held())
        self._end(self._server.stop(RETIRE_GRACE))

    def stop(self) -> None:
        if self._ending is not None:
            self._server.hurry()
            return
        log.info("stopping; being answered: %s", self._held())
        # Or the kernel goes on taking connections, which nobody would answer.
        for sock in self._socks:
            sock.close()
        late = self._signals.asked_before()
        self._end(self._server.stop(outlived=self._outlived, late=late))

    def _held(self) -> str:
        count = len(self._server.shared.exchanges)
        return f"{count} request{'s' if count != 1 else ''}"

    def _end(self, stop: Coroutine[Any, Any, None]) -> None:
        if self._certificate is not None:
            self._certificate.unwatch()
        self._ending = asyncio.ensure_future(stop)
        self._ending.add_done_callback(lambda _: self._ended.set())

    def _result(self) -> None:
        """Raises what the stop did."""
        if self._ending is not None:
            self._ending.result()

    async def _outlived(self) -> None:
        """Return when no process is left that may ask this one for something."""
        if self._worker is not None:
            with contextlib.suppress(ChannelClosed):
                await self._worker.outlived()

    def kill(self) -> None:
        """It ends with the program, whose stop has a deadline."""

    async def beat(self) -> None:
        """That this runs says it."""

    def dump(self) -> None:
        self._server.dump.begin()

    def reopen_log_files(self) -> None:
        """The supervisor has done it, in this process."""

    async def wait(self) -> None:
        await self._ended.wait()

    async def close(self) -> None:
        """There is nothing to let go of."""

    def __str__(self) -> str:
        return f"process {os.getpid()}"
