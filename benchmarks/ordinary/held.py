"""What a held request costs in memory: one that yields its wait, and one that waits in a thread."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import socket
import time
from collections.abc import Iterator

from benchmarks.ordinary.peers import cogen
from benchmarks.servers import Server
from benchmarks.targets import Target

__all__ = ["HELD", "Held", "held"]

_APPLICATION = "benchmarks.ordinary.waits:application"
_LOOP = Target("loop", "--threads 0", cogen("--threads", "0", application=_APPLICATION))
_THREADS = Target("threads", "default options", cogen(application=_APPLICATION))
# Where, how it waits, and how many: each that waits in a thread keeps one of 200.
HELD = [
    (_LOOP, "yielded", 2000),
    (_THREADS, "yielded", 2000),
    (_LOOP, "waited", 2000),
    (_THREADS, "waited", 150),
]
_FIRST = 20  # what is there once, however many follow
_PATIENCE = 30


@dataclasses.dataclass
class Held:
    """`kib`: of memory that each adds to the server."""

    mode: str
    wait: str
    count: int
    kib: float


def held(target: Target, wait: str, count: int, where: set[int]) -> Held:
    """Raises RuntimeError, OSError: it does not hold them."""
    with Server(target, where) as server, _requests(server.port, wait, _FIRST, 0):
        before = server.memory_kib()
        with _requests(server.port, wait, count, _FIRST):
            after = server.memory_kib()
    return Held(target.name, wait, count, (after - before) / count)


@contextlib.contextmanager
def _requests(port: int, wait: str, count: int, others: int) -> Iterator[None]:
    """So many are held, beside the others."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), _PATIENCE))
            client.sendall(b"GET /%b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % wait.encode())
        _until(port, others + count)
        yield


def _until(port: int, count: int) -> None:
    """The server says that it holds so many."""
    deadline = time.monotonic() + _PATIENCE
    client = http.client.HTTPConnection("127.0.0.1", port, _PATIENCE)
    with contextlib.closing(client):
        while True:
            client.request("GET", "/count")
            if (said := int(client.getresponse().read())) == count:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"{said} of {count} requests are held")
            time.sleep(0.01)
