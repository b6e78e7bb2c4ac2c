"""A process of clients, driven by lines of JSON: orders on standard input, reports on output.

    {"connect": {"port", "clients", "rate", "addresses", "wire"}}: says {"progress": N} at times,
                       and {"held": N} when all wait for news
    {"report": true}   says {"report": {...}}: counts and latencies since the last
    the end of input   ends it

Whenever all its clients have had a message it says {"delivered": SEQ, "at": when the last had it}.
"""

import asyncio
import gc
import json
import sys
from typing import Any

import uvloop

from benchmarks.client import Client, Crowd
from benchmarks.wire import WIRES

__all__ = ["Load"]

_PROGRESS_SECONDS = 0.5
_AGAIN_SECONDS = 0.2
_COUNTS = ("deliveries", "empty", "repeated", "reconnects")


class Load:
    """The clients of this process and the orders they get."""

    def __init__(self) -> None:
        self._crowd: Crowd | None = None
        self._clients: list[Client] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._where: dict[str, Any] = {}
        self._ending = False

    async def run(self) -> None:
        """Until standard input ends."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        pipe, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        async for line in reader:
            order = json.loads(line)
            if "connect" in order:
                self._where = order["connect"]
                self._spawn(self._connect_all())
            else:
                self._report()
        self._ending = True
        pipe.close()
        for task in self._tasks:
            task.cancel()
        for client in self._clients:
            client.close()
        await asyncio.sleep(0)  # in which they close

    def _spawn(self, steps: Any) -> None:
        task = asyncio.get_running_loop().create_task(steps)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect_all(self) -> None:
        """At `rate` a second, so that none waits in the server's backlog."""
        size, rate = self._where["clients"], self._where["rate"]
        self._crowd = Crowd(
            WIRES[self._where["wire"]](), size,
            lambda: _say(held=size), lambda seq, at: _say(delivered=seq, at=at),
        )  # fmt: skip
        loop = asyncio.get_running_loop()
        start = said = loop.time()
        for number in range(size):
            client = Client(self._crowd, self._lost)
            self._clients.append(client)
            await self._connect(client, number)
            now = loop.time()
            if now < start + number / rate:
                await asyncio.sleep(start + number / rate - now)
            if now > said + _PROGRESS_SECONDS:
                said = now
                _say(progress=self._crowd.joined)

    async def _connect(self, client: Client, number: int = 0) -> None:
        addresses = self._where["addresses"]
        source = (addresses[number % len(addresses)], 0) if addresses else None
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(
                lambda: client, "127.0.0.1", self._where["port"], local_addr=source
            )
        except OSError as error:
            assert self._crowd is not None
            self._crowd.failed(str(error))
            self._lost(client)

    def _lost(self, client: Client) -> None:
        if not self._ending:
            assert self._crowd is not None
            self._crowd.reconnects += 1
            self._spawn(self._again(client))

    async def _again(self, client: Client) -> None:
        await asyncio.sleep(_AGAIN_SECONDS)
        await self._connect(client)

    def _report(self) -> None:
        crowd = self._crowd
        assert crowd is not None
        counts = {name: getattr(crowd, name) for name in _COUNTS}
        _say(report={**counts, "error": crowd.error, "latencies": crowd.latencies})
        for name in _COUNTS:
            setattr(crowd, name, 0)
        crowd.latencies.clear()


def _say(**words: Any) -> None:
    print(json.dumps(words), flush=True)


if __name__ == "__main__":
    gc.disable()  # a pause here would be read as one of the server's; nothing here makes cycles
    uvloop.run(Load().run())
