"""nginx in a folder of its own; and as docs/deployment.md has it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from benchmarks.harness.chat import ROOT, free_port
from tests.docs.pages import blocks

__all__ = ["Nginx", "NginxServer", "configuration", "need_nginx"]

GUIDE = ROOT / "docs/deployment.md"
MAIN = """\
daemon off;
pid {folder}/pid;
error_log {errors};
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {http}
}}
"""


def configuration(folder: Path, http: str, errors: str = "stderr") -> str:
    """That of an nginx which keeps all it writes in `folder`; `http`: what its block http has."""
    return MAIN.format(folder=folder, http=http, errors=errors)


def need_nginx() -> None:
    """Raises SkipTest where there is none."""
    if shutil.which("nginx") is None:
        raise unittest.SkipTest("nginx is not installed")


class NginxServer:
    """A context manager: nginx with the block `http`, which listens on `port` of 127.0.0.1."""

    patience = 20.0  # seconds for a start or a stop

    def __init__(self) -> None:
        need_nginx()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"

    @property
    def http(self) -> str:
        raise NotImplementedError

    def __enter__(self) -> NginxServer:
        # A socket's path and nginx's own files must be reachable for its unprivileged workers.
        self.folder = Path(tempfile.mkdtemp(prefix="nginx-"))
        self.folder.chmod(0o755)
        path = self.folder / "nginx.conf"
        path.write_text(configuration(self.folder, self.http, f"{self.folder}/errors crit"))
        self.process = subprocess.Popen(["nginx", "-c", path, "-e", "stderr"])
        deadline = time.monotonic() + self.patience
        while not (self.folder / "pid").exists() and time.monotonic() < deadline:
            assert self.process.poll() is None, f"nginx does not take this:\n{path.read_text()}"
            time.sleep(0.01)
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.terminate()
        self.process.wait(self.patience)
        shutil.rmtree(self.folder)


class Nginx(NginxServer):
    """As the guide configures it, in front of the Unix socket `path`.

    `changed`: what is put in the place of what.
    """

    patience = 10.0

    def __init__(self, path: str, **changed: str) -> None:
        super().__init__()
        self.path = path
        self.changed = changed

    @property
    def http(self) -> str:
        documented = blocks(GUIDE, "nginx")[0].text
        documented = documented.replace("/run/chat.sock", self.path)
        documented = documented.replace("listen 80;", f"listen 127.0.0.1:{self.port};")
        for before, after in self.changed.items():
            documented = documented.replace(f"${before};", f"{after};")
        return documented
