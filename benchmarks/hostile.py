"""Hostile clients against `cogen-serve`, measured: python -m benchmarks.hostile [RUN ...]

For each run: how long an ordinary client waited while it was at its worst and after it, and by how
much open files and memory differ from before. It is done `again`, and memory compared with what the
first time left: that tells what a process keeps once and for all from what it loses each time. Then
what a slow reader and a large upload cost.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from typing import NamedTuple

from benchmarks.harness.certificates import certificate_files
from benchmarks.harness.hostile import RUNS, TLS_RUNS, HostileServer, Run

MEBIBYTE = 1 << 20
# How long a slow client is slow, and how long the server has to be as before.
_SECONDS = 2.0
_SETTLES = 3.0
_LINE = "{:32} {:>6} {:>8} {:>8} {:>9} {:>7} {:>7} {:>7}"


class Measured(NamedTuple):
    """Seconds that others waited, bytes at the worst, and the parts by which more is held after."""

    during: float
    after: float
    peak: int
    files: float
    memory: float


def measure(run: Run, server: HostileServer, tls: bool) -> Measured:
    files, memory = server.open_files(), server.resident()
    going = run.against(server, _SECONDS)
    next(going)
    during, peak = server.answers(tls), server.resident() - memory
    next(going, None)
    after = server.answers(tls)
    time.sleep(_SETTLES)
    return Measured(
        during, after, peak, server.open_files() / files - 1, server.resident() / memory - 1
    )


def report(run: Run, **options: str) -> None:
    tls = bool(options)
    with HostileServer(**options) as server:
        for _ in range(20):
            server.answers(tls)
        time.sleep(1)
        once, again = measure(run, server, tls), measure(run, server, tls)
    print(
        _LINE.format(
            run.name + (" (TLS)" if tls else ""), run.count, f"{once.during * 1000:.0f} ms",
            f"{once.after * 1000:.0f} ms", f"{once.peak / MEBIBYTE:.1f} MiB", f"{once.files:+.1%}",
            f"{once.memory:+.1%}", f"{again.memory:+.1%}",
        ),
        flush=True,
    )  # fmt: skip


SLOW = """\
LARGE = b'x' * (100 << 20)

def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'application/octet-stream')])
    path = environ['PATH_INFO']
    if path == '/list':
        return [LARGE]
    if path == '/chunks':
        return (b'x' * 65536 for _ in range(1600))
    if path == '/file':
        return environ['wsgi.file_wrapper'](open(FILE, 'rb'))
    if path == '/echo':
        return echo(environ)
    return [b'well']

def echo(environ):
    while True:
        yield environ['cogen.input'].read(65536)
        block = environ['cogen.wsgi'].result
        if not block:
            return
        yield block
"""


class SlowServer(HostileServer):
    """Has one large chunk for all, so that what is measured is the server's."""

    def write(self, version: str) -> None:
        file = self.folder / "large"
        file.write_bytes(bytes(100 * MEBIBYTE))
        (self.folder / "app.py").write_text(f"FILE = {str(file)!r}\n{SLOW}")


def slow_reader(kind: str) -> None:
    with SlowServer() as server:
        for path in ("/", "/file"):
            with server.connect() as client:
                client.get(path)
        time.sleep(1)
        memory, worst = server.resident(), 0
        with server.connect() as client:
            client.send(f"GET /{kind} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
            for _ in range(10):
                client.sock.recv(1)
                time.sleep(1)
                worst = max(worst, server.resident() - memory)
        print(f"100 MiB ({kind}) read at 1 byte/s: {worst / MEBIBYTE:.2f} MiB of server memory")


def upload(size: int = 1 << 30) -> None:
    """Echoed through cogen.input, and read back as it comes."""
    with SlowServer() as server, server.connect() as client:
        server.answers()
        memory, worst, block = server.resident(), 0, bytes(MEBIBYTE)
        client.send(b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % size)
        sender = threading.Thread(
            target=lambda: [client.send(block) for _ in range(size // MEBIBYTE)]
        )
        sender.start()
        status, headers = client.head()
        began, got = time.monotonic(), 0
        while chunk := client.chunk():
            got += len(chunk)
            if got % (8 * MEBIBYTE) < len(chunk):
                worst = max(worst, server.resident() - memory)
        sender.join()
        assert (status, got) == (200, size), (status, got, headers)
        seconds = time.monotonic() - began
        print(f"1 GiB echoed in {seconds:.0f} s: {worst / MEBIBYTE:.2f} MiB of server memory")


def main(names: list[str]) -> None:
    print(_LINE.format("run", "count", "during", "after", "at worst", "files", "memory", "again"))
    for run in RUNS:
        if not names or run.name in names:
            report(run)
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = certificate_files(folder)
        for run in TLS_RUNS:
            if not names or run.name in names:
                report(run, certificate=certificate, key=key)
    if not names:
        for kind in ("list", "chunks", "file"):
            slow_reader(kind)
        upload()


if __name__ == "__main__":
    main(sys.argv[1:])
