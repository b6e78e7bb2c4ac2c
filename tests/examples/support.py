"""A program of `examples`, in a process of its own, and clients of it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path
from typing import Any

from benchmarks.harness.chat import free_port
from benchmarks.harness.commands import CommandServer

__all__ = ["ROOT", "ExampleCase", "ExampleServer", "lines_of_code"]

ROOT = Path(__file__).parents[2]

# What the machine may take for what is to happen at once.
_PATIENCE = 20.0

# Runs the program in the first argument, and then tells which sockets it has left open.
_RUN = """
import os, runpy, socket, sys, threading
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
left = []
for each in os.listdir("/proc/self/fd"):
    try:
        if os.readlink("/proc/self/fd/" + each).startswith("socket:"):
            with socket.socket(fileno=os.dup(int(each))) as sock:
                left += [str(sock.getsockname())] if sock.family == socket.AF_INET else []
    except FileNotFoundError:
        pass
print("left open:", left)
"""


class ExampleCase(unittest.TestCase):
    """`start` runs an example that serves at `port`, until `stop`."""

    def start(self, name: str, *args: str) -> subprocess.Popen[str]:
        self.port = free_port()
        program = subprocess.Popen(
            [sys.executable, "-c", _RUN, f"{ROOT}/examples/{name}", str(self.port), *args],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.addCleanup(self._end, program)
        return program

    def _end(self, program: subprocess.Popen[str]) -> None:
        program.kill()
        program.wait()
        assert program.stdout is not None
        program.stdout.close()

    def connect(self, port: int | None = None) -> socket.socket:
        """A client of it, or of another one at `port`; waits until it listens."""
        until = time.monotonic() + _PATIENCE
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                client = socket.create_connection(("127.0.0.1", port or self.port), _PATIENCE)
                self.addCleanup(client.close)
                return client
            self.assertLess(time.monotonic(), until, "it does not listen")
            time.sleep(0.02)

    def stop(self, program: subprocess.Popen[str]) -> tuple[float, str]:
        """Send SIGTERM: the seconds that it took, and what the program has written."""
        began = time.monotonic()
        program.send_signal(signal.SIGTERM)
        output, _ = program.communicate(timeout=_PATIENCE)
        self.assertEqual(0, program.returncode, output)
        return time.monotonic() - began, output


class ExampleServer(CommandServer):
    """`cogen-serve` with the example in the file `name`; options are its flags."""

    def __init__(
        self, name: str, environment: dict[str, str] | None = None, **options: Any
    ) -> None:
        super().__init__(name, environment, **options)
        (self.folder / name).write_text((ROOT / "examples" / name).read_text())


def code_of(name: str) -> str:
    """An example without its docstring."""
    return (ROOT / "examples" / name).read_text().split('"""', 2)[2].strip()


def lines_of_code(name: str) -> int:
    """Of an example, without its docstring, empty lines and comments."""
    lines = map(str.strip, code_of(name).split("\n"))
    return sum(bool(line) and not line.startswith("#") for line in lines)
