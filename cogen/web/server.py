"""The server of one process: listening sockets, connections, start and graceful stop."""

import asyncio
import contextlib
import functools
import logging
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from wsgiref.types import WSGIEnvironment

from cogen.core.schedulers import Scheduler
from cogen.web.connections.connection import Connection
from cogen.web.connections.handshakes import Handshakes
from cogen.web.connections.hosts import Hosts
from cogen.web.connections.places import Places
from cogen.web.connections.proxies import Proxies
from cogen.web.exchanges.exchange import Exchange
from cogen.web.exchanges.files import FileWrapper
from cogen.web.exchanges.greenlets import Runners
from cogen.web.exchanges.pool import Pool
from cogen.web.exchanges.spool import Spool
from cogen.web.exchanges.stuck import POOL, threads_at_work
from cogen.web.exchanges.threads import ThreadedExchange
from cogen.web.extensions import Wsgi
from cogen.web.http.environ import base_environ
from cogen.web.http.errors import HTTPError
from cogen.web.http.parser import RequestParser
from cogen.web.http.request import Request
from cogen.web.http.response import forget_heads
from cogen.web.life import Application, Life, OnLoop
from cogen.web.observers.access import AccessLog
from cogen.web.observers.collector import Collector
from cogen.web.observers.endpoints import Endpoints
from cogen.web.observers.memory import Memory
from cogen.web.options import Options
from cogen.web.peers import Peers, RequestError

__all__ = ["Application", "Server"]

log = logging.getLogger(__name__)

# What is cut at a stop has this many seconds to close.
_CUT_SECONDS = 0.15


