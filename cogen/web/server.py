"""The server of one process: listening sockets, connections, start and graceful stop."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any

from cogen.core.schedulers import Scheduler
from cogen.web.connection import Connection
from cogen.web.environ import base_environ
from cogen.web.exchange import Exchange
from cogen.web.files import FileWrapper
from cogen.web.greenlets import Runners
from cogen.web.http import Request, RequestParser
from cogen.web.options import Options

__all__ = ["Server", "listening_socket", "serve"]

log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Server:
    """Serves a WSGI `application` on the loop of `scheduler`.

    Where the application has `cogen_startup`, `cogen_shutdown` or `cogen_cleanup`, async callables,
    they run before the first request is taken, when no more are while held ones can still be
    answered, and after the last response.
    """

    def __init__(self, application: Application, scheduler: Scheduler, options: Options) -> None:
        self.application = application
        self.scheduler = scheduler
        self.options = options
        self.base_environ: dict[str, Any] = base_environ("http", False, False)
        self.base_environ["wsgi.file_wrapper"] = FileWrapper
        self.base_environ["wsgi.errors"] = sys.stderr
        self.connections: set[Connection] = set()
        self.exchanges = 0
        self._parser: RequestParser | None = None
        self.runners = Runners()
        self.stopping = False
        self.grace = 0.0  # seconds that an idle connection is kept after the stop
        self.requests = 0
        self.refusals: dict[int, int] = {}
        self._listeners: list[asyncio.Server] = []
        self._idle = asyncio.Event()

    async def start(self, sock: socket.socket) -> None:
        """Take connections from `sock`, a listening socket."""
        address = sock.getsockname()
        if isinstance(address, tuple):
            self.base_environ["SERVER_NAME"] = address[0]
            self.base_environ["SERVER_PORT"] = str(address[1])
        else:
            self.base_environ["SERVER_NAME"] = "localhost"
            self.base_environ["SERVER_PORT"] = "80"
        startup = getattr(self.application, "cogen_startup", None)
        if startup is not None:
            await startup()
        listener = await self.scheduler.loop.create_server(
            lambda: Connection(self), sock=sock, backlog=self.options.backlog
        )
        self._listeners.append(listener)

    async def stop(self, grace: float = 0.0) -> None:
        """Take no more, let held requests be answered, and after a deadline cut the rest.

        Idle connections close at once, or after `grace` seconds: where another process goes on
        serving, a request that is on its way to one is not broken.
        """
        self.stopping = True
        self.grace = grace
        for listener in self._listeners:
            listener.close()
        shutdown = getattr(self.application, "cogen_shutdown", None)
        try:
            async with asyncio.timeout(self.options.shutdown_timeout):
                if shutdown is not None:
                    await shutdown()
                for connection in list(self.connections):
                    connection.stop()
                await self._all_closed()
        except TimeoutError:
            log.warning("%d connections were cut at the stop", len(self.connections))
        for connection in list(self.connections):
            connection.cut()
        await self._all_closed()
        await self.scheduler.cancel_all()
        cleanup = getattr(self.application, "cogen_cleanup", None)
        if cleanup is not None:
            await cleanup()

    async def _all_closed(self) -> None:
        while self.connections:
            self._idle.clear()
            await self._idle.wait()

    # What connections call.

    def connection_made(self, connection: Connection) -> bool:
        """False if there are too many."""
        limit = self.options.max_connections
        full = bool(limit) and len(self.connections) >= limit
        self.connections.add(connection)
        return not full

    def connection_lost(self, connection: Connection) -> None:
        self.connections.discard(connection)
        if not self.connections:
            self._idle.set()

    def parse(self, head: bytes) -> Request:
        """The request that begins with the whole `head`. Raises HTTPError."""
        parser, self._parser = self._parser or RequestParser(), None
        request = parser.parse(head, self.options.max_headers)
        if parser.reusable:
            self._parser = parser
        return request

    def exchange_began(self, exchange: Exchange, environ: dict[str, Any]) -> None:
        self.requests += 1
        self.exchanges += 1

    def exchange_ended(self, exchange: Exchange) -> None:
        self.exchanges -= 1

    def refused(self, status: int) -> None:
        self.refusals[status] = self.refusals.get(status, 0) + 1

    def statistics(self) -> dict[str, int]:
        """Counts of what is held: connections, exchanges, and the scheduler's."""
        return {
            "connections": len(self.connections),
            "exchanges": self.exchanges,
            "requests": self.requests,
            **self.scheduler.statistics(),
        }


def listening_socket(options: Options) -> socket.socket:
    """A bound socket that listens where `options` say. Raises OSError."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind((options.host, options.port))
        sock.listen(options.backlog)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def serve(application: Application, options: Options) -> None:
    """Serve until SIGTERM or SIGINT, then stop gracefully. Raises OSError if it cannot listen."""
    sock = listening_socket(options)
    scheduler = Scheduler(proactor=options.proactor)
    server = Server(application, scheduler, options)
    try:
        scheduler.loop.run_until_complete(_serve_until_signal(server, sock))
    finally:
        sock.close()
        scheduler.shutdown()


async def _serve_until_signal(server: Server, sock: socket.socket) -> None:
    loop = server.scheduler.loop
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread
            loop.add_signal_handler(number, stop.set)
    await server.start(sock)
    name, port = sock.getsockname()[:2]
    log.info("serving on http://%s:%d/", f"[{name}]" if ":" in name else name, port)
    await stop.wait()
    log.info("stopping: %d requests are being answered", server.exchanges)
    await server.stop()
