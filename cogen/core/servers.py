"""Servers of streams: a coroutine for each connection, ended with the server.

    @coro
    def echo(stream):
        while line := (yield stream.read_line()):
            yield stream.write(line)

    yield serve_tcp(echo, "127.0.0.1", 7, limit=1000, idle=60)     # until it is cancelled

A handler takes the `Stream`; it may be a generator function, an `async def` or a plain function.
What it raises ends its own connection. ConnectionClosed, IdleTimeout, LineTooLong and errors of
TLS, which are the peer's doing, are logged as what happens (INFO); anything else is an error,
logged once.
"""

import asyncio
import contextlib
import errno
import logging
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

from cogen.core.coroutines import Coroutine, call, coro
from cogen.core.descriptors import ConnectionClosed, SocketError
from cogen.core.events import FOREVER, PARKED, OperationTimeout, Sleep
from cogen.core.groups import TaskGroup
from cogen.core.listening import Listening, tcp_sockets, unix_socket
from cogen.core.locks import Permit, Semaphore
from cogen.core.shields import Shield
from cogen.core.sockets import Accept, Readable, Socket
from cogen.core.streams import IdleTimeout, LineTooLong, OpenStream, Stream, address_text

__all__ = ["Listener", "listen_tcp", "listen_unix", "serve_tcp", "serve_unix"]

log = logging.getLogger(__name__)

Handler = Callable[[Stream], Any]

# The system has no more descriptors or memory: somebody has to end first.
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_PAUSE = 1.0

# Seconds that what was written may take to be sent after the handler has ended, and where the
# server ends.
_LINGER, _LINGER_AT_END = 30.0, 0.5
_HANDSHAKE = 30.0

_OF_THE_PEER = (ConnectionClosed, IdleTimeout, LineTooLong, ssl.SSLError)


class Listener:
    """Sockets that listen. `serve` accepts; `close` lets go of them, as leaving a `with` does."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening

    @property
    def addresses(self) -> list[Any]:
        """Where it listens."""
        return [sock.getsockname() for sock in self._listening.sockets]

    @property
    def port(self) -> int:
        """The port, also where it was to be any."""
        port: int = self.addresses[0][1]
        return port

    @coro
    def serve(
        self,
        handler: Handler,
        *,
        limit: int | None = None,
        idle: float | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Any:
        """Run `handler(stream)` for each connection, until it is cancelled.

        `limit`: connections at a time; while there are as many, those that come wait in the system
        (the backlog of `listen`), without an answer. `idle`: of each stream, in seconds. Cancelled,
        it cancels the handlers, waits for their `finally` blocks, sends what they have written if
        that takes no more than half a second, and closes the listener. Once the listener is closed
        it ends with the last connection.
        """
        if limit is not None and limit < 1:
            raise ValueError(f"serve: limit must be 1 or more connections, not {limit!r}")
        if not callable(handler):
            raise TypeError(f"serve: a handler is a function that takes a Stream, not {handler!r}")
        server = _Server(handler, limit, idle, tls)
        with self:
            try:
                for sock in self._listening.sockets:
                    server.group.start(server.accept, sock)
                yield server.group.join(FOREVER)
            finally:
                server.group.cancel()
                yield Shield(server.group.join(), FOREVER)

    def close(self) -> None:
        """Listen no longer; a Unix socket's path is removed."""
        self._listening.close()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        where = ", ".join(map(address_text, self.addresses)) if self._listening.open else "closed"
        return f"<Listener {where}>"


def listen_tcp(host: str | None, port: int, *, backlog: int = 1024) -> Listener:
    """Listen at `port`, 0 for any that is free, of each address of `host`, None for all.

    `backlog`: connections that the system holds until they are accepted. Raises SocketError.
    """
    return Listener(tcp_sockets(host, port, backlog))


def listen_unix(path: str, *, backlog: int = 1024) -> Listener:
    """Listen at the Unix socket `path`, with the rights that the umask gives.

    One that a dead program has left is replaced. Raises SocketError, also where one lives.
    """
    return Listener(unix_socket(path, backlog))


