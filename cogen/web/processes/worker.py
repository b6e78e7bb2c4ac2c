"""This process as a worker: what it shares with the supervisor that started it.

The environment names the file descriptors that were handed over: one end of a channel, and the
listening sockets. Over the channel the worker asks whether it may start, says that it serves, and
is told to hand over, to take back, or to retire. The channel's end says that the supervisor is
gone, and the worker then stops too.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cogen.web.connections.listen import socket_of
from cogen.web.peers import Answer, Router
from cogen.web.processes.channel import Channel

__all__ = ["RETIRE_GRACE", "Worker", "is_worker", "worker_environment"]

_VARIABLE = "COGEN_WORKER"
# Of what is said over the channel: after an upgrade, the one at the other end may be older.
_VERSION = "2"
# Seconds that a worker whose place is taken keeps idle connections for requests on their way.
RETIRE_GRACE = 4.0


def worker_environment(control: socket.socket, socks: Sequence[socket.socket]) -> dict[str, str]:
    """The environment of a worker that gets `control`, its end of the pair, and `socks`."""
    fds = ",".join(str(sock.fileno()) for sock in (control, *socks))
    environment = {**os.environ, _VARIABLE: f"{_VERSION}:{fds}"}
    # The service manager hears from the supervisor alone.
    environment.pop("NOTIFY_SOCKET", None)
    return environment


def is_worker() -> bool:
    """Whether a supervisor started this process; only until it is made a Worker."""
    return _VARIABLE in os.environ


class Worker(Router):
    """This process is a worker: `socks` are its listening sockets. It is a Router."""

    def __init__(self, fds: str) -> None:
        control, *listening = map(int, fds.split(","))
        os.set_inheritable(control, False)
        self._control = socket.socket(fileno=control)
        self.socks = [socket_of(fd) for fd in listening]

    @classmethod
    def this(cls) -> "Worker | None":
        """This process as a worker, None if it is none. Ends it if it cannot be one."""
        version, _, fds = os.environ.pop(_VARIABLE, "").partition(":")
        if version not in ("", _VERSION):
            raise SystemExit("cogen: this version cannot follow the one that runs: restart it")
        return cls(fds) if fds else None

    async def connect(self, answers: Mapping[str, Answer], orphaned: Callable[[], None]) -> None:
        """Answer the supervisor by `answers`; have `orphaned` called when it is gone."""
        self._channel = Channel(answers)
        await self._channel.open(self._control)
        self._watching = asyncio.ensure_future(self._watch(orphaned))

    async def _watch(self, orphaned: Callable[[], None]) -> None:
        await self._channel.wait_closed()
        orphaned()

    async def may_start(self) -> None:
        """Say that the application is made; return when the process before has let go."""
        await self._channel.ask("loaded")

    async def serves(self) -> None:
        """Tell the supervisor."""
        await self._channel.ask("serves")

    async def outlived(self) -> None:
        """Return when no process from before the last reload is left."""
        await self._channel.ask("outlived")

    async def ask_current(self, name: str, data: Any) -> Any:
        return await self._channel.ask("current", [name, data])

    async def ask_all(self, name: str, data: Any) -> dict[int, Any]:
        # JSON has no numbers for keys.
        return dict(await self._channel.ask("all", [name, data]))

    async def disconnect(self) -> None:
        """Ask and answer nothing more."""
        self._watching.cancel()
        await self._channel.close()

    def close(self) -> None:
        """Close the sockets, once disconnected."""
        for sock in (self._control, *self.socks):
            sock.close()
