"""Serving until a signal says to stop: in this process, or in workers that it supervises.

SIGTERM and SIGINT stop gracefully; before the start is over they end the process as they end any,
for there is nothing to answer yet. SIGHUP starts the command anew on the same listening sockets and
lets the process before end when it has answered what it holds; a single process becomes the
supervisor of the new one, so its process id stays.
"""

import asyncio
import contextlib
import logging
import os
import resource
import signal
import socket
import ssl
from collections.abc import Callable, Sequence

from cogen.core.schedulers import Scheduler, new_event_loop
from cogen.web.life import Application, take_lives
from cogen.web.listen import UnixPath, address_of, inherited_sockets, listening_socket, tls_context
from cogen.web.options import Options
from cogen.web.server import Server
from cogen.web.signals import Signals
from cogen.web.supervisor import Supervisor
from cogen.web.systemd import notify
from cogen.web.worker import RETIRE_GRACE, Worker

__all__ = ["serve"]

log = logging.getLogger(__name__)


def serve(
    load: Callable[[], Application], options: Options, command: Sequence[str] | None = None
) -> None:
    """Serve what `load` returns until a signal says to stop.

    `command` starts this program again, for workers and reloads; without it there are none. Raises
    OSError if it cannot listen, OptionError for options that only show to be bad now, SystemExit
    if workers do not start.
    """
    worker = Worker.this()
    _allow_files(options.max_connections)
    with contextlib.ExitStack() as stack:
        if worker is not None:
            stack.callback(worker.close)
            socks = worker.socks
        else:
            socks = _sockets(options, stack)
        if worker is None and options.workers > 1 and command is not None:
            _supervise(options, socks, command)
            return
        tls = tls_context(options)
        application = load()
        scheduler = Scheduler(proactor=options.proactor)
        stack.callback(scheduler.shutdown)
        server = Server(application, scheduler, options, take_lives())
        process = _Process(server, socks, tls, worker, command)
        scheduler.loop.run_until_complete(process.run())


# Files that are open besides connections.
_OTHER_FILES = 1000


def _allow_files(connections: int) -> None:
    """Raise the limit of open files, as far as the system lets us, to hold `connections`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES if connections else hard
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _sockets(options: Options, stack: contextlib.ExitStack) -> list[socket.socket]:
    socks = inherited_sockets()
    if not socks and options.unix_socket:
        path = UnixPath(options.unix_socket)
        stack.callback(path.remove)
        socks = [path.listen(int(options.unix_mode, 8), options.backlog)]
    elif not socks:
        socks = [listening_socket(options)]
    for sock in socks:
        stack.callback(sock.close)
    return socks


def _supervise(options: Options, socks: list[socket.socket], command: Sequence[str]) -> None:
    supervisor = Supervisor(command, socks, options.workers, options.shutdown_timeout)

    async def run() -> None:
        if not await supervisor.start():
            raise SystemExit("cogen: the workers did not start")
        signals = Signals(loop)
        _log_addresses(socks, bool(options.certificate))
        notify("READY=1")
        await supervisor.run(signals)

    loop = new_event_loop("asyncio")
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


def _log_addresses(socks: Sequence[socket.socket], secure: bool) -> None:
    for sock in socks:
        log.info("serving on %s", address_of(sock, "https" if secure else "http"))


class _Process:
    """This process serves: as a worker, or on its own."""

    def __init__(
        self,
        server: Server,
        socks: Sequence[socket.socket],
        tls: ssl.SSLContext | None,
        worker: Worker | None,
        command: Sequence[str] | None,
    ) -> None:
        self._server = server
        self._socks = socks
        self._tls = tls
        self._worker = worker
        self._command = command

    async def run(self) -> None:
        loop, server = self._server.scheduler.loop, self._server
        if self._worker is not None:
            self._worker.watch(loop, lambda: os.kill(os.getpid(), signal.SIGTERM))
        # The loop closes what it listens on; a reload hands the sockets on.
        await server.start([sock.dup() for sock in self._socks], self._tls)
        self._signals = Signals(loop)
        server.collector.start()
        if self._worker is not None:
            self._worker.serves()
        else:
            _log_addresses(self._socks, self._tls is not None)
            notify("READY=1")
        while await self._signals.reload():
            if self._worker is not None:
                await server.stop(RETIRE_GRACE)
                return
            if await self._hand_over():
                return
        notify("STOPPING=1")
        log.info("stopping: %d requests are being answered", server.exchanges)
        await server.stop()

    async def _hand_over(self) -> bool:
        """Let a new process serve and supervise it to its end; False if it does not serve."""
        if self._command is None:
            log.error("this program cannot be reloaded: it is not known what started it")
            return False
        supervisor = Supervisor(
            self._command, self._socks, 1, self._server.options.shutdown_timeout
        )
        started = await self._signals.unless_stopped(supervisor.start())
        if started is None:
            await supervisor.stop()
            return False
        if not started:
            log.error("the new process did not start; this one goes on")
            return False
        log.info("a new process serves; %d requests are still answered", self._server.exchanges)
        retired = asyncio.ensure_future(self._server.stop(RETIRE_GRACE))
        await supervisor.run(self._signals)
        await retired
        return True
