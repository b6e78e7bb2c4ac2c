"""How long others wait while held requests are told: python -m benchmarks.dump [CLIENTS]

So many requests are held, by a generator or in the middle of a call, and one client asks all the
time. SIGUSR2 has the server tell what it holds. On the loop; no client takes part meanwhile.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time

from benchmarks.harness.commands import CommandServer
from benchmarks.servers import raise_open_files

__all__ = ["Told", "told"]

CLIENTS = 10_000
# Seconds before the signal, to know what it is otherwise.
_BEFORE = 1.0
APPLICATION = """
from cogen.core.queue import Queue

queue = Queue()
answer = application


def called(wait):
    wait(queue.get(timeout=3600))


def application(environ, start_response):
    if environ['PATH_INFO'].startswith('/called'):
        called(environ['cogen.wait'])
    if environ['PATH_INFO'].startswith('/yielded'):
        return yielded(environ['cogen.call'])
    return answer(environ, start_response)


def yielded(call):
    yield call(queue.get)(timeout=3600)
"""


class Told:
    """What a run found: the longest wait of the one client before and while it was told, and how
    long that took, all in seconds; the line that tells of the requests."""

    def __init__(self, before: float, meanwhile: float, took: float, line: str) -> None:
        self.before = before
        self.meanwhile = meanwhile
        self.took = took
        self.line = line


def told(path: str, clients: int) -> Told:
    """Have so many requests of `path`, /yielded or /called, told."""
    server = CommandServer(threads=0, metrics_path="/metrics")
    server.write("one", APPLICATION)
    with server, contextlib.ExitStack() as stack:
        for number in range(clients):
            client = stack.enter_context(server.connect())
            client.send(f"GET {path}/{number % 100} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        _until(server, clients)
        waits: list[tuple[float, float]] = []
        over = threading.Event()
        asking = threading.Thread(target=_ask, args=(server, waits, over))
        asking.start()
        over.wait(_BEFORE)
        began = time.monotonic()
        server.signal(signal.SIGUSR2)
        server.logged("requests are held\n")
        took = time.monotonic() - began
        over.set()
        asking.join()
        lines = server.log.partition("requests are held\n")[2].splitlines()
    before = max(wait for at, wait in waits if at < began)
    return Told(before, max(wait for at, wait in waits if at >= began), took, lines[0])


def _until(server: CommandServer, clients: int) -> None:
    """Return when so many requests are held."""
    with server.connect() as client:
        while f"cogen_exchanges {clients + 1}.0" not in client.get("/metrics").body.decode():
            time.sleep(0.1)


def _ask(server: CommandServer, waits: list[tuple[float, float]], over: threading.Event) -> None:
    with server.connect() as client:
        while not over.is_set():
            waits.append(_timed(client.get))


def _timed(ask: object) -> tuple[float, float]:
    assert callable(ask)
    began = time.monotonic()
    ask()
    ended = time.monotonic()
    return ended, ended - began


def main(clients: int) -> None:
    raise_open_files()
    for path in ("/yielded", "/called"):
        run = told(path, clients)
        print(
            f"{path}: told after {run.took:.2f} s; the longest wait of another client "
            f"{1000 * run.meanwhile:.0f} ms, before {1000 * run.before:.0f} ms\n  {run.line}",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else CLIENTS)
