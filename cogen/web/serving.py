"""Serving until a signal says to stop: in this process, or in workers that it supervises.

SIGTERM and SIGINT stop gracefully. SIGHUP starts the command anew on the same listening sockets and
lets the process before end when it has answered what it holds; a single process supervises the new
one, so its process id stays.
"""

import asyncio
import contextlib
import logging
import math
import resource
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from wsgiref.types import WSGIEnvironment

from cogen.core.schedulers import Scheduler, new_event_loop
from cogen.web.connections.listen import (
    UnixPath,
    inherited_sockets,
    listening_socket,
    log_addresses,
)
from cogen.web.connections.tls import Certificate
from cogen.web.life import Application, take_lives
from cogen.web.options import OptionError, Options
from cogen.web.processes.process import Process
from cogen.web.processes.signals import Signals
from cogen.web.processes.streams import settle_standard_streams
from cogen.web.processes.supervisor import StartFailed, Supervisor
from cogen.web.processes.systemd import notify
from cogen.web.processes.worker import Worker
from cogen.web.server import Server

__all__ = ["ListenError", "allow_files", "check_options", "listened_on", "serve"]

log = logging.getLogger(__name__)


class ListenError(Exception):
    """It cannot be listened where the options say; the message says where and why."""


def serve(
    load: Callable[[], Application],
    options: Options,
    command: Sequence[str] = (),
    signals: Signals | None = None,
) -> None:
    """Serve what `load` returns until a signal says to stop.

    `command` starts this program again, for workers and reloads; without it there are none.
    `signals` are those of this process, if they are held since before. Raises ListenError,
    OptionError for options that only show to be bad now, SystemExit if workers do not start.
    """
    signals = signals or Signals()
    worker = Worker.this()
    allow_files(options.max_connections)
    with contextlib.ExitStack() as stack:
        stack.callback(signals.close)
        if worker is not None:
            stack.callback(worker.close)
            socks = worker.socks
        else:
            socks = _sockets(options, stack)
        if worker is None and options.workers > 1 and command:
            # So that workers have nothing to say about the options.
            check_options(options)
            _supervise(options, socks, command, signals)
        else:
            certificate = Certificate.of(options)
            application = load()
            scheduler = _scheduler(options)
            # What did not end at the server's stop does not now.
            stack.callback(scheduler.shutdown, 0)
            server = Server(application, scheduler, options, take_lives())
            process = Process(server, socks, certificate, signals)
            work = process.work(worker) if worker is not None else process.run(command)
            scheduler.loop.run_until_complete(_until_done(work, signals))
    if worker is None:
        log.info("stopped")
    settle_standard_streams()


def check_options(options: Options, application: Application | None = None) -> str:
    """Make what `serve` makes of `options`, without a start; returns where the application runs.

    Raises OptionError.
    """
    Certificate.of(options)
    scheduler = _scheduler(options)
    try:
        return Server(application or _nothing, scheduler, options).mode
    finally:
        scheduler.shutdown(0)


def _nothing(environ: WSGIEnvironment, start_response: Any) -> list[bytes]:
    raise NotImplementedError("no request comes to a server that is not started")


def _scheduler(options: Options) -> Scheduler:
    """Raises OptionError."""
    try:
        scheduler = Scheduler(proactor=options.proactor)
    except ImportError as error:
        raise OptionError(f"proactor = {options.proactor!r}: {error}") from None
    _settle(scheduler.loop)
    return scheduler


def _settle(loop: asyncio.AbstractEventLoop) -> None:
    """In Python's development mode it would tell of each step at the start that takes long."""
    loop.slow_callback_duration = math.inf


async def _until_done(work: Coroutine[Any, Any, None], signals: Signals) -> None:
    try:
        await work
    finally:
        signals.release()


# Seconds above shutdown_timeout within which a supervisor ends, whatever keeps it.
_STOP_MARGIN = 1.5

# Files that are open besides connections.
_OTHER_FILES = 1000


def allow_files(connections: int) -> None:
    """Raise the limit of open files, as far as the system lets us, to hold `connections`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES if connections else hard
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _sockets(options: Options, stack: contextlib.ExitStack) -> list[socket.socket]:
    """Raises ListenError."""
    socks = inherited_sockets()
    for sock in socks:
        stack.callback(sock.close)
    return socks or listened_on(options, stack)


def listened_on(options: Options, stack: contextlib.ExitStack) -> list[socket.socket]:
    """The socket that listens where `options` say; `stack` closes it. Raises ListenError."""
    try:
        if options.unix_socket:
            path = UnixPath(options.unix_socket)
            stack.callback(path.remove)
            sock = path.listen(int(options.unix_mode, 8), options.backlog)
        else:
            sock = listening_socket(options)
    except OSError as error:
        place = options.unix_socket or f"{options.host}:{options.port}"
        raise ListenError(f"cannot listen on {place}: {error.strerror or error}") from None
    stack.callback(sock.close)
    return [sock]


def _supervise(
    options: Options, socks: list[socket.socket], command: Sequence[str], signals: Signals
) -> None:
    async def run() -> None:
        supervisor = Supervisor(command, socks, options)
        signals.take(
            loop,
            options.shutdown_timeout + _STOP_MARGIN,
            supervisor.members.kill_all,
            supervisor.reopen_log_files,
            supervisor.members.dump_all,
        )
        try:
            await signals.unless_stopped(supervisor.start())
        except StartFailed as error:
            raise SystemExit(f"cogen: the workers did not start: {error}") from None
        if not signals.stopping:
            log_addresses(socks, options)
            notify("READY=1")
        await supervisor.run(signals)

    loop = new_event_loop("asyncio")
    _settle(loop)
    try:
        loop.run_until_complete(_until_done(run(), signals))
    finally:
        loop.close()
