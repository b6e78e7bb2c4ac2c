"""Requests and replies between two processes over a socket pair, both ways.

A line of JSON each: `{"id": 1, "name": "metrics", "data": null}` is answered, in any order, by
`{"to": 1, "data": "..."}`, or by `{"to": 1, "error": "unknown", "data": "why"}`. A request without
an `id` is not answered.
"""

import asyncio
import itertools
import json
import logging
import socket
from collections.abc import Mapping
from typing import Any, Final

from cogen.web.peers import Answer, ChannelClosed, RequestError, UnknownRequest

__all__ = ["Channel"]

log = logging.getLogger(__name__)

# Longest line, in bytes: the figures of a process are some 100 KB.
_LINE_BYTES = 64 << 20

_ERRORS: Final = {each.kind: each for each in (RequestError, UnknownRequest, ChannelClosed)}
_GONE = "the other process is gone"


class Channel:
    """One end, for the running loop. `answers` has by name what answers the other's requests.

    What goes over it is what JSON has. Requests are begun in the order in which they were sent.
    """

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()

    async def open(self, sock: socket.socket) -> None:
        """Take the end of the pair; it is closed with the channel."""
        self._reader, self._writer = await asyncio.open_unix_connection(
            sock=sock, limit=_LINE_BYTES
        )
        self._reading = asyncio.ensure_future(self._read())

    async def ask(self, name: str, data: Any = None) -> Any:
        """The reply. Raises RequestError.

        Who gives up waiting for it takes nothing back.
        """
        if self._closed.is_set():
            raise ChannelClosed(_GONE)
        number = next(self._numbers)
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            self._send({"id": number, "name": name, "data": data})
            return await future
        finally:
            del self._asked[number]

    def tell(self, name: str) -> None:
        """Have the other do something, and do not wait for it."""
        self._send({"name": name})

    async def wait_closed(self) -> None:
        """Return when the other process has closed its end, as its own end does."""
        await self._closed.wait()

    async def close(self) -> None:
        """Close this end: what is asked here is answered no more, what was asked here fails."""
        self._reading.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._reading, *self._tasks, return_exceptions=True)
        self._writer.close()

    async def _read(self) -> None:
        try:
            while line := await self._reader.readline():
                self._take(json.loads(line))
        except ConnectionError as error:
            log.debug("%s: %s", _GONE, error)
        finally:
            self._closed.set()
            for future in self._asked.values():
                if not future.done():
                    future.set_exception(ChannelClosed(_GONE))

    def _take(self, said: dict[str, Any]) -> None:
        if "to" not in said:
            task = asyncio.ensure_future(self._answer(**said))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        future = self._asked.get(said["to"])
        if future is None or future.done():
            return
        if "error" in said:
            future.set_exception(_ERRORS[said["error"]](said["data"]))
        else:
            future.set_result(said["data"])

    async def _answer(self, name: str, id: int | None = None, data: Any = None) -> None:
        answer = self._answers.get(name)
        try:
            if answer is None:
                raise UnknownRequest(f"nothing answers requests named {name!r}")
            reply = {"to": id, "data": await answer(data)}
        except RequestError as error:
            reply = {"to": id, "error": error.kind, "data": str(error)}
        except Exception as error:
            log.exception("the request %r of another process failed", name)
            reply = {"to": id, "error": "failed", "data": f"{type(error).__name__}: {error}"}
        if id is not None:
            self._send(reply)

    def _send(self, message: dict[str, Any]) -> None:
        if not self._closed.is_set():
            self._writer.write(json.dumps(message).encode() + b"\n")
