"""Sockets that listen: at a port of each address of a name, or at a path."""

import errno
import os
import socket
import stat
from typing import Any

from cogen.core.descriptors import SocketError
from cogen.core.sockets import Socket

__all__ = ["Listening", "tcp_sockets", "unix_socket"]


class Listening:
    """Some `sockets` that listen, and the path of a Unix socket among them."""

    def __init__(self, sockets: list[Socket], path: str = "") -> None:
        self.sockets = sockets
        self._path = path
        self._file = _file(path) if path else None

    @property
    def open(self) -> bool:
        """Whether it was not closed."""
        return self.sockets[0].fileno() >= 0

    def close(self) -> None:
        """Close them, and remove the path if it is still theirs."""
        if self._path and self.open and _file(self._path) == self._file:
            os.unlink(self._path)
        for sock in self.sockets:
            sock.close()


def tcp_sockets(host: str | None, port: int, backlog: int) -> Listening:
    """Listen at each address of `host`; raises SocketError."""
    sockets: list[Socket] = []
    try:
        for family, kind, proto, _, address in _addresses(host, port):
            sock = Socket(family, kind, proto)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(address if port else (address[0], _port(sockets[0]), *address[2:]))
            sock.listen(backlog)
    except OSError as error:
        for sock in sockets:
            sock.close()
        what = error.strerror or str(error)
        raise SocketError(error.errno, f"cannot listen at {host or '*'}:{port}: {what}") from None
    return Listening(sockets)


def unix_socket(path: str, backlog: int) -> Listening:
    """Listen at `path`; raises SocketError."""
    sock = Socket(socket.AF_UNIX)
    try:
        _remove_dead(path)
        sock.bind(path)
        sock.listen(backlog)
        return Listening([sock], path)
    except OSError as error:
        sock.close()
        raise SocketError(error.errno, f"cannot listen at {path}: {error.strerror}") from None


def _addresses(host: str | None, port: int) -> list[Any]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys(found))


def _port(sock: Socket) -> int:
    """That which the system gave the first one; 0: none yet."""
    port: int = sock.getsockname()[1]
    return port


def _remove_dead(path: str) -> None:
    """Make room for a socket. Raises OSError where something else is there, or somebody listens."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise OSError(errno.EEXIST, "there is a file that is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as sock:
        sock.setblocking(False)
        if sock.connect_ex(path) != errno.ECONNREFUSED:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    os.unlink(path)


def _file(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
