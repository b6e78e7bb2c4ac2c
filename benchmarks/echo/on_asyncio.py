"""python -m benchmarks.echo.on_asyncio PORT uvloop|asyncio"""

import asyncio
import sys

from cogen.core.schedulers import new_event_loop


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()


async def main(port: int) -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=lambda: new_event_loop(sys.argv[2])) as runner:
        runner.run(main(int(sys.argv[1])))
