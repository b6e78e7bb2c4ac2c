"""Serving until a signal says to stop."""

import asyncio
import contextlib
import logging
import signal
import socket
import ssl

from cogen.core.schedulers import Scheduler
from cogen.web.listen import UnixPath, address_of, inherited_sockets, listening_socket, tls_context
from cogen.web.options import Options
from cogen.web.server import Application, Server
from cogen.web.systemd import notify

__all__ = ["serve"]

log = logging.getLogger(__name__)


def serve(application: Application, options: Options) -> None:
    """Serve until SIGTERM or SIGINT, then stop gracefully.

    Raises OSError if it cannot listen, OptionError for a certificate that cannot be used.
    """
    with contextlib.ExitStack() as stack:
        tls = tls_context(options)
        socks = _sockets(options, stack)
        scheduler = Scheduler(proactor=options.proactor)
        stack.callback(scheduler.shutdown)
        server = Server(application, scheduler, options)
        scheduler.loop.run_until_complete(_serve_until_signal(server, socks, tls))


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


async def _serve_until_signal(
    server: Server, socks: list[socket.socket], tls: ssl.SSLContext | None
) -> None:
    loop = server.scheduler.loop
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread
            loop.add_signal_handler(number, stop.set)
    await server.start(socks, tls)
    for sock in socks:
        log.info("serving on %s", address_of(sock, "https" if tls is not None else "http"))
    notify("READY=1")
    await stop.wait()
    notify("STOPPING=1")
    log.info("stopping: %d requests are being answered", server.exchanges)
    await server.stop()
