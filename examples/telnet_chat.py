"""A chat for telnet: what one writes, all read.

python examples/telnet_chat.py PORT
"""

import sys

from cogen.core.groups import TaskGroup
from cogen.core.pubsub import PublishSubscribeQueue
from cogen.core.schedulers import Scheduler
from cogen.core.servers import serve_tcp

news = PublishSubscribeQueue()


def chat(stream):
    yield stream.write(b"Your name? ")
    name = (yield stream.read_line(limit=80)).strip()
    with news.subscription(bound=1000) as items, TaskGroup() as group:
        group.start(listen, stream, items)
        yield news.publish(b"* %s is here\n" % name)
        try:
            while line := (yield stream.read_line(limit=1000)):
                yield news.publish(b"%s: %s\n" % (name, line.strip()))
        finally:
            yield news.publish(b"* %s has left\n" % name)


def listen(stream, items):
    while True:
        yield stream.write(b"".join((yield items.fetch())))


scheduler = Scheduler()
scheduler.add(serve_tcp, (chat, "127.0.0.1", int(sys.argv[1])), {"idle": 3600})
scheduler.run()
