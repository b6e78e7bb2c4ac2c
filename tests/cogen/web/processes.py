"""`cogen-serve` in a process of its own, with an application in a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.cogen.web.support import PATIENCE, Client

__all__ = ["CommandServer"]

ROOT = Path(__file__).parents[3]

APPLICATION = """\
import os
from cogen.core.events import OperationTimeout, Sleep, WaitForSignal

VERSION = {version!r}

def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/held':
        try:
            environ['cogen.wait'](WaitForSignal('never', timeout=3600))
        except OperationTimeout:
            pass
    if path == '/slow':
        environ['cogen.wait'](Sleep(0.3))
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [f'{{VERSION}} {{os.getpid()}}'.encode()]
"""


class CommandServer:
    """A context manager; `options` are flags of the command. `environment` is added to ours.

    The application is `app:application` in `folder`; `write(version)` changes its code, with `more`
    behind it.
    """

    def __init__(
        self,
        application: str = "app:application",
        environment: dict[str, str] | None = None,
        pass_fds: tuple[int, ...] = (),
        **options: Any,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cogen-"))
        self.options = {"host": "127.0.0.1", "port": 0, **options}
        self.application = application
        self.environment = environment or {}
        self.pass_fds = pass_fds
        self.process: subprocess.Popen[bytes]
        self.write("one")

    def write(self, version: str, more: str = "") -> None:
        (self.folder / "app.py").write_text(APPLICATION.format(version=version) + more)

    def __enter__(self) -> CommandServer:
        try:
            self.start()
            self.address = self.wait_until_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)

    def start(self) -> None:
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in self.options.items()]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-B", "-m", "cogen.web.command", *flags, self.application],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), **self.environment},
                stdout=log,
                stderr=log,
                pass_fds=self.pass_fds,
            )

    def wait_until_up(self) -> str:
        """The address that the log names once it serves."""
        return self.logged("serving on ").split("serving on ")[1].split()[0]

    def logged(self, text: str, count: int = 1) -> str:
        """The log, once it holds `text` that often."""
        deadline = time.monotonic() + PATIENCE
        while self.log.count(text) < count:
            if time.monotonic() > deadline or self.process.poll() not in (None, 0):
                raise AssertionError(f"{text!r} is not in the log:\n{self.log}")
            time.sleep(0.01)
        return self.log

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def connect(self) -> Client:
        if self.address.startswith("unix:"):
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(PATIENCE)
            sock.connect(self.address.removeprefix("unix:"))
            return Client(sock)
        host, _, port = self.address.split("/")[2].rpartition(":")
        return Client(socket.create_connection((host.strip("[]"), int(port)), PATIENCE))

    def get(self, path: str = "/") -> tuple[str, int]:
        """The version and the process that answered."""
        with self.connect() as client:
            version, pid = client.get(path).body.decode().split()
            return version, int(pid)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> int:
        return self.process.wait(PATIENCE)

    def children(self) -> list[int]:
        """The processes that the server has started."""
        task = Path(f"/proc/{self.process.pid}/task")
        return [int(pid) for each in task.glob("*/children") for pid in each.read_text().split()]
