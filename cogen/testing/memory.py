"""A server without sockets: connections are objects, and a fake clock runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import httptools

from cogen.core.schedulers import Scheduler
from cogen.testing.clock import FakeClockLoop
from cogen.web.connections.connection import Connection
from cogen.web.life import Life
from cogen.web.options import Options
from cogen.web.server import Server

__all__ = ["Answer", "Browser", "MemoryServer", "MemoryTransport", "nothing"]


class MemoryTransport(asyncio.Transport):
    """What the server writes is in `written`; `closed` once either side has closed.

    `address`: the client's; empty: it came by a Unix socket. `writes` counts the calls. `changed`
    is called after each, and at the end.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: asyncio.Protocol,
        address: str = "127.0.0.1",
    ) -> None:
        super().__init__()
        self._address = address
        self._loop = loop
        self.protocol: asyncio.Protocol | None = protocol  # None once it knows of the end
        self.written = bytearray()
        self.writes = 0
        self.changed: Callable[[], None] = nothing
        self.closed = False
        protocol.connection_made(self)

    def write(self, data: Any) -> None:
        """As of asyncio; the client has it at once."""
        self.written += data
        self.writes += 1
        self.changed()

    def writelines(self, pieces: Any) -> None:
        """As of asyncio, in one write."""
        self.write(b"".join(pieces))

    def close(self) -> None:
        """As of asyncio: the protocol is told in the next turn of the loop."""
        if not self.closed:
            self.closed = True
            self._loop.call_soon(self._lost)
            self.changed()

    abort = close

    def _lost(self) -> None:
        protocol, self.protocol = self.protocol, None
        assert protocol is not None
        protocol.connection_lost(None)

    def can_write_eof(self) -> bool:
        """As of asyncio."""
        return True

    def write_eof(self) -> None:
        """The client sees the end in `written`."""

    def is_closing(self) -> bool:
        """As of asyncio."""
        return self.closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As of asyncio; it knows `peername`."""
        if name != "peername":
            return default
        return (self._address, 50000) if self._address else ""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """All is taken at once."""

    def get_write_buffer_size(self) -> int:
        """As of asyncio: nothing is kept back."""
        return 0

    def pause_reading(self) -> None:
        """Tests feed as they like."""

    def resume_reading(self) -> None:
        """Tests feed as they like."""


def nothing() -> None:
    """What a transport calls by default."""


class MemoryServer:
    """`application` on cogen's server with a fake clock; close it at the end of the test.

    `options`: by default those with `threads="0"`. `lives`: what the applications in it have
    registered, `cogen.web.life.take_lives()` for all. A context manager as well.
    """

    def __init__(
        self,
        application: Any,
        options: Options | None = None,
        lives: Sequence[Life] = (),
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.loop: Any = loop if loop is not None else FakeClockLoop()
        if isinstance(self.loop, FakeClockLoop):
            self.loop.busy = self._busy
        self.scheduler = Scheduler(self.loop)
        self.server = Server(application, self.scheduler, options or Options(threads="0"), lives)
        self.server.shared.base_environ["SERVER_NAME"] = "127.0.0.1"
        self.server.shared.base_environ["SERVER_PORT"] = "80"
        self.loop.run_until_complete(self.server.start(()))

    def connect(self, address: str = "127.0.0.1") -> MemoryTransport:
        """A connection of its own; `.protocol.data_received(bytes)` is what a client sends."""
        protocol: Any = Connection(self.server.shared)  # has its methods, not its class
        return MemoryTransport(self.loop, protocol, address)

    def _busy(self) -> bool:
        """Whether a thread has a request to see to: its clock waits for that."""
        shared = self.server.shared
        return shared.pool is not None and any(not each.awaits_news for each in shared.exchanges)

    def close(self) -> None:
        """Stop the server, end what is left, and close the loop."""
        if self.loop.is_closed():
            return
        self.loop.run_until_complete(self.server.stop())
        self.scheduler.shutdown()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def __enter__(self) -> MemoryServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Answer:
    """What came for one request; `done` once it is whole.

    `browser` keeps its cookies. `head_only`: it is to a HEAD, and has no body.
    """

    def __init__(
        self, browser: Browser | None, transport: MemoryTransport, head_only: bool = False
    ) -> None:
        self.done = False
        self.status = 0
        self.reason = ""
        self.headers: list[tuple[str, str]] = []
        self.body = b""
        self.transport = transport
        self._browser = browser
        self._head_only = head_only
        self._seen = 0
        self._parser = httptools.HttpResponseParser(self)

    def look(self) -> Answer:
        """Take in what has been written meanwhile."""
        news = bytes(self.transport.written[self._seen :])
        self._seen += len(news)
        if news and not self.done:
            self._parser.feed_data(news)
        return self

    def header(self, name: str) -> str | None:
        """The value of the last header of that name, None if there is none."""
        return {key.lower(): value for key, value in self.headers}.get(name.lower())

    def hang_up(self) -> None:
        """The client closes its connection."""
        self.transport.close()

    # httptools

    def on_status(self, reason: bytes) -> None:
        """For the parser."""
        self.reason = reason.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """For the parser."""
        self.headers.append((name.decode(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """For the parser."""
        self.status = self._parser.get_status_code()
        if self._browser is not None:
            self._browser.keep_cookies(self.headers)
        self.done = self._head_only and self.status >= 200

    def on_body(self, body: bytes) -> None:
        """For the parser."""
        self.body += body

    def on_message_complete(self) -> None:
        """For the parser."""
        if self.status >= 200:
            self.done = True
        else:  # an interim response (RFC 9110 section 15.2)
            self.headers.clear()


class Browser:
    """Somebody with cookies of their own; each request has a connection of its own."""

    address = "127.0.0.1"

    def __init__(self, server: MemoryServer, **headers: str) -> None:
        self.server = server
        self.cookies: dict[str, str] = {}
        self.headers = {"Host": "127.0.0.1", **headers}

    def begin(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a request and run what it starts; the answer may be held."""
        lines = {**self.headers, **{key.replace("_", "-"): value for key, value in headers.items()}}
        if self.cookies:
            lines["Cookie"] = "; ".join(f"{key}={value}" for key, value in self.cookies.items())
        if body or method == "POST":
            lines["Content-Length"] = str(len(body))
        head = "".join(f"{key}: {value}\r\n" for key, value in lines.items())
        transport = self.server.connect(self.address)
        answer = Answer(self, transport, method == "HEAD")
        request = f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body
        assert transport.protocol is not None
        transport.protocol.data_received(request)
        self.run()
        return answer.look()

    def run(self) -> None:
        """Run what was asked for until everything waits."""
        self.server.loop.settle()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a request that has to be answered without time passing."""
        answer = self.begin(method, path, body, **headers)
        assert answer.done, f"{method} {path} is held"
        answer.transport.close()
        self.server.loop.settle()
        return answer

    def keep_cookies(self, headers: list[tuple[str, str]]) -> None:
        """Have the cookies of `headers` sent from now on."""
        for name, value in headers:
            if name.lower() == "set-cookie":
                key, _, cookie = value.strip().partition(";")[0].partition("=")
                self.cookies[key] = cookie
