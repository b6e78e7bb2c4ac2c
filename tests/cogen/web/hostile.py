"""What hostile clients do, against a server in a process of its own.

A run is a generator: it yields when it is at its worst, where the server is asked whether it still
answers others, and lets go of all it holds when it is resumed. `count` says how many connections it
takes, `seconds` how long a slow one is slow. Each is bounded in time and size, whatever the server
does.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.cogen.web.processes import CommandServer
from tests.cogen.web.support import Client

__all__ = ["RUNS", "TLS_RUNS", "HostileServer", "Run", "idle"]

# What is attacked: answers of many kinds.
APPLICATION = """\
import tempfile
from cogen.core.events import Sleep

MEGABYTE = b'x' * (1 << 20)
FILE = tempfile.NamedTemporaryFile()
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
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGESIZE")

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

_GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
_POST = b"POST /read HTTP/1.1\r\nHost: test\r\n"


@contextlib.contextmanager
def _clients(
    server: HostileServer, count: int, receive_buffer: int = 0
) -> Iterator[list[socket.socket]]:
    """`count` connections, closed at the end."""
    socks: list[socket.socket] = []
    host, _, port = server.address.split("/")[2].rpartition(":")
    try:
        for _ in range(count):
            sock = socket.socket()
            socks.append(sock)
            if receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.settimeout(5)
            sock.connect((host, int(port)))
        yield socks
    finally:
        for sock in socks:
            sock.close()


def _send(sock: socket.socket, data: bytes) -> bool:
    """Send what the server takes; False once it has had enough."""
    try:
        sock.sendall(data)
    except (OSError, TimeoutError):
        return False
    return True


def _drip(socks: list[socket.socket], data: bytes, seconds: float) -> None:
    """Send a byte at a time on all, as long as a run may take."""
    deadline = time.monotonic() + seconds
    for byte in data:
        for sock in socks:
            _send(sock, bytes([byte]))
        time.sleep(0.02)
        if time.monotonic() > deadline:
            return


def _flood(sock: socket.socket, start: bytes, more: bytes, seconds: float) -> None:
    """Send `start` and then `more` again and again, until the server ends it or time is up."""
    sock.settimeout(0.2)
    deadline = time.monotonic() + seconds / 5
    going = _send(sock, start)
    while going and time.monotonic() < deadline:
        going = _send(sock, more)


