"""`chatapp` as a user runs it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from benchmarks.harness.chat import BIN, ChatServer

__all__ = ["ServedByCommand", "run"]


def run(*arguments: object, **environment: str) -> tuple[int, str, str]:
    """Status, and what it said on standard output and standard error."""
    done = subprocess.run(
        [BIN / "chatapp", *map(str, arguments)], capture_output=True, text=True, timeout=60,
        env={**os.environ, **environment}, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


class ServedByCommand(ChatServer):
    """`chatapp serve`, with its data in `folder / "data"`."""

    def command(self) -> list[Path | str]:
        data = self.folder / "data"
        return [BIN / "chatapp", "serve", "--port", str(self.port), "--data", data]
