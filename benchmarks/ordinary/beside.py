"""How long a fast view takes at rest, and beside six that block for three seconds each."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

from benchmarks.servers import ROOT, Server
from benchmarks.stats import percentile

__all__ = ["Beside", "beside"]

BLOCKING = 6
_PROBES = 2  # each asks a hundred times a second
_STARTING = 0.5  # seconds until the probes ask, at most


@dataclasses.dataclass
class Beside:
    """p99 in milliseconds of a view that answers at once."""

    target: str
    idle_ms: float
    busy_ms: float


def beside(server: Server, rounds: int, seconds: float = 3) -> Beside:
    """In `rounds`, each a part at rest and one with six that block for so many seconds.

    Raises RuntimeError, OSError: it does not answer.
    """
    part = seconds - _STARTING
    idle: Counter[int] = Counter()
    busy: Counter[int] = Counter()
    for _ in range(rounds):
        idle.update(_probed(server.port, part))
        with _blocking(server.port, seconds):
            busy.update(_probed(server.port, part))
    return Beside(server.target.name, *(percentile(each, 0.99) / 1e6 for each in (idle, busy)))


@contextlib.contextmanager
def _blocking(port: int, seconds: float) -> Iterator[None]:
    """Six requests block from the start on; all are answered at the end."""
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(BLOCKING):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), 60))
            client.sendall(
                b"GET /blocks?%g HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" % seconds
            )
            clients.append(client)
        yield
        for client in clients:
            answer = b"".join(iter(lambda client=client: client.recv(65536), b""))
            if b" 200 " not in answer[:20]:
                raise RuntimeError(f"a view that blocks was answered {answer[:100]!r}")


def _probed(port: int, seconds: float) -> Iterator[int]:
    """Nanoseconds that each answer took."""
    command = [sys.executable, "-m", "benchmarks.probe", str(port), "/", str(seconds)]
    probes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(_PROBES)]
    outputs = [probe.communicate()[0] for probe in probes]
    if any(probe.returncode for probe in probes):
        raise RuntimeError("the probe failed")
    for output in outputs:
        yield from json.loads(output)
