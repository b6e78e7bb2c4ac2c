"""What a worker process shares with the supervisor that started it.

The environment names the file descriptors that were handed over: one end of a socket pair, and the
listening sockets. The worker says over the pair that it serves; its end says that the supervisor
is gone, and the worker then stops too.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence

from cogen.web.listen import socket_of

__all__ = ["RETIRE_GRACE", "Worker", "worker_environment"]

_VARIABLE = "COGEN_WORKER"
_READY = b"R"
# Seconds that a worker whose place is taken keeps idle connections for requests on their way.
RETIRE_GRACE = 4.0


def worker_environment(control: socket.socket, socks: Sequence[socket.socket]) -> dict[str, str]:
    """The environment of a worker that gets `control`, its end of the pair, and `socks`."""
    fds = ",".join(str(sock.fileno()) for sock in (control, *socks))
    environment = {**os.environ, _VARIABLE: fds}
    # The service manager hears from the supervisor alone.
    environment.pop("NOTIFY_SOCKET", None)
    return environment


class Worker:
    """This process is a worker: `socks` are its listening sockets."""

    def __init__(self, fds: str) -> None:
        control, *listening = map(int, fds.split(","))
        os.set_inheritable(control, False)
        self._control = socket.socket(fileno=control)
        self._control.setblocking(False)
        self.socks = [socket_of(fd) for fd in listening]

    @classmethod
    def this(cls) -> "Worker | None":
        """This process as a worker, None if it is none."""
        fds = os.environ.pop(_VARIABLE, "")
        return cls(fds) if fds else None

    def watch(self, loop: asyncio.AbstractEventLoop, orphaned: Callable[[], None]) -> None:
        """Have `orphaned` called when the supervisor is gone."""

        def ended() -> None:
            loop.remove_reader(self._control)
            orphaned()

        loop.add_reader(self._control, ended)

    def serves(self) -> None:
        """Tell the supervisor."""
        self._control.send(_READY)

    def close(self) -> None:
        for sock in (self._control, *self.socks):
            sock.close()
