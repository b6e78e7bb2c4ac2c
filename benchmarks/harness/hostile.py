"""What hostile clients do, against a server in a process of its own.

`Run.against` is a generator: it yields when the run is at its worst, where the server is asked
whether it still answers others, and lets go of all it holds when it is resumed. Each is bounded in
time and size, whatever the server does.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import random
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator

from benchmarks.harness.commands import CommandServer
from benchmarks.harness.resident import resident
from benchmarks.harness.server import Client

__all__ = ["RUNS", "TLS_RUNS", "HostileServer", "Run", "broken_uploads", "idle"]

# What is attacked: answers of many kinds.
APPLICATION = """\
import tempfile
from cogen.core.events import Sleep

MEGABYTE = b'x' * (1 << 20)
FILE = tempfile.NamedTemporaryFile(dir='.')
FILE.truncate(100 << 20)

def application(environ, start_response):
    path = environ['PATH_INFO']
    start_response('200 OK', [('Content-Type', 'application/octet-stream')])
    if path == '/list':
        return [b'x' * (100 << 20)]
    if path == '/chunks':
        return (b'x' * 65536 for _ in range(1600))
    if path == '/megabytes':
        return (MEGABYTE for _ in range(100))
    if path == '/file':
        return environ['wsgi.file_wrapper'](open(FILE.name, 'rb'))
    if path == '/read':
        return [b'%d' % len(environ['wsgi.input'].read())]
    if path == '/echo':
        return echo(environ)
    if path == '/held':
        return held(environ)
    return [b'well']

def echo(environ):
    while True:
        yield environ['cogen.input'].read(65536)
        block = environ['cogen.wsgi'].result
        if not block:
            return
        yield block

def held(environ):
    yield environ['cogen.core'].events.Sleep(3600)
    yield b'at last'