def _reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def slow_heads(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    """Slowloris: heads that come a byte at a time."""
    with _clients(server, count) as socks:
        _drip(socks, b"GET / HTTP/1.1\r\nHost: test\r\n" + b"X-A: b\r\n" * 100, seconds)
        yield


def slow_bodies(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    with _clients(server, count) as socks:
        for sock in socks:
            _send(sock, _POST + b"Content-Length: 100000\r\n\r\n")
        _drip(socks, b"x" * 1000, seconds)
        yield


def slow_chunks(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    with _clients(server, count) as socks:
        for sock in socks:
            _send(sock, _POST + b"Transfer-Encoding: chunked\r\n\r\n")
        _drip(socks, b"1\r\nx\r\n" * 200, seconds)
        yield


def _slow_readers(server: HostileServer, count: int, seconds: float, path: bytes) -> Iterator[None]:
    with _clients(server, count, 4096) as socks:
        for sock in socks:
            _send(sock, b"GET %s HTTP/1.1\r\nHost: test\r\n\r\n" % path)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for sock in socks:
                with contextlib.suppress(OSError):
                    sock.recv(1)
            time.sleep(0.05)
        yield


def slow_readers_of_a_list(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    return _slow_readers(server, count, seconds, b"/list")


def slow_readers_of_chunks(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    return _slow_readers(server, count, seconds, b"/chunks")


def slow_readers_of_large_chunks(
    server: HostileServer, count: int, seconds: float
) -> Iterator[None]:
    return _slow_readers(server, count, seconds, b"/megabytes")


def slow_readers_of_a_file(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    return _slow_readers(server, count, seconds, b"/file")


def half_closed(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    """Clients that end their side: behind a request, within a head, within a body, at once."""
    texts = (_GET, b"GET / HT", _POST + b"Content-Length: 10\r\n\r\nabc", b"")
    with _clients(server, count) as socks:
        for number, sock in enumerate(socks):
            _send(sock, texts[number % len(texts)])
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
        yield


def vanished(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    """Clients that connect, perhaps ask, and are gone."""
    for number in range(count):
        with _clients(server, 1) as (sock,):
            if number % 2:
                _send(sock, _GET)
    yield


def vanished_while_held(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    with _clients(server, count) as socks:
        for sock in socks:
            _send(sock, b"GET /held HTTP/1.1\r\nHost: test\r\n\r\n")
        yield


def reset(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    """Many connections at once, all cut off, some within an answer or a request."""
    texts = (b"", _GET, b"GET /chunks HTTP/1.1\r\nHost: test\r\n\r\n", b"GET / HT")
    with _clients(server, count) as socks:
        for number, sock in enumerate(socks):
            _send(sock, texts[number % len(texts)])
        for sock in socks:
            _reset(sock)
        yield


def idle(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    """Connections on which nothing comes."""
    with _clients(server, count):
        yield


def kept_alive(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    """Connections that ask once and stay."""
    with _clients(server, count) as socks:
        for sock in socks:
            _send(sock, _GET)
            sock.recv(4096)
        yield


def garbage(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    chance = random.Random(7)
    with _clients(server, count) as socks:
        for sock in socks:
            _send(sock, chance.randbytes(chance.randrange(1, 20_000)))
        yield


def endless_head(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    with _clients(server, count) as socks:
        for sock in socks:
            _flood(sock, b"GET / HTTP/1.1\r\nHost: test\r\n", b"X-A: b\r\n" * 500, seconds)
        yield


def endless_header(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    with _clients(server, count) as socks:
        for sock in socks:
            _flood(sock, b"GET / HTTP/1.1\r\nX-A: ", b"a" * 4096, seconds)
        yield


def endless_line(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    with _clients(server, count) as socks:
        for sock in socks:
            _flood(sock, b"GET /", b"a" * 4096, seconds)
        yield


def endless_empty_lines(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    with _clients(server, count) as socks:
        for sock in socks:
            _flood(sock, b"", b"\r\n" * 2048, seconds)
        yield


def pipelines(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    """Requests without end, of clients that read no answer."""
    with _clients(server, count, 4096) as socks:
        for sock in socks:
            _flood(sock, b"", _GET * 1000, seconds)
        yield


def chunk_games(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    """Chunks of one byte, long extensions, endless trailers, sizes that are too large."""
    chunked = _POST + b"Transfer-Encoding: chunked\r\n\r\n"
    texts = (
        (chunked, b"1\r\nx\r\n" * 1000),
        (chunked, b"1;" + b"a" * 4000 + b"\r\nx\r\n"),
        (chunked + b"0\r\n", b"X-A: b\r\n" * 500),
        (chunked, b"7fffffffffffffff\r\n" + b"x" * 4096),
        (chunked, b"0" * 4096),
    )
    with _clients(server, count) as socks:
        for number, sock in enumerate(socks):
            _flood(sock, *texts[number % len(texts)], seconds)
        yield


def unkept_promises(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    """Expect: 100-continue, and no body comes."""
    with _clients(server, count) as socks:
        for sock in socks:
            _send(sock, _POST + b"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
        for sock in socks:
            with contextlib.suppress(OSError):
                sock.recv(100)
        yield


def unread_bodies(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    """Bodies for an application that does not read them."""
    with _clients(server, count) as socks:
        head = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000000\r\n\r\n"
        for sock in socks:
            _flood(sock, head, b"x" * 65536, seconds)
        yield


def broken_uploads(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    """Half of a body of some megabytes, and then nothing."""
    with _clients(server, count) as socks:
        for sock in socks:
            _send(sock, _POST + b"Content-Length: 4000000\r\n\r\n" + b"x" * 2_000_000)
        for sock in socks[::2]:
            _reset(sock)
        yield


def stalled_handshakes(server: HostileServer, count: int, seconds: float) -> Iterator[None]:
    """TLS: clients that say nothing, begin a hello, break off behind it, or speak plain HTTP."""
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        _CONTEXT.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="test").do_handshake()
    hello = outgoing.read()
    texts = (b"", hello[:20], hello, _GET)
    with _clients(server, count) as socks:
        for number, sock in enumerate(socks):
            _send(sock, texts[number % len(texts)])
        yield


Run = Callable[[HostileServer, int, float], Iterator[None]]

RUNS: tuple[tuple[Run, int], ...] = (
    (slow_heads, 200),
    (slow_bodies, 200),
    (slow_chunks, 200),
    (slow_readers_of_a_list, 5),
    (slow_readers_of_chunks, 50),
    (slow_readers_of_large_chunks, 50),
    (slow_readers_of_a_file, 50),
    (half_closed, 400),
    (vanished, 1000),
    (vanished_while_held, 500),
    (reset, 1000),
    (idle, 1000),
    (kept_alive, 1000),
    (garbage, 200),
    (endless_head, 5),
    (endless_header, 5),
    (endless_line, 5),
    (endless_empty_lines, 5),
    (pipelines, 5),
    (chunk_games, 10),
    (unkept_promises, 200),
    (unread_bodies, 10),
    (broken_uploads, 20),
)
TLS_RUNS: tuple[tuple[Run, int], ...] = ((stalled_handshakes, 200), (reset, 200), (garbage, 50))
