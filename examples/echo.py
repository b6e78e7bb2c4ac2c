"""A line echo server for 200 clients; one who is silent for five seconds is told, and let go.

python examples/echo.py PORT
"""

import sys

from cogen.core.schedulers import Scheduler
from cogen.core.servers import serve_tcp
from cogen.core.streams import IdleTimeout


def echo(stream):
    try:
        while line := (yield stream.read_line()):
            yield stream.write(line)
    except IdleTimeout:
        yield stream.write(b"your time is up\n")
    finally:
        yield stream.write(b"bye\n")


scheduler = Scheduler()
scheduler.add(serve_tcp, (echo, "127.0.0.1", int(sys.argv[1])), {"limit": 200, "idle": 5})
scheduler.run()
