"""python -m benchmarks.echo.on_trio PORT

trio has no lines: they are cut out of what comes, as its guide does.
"""

import contextlib
import sys
from typing import Any

import trio


async def echo(stream: Any) -> None:
    # What a handler raises ends the server.
    with contextlib.suppress(trio.BrokenResourceError):
        await echo_lines(stream)


async def echo_lines(stream: Any) -> None:
    buffer = bytearray()
    async with stream:
        async for data in stream:
            buffer += data
            while end := buffer.find(b"\n") + 1:
                line = bytes(buffer[:end])
                del buffer[:end]
                await stream.send_all(line)


async def main(port: int) -> None:
    await trio.serve_tcp(echo, port, host="127.0.0.1", backlog=1024)


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]))
