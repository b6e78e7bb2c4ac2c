"""Where the server listens: TCP, a Unix socket, or what systemd or a supervisor hands over."""

import contextlib
import errno
import fcntl
import ipaddress
import logging
import os
import socket
import stat
from collections.abc import Sequence

from cogen.web.build import build
from cogen.web.options import Options

__all__ = [
    "UnixPath",
    "inherited_sockets",
    "is_loopback",
    "listening_socket",
    "log_addresses",
    "socket_of",
]

log = logging.getLogger(__name__)

# The first file descriptor that systemd passes (sd_listen_fds(3)).
_FIRST_FD = 3


def listening_socket(options: Options) -> socket.socket:
    """A bound TCP socket that listens where `options` say. Raises OSError."""
    found = socket.getaddrinfo(
        options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    # A name like localhost may be both: IPv4 is what people expect of it.
    family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
        sock.listen(options.backlog)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


class UnixPath:
    """The path of a Unix socket, ours while its lock file is locked.

    `listen` replaces what a server that died has left there. Raises OSError EADDRINUSE if another
    server is alive, EEXIST if there is a file that is no socket.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock: int | None = None

    def listen(self, mode: int, backlog: int) -> socket.socket:
        """A socket there that listens, its file with `mode`; `backlog` connections may wait."""
        self._lock = self._locked()
        try:
            self._clear()
            sock = self._bind(mode)
        except BaseException:
            self._unlock()
            raise
        sock.listen(backlog)
        sock.setblocking(False)
        return sock

    def _locked(self) -> int:
        path = f"{self.path}.lock"
        while True:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Who had it may have removed the file since it was opened: others lock a new one.
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(lock), os.stat(path)):
                        return lock
            except BlockingIOError:
                os.close(lock)
                raise OSError(errno.EADDRINUSE, "another server listens there") from None
            os.close(lock)

    def _unlock(self) -> None:
        assert self._lock is not None
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.path}.lock")
        os.close(self._lock)
        self._lock = None

    def _clear(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISSOCK(os.lstat(self.path).st_mode):
                raise OSError(errno.EEXIST, "there is a file that is no socket")
            os.unlink(self.path)

    def _bind(self, mode: int) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            sock.bind(self.path)
            os.chmod(self.path, mode)
        except BaseException:
            sock.close()
            raise
        finally:
            os.umask(before)
        return sock

    def remove(self) -> None:
        """Remove the socket, if it is ours, and give the path up."""
        if self._lock is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
            self._unlock()


def inherited_sockets() -> list[socket.socket]:
    """The listening sockets that systemd has opened for this process, usually none.

    The variables that tell of them are removed: they are not for processes this one starts.
    """
    pid = os.environ.pop("LISTEN_PID", "")
    count = os.environ.pop("LISTEN_FDS", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()) or not count.isdigit():
        return []
    return [socket_of(_FIRST_FD + number) for number in range(int(count))]


def socket_of(fd: int) -> socket.socket:
    """The listening socket with the file descriptor `fd`, not to be inherited further."""
    os.set_inheritable(fd, False)
    sock = socket.socket(fileno=fd)
    sock.setblocking(False)
    return sock


def is_loopback(sock: socket.socket) -> bool:
    """Whether only this machine's own processes reach `sock`, by an address."""
    address = sock.getsockname()
    if not isinstance(address, tuple):
        return False
    ip = ipaddress.ip_address(address[0].partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


def log_addresses(socks: Sequence[socket.socket], options: Options) -> None:
    """Tell where the server takes connections from now on, as which build, whether for any host."""
    for sock in socks:
        address = _address(sock, "https" if options.certificate else "http")
        log.info("serving on %s (%s)", address, build())
    tcp = (sock for sock in socks if sock.family != socket.AF_UNIX)
    if not options.allowed_hosts and not all(map(is_loopback, tcp)):
        log.info("requests for any host are answered: allowed_hosts is not set")


def _address(sock: socket.socket, scheme: str) -> str:
    name = sock.getsockname()
    if not isinstance(name, tuple):
        return f"unix:{name}"
    return f"{scheme}://{'[%s]' % name[0] if ':' in name[0] else name[0]}:{name[1]}/"  # noqa: UP031
