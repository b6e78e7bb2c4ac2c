"""A fresh environment with our wheels, as somebody has it who begins a project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness.chat import free_port

__all__ = ["Fresh"]

ROOT = Path(__file__).parents[2]
# What a person installs beside ours: what projects, their tests and their catalogs need.
_BESIDE = ("pynose", "WebTest", "Babel", "Jinja2", "Genshi", "SQLAlchemy", "ruff")
_PATIENCE = 120


class Fresh:
    """The environment, and a folder for projects; both go with `remove`."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="fresh-")
        self.folder = Path(self._folder).resolve() / "projects"
        self.folder.mkdir()
        self.bin = self.folder.parent / "venv/bin"
        self._environ = {
            **os.environ,
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "PYTHONWARNINGS": "ignore",
            "COGEN_COMPILE": "0",  # it takes a minute, and is tried elsewhere
        }
        self._environ.pop("PYTHONPATH", None)
        stage = self.folder.parent / "stage"
        self.run([ROOT / "scripts/stage", stage])
        options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", "wheels"]
        self.run(
            [sys.executable, "-m", "pip", "wheel", *options, stage / "pylons", stage / "cogen"]
        )
        self.run([sys.executable, "-m", "venv", self.bin.parent])
        wheels = (self.folder / "wheels").glob("*.whl")
        self.run([self.bin / "pip", "install", "--quiet", *wheels, *_BESIDE])

    def remove(self) -> None:
        """Remove both."""
        shutil.rmtree(self._folder)

    def run(
        self, command: list[object], inside: str = ".", said: str | None = None, status: int = 0
    ) -> str:
        """What a command prints, errors too, in the folder `inside`; `said` is what is typed.

        Raises AssertionError for another exit status.
        """
        done = subprocess.run(
            [str(word) for word in command], cwd=self.folder / inside, env=self._environ,
            input=said or "", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=_PATIENCE, check=False,
        )  # fmt: skip
        words = " ".join(map(str, command))
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def paster(self, *words: object, inside: str = ".", said: str = "", status: int = 0) -> str:
        """What a command of paster prints."""
        return self.run([self.bin / "paster", *words], inside, said, status)

    @contextmanager
    def served(
        self, inside: str, ini: str, *options: str, path: str = "", more: str = ""
    ) -> Iterator[Site]:
        """The site of `ini`, while it is served by paster.

        `path` has libraries of its own, `more` is added to its [server:main].
        """
        port = free_port()
        file = self.folder / inside / ini
        before = file.read_text()
        file.write_text(before.replace("port = 5000", f"port = {port}{more}"))
        log = self.folder / "server.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [self.bin / "paster", "serve", *options, ini], cwd=self.folder / inside,
                env={**self._environ, "PYTHONPATH": path}, stdout=output, stderr=output,
            )  # fmt: skip
            try:
                yield Site(port, process, log)
            finally:
                process.terminate()
                process.wait(_PATIENCE)
                file.write_text(before)


class Site:
    """What is served at a port."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._process = process
        self._log = log

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page. Waits until the server is up."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                with urllib.request.urlopen(self._url + path, timeout=30) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read().decode()
            except OSError:
                ended = self._process.poll() is not None
                assert not ended and time.monotonic() < deadline, self._log.read_text()
                time.sleep(0.05)
