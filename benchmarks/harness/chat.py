"""The chat as users run it: `paster serve` in a process of its own, on a free port."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.harness.ini import chat_ini

__all__ = ["ChatServer", "free_port"]

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
START_SECONDS = 30
STOP_SECONDS = 20

_FIRST_PORT = 10_000

APP = {"chat.data": "%(here)s/data", "chat.log": "sqlite:///%(here)s/chat.db"}


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on.

    None that the kernel gives to who connects: such a one is gone when another process connects,
    and who tries it until somebody listens may come to be connected to itself.
    """
    given = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    while True:
        port = random.randrange(_FIRST_PORT, int(given[0]))
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


class ChatServer:
    """A context manager; `stop`, `kill` and `start` in between keep port and data.

    `app` and `server` are options of the ini's sections: ChatServer(app={"chat.history": 5}).
    """

    def __init__(
        self,
        app: dict[str, object] | None = None,
        server: dict[str, object] | None = None,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="chat-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.unix_socket = (server or {}).get("unix_socket")
        self.ini = self.folder / "chat.ini"
        there = {"host": "127.0.0.1", "port": self.port}
        self.ini.write_text(chat_ini({**there, **(server or {})}, {**APP, **(app or {})}))
        self.arguments: list[str] = []  # of `paster serve`, after the ini
        self.environment: dict[str, str] = {}  # added to ours
        self.cwd = ROOT
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ChatServer:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process is not None:
            self.stop()
        shutil.rmtree(self.folder)

    def start(self) -> None:
        """Returns when it takes connections."""
        warnings = "ignore:pkg_resources is deprecated:UserWarning"
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.cwd,
                env={**os.environ, "PYTHONWARNINGS": warnings, **self.environment},
                stdout=log,
                stderr=log,
            )
        self.wait_until_up()

    def command(self) -> list[Path | str]:
        """What starts it."""
        return [BIN / "paster", "serve", self.ini, *self.arguments]

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            if self._answers():
                return
            time.sleep(0.02)
        raise AssertionError(f"the server does not answer:\n{self.log}")

    def _answers(self) -> bool:
        if self.unix_socket is not None:
            with socket.socket(socket.AF_UNIX) as sock:
                return sock.connect_ex(str(self.unix_socket)) == 0
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """Gracefully; it has to end by itself."""
        self._end(signal.SIGTERM, 0)

    def kill(self) -> None:
        """As a crash would end it."""
        self._end(signal.SIGKILL, -signal.SIGKILL)

    def _end(self, number: signal.Signals, expected: int) -> None:
        process, self.process = self.process, None
        assert process is not None
        process.send_signal(number)
        try:
            status = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not stop:\n{self.log}") from None
        assert status == expected, f"exit status {status}:\n{self.log}"

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def logged(self, text: str, count: int = 1) -> None:
        """Return when the log holds `text` that often."""
        deadline = time.monotonic() + START_SECONDS
        while self.log.count(text) < count:
            assert time.monotonic() < deadline, f"{text!r} is not in the log:\n{self.log}"
            time.sleep(0.01)
