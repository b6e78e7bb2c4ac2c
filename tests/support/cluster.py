"""Several hosts over one Redis, behind an nginx that sends each request to the next."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness.chat import ChatServer
from tests.support.engine import RedisServer
from tests.support.nginx import NginxServer, need_nginx

__all__ = ["Cluster", "RoundRobin", "workers_of"]

START_SECONDS = 20

NGINX = """\
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
"""


class RoundRobin(NginxServer):
    """In front of `ports`; a host that is down gets its share all the same, which is answered
    502."""

    def __init__(self, ports: Sequence[int]) -> None:
        super().__init__()
        self._ports = ports

    @property
    def http(self) -> str:
        servers = "\n".join(f"server 127.0.0.1:{port} max_fails=0;" for port in self._ports)
        return NGINX.format(port=self.port, servers=servers)


class Cluster:
    """A context manager: `redis`, `hosts` with so many workers each, and the `url` of them all."""

    def __init__(
        self,
        workers: Sequence[int] = (1, 1),
        redis: RedisServer | None = None,
        log: str | None = None,
        **app: object,
    ) -> None:
        need_nginx()
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