@coro
def serve_tcp(
    handler: Handler,
    host: str | None,
    port: int,
    *,
    limit: int | None = None,
    idle: float | None = None,
    tls: ssl.SSLContext | None = None,
) -> Any:
    """Listen as `listen_tcp` does, and `Listener.serve`."""
    yield listen_tcp(host, port).serve(handler, limit=limit, idle=idle, tls=tls)


@coro
def serve_unix(
    handler: Handler, path: str, *, limit: int | None = None, idle: float | None = None
) -> Any:
    """Listen as `listen_unix` does, and `Listener.serve`."""
    yield listen_unix(path).serve(handler, limit=limit, idle=idle)


class _Server:
    """The connections of a listener."""

    def __init__(
        self,
        handler: Handler,
        limit: int | None,
        idle: float | None,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.group = TaskGroup()
        self._handler = handler
        self._places = Semaphore(limit) if limit is not None else None
        self._idle = idle
        self._tls = tls
        self._exhausted = False

    @coro
    def accept(self, sock: Socket) -> Any:
        """Accept for ever; a place is taken first."""
        while sock.fileno() >= 0:
            permit = None
            try:
                yield Readable(sock, timeout=FOREVER)
                if self._places is not None:
                    permit = yield self._places.acquire(FOREVER)
                if self.group.over:
                    return
                accepted = Accept(sock).attempt()
            except SocketError as error:
                if sock.fileno() < 0:
                    return
                if error.errno in _EXHAUSTED:
                    self._tell_exhausted(sock, error)
                    yield Sleep(_PAUSE)
                elif not isinstance(error, ConnectionClosed):
                    raise
            else:
                if accepted is not PARKED:  # else the peer has gone, or another process was first
                    connection, address = accepted
                    self._start(connection, address, permit)
                    permit = None
            finally:
                if permit is not None:
                    permit.release()

    def _start(self, sock: Socket, address: Any, permit: Permit | None) -> None:
        self._exhausted = False
        connection = self.group.start(self._serve, sock, address)
        connection.add_done_callback(partial(_ended, sock, permit))

    def _tell_exhausted(self, sock: Socket, error: SocketError) -> None:
        if not self._exhausted:
            self._exhausted = True
            where = address_text(sock.getsockname())
            log.error(
                "connections at %s have to wait, one is tried each second: %s",
                where,
                error.strerror,
            )

    @coro
    def _serve(self, sock: Socket, address: Any) -> Any:
        """One connection, from the handshake until its descriptor is closed."""

        def open_(loop: asyncio.AbstractEventLoop, factory: Any) -> Any:
            timeout = None if self._tls is None else _HANDSHAKE
            return loop.connect_accepted_socket(
                factory, sock.detach(), ssl=self._tls, ssl_handshake_timeout=timeout
            )

        peer = address_text(address)
        try:
            stream = yield OpenStream(open_, f"take the connection of {peer}", self._idle, FOREVER)
            try:
                yield self._handle(stream)
            finally:
                stream.abort()
        except Exception as error:
            if _is_of_the_peer(error):
                log.info("%s: %s", peer, error)
            else:
                log.error("the handler of %s failed: %r", peer, error, exc_info=error)

    @coro
    def _handle(self, stream: Stream) -> Any:
        patience = _LINGER_AT_END
        try:
            yield call(self._handler, (stream,), {})
            patience = _LINGER
        except Exception:
            patience = _LINGER
            raise
        finally:
            stream.close()
            with contextlib.suppress(OperationTimeout):  # the peer does not take what was written
                yield Shield(stream.wait_closed(patience))


def _ended(sock: Socket, permit: Permit | None, connection: Coroutine) -> None:
    """A connection has ended, perhaps before it began."""
    sock.close()
    if permit is not None:
        permit.release()


def _is_of_the_peer(error: BaseException) -> bool:
    """Whether it is the peer's doing; of a group, all of it."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_of_the_peer, error.exceptions))
    return isinstance(error, _OF_THE_PEER)
