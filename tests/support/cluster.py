"""Several hosts over one Redis, behind an nginx that sends each request to the next."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support.engine import RedisServer
from tests.support.server import ChatServer, free_port

__all__ = ["Cluster", "RoundRobin", "workers_of"]

START_SECONDS = 20

NGINX = """\
daemon off;
pid {folder}/pid;
error_log {folder}/errors crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream chat {{
        {servers}
        keepalive 64;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://chat;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_buffering off;
            proxy_next_upstream off;
        }}
    }}
}}
"""


class RoundRobin:
    """A context manager: nginx in front of `ports`; a host that is down gets its share all the
    same, which is answered 502."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._ports = ports

    def __enter__(self) -> RoundRobin:
        self.folder = Path(tempfile.mkdtemp(prefix="nginx-"))
        self.folder.chmod(0o755)
        servers = "\n".join(f"server 127.0.0.1:{port} max_fails=0;" for port in self._ports)
        configuration = self.folder / "nginx.conf"
        configuration.write_text(NGINX.format(folder=self.folder, port=self.port, servers=servers))
        self.process = subprocess.Popen(["nginx", "-c", configuration, "-e", "stderr"])
        deadline = time.monotonic() + START_SECONDS
        while not (self.folder / "pid").exists() and time.monotonic() < deadline:
            assert self.process.poll() is None, "nginx does not start"
            time.sleep(0.01)
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.terminate()
        self.process.wait(START_SECONDS)
        shutil.rmtree(self.folder)


class Cluster:
    """A context manager: `redis`, `hosts` with so many workers each, and the `url` of them all."""

    def __init__(
        self,
        workers: Sequence[int] = (1, 1),
        redis: RedisServer | None = None,
        log: str | None = None,
        **app: object,
    ) -> None:
        self.redis = redis or RedisServer()
        self.data = Path(tempfile.mkdtemp(prefix="cluster-"))
        options = {
            "chat.log": log or self.redis.url,
            "chat.data": self.data,
            **{f"chat.{name}": value for name, value in app.items()},
        }
        self.hosts = [ChatServer(app=options, server={"workers": count}) for count in workers]
        self.proxy = RoundRobin([host.port for host in self.hosts])
        self.url = self.proxy.url
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Cluster:
        with self._stack as stack:
            stack.callback(shutil.rmtree, self.data)
            if self.redis.process is None:
                stack.enter_context(self.redis)
            for host in self.hosts:
                stack.enter_context(host)
            for host in self.hosts:
                _wait_for_workers(host)
            stack.enter_context(self.proxy)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()


def _wait_for_workers(host: ChatServer) -> None:
    """The socket takes connections before the workers serve."""
    deadline = time.monotonic() + START_SECONDS
    while "serving on" not in host.log:
        assert time.monotonic() < deadline, f"the workers do not serve:\n{host.log}"
        time.sleep(0.02)


def workers_of(host: ChatServer) -> list[int]:
    """The process ids of the workers of a host that has several."""
    assert host.process is not None
    pid = host.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
