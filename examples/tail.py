"""What is appended to a file, in every browser that looks: `tail -F` as server-sent events.

python examples/tail.py PORT FILE
"""

import asyncio
import sys

from cogen.core.pubsub import PublishSubscribeQueue
from cogen.web.life import Life, register
from cogen.web.wsgi import server_factory

PAGE = b"""<pre></pre><script>
new EventSource("lines").onmessage = (event) =>
    document.querySelector("pre").append(event.data + "\\n");
</script>"""

lines = PublishSubscribeQueue(keep=10)


async def follow(path):
    tail = await asyncio.create_subprocess_exec("tail", "-F", path, stdout=asyncio.subprocess.PIPE)
    try:
        async for line in tail.stdout:
            lines.publish_nowait(line)
    finally:
        tail.terminate()
        await tail.wait()


async def start(environ):
    environ["cogen.server_group"].start(follow, sys.argv[2])


async def stopping():
    lines.publish_nowait(None)


def application(environ, start_response):
    if environ["PATH_INFO"] != "/lines":
        start_response("200 OK", [("Content-Type", "text/html")])
        yield PAGE
        return
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    with lines.subscription(last=10, bound=1000, overflow="oldest") as items:
        while True:
            yield environ["cogen.call"](items.fetch)()
            for line in environ["cogen.wsgi"].result:
                if line is None:
                    return
                yield b"data: %s\n\n" % line.rstrip()


application = register(application, Life(start=start, stopping=stopping), blocks=False)
if __name__ == "__main__":
    server_factory({}, "127.0.0.1", sys.argv[1])(application)
