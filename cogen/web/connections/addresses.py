"""Whether a server could listen where its options say, without one that does."""

import errno
import os
import socket
import stat

from cogen.web.connections.listen import listening_socket
from cogen.web.options import Options

__all__ = ["AddressProblem", "address_problem"]


class AddressProblem(Exception):
    """Why a server could not listen, in words; `taken`: because somebody listens there already."""

    def __init__(self, line: str, taken: bool = False) -> None:
        super().__init__(line)
        self.taken = taken


def address_problem(options: Options) -> AddressProblem | None:
    """What keeps a server of these options from listening; None if nothing does.

    The address is bound for a moment.
    """
    path = options.unix_socket
    try:
        if path:
            _try_path(path)
        else:
            listening_socket(options).close()
    except socket.gaierror as error:
        return AddressProblem(f"host = {options.host}: {error.strerror or error}")
    except OSError as error:
        place = f"unix_socket = {path}:" if path else _place(options)
        taken = error.errno == errno.EADDRINUSE
        return AddressProblem(f"{place} {error.strerror or error}", taken)
    return None


def _place(options: Options) -> str:
    return f"cannot listen on {options.host}:{options.port}:"


def _try_path(path: str) -> None:
    """Raises OSError if no server could have its Unix socket there."""
    folder = os.path.dirname(os.path.abspath(path))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, f"{folder} is not there or not to be written to")
    if not os.path.exists(path):
        return
    if not stat.S_ISSOCK(os.stat(path).st_mode):
        raise OSError(errno.EEXIST, "there is a file that is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        # A socket that a dead server has left is replaced.
        if sock.connect_ex(path) != errno.ECONNREFUSED:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