"""


class HostileServer(CommandServer):
    """`cogen-serve` with its default options and the application above."""

    def write(self, version: str) -> None:
        (self.folder / "app.py").write_text(APPLICATION)

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident(self) -> int:
        """Bytes of the process in memory."""
        return resident(self.process.pid)

    @property
    def host_and_port(self) -> tuple[str, int]:
        host, _, port = self.address.split("/")[2].rpartition(":")
        return host, int(port)

    def answers(self, tls: bool = False) -> float:
        """Seconds until it has answered an ordinary client, who is patient."""
        began = time.monotonic()
        with self.connect() as client:
            if tls:
                client = Client(_CONTEXT.wrap_socket(client.sock))
            response = client.get()
            client.close()
        assert (response.status, response.body) == (200, b"well"), response.body
        return time.monotonic() - began


_CONTEXT = ssl.create_default_context()
_CONTEXT.check_hostname = False
_CONTEXT.verify_mode = ssl.CERT_NONE


@dataclasses.dataclass(frozen=True)
class Run:
    """`count` clients, or another number, that do the `act`."""

    name: str
    count: int
    act: Act
    receive_buffer: int = 0

    def against(
        self, server: HostileServer, seconds: float, count: int | None = None
    ) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            clients = []
            for _ in range(count or self.count):
                sock = stack.enter_context(socket.socket())
                if self.receive_buffer:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
                sock.settimeout(5)
                sock.connect(server.host_and_port)
                clients.append(sock)
            self.act(clients, seconds)
            yield


# What clients do, given for how many seconds a slow one is slow.
Act = Callable[[list[socket.socket], float], None]


def _send(sock: socket.socket, data: bytes) -> bool:
    """Send what the server takes; False once it has had enough."""
    try:
        sock.sendall(data)
    except (OSError, TimeoutError):
        return False
    return True


def _reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


# Acts of one shape.


def _sends(*texts: bytes) -> Act:
    """Each client sends one of `texts`, the next another."""

    def act(clients: list[socket.socket], seconds: float) -> None:
        for sock, text in zip(clients, itertools.cycle(texts)):
            _send(sock, text)

    return act


def _drips(start: bytes, data: bytes) -> Act:
    """All send `start` and then `data` a byte at a time."""

    def act(clients: list[socket.socket], seconds: float) -> None:
        _sends(start)(clients, seconds)
        deadline = time.monotonic() + seconds
        for byte in data:
            _sends(bytes([byte]))(clients, seconds)
            time.sleep(0.02)
            if time.monotonic() > deadline:
                return

    return act


def _floods(*texts: tuple[bytes, bytes]) -> Act:
    """Send a start and then more again and again, until the server ends it or time is up."""

    def act(clients: list[socket.socket], seconds: float) -> None:
        for sock, (start, more) in zip(clients, itertools.cycle(texts)):
            sock.settimeout(0.2)
            deadline = time.monotonic() + seconds / 5
            going = _send(sock, start)
            while going and time.monotonic() < deadline:
                going = _send(sock, more)

    return act


def _reads_slowly(path: bytes) -> Act:
    """Ask for something large and take it a byte at a time."""

    def act(clients: list[socket.socket], seconds: float) -> None:
        _sends(b"GET %s HTTP/1.1\r\nHost: test\r\n\r\n" % path)(clients, seconds)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for sock in clients:
                with contextlib.suppress(OSError):
                    sock.recv(1)
            time.sleep(0.05)

    return act


def _answered(text: bytes) -> Act:
    """Send `text` and take one answer to it."""

    def act(clients: list[socket.socket], seconds: float) -> None:
        _sends(text)(clients, seconds)
        for sock in clients:
            with contextlib.suppress(OSError):
                sock.recv(4096)

    return act


# Acts of their own.


def _half_close(clients: list[socket.socket], seconds: float) -> None:
    """End their side: behind a request, within a head, within a body, at once."""
    _sends(_GET, b"GET / HT", _POST + b"Content-Length: 10\r\n\r\nabc", b"")(clients, seconds)
    for sock in clients:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_WR)


def _vanish(clients: list[socket.socket], seconds: float) -> None:
    """Ask, every other one, and are gone."""
    for number, sock in enumerate(clients):
        if number % 2:
            _send(sock, _GET)
        sock.close()


def _cut_off(clients: list[socket.socket], seconds: float) -> None:
    """Are cut off at once, some within an answer or a request."""
    _sends(b"", _GET, b"GET /chunks HTTP/1.1\r\nHost: test\r\n\r\n", b"GET / HT")(clients, seconds)
    for sock in clients:
        _reset(sock)


def _break_uploads(clients: list[socket.socket], seconds: float) -> None:
    """Send half of a body of some megabytes, and then nothing, or break off."""
    _sends(_POST + b"Content-Length: 4000000\r\n\r\n" + b"x" * 2_000_000)(clients, seconds)
    for sock in clients[::2]:
        _reset(sock)


def _garbage(clients: list[socket.socket], seconds: float) -> None:
    chance = random.Random(7)
    for sock in clients:
        _send(sock, chance.randbytes(chance.randrange(1, 20_000)))


def _hello() -> bytes:
    """How a TLS client begins."""
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        _CONTEXT.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="test").do_handshake()
    return outgoing.read()


_GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
_POST = b"POST /read HTTP/1.1\r\nHost: test\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"

idle = Run("idle", 1000, _sends(b""))
broken_uploads = Run("broken_uploads", 20, _break_uploads)

RUNS = (
    # Slowloris: heads that come a byte at a time.
    Run("slow_heads", 200, _drips(b"", b"GET / HTTP/1.1\r\nHost: test\r\n" + b"X-A: b\r\n" * 100)),
    Run("slow_bodies", 200, _drips(_POST + b"Content-Length: 100000\r\n\r\n", b"x" * 1000)),
    Run("slow_chunks", 200, _drips(_CHUNKED, b"1\r\nx\r\n" * 200)),
    Run("slow_readers_of_a_list", 5, _reads_slowly(b"/list"), 4096),
    Run("slow_readers_of_chunks", 50, _reads_slowly(b"/chunks"), 4096),
    Run("slow_readers_of_large_chunks", 50, _reads_slowly(b"/megabytes"), 4096),
    Run("slow_readers_of_a_file", 50, _reads_slowly(b"/file"), 4096),
    Run("half_closed", 400, _half_close),
    Run("vanished", 1000, _vanish),
    Run("vanished_while_held", 500, _sends(b"GET /held HTTP/1.1\r\nHost: test\r\n\r\n")),
    Run("reset", 1000, _cut_off),
    idle,
    Run("kept_alive", 1000, _answered(_GET)),
    Run("garbage", 200, _garbage),
    Run("endless_head", 5, _floods((_GET[:-2], b"X-A: b\r\n" * 500))),
    Run("endless_header", 5, _floods((b"GET / HTTP/1.1\r\nX-A: ", b"a" * 4096))),
    Run("endless_line", 5, _floods((b"GET /", b"a" * 4096))),
    Run("endless_empty_lines", 5, _floods((b"", b"\r\n" * 2048))),
    # Requests without end, of clients that read no answer.
    Run("pipelines", 5, _floods((b"", _GET * 1000)), 4096),
    # Chunks of one byte, long extensions, endless trailers, sizes that are too large.
    Run(
        "chunk_games",
        10,
        _floods(
            (_CHUNKED, b"1\r\nx\r\n" * 1000),
            (_CHUNKED, b"1;" + b"a" * 4000 + b"\r\nx\r\n"),
            (_CHUNKED + b"0\r\n", b"X-A: b\r\n" * 500),
            (_CHUNKED, b"7fffffffffffffff\r\n" + b"x" * 4096),
            (_CHUNKED, b"0" * 4096),
        ),
    ),
    # No body comes.
    Run(
        "unkept_promises",
        200,
        _answered(_POST + b"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n"),
    ),
    # For an application that does not read them.
    Run(
        "unread_bodies",
        10,
        _floods((_GET[:-2] + b"Content-Length: 1000000000\r\n\r\n", b"x" * 65536)),
    ),
    broken_uploads,
)
TLS_RUNS = (
    # Clients that say nothing, begin a hello, break off behind it, or speak plain HTTP.
    Run("stalled_handshakes", 200, _sends(b"", _hello()[:20], _hello(), _GET)),
    Run("reset", 200, _cut_off),
    Run("garbage", 50, _garbage),
)
