"""Clients and applications that behave at random, over the whole life of a connection.

`Encounter(seed)` is one client: what it sends, when it pauses, half closes, resets or reads, and
what the application does with its requests, all of it decided by the seed.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from greenlet import GreenletExit

from cogen.core.events import Signal, Sleep, WaitForSignal

__all__ = ["Encounter", "application", "set_out"]

Environ = dict[str, Any]
Start = Callable[..., Callable[[bytes], None]]
PLAIN = [("Content-Type", "text/plain")]
BLOCK = b"x" * 10_000


class _Body(list[bytes]):
    """A body whose close() does `closing`."""

    def __init__(self, chunks: Iterable[bytes], closing: Callable[[], Any]) -> None:
        super().__init__(chunks)
        self.close = closing


def _raise(error: BaseException) -> None:
    raise error


def _list(environ: Environ, start: Start) -> Iterable[bytes]:
    start("200 OK", PLAIN)
    return [b"a", b"b"]


def _chunks(environ: Environ, start: Start) -> Iterator[bytes]:
    start("200 OK", PLAIN)
    for _ in range(100):
        yield BLOCK


def _large(environ: Environ, start: Start) -> Iterable[bytes]:
    start("200 OK", PLAIN)
    return [b"x" * 2_000_000]


def _waits(environ: Environ, start: Start) -> Iterable[bytes]:
    environ["cogen.wait"](Sleep(0.002))
    start("200 OK", PLAIN)
    return [b"waited"]


def _yields(environ: Environ, start: Start) -> Iterator[bytes]:
    yield environ["cogen.call"](Sleep)(0.002)
    start("200 OK", PLAIN)
    yield b"one"
    yield environ["cogen.call"](Signal)("nobody")
    yield environ["cogen.wsgi"].last(b"two")


def _held(environ: Environ, start: Start) -> Iterator[bytes]:
    yield environ["cogen.call"](WaitForSignal)("never", timeout=0.05)
    start("200 OK", PLAIN)
    yield b"held"


def _held_in_a_call(environ: Environ, start: Start) -> Iterable[bytes]:
    try:
        environ["cogen.wait"](WaitForSignal("never", timeout=0.05))
    finally:
        environ["cogen.wait"](Sleep(0.001))
    return []


def _blocks(environ: Environ, start: Start) -> Iterator[bytes]:
    start("200 OK", PLAIN)
    yield b"first"
    time.sleep(0.002)
    yield b"second"


def _raises(environ: Environ, start: Start) -> Iterable[bytes]:
    raise ValueError("in the call")


def _raises_late(environ: Environ, start: Start) -> Iterator[bytes]:
    start("200 OK", PLAIN)
    yield b"first"
    raise GreenletExit("between chunks")


def _raises_in_close(environ: Environ, start: Start) -> Iterable[bytes]:
    start("200 OK", PLAIN)
    return _Body([b"body"], lambda: _raise(SystemExit(3)))


def _waits_in_close(environ: Environ, start: Start) -> Iterable[bytes]:
    start("200 OK", PLAIN)
    return _Body([b"body"] * 3, lambda: environ["cogen.wait"](Sleep(0.002)))


def _reads(environ: Environ, start: Start) -> Iterable[bytes]:
    size = len(environ["wsgi.input"].read())
    start("200 OK", PLAIN)
    return [b"%d" % size]


def _reads_a_line(environ: Environ, start: Start) -> Iterable[bytes]:
    line = environ["wsgi.input"].readline(100)
    start("200 OK", [*PLAIN, ("Content-Length", str(len(line)))])
    return [line]


def _reads_as_it_comes(environ: Environ, start: Start) -> Iterator[bytes]:
    start("200 OK", PLAIN)
    while True:
        yield environ["cogen.input"].read(5000)
        if not environ["cogen.wsgi"].result or environ["cogen.wsgi"].exception:
            return
        yield b"%d," % len(environ["cogen.wsgi"].result)


def _writes(environ: Environ, start: Start) -> Iterable[bytes]:
    write = start("200 OK", PLAIN)
    for _ in range(30):
        write(BLOCK)
    return [b"end"]


def _wrong_length(environ: Environ, start: Start) -> Iterator[bytes]:
    start("200 OK", [*PLAIN, ("Content-Length", "5")])
    yield b"123"
    yield b"4567"


def _not_started(environ: Environ, start: Start) -> Iterable[bytes]:
    return [b"no head"]


def _operation_lost(environ: Environ, start: Start) -> Iterator[bytes]:
    start("200 OK", PLAIN)
    environ["cogen.call"](Sleep)(0)
    yield b"not its chunk"


_BEHAVIOURS = {
    function.__name__.lstrip("_"): function
    for function in (
        _list, _chunks, _large, _waits, _yields, _held, _held_in_a_call, _blocks, _raises,
        _raises_late, _raises_in_close, _waits_in_close, _reads, _reads_a_line, _reads_as_it_comes,
        _writes, _wrong_length, _not_started, _operation_lost,
    )
}  # fmt: skip


def application(environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Does what the path names; anything else is answered at once."""
    behaviour = _BEHAVIOURS.get(environ["PATH_INFO"][1:])
    if behaviour is None:
        start_response("200 OK", PLAIN)
        return [b"well"]
    return behaviour(environ, start_response)


