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

from cogen.core.dump import Dump
from cogen.core.groups import TaskGroup
from cogen.core.schedulers import Scheduler, running_for
from cogen.web.connections.connection import Connection
from cogen.web.connections.handshakes import Handshakes
from cogen.web.connections.hosts import Hosts
from cogen.web.connections.introduced import Introduced
from cogen.web.connections.shared import Shared
from cogen.web.exchanges.files import FileWrapper
from cogen.web.exchanges.owner import RequestGroup
from cogen.web.exchanges.pool import Pool
from cogen.web.exchanges.stopping import Stopping
from cogen.web.exchanges.stuck import POOL, threads_at_work
from cogen.web.http.environ import base_environ
from cogen.web.life import Application, Life, OnLoop
from cogen.web.observers.access import AccessLog
from cogen.web.observers.collector import Collector
from cogen.web.observers.endpoints import Endpoints, wants_endpoints
from cogen.web.observers.memory import Memory
from cogen.web.observers.requests import Requests
from cogen.web.observers.slow import SlowRequests
from cogen.web.observers.stalls import Stalls
from cogen.web.options import Options
from cogen.web.peers import Peers, RequestError

__all__ = ["Application", "Server"]

log = logging.getLogger(__name__)

# What is cut at a stop has this many seconds to close.
_CUT_SECONDS = 0.15


