"""The control socket: by it a shell on the server's machine asks the running chat.

`control.sock` in `chat.data` is for the user who serves, and for root. A connection is one request,
all in lines of JSON:

    {"chat": 1, "log": "/srv/chat.db"}      from the server, whose turn it is to be asked
    {"verb": "ban", "given": {…}}           what is to be done
    {"lines": […]}                          what comes of it, any number of these
    {"done": true} or {"error": "…"}        the last

What has had no first line was not begun, and can be asked for again: so a server that is replaced
lets go of the socket, and the next one takes it.
"""

import logging
import os
import socket
import stat
import struct
from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import Any

from chatapp.console.console import Console
from chatapp.console.errors import ConsoleError
from chatapp.jsons import decode, encode
from cogen.core.coroutines import Coroutine
from cogen.core.descriptors import SocketError
from cogen.core.events import Join, OperationTimeout, Sleep
from cogen.core.groups import TaskGroup
from cogen.core.servers import Listener, listen_unix
from cogen.core.streams import LineTooLong, Stream

__all__ = ["MOST_REQUEST", "Control", "control_path"]

log = logging.getLogger(__name__)

MOST_REQUEST = 64 * 1024
"""Bytes of a request."""
_FORM = 1  # the version of the form

_MOST_CONNECTIONS = 16
_REQUEST_SECONDS = 5.0
_IDLE_SECONDS = 30.0
_HAND_OVER_SECONDS = 10.0
_LINES = 100
# Of a path, with the zero behind it (unix(7)).
_MOST_PATH = 107


def control_path(data: str) -> str:
    """Where the socket is of the chat whose `chat.data` that is. Raises ConsoleError."""
    path = os.path.join(os.path.abspath(data), "control.sock")
    if len(os.fsencode(path)) > _MOST_PATH:
        raise ConsoleError(
            f"{path} is too long for a socket, which has {_MOST_PATH} bytes at most: "
            "give chat.data a shorter path"
        )
    return path


class Control:
    """Answers what is asked of `console` at the socket in the folder `data`.

    `log`: the name of the chat's log, for two chats may have one folder. Without a socket the chat
    goes on, and says why it has none.
    """

    def __init__(self, console: Console, data: str, log: str) -> None:
        self._console = console
        self._data = data
        self._log = log
        self._group: TaskGroup | None = None
        self._listener: Listener | None = None
        self._serving: Coroutine | None = None

    async def start(self, group: TaskGroup) -> None:
        """Listen, as long as `group` runs."""
        self._group = group
        try:
            self._listener = _listen(control_path(self._data))
        except (ConsoleError, OSError) as error:
            log.warning("commands cannot reach this chat: %s", error)
            return
        self._serving = group.start(
            self._listener.serve, self._answer, limit=_MOST_CONNECTIONS, idle=_IDLE_SECONDS
        )

    async def hand_over(self) -> None:
        """Let go of the socket; what is being done is done to its end, for which there is time."""
        if self._listener is None or self._serving is None:
            return
        self._listener.close()
        try:
            await Join(self._serving, _HAND_OVER_SECONDS)
        except OperationTimeout:
            self._serving.cancel()
        self._listener = self._serving = None

    async def take_back(self) -> None:
        """The new process did not come."""
        if self._group is not None and self._listener is None:
            await self.start(self._group)

    def stop(self) -> None:
        """The server ends, and its group has."""
        if self._listener is not None:
            self._listener.close()

    async def _answer(self, stream: Stream) -> None:
        with stream:
            await stream.write(_line({"chat": _FORM, "log": self._log}))
            try:
                line = await _asked(stream)
                _check_peer(stream)
                verb, given = _request(line)
                async with aclosing(self._console.run(verb, given)) as lines:
                    some: list[str] = []
                    async for each in lines:
                        some.append(each)
                        if len(some) >= _LINES:
                            await stream.write(_line({"lines": some}))
                            some = []
                            await Sleep(0)  # others are served between, and who has left is noticed
                await stream.write(_line({"lines": some}))
                await stream.write(_line({"done": True}))
            except ConsoleError as error:
                await stream.write(_line({"error": str(error)}))


def _listen(path: str) -> Listener:
    """Raises ConsoleError, OSError."""
    with suppress(FileNotFoundError):
        if stat.S_ISLNK(os.lstat(path).st_mode):
            raise ConsoleError(f"{path} is a link: remove it")
    # For nobody else from the first moment on; what other threads make meanwhile is as private.
    mask = os.umask(0o177)
    try:
        return listen_unix(path)
    except SocketError as error:
        raise ConsoleError(str(error.args[-1])) from None
    finally:
        os.umask(mask)


def _check_peer(stream: Stream) -> None:
    """Raises ConsoleError unless it is the user who serves, or root."""
    sock = stream.get_extra_info("socket")
    if not hasattr(socket, "SO_PEERCRED"):
        return  # the mode of the socket has to do
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    if user not in (0, os.geteuid()):
        raise ConsoleError(f"user {user} does not run this chat")


async def _asked(stream: Stream) -> bytes:
    """The line that is the request. Raises ConsoleError."""
    try:
        line: bytes = await stream.read_line(MOST_REQUEST, timeout=_REQUEST_SECONDS)
    except OperationTimeout:
        raise ConsoleError(f"nothing was asked for in {_REQUEST_SECONDS:g} s") from None
    except LineTooLong:
        raise ConsoleError(f"a request has at most {MOST_REQUEST} bytes") from None
    return line


def _request(line: bytes) -> tuple[str, Mapping[str, Any]]:
    """Verb, and what is told with it. Raises ConsoleError."""
    try:
        asked = decode(line) if line.endswith(b"\n") else None
    except ValueError:
        asked = None
    match asked:
        case {"verb": str(verb), "given": dict(given)}:
            return verb, given
    raise ConsoleError("that is no request: a line of JSON with verb and given")


def _line(value: Mapping[str, Any]) -> bytes:
    size = sum(map(len, value.get("lines", ()))) + len(value.get("log", ""))
    return encode(value, max(size, 64)) + b"\n"
