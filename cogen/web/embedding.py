"""Serving a WSGI application from a program of one's own, beside its other coroutines.

    scheduler = Scheduler()
    scheduler.add(serve, args=[application], kwargs={"port": 8080})
    scheduler.add(what_else_it_does)
    scheduler.run()

The server ends with the coroutine that serves: when the program stops, requests that are held are
told, answered, and after `shutdown_timeout` cut.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from cogen.core.coroutines import Coroutine, coro
from cogen.core.schedulers import Scheduler
from cogen.web.connections.listen import log_addresses
from cogen.web.connections.tls import Certificate
from cogen.web.life import Application, take_lives
from cogen.web.options import OptionError, Options, parse_options
from cogen.web.server import Server
from cogen.web.serving import ListenError, allow_files, listened_on

__all__ = ["ListenError", "WSGIServer", "serve"]


class WSGIServer:
    """A server of `application` at `address`: a host and a port, or the path of a Unix socket.

    `options` are those of docs/settings.md that are not of whole processes. It listens from now on;
    `serve` is the coroutine function that answers, until it is cancelled or `stop` is called.
    `scheduler` is whose coroutine it is to be, None: of whoever starts it.

    Raises ListenError where it cannot listen, OptionError for an option that is unknown or wrong.
    """

    def __init__(
        self,
        address: "tuple[str, int] | str",
        application: Application,
        scheduler: Scheduler | None = None,
        **options: Any,
    ) -> None:
        if not callable(application):
            raise TypeError(f"{application!r:.80} is no WSGI application: it cannot be called")
        place = (
            {"unix_socket": address}
            if isinstance(address, str)
            else dict(zip(("host", "port"), address, strict=True))
        )
        self.options = _options({**place, **options})
        self._application = application
        self._scheduler = scheduler
        self._stop = asyncio.Event()
        self._listening = contextlib.ExitStack()
        self._certificate = Certificate.of(self.options)
        self._socks = listened_on(self.options, self._listening)

    @property
    def addresses(self) -> Sequence[Any]:
        """Where it listens: (host, port, ...) or a path."""
        return [sock.getsockname() for sock in self._socks]

    def serve(self) -> Coroutine:
        """The coroutine that answers requests. Raises what the start of the application does."""
        return coro(self._serve)()

    def stop(self) -> None:
        """Have `serve` end, as when it is cancelled; called on the loop, or before it serves."""
        self._stop.set()

    def close(self) -> None:
        """Listen no more, where it does not serve: `serve` does it at its end."""
        self._listening.close()

    async def _serve(self) -> None:
        scheduler = Scheduler.current()
        if self._scheduler not in (None, scheduler):
            self.close()
            raise RuntimeError("the server was made for another scheduler: add its serve() there")
        allow_files(self.options.max_connections)
        server = Server(self._application, scheduler, self.options, take_lives(), alone=False)
        certificate, tls = self._certificate, None
        with self._listening:
            if certificate is not None:
                tls = certificate.context
                certificate.watch(scheduler.loop)
                self._listening.callback(certificate.unwatch)
            # The server closes what it listens on.
            await server.start([sock.dup() for sock in self._socks], tls)
            try:
                log_addresses(self._socks, self.options)
                await self._stop.wait()
            finally:
                for sock in self._socks:
                    sock.close()  # or the kernel goes on taking connections
                await _ended(server)


def serve(application: Application, **options: Any) -> Coroutine:
    """The coroutine that serves `application` until it is cancelled.

    `options` are as of WSGIServer, with `host` and `port`, or `unix_socket`. What WSGIServer raises
    is raised in the coroutine.
    """
    return coro(_served)(application, options)


serve.is_coro = True  # type: ignore[attr-defined]


async def _served(application: Application, options: dict[str, Any]) -> None:
    place = options.pop("unix_socket", "")
    address = (options.pop("host", Options.host), options.pop("port", Options.port))
    await WSGIServer(place or address, application, **options)._serve()


async def _ended(server: Server) -> None:
    """Stop `server`, which nobody breaks off: who tries has it cut what is held."""
    stopping = asyncio.ensure_future(server.stop())
    cancelled = False
    while not stopping.done():
        try:
            await asyncio.shield(stopping)
        except asyncio.CancelledError:
            cancelled = True
            server.hurry()
    stopping.result()
    if cancelled:
        raise asyncio.CancelledError


def _options(given: dict[str, Any]) -> Options:
    options = parse_options({name: str(value) for name, value in given.items()}, Options)
    if options.workers > 1:
        raise OptionError(
            "workers = 2 or more are processes, and this is one: cogen-serve and paster start them"
        )
    return options
