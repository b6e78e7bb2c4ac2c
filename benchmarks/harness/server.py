"""A cogen server in a thread of this process, and raw sockets to talk to it."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from cogen.core.schedulers import Scheduler
from cogen.web.connections.listen import listening_socket
from cogen.web.connections.tls import Certificate
from cogen.web.life import Life
from cogen.web.options import Options
from cogen.web.server import Server

__all__ = ["PATIENCE", "Client", "Response", "ServerThread", "eventually"]

# Seconds after which something that hangs has failed; nothing waits for it otherwise.
PATIENCE = 20.0


class ServerThread:
    """A context manager: `application` served on a free port of 127.0.0.1.

    `proactor` names the loop, `options` are the server's. `call(f)` runs f on the loop.
    """

    def __init__(
        self, application: Any, proactor: str = "any", lives: Sequence[Life] = (), **options: Any
    ) -> None:
        self.application = application
        self.lives = lives
        # A busy machine is no finding of a test.
        usual = {"port": 0, "proactor": proactor, "threads": "0", "stall_warning": 0.0}
        self.options = Options(**{**usual, **options})
        self.server: Server
        self.loop: asyncio.AbstractEventLoop
        self.failure: BaseException | None = None
        self._started = threading.Event()
        self._stop: asyncio.Event
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> ServerThread:
        self._thread.start()
        assert self._started.wait(PATIENCE)
        if self.failure is not None:
            raise self.failure
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Gracefully; returns when the loop is closed."""
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(PATIENCE)
            assert not self._thread.is_alive(), "the server did not stop"

    def _run(self) -> None:
        try:
            scheduler = Scheduler(proactor=self.options.proactor)
            self.loop = scheduler.loop
            sock = listening_socket(self.options)
            self.address = sock.getsockname()
            self.server = Server(self.application, scheduler, self.options, self.lives)
            scheduler.loop.run_until_complete(self._serve(sock))
            scheduler.shutdown(0)
        except BaseException as error:
            self.failure = error
            raise
        finally:
            self._started.set()

    async def _serve(self, sock: socket.socket) -> None:
        self._stop = asyncio.Event()
        self.certificate = Certificate.of(self.options)
        tls = self.certificate.context if self.certificate is not None else None
        await self.server.start([sock], tls)
        self._started.set()
        await self._stop.wait()
        await self.server.stop()

    @property
    def port(self) -> int:
        port: int = self.address[1]
        return port

    def connect(self, receive_buffer: int = 0) -> Client:
        """A connection; a small `receive_buffer` makes a client that the server must wait for."""
        sock = socket.socket(socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(PATIENCE)
        sock.connect(self.address)
        return Client(sock)

    def exchange(self, raw: bytes) -> bytes:
        """Send `raw`, say that no more follows, and return all that is answered."""
        with self.connect() as client:
            client.send(raw)
            client.shutdown()
            return client.rest()

    def get(self, path: str = "/", headers: str = "") -> Response:
        """The response to a GET on a connection of its own."""
        with self.connect() as client:
            return client.get(path, headers)

    def call(self, function: Callable[[], Any]) -> Any:
        """The result of `function()`, run on the server's loop."""

        async def run() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(PATIENCE)

    def statistics(self) -> dict[str, int]:
        return self.call(self.server.shared.statistics)

    def open_files(self) -> int:
        return len(os.listdir("/proc/self/fd"))

    def settled(self, **counts: int) -> None:
        """Return when the server's counts have these values."""
        eventually(lambda: {name: self.statistics()[name] for name in counts}, counts)


class Response:
    """One parsed response: `status`, `headers` (lower-case names), `body` (framing taken off)."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """A raw connection; a context manager that closes it."""

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.file = sock.makefile("rb")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self.file.close()
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def shutdown(self) -> None:
        """Say that nothing more is sent. The server may have closed first."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def reset(self) -> None:
        """Close in a way that cannot be taken for the end of what is sent (RST)."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def rest(self) -> bytes:
        """All that comes until the server closes; also if it resets the connection."""
        try:
            return self.file.read()
        except ConnectionResetError:
            return b""

    def get(self, path: str = "/", headers: str = "") -> Response:
        self.send(f"GET {path} HTTP/1.1\r\nHost: test\r\n{headers}\r\n".encode())
        return self.response()

    def head(self) -> tuple[int, dict[str, str]]:
        """The status and headers of what comes next; each value of a name has a line."""
        line = self.file.readline()
        assert line.startswith(b"HTTP/1.1 "), line
        headers: dict[str, str] = {}
        for each in iter(self.file.readline, b"\r\n"):
            assert each, "the head is cut"
            name, _, value = each.decode("latin-1").partition(":")
            name, value = name.lower(), value.strip()
            headers[name] = f"{headers[name]}\n{value}" if name in headers else value
        return int(line[9:12]), headers

    def response(self, method: str = "GET") -> Response:
        """The next response; asserts that it is whole."""
        status, headers = self.head()
        if method == "HEAD" or status in (100, 204, 304):
            return Response(status, headers, b"")
        if "content-length" in headers:
            length = int(headers["content-length"])
            body = self.file.read(length)
            assert len(body) == length, "the body is cut"
        elif headers.get("transfer-encoding") == "chunked":
            body = b"".join(iter(self.chunk, b""))
        else:
            assert headers.get("connection") == "close", headers
            body = self.file.read()
        return Response(status, headers, body)

    def chunk(self) -> bytes:
        """The next chunk of a chunked body, empty at its end."""
        size = int(self.file.readline(), 16)
        data = self.file.read(size)
        assert len(data) == size, "the chunk is cut"
        assert self.file.readline() == b"\r\n"
        return data


def eventually(observe: Callable[[], Any], expected: Any) -> None:
    """Return when `observe()` equals `expected`: what another thread does takes a moment."""
    deadline = time.monotonic() + PATIENCE
    pause = 0.005
    while (seen := observe()) != expected:
        if time.monotonic() > deadline:
            raise AssertionError(f"{seen!r} did not become {expected!r}")
        # It stops every thread, for long at the end of many tests: ever more seldom.
        gc.collect()
        time.sleep(pause)
        pause = min(2 * pause, 0.2)
