"""A server under test: its processes on a core of their own, and what they have used."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import procfs
from benchmarks.harness.chat import free_port
from benchmarks.targets import COMPILED, POLL_SECONDS, ROOT, Site, Target

__all__ = ["ROOT", "Server", "confined", "cores", "raise_open_files"]

START_SECONDS = 30
STOP_SECONDS = 2  # how a server stops is not measured; some wait for their polls


def cores() -> tuple[set[int], set[int]]:
    """(for the server, for the clients): with one core it is the same."""
    usable = sorted(os.sched_getaffinity(0))
    return {usable[0]}, set(usable[1:] or usable)


@contextlib.contextmanager
def confined(where: set[int]) -> Iterator[None]:
    """Processes that are started meanwhile run on these cores, and so does this thread."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, where)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_open_files() -> int:
    """As many as one may have without root; children inherit it. Returns the number."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class Server:
    """A context manager: `target` started on a free port. `where`: the cores it may use;
    `patience`: how many times as long as others it may take to start and to stop. `poll_seconds`:
    for which it holds a poll.
    """

    def __init__(
        self,
        target: Target,
        where: set[int],
        patience: float = 1,
        poll_seconds: int = POLL_SECONDS,
    ) -> None:
        self.target = target
        self.port = free_port()
        self._where = where
        self._patience = patience
        self._poll_seconds = poll_seconds
        self._processes: list[subprocess.Popen[bytes]] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Server:
        with self._stack as stack:
            folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            site = Site(folder, self.port, free_port(), self._poll_seconds)
            for command in self.target.commands(site):
                stack.enter_context(self._process(command, folder / "log"))
            self._wait_until_up(folder / "log")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    @contextlib.contextmanager
    def _process(self, command: list[str], log: Path) -> Iterator[None]:
        with open(log, "ab") as output, confined(self._where):
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={
                    **os.environ,
                    "PYTHONWARNINGS": "ignore",
                    "PYTHONPATH": self._path(),
                    "POLL_SECONDS": str(self._poll_seconds),
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._processes.append(process)
        try:
            yield
        finally:
            self._processes.remove(process)
            _stop(process, STOP_SECONDS * self._patience)

    def _path(self) -> str:
        return os.pathsep.join(map(str, (COMPILED, ROOT) if self.target.compiled else (ROOT,)))

    def _wait_until_up(self, log: Path) -> None:
        deadline = time.monotonic() + START_SECONDS * self._patience
        while all(process.poll() is None for process in self._processes):
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        raise RuntimeError(f"{self.target.name} does not start:\n{log.read_text()[-2000:]}")

    def _pids(self) -> list[int]:
        return [pid for process in self._processes for pid in procfs.descendants(process.pid)]

    def cpu_seconds(self) -> float:
        return procfs.cpu_seconds(self._pids())

    def cpu_nanoseconds(self) -> int:
        return procfs.cpu_nanoseconds(self._pids())

    def memory_kib(self) -> int:
        return procfs.memory_kib(self._pids())


def _stop(process: subprocess.Popen[bytes], within: float) -> None:
    """It and its workers have ended then; those that do not stop by themselves are killed.

    A worker that was still starting goes on for a moment after its supervisor.
    """
    pids = procfs.descendants(process.pid) if process.poll() is None else []
    deadline = time.monotonic() + within
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(within)
    while any(map(procfs.is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    for pid in filter(procfs.is_running, pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
