"""Connections that begin with a header of the PROXY protocol, which says who the client is."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

from cogen.web.connections.link import Link
from cogen.web.connections.proxies import Proxies
from cogen.web.http.proxy_header import LONGEST, ProxyHeader, proxy_header

__all__ = ["Introduced", "introduction"]

log = logging.getLogger(__name__)

_LATE = "no PROXY header came in time"
_STRANGER = "it is none of trusted_proxies, which alone may connect with proxy_protocol"


class Introduced(asyncio.Protocol):
    """Reads the header and hands the transport to the protocol that `make()` makes.

    What does not come from one of the `trusted` proxies, has no header, or not within `timeout`
    seconds (0: no limit), is closed. It is in `waiting` until then.
    """

    def __init__(
        self,
        make: Callable[[], Link],
        trusted: Proxies,
        timeout: float,
        waiting: "set[Introduced]",
    ) -> None:
        self._make = make
        self._trusted = trusted
        self._timeout = timeout
        self._waiting = waiting
        self._deadline: asyncio.TimerHandle | None = None
        self._transport: Any = None
        self._peer = ("", "")
        self._data = b""

    def connection_made(self, transport: Any) -> None:
        """It was accepted: wait for the header."""
        self._transport = transport
        self._waiting.add(self)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self._peer = (peer[0], str(peer[1]))
        if not self._trusted.trusts(self._peer[0]):
            self._refuse(_STRANGER)
        elif self._timeout:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(self._timeout, self._refuse, _LATE)

    def data_received(self, data: bytes) -> None:
        """Take what comes of the header."""
        if self._transport is None:
            return
        self._data += data
        try:
            header = proxy_header(self._data)
        except ValueError as error:
            self._refuse(str(error))
            return
        if header is not None:
            self._hand_over(header)

    def connection_lost(self, error: Exception | None) -> None:
        """It has ended before its header did."""
        self._forget()

    def cut(self) -> None:
        """Close at once."""
        self._transport.abort()
        self._forget()

    def _hand_over(self, header: ProxyHeader) -> None:
        transport, data = self._transport, self._data
        self._forget()
        protocol: Any = self._make()
        protocol.introduce((header.address, header.port) if header.address else self._peer)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if data[header.length :]:
            protocol.data_received(data[header.length :])

    def _refuse(self, why: str) -> None:
        log.info("%s: refused: %s", self._peer[0], why)
        self.cut()

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._waiting.discard(self)
        self._deadline = self._transport = None
        self._data = b""


async def introduction(
    connection: socket.socket, address: str, trusted: Proxies, timeout: float | None
) -> ProxyHeader:
    """Read the header, and no byte more, from `connection`, which is that of `address`.

    Raises OSError, and ValueError where it is malformed, not there within `timeout` seconds, or
    not from one of the `trusted` proxies.
    """
    if not trusted.trusts(address):
        raise ValueError(_STRANGER)
    try:
        async with asyncio.timeout(timeout):
            return await _header(connection)
    except TimeoutError:
        raise ValueError(_LATE) from None


async def _header(connection: socket.socket) -> ProxyHeader:
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) < LONGEST:
        # A line has no length: its end must not be passed.
        byte = await loop.sock_recv(connection, 1)
        if not byte:
            raise ValueError("it ended before its PROXY header did")
        data += byte
        header = proxy_header(data)
        if header is not None:
            return header
    raise ValueError("its PROXY header does not end")
