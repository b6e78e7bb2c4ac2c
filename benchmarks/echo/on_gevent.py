"""python -m benchmarks.echo.on_gevent PORT"""

import sys
from typing import Any

from gevent.server import StreamServer


def echo(sock: Any, address: Any) -> None:
    with sock.makefile("rb") as lines:
        for line in lines:
            sock.sendall(line)


if __name__ == "__main__":
    StreamServer(("127.0.0.1", int(sys.argv[1])), echo, backlog=1024).serve_forever()
