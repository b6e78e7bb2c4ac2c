"""A port forwarder: whoever connects to PORT here talks to TO_PORT of TO_HOST.

python examples/forward.py PORT TO_HOST TO_PORT
"""

import sys

from cogen.core.groups import TaskGroup
from cogen.core.schedulers import Scheduler
from cogen.core.servers import serve_tcp
from cogen.core.streams import connect_tcp

port, to_host, to_port = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])


def forward(client):
    with (yield connect_tcp(to_host, to_port, timeout=10)) as server, TaskGroup() as group:
        group.start(copy, client, server)
        group.start(copy, server, client)
        yield group.join()


def copy(source, target):
    while data := (yield source.read()):
        yield target.write(data)
    target.send_eof()


scheduler = Scheduler()
scheduler.add(serve_tcp, (forward, "127.0.0.1", port), {"limit": 1000})
scheduler.run()
