"""Asks for something unrelated at a steady pace: `python -m benchmarks.probe PORT PATH SECONDS`.

Prints how long each answer took, as a JSON list of nanoseconds. The end of each is the kernel's
time of arrival (SO_TIMESTAMPNS): what the clients do on this core meanwhile does not count.
"""

import json
import socket
import struct
import sys
import time

from benchmarks.answers import Answers, cookies

__all__ = ["probe"]

_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; the socket module does not name it
_INTERVAL = 0.01
_TIMESPEC = struct.Struct("@qq")


def probe(port: int, path: str, seconds: float) -> list[int]:
    """One after the other, a hundred a second at most. Raises OSError, ValueError."""
    took = []
    cookie = b""
    with socket.create_connection(("127.0.0.1", port), 30) as sock:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.monotonic() + seconds
        while (begun := time.monotonic()) < end:
            request = b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\n%b\r\n" % (path.encode(), cookie)
            at = time.time_ns()
            sock.sendall(request)
            head, arrived = _answer(sock)
            took.append(arrived - at)
            cookie = cookie or cookies(head)
            time.sleep(max(0.0, begun + _INTERVAL - time.monotonic()))
    return took


def _answer(sock: socket.socket) -> tuple[bytes, int]:
    """Its head, and when its last byte arrived."""
    answers = Answers()
    while True:
        data, ancillary, _, _ = sock.recvmsg(65536, 256)
        if not data:
            raise ConnectionError("the server hung up on the probe")
        answer = answers.feed(data)
        if answer is not None:
            return answer[1], _arrival(ancillary)


def _arrival(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            whole, nanoseconds = _TIMESPEC.unpack(data)
            arrived: int = whole * 1_000_000_000 + nanoseconds
            return arrived
    return time.time_ns()


if __name__ == "__main__":
    print(json.dumps(probe(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))))
