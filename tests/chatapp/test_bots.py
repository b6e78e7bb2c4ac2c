"""How long `chatapp.bots` waits: for a poll, and until it is in; what it takes for an event."""

import asyncio
import dataclasses
import unittest
from itertools import pairwise

from chatapp import bots, client
from chatapp.bots import ChatError, Message, Removal, events_of
from chatapp.model import Draft
from tests.chatapp.clients import ClientCase


class PatienceTests(ClientCase):
    def setUp(self):
        self.polled = []  # when polls came to the server

    def wrapped(self, app):
        def counted(environ, start_response):
            if environ["PATH_INFO"].startswith("/chat/pull"):
                self.polled.append(asyncio.get_running_loop().time())
            return app(environ, start_response)

        return counted

    def heard_while(self, act):
        """What a client has heard when `act`, to which it is given, is over."""

        async def followed():
            async with self.follower() as (client, heard):
                await act(client)
                return heard

        return self.server.loop.run_until_complete(followed())

    @property
    def waited(self):
        """When polls came that followed one that was held, in seconds from the first."""
        times = [at - self.polled[0] for at in self.polled]
        return [at for before, at in pairwise(times) if at - before > 0.9]

    def test_a_poll_is_waited_for_as_long_as_the_server_says_and_longer(self):
        self.start(poll_timeout=120, lease=200)

        async def silence(client):
            await asyncio.sleep(130)
            await client.send("at last")
            await asyncio.sleep(5)

        self.assertEqual(["at last"], self.heard_while(silence))
        self.assertEqual([120, 130], [round(at) for at in self.waited])

    def test_one_that_gets_no_answer_is_given_up_and_the_next_one_later(self):
        self.start(poll_timeout=1, lease=500)

        async def started_anew(client):
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


class JoiningTests(ClientCase):
    """Until a client is in, it waits for what passes, and says so."""

    def setUp(self):
        self.start()
        self.refusal = None

    def wrapped(self, app):
        def refused(environ, start_response):
            if self.refusal is None:
                return app(environ, start_response)
            status, content_type, content = self.refusal
            start_response(status, [("Content-Type", content_type)])
            return [content]

        return refused

    def until_complete(self, act):
        self.server.loop.run_until_complete(act())

    def test_an_outage_is_waited_for_and_told_once(self):
        self.refusal = "502 Bad Gateway", "text/html", b"nobody is here"

        async def joined():
            async with self.client(nick="robot") as client:
                joining = asyncio.create_task(client.join())
                await asyncio.sleep(20)
                self.refusal = None
                await joining
                self.assertEqual("robot", client.nick)

        with self.assertLogs("chatapp.client", "WARNING") as said:
            self.until_complete(joined)
        line = "http://chat: 502: nobody is here; trying again for up to 60 s"
        self.assertEqual([line], [record.getMessage() for record in said.records])

    def test_an_outage_is_waited_for_no_longer_than_the_patience(self):
        refused = b'{"error": "The message log does not answer; try again soon."}'
        self.refusal = "503 Service Unavailable", "application/json", refused

        async def in_vain():
            async with self.client() as client:
                began = asyncio.get_running_loop().time()
                with self.assertRaisesRegex(ChatError, "503: The message log"):
                    await client.join(patience=30)
                self.assertLess(asyncio.get_running_loop().time() - began, 31)

        with self.assertLogs("chatapp.client", "WARNING"):
            self.until_complete(in_vain)

    def test_what_is_refused_for_good_is_not_waited_for(self):
        async def refused():
            async with self.client(nick="\n") as client:
                with self.assertRaisesRegex(ChatError, "400: "):
                    await client.join()

        with self.assertNoLogs("chatapp.client"):
            self.until_complete(refused)

    def test_a_room_that_is_lost_from_a_url_is_no_other_room(self):
        async def refused():
            async with self.client() as client:
                await client.join()
                for act in (client.send("hi", room="."), client.history("..")):
                    with self.assertRaisesRegex(ChatError, "400: .* dots"):
                        await act
                await client.send("in the lobby")
                self.assertEqual(1, len(await client.history()))

        self.until_complete(refused)

    def test_history_goes_on_behind_what_was_removed(self):
        async def removed():
            async with self.client(nick="robot") as client:
                await client.join()
                for text in "abcd":
                    await client.send(text)
                for seq in (2, 3, 4):
                    await self.hub.log.remove("lobby", seq, Draft("lobby", "bob", "rude"))
                self.assertEqual([], await client.history(limit=2, before=1))
                [message] = await client.history(limit=2)
                self.assertEqual("a", message.text)
                await self.hub.log.remove("lobby", 1, Draft("lobby", "bob", "rude"))
                self.assertEqual([], await client.history(limit=2))

        self.until_complete(removed)

    def test_a_name_that_is_waited_for_is_told(self):
        async def second():
            async with self.client(nick="robot") as client:
                await client.join()
            async with self.client(nick="robot") as client:
                await client.join()

        with self.assertLogs("chatapp.client", "WARNING") as said:
            self.until_complete(second)
        [line] = [record.getMessage() for record in said.records]
        self.assertRegex(line, "409: The name robot is taken.*; trying again for up to 60 s")

    def test_a_bot_that_leaves_gives_its_nick_back(self):
        async def twice():
            for _ in range(2):
                async with self.client(nick="robot") as client:
                    await client.join(patience=0)
                    await client.leave()

        self.until_complete(twice)


class FormerNameTests(unittest.TestCase):
    def test_programs_find_the_same_by_the_name_that_it_had_first(self):
        self.assertEqual(bots.__all__, client.__all__)
        for name in bots.__all__:
            self.assertIs(getattr(bots, name), getattr(client, name))


class EventTests(unittest.TestCase):
    def test_a_message_of_a_kind_from_a_later_version_is_passed_over(self):
        said = Message("lobby", 1, "ann", "hi", 1.5)
        edited = dataclasses.replace(said, seq=2, kind="edited")
        answer = {"messages": [message.wire() for message in (said, edited)]}
        self.assertEqual([said], events_of(answer))

    def test_a_removal_is_an_event_and_what_is_left_of_the_message_is_none(self):
        said = Message("lobby", 1, "ann", "secret", 1.5)
        removal = Message("lobby", 2, "bob", "rude", 1.5, "removal", about=1)
        answer = {"messages": [message.wire() for message in (said.emptied(), removal)]}
        self.assertEqual([Removal("lobby", 1, 2, "rude", "bob")], events_of(answer))
