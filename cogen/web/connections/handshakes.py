"""Connections over TLS, from the moment on at which they are accepted.

The loop's own servers tell of a connection when its handshake is over. One that never ends would
count nowhere; so connections are accepted here, and take their place before.
"""

import asyncio
import functools
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any

from cogen.web.connections.introduced import introduction
from cogen.web.connections.proxies import Proxies
from cogen.web.http.errors import HTTPError
from cogen.web.http.proxy_header import ProxyHeader

__all__ = ["Handshakes"]

log = logging.getLogger(__name__)

# Connections accepted in one go.
_AT_ONCE = 64
# Seconds without accepting when the process has no file descriptor to spare.
_PAUSE = 1.0


class Handshakes:
    """Accepts from `sock`, which listens, and gives each handshake `timeout` seconds (0: no limit).

    `take(address)` takes a place, or says why there is none; `give_back(address)` gives back that
    of a connection whose handshake failed; `protocol()` makes the protocol of one whose did not,
    which then has the place. With `proxies`, those alone may connect, and begin with a header of
    the PROXY protocol.
    """

    def __init__(
        self,
        sock: socket.socket,
        tls: ssl.SSLContext,
        timeout: float,
        take: Callable[[str], HTTPError | None],
        give_back: Callable[[str], None],
        protocol: Callable[[], Any],
        proxies: Proxies | None = None,
    ) -> None:
        self._sock = sock
        self._tls = tls
        self._timeout = timeout or None
        self._take = take
        self._give_back = give_back
        self._protocol = protocol
        self._proxies = proxies
        self._loop = asyncio.get_running_loop()
        self._under_way: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None

    def start(self, backlog: int) -> None:
        """Accept from now on; `backlog` connections may wait for that."""
        self._sock.setblocking(False)
        self._sock.listen(backlog)
        self._listen()

    def close(self) -> None:
        """Accept no more; handshakes that are under way go on."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._sock)
        self._sock.close()

    async def cut(self) -> None:
        """End the handshakes that are under way."""
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _listen(self) -> None:
        self._pause = None
        self._loop.add_reader(self._sock, self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, peer = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                log.error("no connection can be accepted: %s", error)
                self._loop.remove_reader(self._sock)
                self._pause = self._loop.call_later(_PAUSE, self._listen)
                return
            self._accepted(connection, peer[0] if isinstance(peer, tuple) else "")

    def _accepted(self, connection: socket.socket, address: str) -> None:
        connection.setblocking(False)
        error = self._take(address)
        if error is not None:
            # It speaks TLS, and a handshake is what it is not to have.
            log.info("%s: refused before its handshake: %s", address, error)
            self._give_back(address)
            connection.close()
            return
        task = self._loop.create_task(self._shake_hands(connection, address))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def _take_place(self, address: str) -> None:
        """Raises ValueError where there is none."""
        error = self._take(address)
        if error is not None:
            raise ValueError(str(error))

    async def _shake_hands(self, connection: socket.socket, address: str) -> None:
        protocol = self._protocol
        try:
            if self._proxies is not None:
                header = await introduction(connection, address, self._proxies, self._timeout)
                if header.address:
                    self._give_back(address)
                    address = header.address
                    self._take_place(address)
                    protocol = functools.partial(_introduced, protocol, header)
            await self._loop.connect_accepted_socket(
                protocol, connection, ssl=self._tls, ssl_handshake_timeout=self._timeout
            )
        except (ValueError, OSError, asyncio.CancelledError) as error:
            log.info("%s: %s", address, _why(error))
            connection.close()
            self._give_back(address)


def _why(error: BaseException) -> str:
    """Why a connection is not served: it was refused, or its handshake came to nothing."""
    # ssl.SSLError, a timeout and a connection that was reset are OSErrors.
    if isinstance(error, ssl.SSLError) and error.reason == "HTTP_REQUEST":
        return "the handshake failed: it speaks HTTP, and https:// is served here"
    if isinstance(error, (OSError, asyncio.CancelledError)):
        return f"the handshake failed: {error}"
    return f"refused before its handshake: {error}"


def _introduced(make: Callable[[], Any], header: ProxyHeader) -> Any:
    """The protocol that `make()` makes, for the client that `header` names."""
    protocol = make()
    protocol.introduce((header.address, header.port))
    return protocol
