"""python -m benchmarks.echo.on_cogen PORT any|uvloop|asyncio"""

import sys
from collections.abc import Generator
from typing import Any

from cogen.core.schedulers import Scheduler
from cogen.core.servers import serve_tcp
from cogen.core.streams import Stream


def echo(stream: Stream) -> Generator[Any, Any, None]:
    while line := (yield stream.read_line()):
        yield stream.write(line)


if __name__ == "__main__":
    scheduler = Scheduler(proactor=sys.argv[2])
    scheduler.add(serve_tcp, (echo, "127.0.0.1", int(sys.argv[1])))
    scheduler.run()
