"""`cogen-serve` in a process of its own, with an application in a folder of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.harness.server import PATIENCE, Client

__all__ = ["FAILS", "HOLDS", "STARTS_WHEN_TOLD", "TALKS", "UNWILLING", "CommandServer", "Load"]

ROOT = Path(__file__).parents[2]

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
        before: str = "",
        **options: Any,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cogen-"))
        self.options = {"host": "127.0.0.1", "port": 0, **options}
        self.application = application
        self.environment = environment or {}
        self.pass_fds = pass_fds
        self.popen = subprocess.Popen  # what starts it
        self.python = Path(sys.executable)
        # A program that does something before it is the command.
        run = f"{before}\nimport cogen.web.command; cogen.web.command.main()"
        self.program = ["-c", run] if before else ["-m", "cogen.web.command"]
        self.process: subprocess.Popen[bytes]
        self.write("one")

    def write(self, version: str, more: str = "") -> None:
        (self.folder / "app.py").write_text(APPLICATION.format(version=version) + more)

    def own_python(self) -> Path:
        """Give it a Python of its own, which can be taken away."""
        environment = Path(sys.prefix)
        (self.folder / "bin").mkdir()
        (self.folder / "pyvenv.cfg").symlink_to(environment / "pyvenv.cfg")
        (self.folder / "lib").symlink_to(environment / "lib")
        self.python = self.folder / "bin" / "python"
        self.python.symlink_to(sys.executable)
        return self.python

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
            self.process = self.popen(
                [self.python, "-B", *self.program, *flags, self.application],
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
        """Returns once it has arrived: two of a kind that wait are one for the kernel."""
        self.process.send_signal(number)
        while self.process.poll() is None and number in self._waiting_signals():
            time.sleep(0.001)

    def _waiting_signals(self) -> list[int]:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [mask] = re.findall(r"^ShdPnd:\s*(\w+)", status, re.M)
        return [bit + 1 for bit in range(64) if int(mask, 16) >> bit & 1]

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


class Load:
    """A context manager: clients that ask all the time, on new connections and on kept ones.

    `failures` are requests refused or broken. A kept connection is left when the server says so.
    """

    def __init__(self, server: CommandServer, clients: int = 6, rate: float = 500.0) -> None:
        self.server = server
        self.pause = clients / rate
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self.over = threading.Event()
        self.threads = [
            threading.Thread(target=self.ask, args=(number % 2 == 0,)) for number in range(clients)
        ]

    def __enter__(self) -> Load:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def ask(self, keep: bool) -> None:
        while not self.over.is_set():
            try:
                with self.server.connect() as client:
                    closes = False
                    while not closes and not self.over.wait(self.pause):
                        response = client.get()
                        closes = not keep or response.headers.get("connection") == "close"
                        self.answers[response.body.decode().split()[0]] += 1
            except (OSError, AssertionError) as error:
                self.failures.append(repr(error))


# Answers /holds after a minute in which nothing else of its thread goes on.
HOLDS = r"""
import time

answer = application

def application(environ, start_response):
    if environ['PATH_INFO'] == '/holds':
        print('held', flush=True)
        time.sleep(60)
    return answer(environ, start_response)
"""


STARTS_WHEN_TOLD = """
import asyncio, pathlib
from cogen.web.life import Life, register

async def start(environ):
    print('starting', flush=True)
    while not pathlib.Path('go').exists():
        await asyncio.sleep(0.01)

register(application, Life(start=start))
"""


# Its processes write down what they are told, and ask each other who they are.
TALKS = """
import os
from cogen.web.life import Life, register

def told(what):
    async def hook(*args):
        os.write(1, f"{what} {VERSION} {os.getpid()}\\n".encode())  # at once, beside others
    return hook

async def start(environ):
    global peers
    peers = environ['cogen.peers']
    peers.answer('who', who)
    await told('start')()

async def who(data):
    return [data, VERSION, os.getpid()]

answers = application

def application(environ, start_response):
    path = environ['PATH_INFO']
    if not path.startswith('/ask'):
        return answers(environ, start_response)
    ask = peers.ask_all if path == '/ask_all' else peers.ask_current
    try:
        said = environ['cogen.wait'](ask('who', 'you'))
    except Exception as error:
        said = repr(error)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [repr(said).encode()]

register(application, Life(
    start=start, stopping=told('stopping'), stop=told('stop'),
    hand_over=told('hand_over'), take_back=told('take_back')))
"""


UNWILLING = """
from cogen.web.life import Life, register

async def unwilling():
    raise ValueError('unwilling')

register(application, Life({hook}=unwilling))
"""

FAILS = """
async def fail(environ):
    raise SystemExit('it does not start')

register(application, Life(start=fail))
"""
