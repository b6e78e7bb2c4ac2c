"""nginx as docs/deployment.md has it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.docs.pages import blocks
from tests.support.server import ROOT, free_port

__all__ = ["Nginx"]

GUIDE = ROOT / "docs/deployment.md"
MAIN = """\
pid {folder}/pid;
error_log {folder}/error.log;
daemon off;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {documented}
}}
"""


class Nginx:
    """A context manager: nginx as the guide configures it, in front of the Unix socket `path`.

    `changed`: what is put in the place of what.
    """

    def __init__(self, path: str, **changed: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.path = path
        self.changed = changed

    def __enter__(self) -> Nginx:
        # A socket's path and nginx's own files must be reachable for its unprivileged workers.
        self.folder = Path(tempfile.mkdtemp(prefix="nginx-"))
        self.folder.chmod(0o755)
        documented = blocks(GUIDE, "nginx")[0].text
        documented = documented.replace("/run/chat.sock", self.path)
        documented = documented.replace("listen 80;", f"listen 127.0.0.1:{self.port};")
        for before, after in self.changed.items():
            documented = documented.replace(f"${before};", f"{after};")
        configuration = self.folder / "nginx.conf"
        configuration.write_text(MAIN.format(folder=self.folder, documented=documented))
        self.process = subprocess.Popen(["nginx", "-c", configuration, "-e", "stderr"])
        deadline = time.monotonic() + 10
        while not (self.folder / "pid").exists() and time.monotonic() < deadline:
            assert self.process.poll() is None, "nginx does not take the guide's configuration"
            time.sleep(0.01)
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder)
