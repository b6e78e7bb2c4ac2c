"""What a held request costs by the way in which it waits: python -m benchmarks.waits [CLIENTS]

A bare application and a view of Flask, with a wait that is yielded and one in straight-line code,
in threads and on the loop. Memory is the process' own (Pss_Anon), without the kernel's part of
connections and of threads.
"""

from __future__ import annotations

import re
import sys
import time
from typing import NamedTuple

from benchmarks.harness.commands import CommandServer
from benchmarks.harness.server import Client
from benchmarks.procfs import memory_kib
from benchmarks.servers import raise_open_files

__all__ = ["Cost", "costs"]

_APPLICATIONS = """
from flask import Flask, Response, request
from cogen.core.events import WaitForSignal

flask = Flask(__name__)


def held():
    return WaitForSignal("never", timeout=600)


def bare(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/yielded":
        yield environ["cogen.call"](held)()
    elif environ["PATH_INFO"] == "/waited":
        environ["cogen.wait"](held())
    yield b"ready"


@flask.get("/ready")
def ready():
    return "ready"


@flask.get("/yielded")
def yielded():
    call = request.environ["cogen.call"]

    def body():
        yield call(held)()
        yield "ready"

    return Response(body())


@flask.get("/waited")
def waited():
    return f"{request.environ['cogen.wait'](held())}"
"""
_PATIENCE = 120.0


class Cost(NamedTuple):
    """Of each of the requests that `application` holds, whose wait is `how`, in a mode."""

    application: str
    how: str
    mode: str
    kib: float
    threads: int

    def __str__(self) -> str:
        return (
            f"| {self.application} | {self.how} | {self.mode} | {self.kib:.1f} | {self.threads} |"
        )


def costs(clients: int) -> list[Cost]:
    """With so many requests held at once."""
    return [
        _cost(application, how, mode, clients)
        for application in ("bare", "flask")
        for how in ("yielded", "waited")
        for mode in ("threads", "loop")
    ]


def _cost(application: str, how: str, mode: str, clients: int) -> Cost:
    threads = {"threads": "0"} if mode == "loop" else {"threads_max": clients + 10}
    server = CommandServer(f"app:{application}", metrics_path="/metrics", **threads)
    server.write("one", _APPLICATIONS)
    with server:
        pid = server.process.pid
        for _ in range(50):
            with server.connect() as client:
                client.get("/ready")
        before = memory_kib([pid])
        held = [_asked(server, how) for _ in range(clients)]
        _wait_until_held(server, clients)
        kib = (memory_kib([pid]) - before) / clients
        cost = Cost(application, how, mode, kib, _figure(server, "threads"))
        for client in held:
            client.close()
        return cost


def _asked(server: CommandServer, how: str) -> Client:
    client = server.connect()
    client.send(f"GET /{how} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client


def _wait_until_held(server: CommandServer, clients: int) -> None:
    """The pool grows by a thread each 10 ms while somebody waits for one."""
    deadline = time.monotonic() + _PATIENCE
    while _figure(server, "signal_waiters") < clients:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{clients} requests are not held:\n{server.log}")
        time.sleep(0.1)


def _figure(server: CommandServer, name: str) -> int:
    with server.connect() as client:
        text = client.get("/metrics").body.decode()
    found = re.search(rf"^cogen_{name} (\S+)$", text, re.MULTILINE)
    return int(float(found[1])) if found else 0


def main() -> None:
    """Print a row for each."""
    raise_open_files()
    clients = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for cost in costs(clients):
        sys.stdout.write(f"{cost}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
