"""Silent clients: python -m benchmarks.echo.hold PORT COUNT holds them until its input ends.

A process has only so many descriptors, so the clients of each server have one of their own.
"""

import contextlib
import socket
import sys

__all__ = ["LINE", "answer", "connected"]

LINE = b"x" * 63 + b"\n"


def connected(port: int) -> socket.socket:
    """A client that has been answered, so that its handler waits for a line."""
    client = socket.create_connection(("127.0.0.1", port), 30)
    client.sendall(LINE)
    answer(client)
    return client


def answer(client: socket.socket) -> None:
    """Take it in. Raises ConnectionError: there is none."""
    left = len(LINE)
    while left:
        data = client.recv(left)
        if not data:
            raise ConnectionError("an echo server has closed the connection")
        left -= len(data)


if __name__ == "__main__":
    with contextlib.ExitStack() as stack:
        for _ in range(int(sys.argv[2])):
            stack.enter_context(connected(int(sys.argv[1])))
        print("held", flush=True)
        sys.stdin.read()
