"""What all connections of one process share."""

import asyncio
from collections.abc import Callable, Mapping
from wsgiref.types import WSGIEnvironment

from cogen.core.greenlets import Runners
from cogen.core.schedulers import Scheduler
from cogen.web.connections.places import Places
from cogen.web.connections.proxies import Proxies
from cogen.web.exchanges.exchange import Exchange
from cogen.web.exchanges.front import Front
from cogen.web.exchanges.pool import Pool
from cogen.web.exchanges.spool import Spool
from cogen.web.exchanges.threads import ThreadedExchange
from cogen.web.extensions import Wsgi
from cogen.web.http.errors import HTTPError
from cogen.web.http.parser import RequestParser
from cogen.web.http.request import Request
from cogen.web.http.response import forget_heads
from cogen.web.life import Application
from cogen.web.options import Options

__all__ = ["Began", "Ended", "Shared"]

Ended = Callable[[int, int], None]
"""Called at the end of a request with its status and the bytes of content that were sent."""

Began = Callable[[WSGIEnvironment], Ended | None]
"""Called with the environ of a request that begins; what it returns is called at the end."""


class Shared:
    """The loop of `scheduler`, the `options`, the application, and what is there and was counted.

    `base_environ` is what every environ begins with. `pool` runs the application, None: the loop
    does. `own` are applications that answer instead of it, by the path. `stopping`: no more
    is taken; `grace`: seconds that an idle connection is kept after that. Observers are in
    `when_begun`; in `when_refused`, called with the address and the status of what was no request;
    `when_timed`, called with the exchange, has its waits timed;
    `counted` is called with how many connections there are now.
    """

    __slots__ = (
        "_idle",
        "_parser",
        "application",
        "base_environ",
        "connections",
        "counted",
        "exchanges",
        "grace",
        "introducers",
        "options",
        "own",
        "places",
        "pool",
        "proxies",
        "refusals",
        "requests",
        "runners",
        "scheduler",
        "spool",
        "stopping",
        "when_begun",
        "when_refused",
        "when_timed",
    )

    def __init__(
        self,
        application: Application,
        scheduler: Scheduler,
        options: Options,
        pool: Pool | None,
        base_environ: WSGIEnvironment,
    ) -> None:
        self.application = application
        self.scheduler = scheduler
        self.options = options
        self.pool = pool
        self.base_environ = base_environ
        self.spool = Spool(options.spool_body, options.spool_total)
        self.own: Mapping[str, Application] = {}
        proxies = Proxies.of(options)
        # Those that pass bytes on as they are say of whom; what requests say then is the client's.
        self.introducers = proxies if options.proxy_protocol else None
        self.proxies = None if options.proxy_protocol else proxies
        self.places = Places(options)
        self.runners = Runners(scheduler)
        self.connections: set[Front] = set()
        self.exchanges: set[Exchange] = set()
        self.requests = 0
        self.refusals: dict[int, int] = {}
        self.stopping = False
        self.grace = 0.0
        self.when_begun: list[Began] = []
        self.when_refused: list[Callable[[str, int], None]] = []
        self.when_timed: Callable[[Exchange], None] | None = None
        self.counted: Callable[[int], None] | None = None
        self._parser: RequestParser | None = None
        self._idle = asyncio.Event()

    # Connections.

    def connection_made(self, connection: Front, address: str, placed: bool) -> HTTPError | None:
        """Why `connection` is refused, None if it is not; `placed`: it has its place already."""
        self.connections.add(connection)
        if self.counted is not None:
            self.counted(len(self.connections))
        return None if placed else self.places.take(address)

    def connection_lost(self, connection: Front, address: str) -> None:
        """It is closed: its place is another's."""
        self.connections.discard(connection)
        if self.counted is not None:
            self.counted(len(self.connections))
        self.places.give_back(address)
        if not self.connections:
            self._idle.set()

    def refused(self, status: int, address: str, exchange: Exchange | None) -> None:
        """The client at `address` was refused with `status`, in the midst of `exchange` or none."""
        if exchange is None:
            for refused in self.when_refused:
                refused(address, status)
        self.refusals[status] = self.refusals.get(status, 0) + 1

    # Requests.

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

    def exchange(self, front: Front, request: Request, wsgi: Wsgi, path: str) -> Exchange:
        """What is to answer `request`, whose decoded path is `path`."""
        pool = self.pool
        if path in self.own:
            return Exchange(front, self.runners, request, wsgi, self.own[path])
        if pool is None:
            return Exchange(front, self.runners, request, wsgi, self.application)
        return ThreadedExchange(
            front, self.runners, request, wsgi, self.application, pool, self.spool
        )

    def exchange_began(self, exchange: Exchange, environ: WSGIEnvironment) -> None:
        """`exchange` is about to be started with `environ`."""
        self.requests += 1
        self.exchanges.add(exchange)
        if self.when_timed is not None:
            self.when_timed(exchange)
        for began in self.when_begun:
            ended = began(environ)
            if ended is not None:
                exchange.add_done_callback(_telling(ended))

    def exchange_ended(self, exchange: Exchange) -> None:
        """It is over."""
        self.exchanges.discard(exchange)
        if not self.exchanges:
            self._idle.set()

    # All of them.

    async def all_ended(self) -> None:
        """Return when there is no connection and no exchange."""
        while self.connections or self.exchanges:
            self._idle.clear()
            await self._idle.wait()

    def trim(self) -> None:
        """Let go of what is kept for reuse."""
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

    def statistics(self) -> dict[str, int]:
        """Counts of what is held: connections, exchanges, the scheduler's, and the threads'."""
        return {
            "connections": len(self.connections),
            "handshakes": self.places.taken - len(self.connections),
            "exchanges": len(self.exchanges),
            "requests": self.requests,
            **self.scheduler.statistics(),
            **(self.pool.statistics() if self.pool is not None else {}),
            "spooled_bytes": self.spool.used,
        }


def _telling(ended: Ended) -> Callable[[Exchange], None]:
    """Tells `ended` of an exchange."""
    return lambda exchange: ended(exchange.status, exchange.sent)
