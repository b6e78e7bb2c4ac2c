"""`chatapp.bots` on the loop of the server that it talks to, whose clock the tests set."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from chatapp.bots import ChatClient, Message
from cogen.web.connections.connection import Connection
from tests.chatapp.support import ChatCase

__all__ = ["ClientCase"]


class ClientCase(ChatCase):
    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[ChatClient]:
        # By a Unix socket: what one side has sent is there for the other, and the clock may go on.
        path = f"{self.enterContext(tempfile.TemporaryDirectory())}/socket"
        serve = asyncio.get_running_loop().create_unix_server
        session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path),
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            headers={"Accept": "application/json"},
        )
        async with await serve(lambda: Connection(self.server.server.shared), path), session:
            yield ChatClient("http://chat", session=session, **options)

    @asynccontextmanager
    async def follower(self, **options: Any) -> AsyncIterator[tuple[ChatClient, list[str]]]:
        """A client that has joined and follows, and what it has heard."""
        async with self.client(**options) as client:
            await client.join()
            heard: list[str] = []
            following = asyncio.create_task(_follow(client, heard))
            try:
                yield client, heard
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)


async def _follow(client: ChatClient, heard: list[str]) -> None:
    async for event in client.follow():
        if isinstance(event, Message):
            heard.append(event.text)