class Server:
    """Serves a WSGI `application` on the loop of `scheduler`.

    `lives` are those of the applications in it, which registered while they were made. `alone`:
    its stop ends all coroutines of the scheduler, for there is nothing but the server.
    """

    def __init__(
        self,
        application: Application,
        scheduler: Scheduler,
        options: Options,
        lives: Sequence[Life] = (),
        alone: bool = True,
    ) -> None:
        self.lives = lives
        self._alone = alone
        self.scheduler = scheduler
        self.options = options
        self.peers = Peers()
        self.shared = _shared(application, scheduler, options)
        self.group = TaskGroup(scheduler, independent=True)
        self.shared.base_environ["cogen.group"] = self._requests = RequestGroup()
        self.shared.base_environ["cogen.server_group"] = self.group
        self._stopping = Stopping(scheduler, lambda: self.shared.exchanges)
        self.shared.base_environ["cogen.stopping"] = self._stopping
        self._hosts = Hosts(options.allowed_hosts, self.shared.proxies)
        self._memory = Memory(scheduler.loop, self._trim)
        self.collector = Collector(scheduler.loop, options, self._memory.uses)
        self.shared.counted = self._memory.holds
        self.shared.when_begun.append(self.collector.began)
        if options.access_log != "off":
            access = AccessLog(options.access_log, options.workers > 1)
            self.shared.when_begun.append(access.began)
            self.shared.when_refused.append(access.refused)
        names = {self.group: "the server"}
        self.dump = Dump(scheduler, [Requests(self.shared)], names)
        slow = SlowRequests(self.shared, options.slow_request)
        self.stalls = Stalls(
            self.shared, options.stall_warning, slow, lambda: self.collector.collected, names
        )
        if wants_endpoints(options):
            Endpoints(self.shared, lives, self.peers, self.stalls, self.dump)
        self._listeners: list[asyncio.Server | Handshakes] = []
        self._not_introduced: set[Introduced] = set()

    @property
    def mode(self) -> str:
        """Where the application runs, in words."""
        pool = self.shared.pool
        if pool is None:
            return "the application runs on the event loop and must not block"
        count = f"{pool.least} to {pool.most}" if pool.least < pool.most else f"{pool.most}"
        return f"the application runs in {count} threads"

    async def start(
        self, socks: Sequence[socket.socket], tls: ssl.SSLContext | None = None
    ) -> None:
        """Take connections from `socks`, which listen. Raises what an application's start does."""
        await self._start_lives()
        if self.shared.pool is not None:
            # Connections have the context in which their socket began to listen.
            running_for.set(self.scheduler)
            self.shared.pool.start()
        self.shared.runners.start()
        self._memory.start()
        if self.options.stall_warning:
            self.stalls.start()
        for sock in socks:
            environ = self._base_environ(sock, "https" if tls is not None else "http")
            self._listeners.append(await self._listen(sock, environ, tls))

    async def _listen(
        self, sock: socket.socket, environ: WSGIEnvironment, tls: ssl.SSLContext | None
    ) -> "asyncio.Server | Handshakes":
        backlog = self.options.backlog
        # The loop asks for the methods of a protocol, not for its class.
        protocol: Any = functools.partial(Connection, self.shared, environ, self._hosts.at(sock))
        timeout = self.options.header_timeout
        proxies = self.shared.introducers
        if tls is None:
            if proxies is not None:
                waiting = self._not_introduced
                protocol = functools.partial(Introduced, protocol, proxies, timeout, waiting)
            return await self.scheduler.loop.create_server(protocol, sock=sock, backlog=backlog)
        places = self.shared.places
        listener = Handshakes(sock, tls, timeout, places.take, places.give_back, protocol, proxies)
        listener.start(backlog)
        return listener

    async def _start_lives(self) -> None:
        for index, life in enumerate(self.lives):
            try:
                if life.start is not None:
                    await life.start({**self.shared.base_environ, "cogen.peers": self.peers})
            except GeneratorExit:  # the loop is gone: nothing can be awaited
                raise
            except BaseException:
                await self._end_group(_CUT_SECONDS)
                for started in reversed(self.lives[:index]):
                    await _told(started.stop)
                raise

    def _base_environ(self, sock: socket.socket, scheme: str) -> WSGIEnvironment:
        environ = {**self.shared.base_environ, "wsgi.url_scheme": scheme}
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
        self.shared.stopping = True
        self.shared.grace = grace
        loop, patience = self.scheduler.loop, max(0.0, self.options.shutdown_timeout - late)
        deadline = loop.time() + patience
        for listener in self._listeners:
            listener.close()
        self._stopping.begin()
        try:
            async with asyncio.timeout_at(deadline):
                for life in reversed(self.lives):
                    await _told(life.stopping)
                self._stopping.tell()
                for connection in list(self.shared.connections):
                    connection.stop()
                await self.shared.all_ended()
                if outlived is not None:
                    await outlived()
        except TimeoutError:
            log.warning("%d connections were cut at the stop", len(self.shared.connections))
        self._stopping.end()
        self._cut()
        for listener in self._listeners:
            if isinstance(listener, Handshakes):
                await listener.cut()
        # What closes after the cut has a moment; only a call in a thread can outlast it.
        loop.call_later(_CUT_SECONDS, self._give_up)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * _CUT_SECONDS):
                await self.shared.all_ended()
        if self.shared.pool is not None:
            left = await self.shared.pool.stop(max(_CUT_SECONDS, deadline - loop.time()))
            if left:
                where = ", ".join(threads_at_work(POOL))
                log.warning("%d threads of the application are left: %s", left, where)
        await self._end_group(max(2 * _CUT_SECONDS, deadline - loop.time()))
        if self._alone:
            await self.scheduler.cancel_all(2 * _CUT_SECONDS)
        self._memory.stop()
        self.stalls.stop()
        for life in reversed(self.lives):
            await _told(life.stop)
        self.shared.runners.trim()  # else they keep the loop, and all that it served

    async def _end_group(self, patience: float) -> None:
        """Cancel the background work of the application; that and what requests own cleans up."""
        self.group.cancel()
        try:
            async with asyncio.timeout(patience):
                await self._requests.all_ended()
                await self.group.join()
        except TimeoutError:
            log.error("background coroutines that did not end: %s", list(self.group))

    def hurry(self) -> None:
        """While it stops: no other process goes on serving, idle connections close now."""
        self.shared.grace = 0.0
        for connection in list(self.shared.connections):
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

    def _cut(self) -> None:
        for connection in list(self.shared.connections):
            connection.cut()
        for introduced in list(self._not_introduced):
            introduced.cut()

    def _give_up(self) -> None:
        for exchange in list(self.shared.exchanges):
            exchange.give_up()

    def _trim(self) -> None:
        """Let go of what is kept for reuse, and of garbage."""
        self.shared.trim()
        for life in self.lives:
            if life.trim is not None:
                life.trim()
        # CPython remembers by name the attributes that were looked up last.
        sys._clear_type_cache()
        self.collector.collect()


def _shared(application: Application, scheduler: Scheduler, options: Options) -> Shared:
    """What connections share: where the application runs is decided here."""
    limits = options.thread_limits()
    if isinstance(application, OnLoop):
        if options.threads == "auto":
            limits = None
        if limits is None:
            application = application.application
    pool = Pool(scheduler, *limits) if limits is not None else None
    environ = base_environ("http", pool is not None, options.workers > 1)
    environ["wsgi.file_wrapper"] = FileWrapper
    environ["wsgi.errors"] = sys.stderr
    return Shared(application, scheduler, options, pool, environ)


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