class Encounter:
    """One client; `run(address)` is bounded in time. `story` tells what it did."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.story: list[str] = []

    def run(self, address: tuple[str, int]) -> None:
        with socket.socket() as sock:
            if self._random.random() < 0.3:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(0.05)
            sock.connect(address)
            try:
                for _ in range(self._random.randrange(1, 9)):
                    if not self._act(sock):
                        break
            except OSError as error:
                self.story.append(repr(error))

    def _act(self, sock: socket.socket) -> bool:
        """Do one thing; False if it was the last."""
        acts = {
            self._ask: 8, self._ask_in_part: 3, self._pause: 3, self._read: 6, self._babble: 1,
            self._end: 1, self._reset: 1,
        }  # fmt: skip
        (act,) = self._random.choices(list(acts), list(acts.values()))
        self.story.append(act.__name__.lstrip("_"))
        return act(sock)

    def _ask(self, sock: socket.socket) -> bool:
        self._send(sock, self._request())
        return True

    def _ask_in_part(self, sock: socket.socket) -> bool:
        request = self._request()
        self._send(sock, request[: self._random.randrange(len(request))])
        return True

    def _pause(self, sock: socket.socket) -> bool:
        time.sleep(self._random.choice((0, 0.001, 0.01)))
        return True

    def _read(self, sock: socket.socket) -> bool:
        try:
            return bool(sock.recv(self._random.choice((1, 1000, 1_000_000))))
        except TimeoutError:
            return True

    def _babble(self, sock: socket.socket) -> bool:
        self._send(sock, self._random.randbytes(self._random.randrange(1, 300)))
        return True

    def _end(self, sock: socket.socket) -> bool:
        sock.shutdown(socket.SHUT_WR)
        return self._random.random() < 0.7

    def _reset(self, sock: socket.socket) -> bool:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def _send(self, sock: socket.socket, data: bytes) -> None:
        at = 0
        while at < len(data):
            size = self._random.choice((1, 7, 500, 100_000, 100_000, 100_000))
            sock.sendall(data[at : at + size])
            at += size

    def _request(self) -> bytes:
        path = self._random.choice((*_BEHAVIOURS, "", "healthz"))
        method = self._random.choice(("GET", "GET", "POST", "POST", "HEAD"))
        version = self._random.choice(("1.1", "1.1", "1.1", "1.0"))
        self.story.append(f"{method} /{path} {version}")
        head = f"{method} /{path} HTTP/{version}\r\nHost: localhost\r\n"
        if self._random.random() < 0.1:
            head += "Connection: close\r\n"
        body = b""
        if method == "POST":
            size = self._random.choice((0, 10, 70_000, 300_000))
            body = b"0123456789\n" * (size // 11 + 1)
            if self._random.random() < 0.3:
                head += "Expect: 100-continue\r\n"
            if version == "1.1" and self._random.random() < 0.4:
                head += "Transfer-Encoding: chunked\r\n"
                body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            else:
                head += f"Content-Length: {len(body)}\r\n"
        return f"{head}\r\n".encode() + body


@contextmanager
def set_out(clients: Iterable[Encounter], address: tuple[str, int]) -> Iterator[None]:
    """All of `clients` come to `address` at once, and have ended when the block has."""
    runs = [threading.Thread(target=each.run, args=(address,)) for each in clients]
    for each in runs:
        each.start()
    yield
    for each in runs:
        each.join()
