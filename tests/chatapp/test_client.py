"""How long `chatapp.client` waits for a poll."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

from chatapp.client import ChatClient
from tests.chatapp.clients import ClientCase


class PatienceTests(ClientCase):
    def setUp(self) -> None:
        self.polled: list[float] = []  # when polls came to the server

    def wrapped(self, app: Any) -> Any:
        def counted(environ: dict[str, Any], start_response: Any) -> Any:
            if environ["PATH_INFO"].startswith("/chat/pull"):
                self.polled.append(asyncio.get_running_loop().time())
            return app(environ, start_response)

        return counted

    def heard_while(self, act: Callable[[ChatClient], Coroutine[Any, Any, None]]) -> list[str]:
        """What a client has heard when `act`, to which it is given, is over."""

        async def followed() -> list[str]:
            async with self.follower() as (client, heard):
                await act(client)
                return heard

        return self.server.loop.run_until_complete(followed())

    @property
    def waited(self) -> list[float]:
        """When polls came that followed one that was held, in seconds from the first."""
        times = [at - self.polled[0] for at in self.polled]
        return [at for before, at in pairwise(times) if at - before > 0.9]

    def test_a_poll_is_waited_for_as_long_as_the_server_says_and_longer(self) -> None:
        self.start(poll_timeout=120, lease=200)

        async def silence(client: ChatClient) -> None:
            await asyncio.sleep(130)
            await client.send("at last")
            await asyncio.sleep(5)

        self.assertEqual(["at last"], self.heard_while(silence))
        self.assertEqual([120, 130], [round(at) for at in self.waited])

    def test_one_that_gets_no_answer_is_given_up_and_the_next_one_later(self) -> None:
        self.start(poll_timeout=1, lease=500)

        async def started_anew(client: ChatClient) -> None:
            await asyncio.sleep(0.5)
            # As a server that was started anew with other options.
            self.hub.options = dataclasses.replace(self.hub.options, poll_timeout=100.0)
            await asyncio.sleep(350)
            await client.send("still here")
            await asyncio.sleep(5)

        self.assertEqual(["still here"], self.heard_while(started_anew))
        # 1 + 30 seconds and twice that; in four times that there is an answer, and it says 100.
        times = zip((1, 32, 95, 195, 295, 350), self.waited, strict=True)
        for expected, at in times:
            self.assertAlmostEqual(expected, at, delta=2)