class Server:
    """Serves a WSGI `application` on the loop of `scheduler`.

    `lives` are those of the applications in it, which registered while they were made.
    """

    def __init__(
        self,
        application: Application,
        scheduler: Scheduler,
        options: Options,
        lives: Sequence[Life] = (),
    ) -> None:
        self.lives = lives
        self.scheduler = scheduler
        self.options = options
        self.application = application
        self.pool: Pool | None = None
        self._spool = Spool(options.spool_body, options.spool_total)
        limits = options.thread_limits()
        if isinstance(application, OnLoop) and options.threads == "auto":
            limits = None
        if limits is not None:
            self.pool = Pool(scheduler, *limits)
        elif isinstance(application, OnLoop):
            self.application = application.application
        self.base_environ: WSGIEnvironment = base_environ(
            "http", self.pool is not None, options.workers > 1
        )
        self.base_environ["wsgi.file_wrapper"] = FileWrapper
        self.base_environ["wsgi.errors"] = sys.stderr
        self.proxies = Proxies.of(options)
        self._hosts = Hosts(options.allowed_hosts, self.proxies)
        self.connections: set[Connection] = set()
        self.places = Places(options)
        self.exchanges: set[Exchange] = set()
        self._parser: RequestParser | None = None
        self.runners = Runners()
        scheduler.enter = self.runners.run
        self.stopping = False
        self.grace = 0.0  # seconds that an idle connection is kept after the stop
        self.peers = Peers()
        self.requests = 0
        self.refusals: dict[int, int] = {}
        self.access = None
        if options.access_log != "off":
            self.access = AccessLog(options.access_log, options.workers > 1)
        self._memory = Memory(scheduler.loop, self._trim)
        self.collector = Collector(scheduler.loop, options, self._memory.uses)
        self._observers: list[Callable[[Exchange, dict[str, Any]], None]] = [self.collector.began]
        if self.access is not None:
            self._observers.append(self.access.began)
        self._endpoints: Endpoints | None = None
        if options.metrics_path or options.health_path or options.ready_path:
            self._endpoints = Endpoints(self)
            self._observers += self._endpoints.observers
        self._listeners: list[asyncio.Server | Handshakes] = []
        self._idle = asyncio.Event()

    @property
    def mode(self) -> str:
        """Where the application runs, in words."""
        if self.pool is None:
            return "the application runs on the event loop and must not block"
        least, most = self.pool.least, self.pool.most
        count = f"{least} to {most}" if least < most else f"{most}"
        return f"the application runs in {count} threads"

    def not_ready(self) -> str:
        """'' or one line that says why requests cannot be answered."""
        if self.stopping:
            return "stopping"
        lines = (life.ready() for life in self.lives if life.ready is not None)
        return next(filter(None, lines), "")

    async def start(
        self, socks: Sequence[socket.socket], tls: ssl.SSLContext | None = None
    ) -> None:
        """Take connections from `socks`, which listen. Raises what an application's start does."""
        await self._start_lives()
        if self.pool is not None:
            self.pool.start()
        self.runners.start()
        self._memory.start()
        for sock in socks:
            environ = self._base_environ(sock, "https" if tls is not None else "http")
            self._listeners.append(await self._listen(sock, environ, tls))

    async def _listen(
        self, sock: socket.socket, environ: WSGIEnvironment, tls: ssl.SSLContext | None
    ) -> "asyncio.Server | Handshakes":
        backlog = self.options.backlog
        # The loop asks for the methods of a protocol, not for its class.
        protocol: Any = functools.partial(Connection, self, environ, self._hosts.at(sock))
        if tls is None:
            return await self.scheduler.loop.create_server(protocol, sock=sock, backlog=backlog)
        places, timeout = self.places, self.options.header_timeout
        listener = Handshakes(sock, tls, timeout, places.take, places.give_back, protocol)
        listener.start(backlog)
        return listener

    async def _start_lives(self) -> None:
        for index, life in enumerate(self.lives):
            try:
                if life.start is not None:
                    await life.start({**self.base_environ, "cogen.peers": self.peers})
            except BaseException:
                for started in reversed(self.lives[:index]):
                    await _told(started.stop)
                raise

    def _base_environ(self, sock: socket.socket, scheme: str) -> WSGIEnvironment:
        environ = {**self.base_environ, "wsgi.url_scheme": scheme}
        address = sock.getsockname()
        if isinstance(address, tuple):
            environ["SERVER_NAME"], environ["SERVER_PORT"] = address[0], str(address[1])
        else:
            environ["SERVER_NAME"], environ["SERVER_PORT"] = "localhost", "80"
        return environ

    async def stop(
        self,
        grace: float = 0.0,
        outlived: Callable[[], Awaitable[None]] | None = None,
        late: float = 0.0,
    ) -> None:
        """Take no more, let held requests be answered, and after a deadline cut the rest.

        Idle connections close at once, or after `grace` seconds: where another process goes on
        serving, a request that is on its way to one is not broken. `outlived` returns when nobody
        else needs what the application lets go of at its stop. `late`: seconds of the deadline that
        have passed already, while the loop was blocked.
        """
        self.stopping = True
        self.grace = grace
        loop, patience = self.scheduler.loop, max(0.0, self.options.shutdown_timeout - late)
        deadline = loop.time() + patience
        for listener in self._listeners:
            listener.close()
        try:
            async with asyncio.timeout_at(deadline):
                for life in reversed(self.lives):
                    await _told(life.stopping)
                for connection in list(self.connections):
                    connection.stop()
                await self._all_ended()
                if outlived is not None:
                    await outlived()
        except TimeoutError:
            log.warning("%d connections were cut at the stop", len(self.connections))
        for connection in list(self.connections):
            connection.cut()
        for listener in self._listeners:
            if isinstance(listener, Handshakes):
                await listener.cut()
        # What closes after the cut has a moment; only a call in a thread can outlast it.
        loop.call_later(_CUT_SECONDS, self._give_up)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * _CUT_SECONDS):
                await self._all_ended()
        if self.pool is not None:
            left = await self.pool.stop(max(_CUT_SECONDS, deadline - loop.time()))
            if left:
                where = ", ".join(threads_at_work(POOL))
                log.warning("%d threads of the application are left: %s", left, where)
        await self.scheduler.cancel_all(2 * _CUT_SECONDS)
        self._memory.stop()
        for life in reversed(self.lives):
            await _told(life.stop)

    def hurry(self) -> None:
        """While it stops: no other process goes on serving, idle connections close now."""
        self.grace = 0.0
        for connection in list(self.connections):
            connection.stop()

    async def hand_over(self) -> None:
        """Have the applications let go of what only one process can have. Raises RequestError."""
        for life in reversed(self.lives):
            if life.hand_over is not None:
                await _asked("hand_over", life.hand_over)

    async def take_back(self) -> None:
        """Have them take it again, also where one cannot. Raises RequestError, of the last."""
        failed: RequestError | None = None
        for life in self.lives:
            if life.take_back is not None:
                try:
                    await _asked("take_back", life.take_back)
                except RequestError as error:
                    failed = error
        if failed is not None:
            raise failed

    async def _all_ended(self) -> None:
        while self.connections or self.exchanges:
            self._idle.clear()
            await self._idle.wait()

    def _give_up(self) -> None:
        for exchange in list(self.exchanges):
            exchange.give_up()

    # What connections call.

    def connection_made(self, connection: Connection) -> HTTPError | None:
        """Why `connection` is refused, None if it is not."""
        self.connections.add(connection)
        self._memory.holds(len(self.connections))
        # One over TLS has its place since it was accepted.
        return None if connection.secure else self.places.take(connection.address)

    def connection_lost(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self._memory.holds(len(self.connections))
        self.places.give_back(connection.address)
        if not self.connections:
            self._idle.set()

    def exchange(self, connection: Connection, request: Request, wsgi: Wsgi, path: str) -> Exchange:
        """What is to answer `request`, whose decoded path is `path`."""
        endpoints, pool = self._endpoints, self.pool
        if endpoints is not None and endpoints.take(path):
            return Exchange(connection, request, wsgi, endpoints)
        if pool is None:
            return Exchange(connection, request, wsgi, self.application)
        return ThreadedExchange(connection, request, wsgi, self.application, pool, self._spool)

    def parse(self, head: bytes) -> Request:
        """The request that begins with the whole `head`. Raises HTTPError."""
        parser, self._parser = self._parser or RequestParser(), None
        try:
            return parser.parse(head, self.options.max_headers)
        finally:
            if parser.reusable:
                self._parser = parser
            else:
                parser.close()

    def _trim(self) -> None:
        """Let go of what is kept for reuse, and of garbage."""
        self.runners.trim()
        self.scheduler.timers.trim()
        if not self.connections:
            # They kept their room.
            self.connections.clear()
            self.exchanges = self.exchanges.copy()
        if self._parser is not None:
            self._parser.close()
            self._parser = None
        forget_heads()
        for life in self.lives:
            if life.trim is not None:
                life.trim()
        # CPython remembers by name the attributes that were looked up last.
        sys._clear_type_cache()
        self.collector.collect()

    def exchange_began(self, exchange: Exchange, environ: WSGIEnvironment) -> None:
        self.requests += 1
        self.exchanges.add(exchange)
        for began in self._observers:
            began(exchange, environ)

    def exchange_ended(self, exchange: Exchange) -> None:
        self.exchanges.discard(exchange)
        if not self.exchanges:
            self._idle.set()

    def refused(self, status: int, address: str, exchange: Exchange | None) -> None:
        if self.access is not None and exchange is None:
            self.access.refused(address, status)
        self.refusals[status] = self.refusals.get(status, 0) + 1

    def statistics(self) -> dict[str, int]:
        """Counts of what is held: connections, exchanges, the scheduler's, and the threads'."""
        return {
            "connections": len(self.connections),
            "handshakes": self.places.taken - len(self.connections),
            "exchanges": len(self.exchanges),
            "requests": self.requests,
            **self.scheduler.statistics(),
            **(self.pool.statistics() if self.pool is not None else {}),
            "spooled_bytes": self._spool.used,
        }


async def _told(hook: Callable[[], Awaitable[None]] | None) -> None:
    """Call a `hook` of the stop: what it raises is logged, and the stop goes on."""
    if hook is None:
        return
    try:
        await hook()
    except Exception:
        log.exception("%r of an application failed", hook)


async def _asked(name: str, hook: Callable[[], Awaitable[None]]) -> None:
    """Await a hook of an application. Raises RequestError."""
    try:
        await hook()
    except Exception as error:
        log.exception("%s of an application failed", name)
        raise RequestError(f"{type(error).__name__}: {error}") from error
