"""The impostor: a name that was spoken under stays whose it was, and so do the messages."""

import asyncio
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import aiohttp

from benchmarks.harness.chat import ChatServer
from chatapp.bots import ChatClient, ChatError
from chatapp.identity.names import KeptNames, free_name
from chatapp.model import memory
from chatapp.model.clock import Clock
from tests.chatapp.support import ChatCase
from tests.support.cluster import Cluster

DAY = 86_400.0


class Wall(Clock):
    """Goes on by itself, and by days where a test says so: nobody is here, so no timer minds."""

    skipped = 0.0

    def wall(self):
        return super().wall() + self.skipped


class ImpostorCase(ChatCase):
    def begin(self, **options):
        self.enterContext(mock.patch.multiple(memory, Clock=Wall))
        self.enterContext(mock.patch.object(Wall, "skipped", 0.0))
        self.start(**options)

    def later(self, seconds):
        self.pass_time(60)
        Wall.skipped += seconds

    def history(self, person):
        return json.loads(person.ask("GET", "/chat/history/lobby").body)["messages"]

    def refusal(self, person, nick):
        answer = person.post("/chat/nick", {"nick": nick})
        return answer.status, answer.body.decode()


TAKEN = 409, '{"error":"The name ann is taken; choose another."}'


class ImpostorTests(ImpostorCase):
    def setUp(self):
        self.begin()
        self.ann = self.joined("ann")
        self.ann.say("it is me")
        self.ann.pull()
        self.sender = self.history(self.ann)[0]["sender"]

    def test_nobody_else_has_the_name_for_as_long_as_it_is_kept(self):
        bob = self.person()
        for seconds in (0.0, 29 * DAY):
            self.later(seconds)
            self.assertEqual(TAKEN, self.refusal(bob, "ann"))
            status, line = self.refusal(bob, "\u0430nn")
            self.assertEqual(409, status)
            self.assertIn("looks like ann, which is taken", line)
        self.assertEqual((200, '{"nick":"ann"}'), self.refusal(self.ann, "ann"))
        self.later(31 * DAY)
        self.assertEqual(200, self.refusal(bob, "ann")[0])
        bob.say("is it me")
        first, second = self.history(bob)
        self.assertEqual(self.sender, first["sender"])
        self.assertNotEqual(self.sender, second["sender"])

    def test_who_has_the_name_in_an_older_session_is_a_guest(self):
        bob = self.joined("kim")
        self.pass_time(60)
        self.joined("kim").say("it is me")
        self.pass_time(60)
        self.assertIn("guest-", bob.ask("GET", "/chat/nick").body.decode())
        bob.say("hello")
        self.assertRegex(self.history(bob)[-1]["nick"], "^guest-")

    def test_history_is_right_after_a_rename(self):
        self.ann.post("/chat/nick", {"nick": "anna"})
        self.ann.say("under another name")
        self.later(0.0)
        for nick in ("ann", "anna"):
            self.assertEqual(409, self.refusal(self.person(), nick)[0])
        senders = [m["sender"] for m in self.history(self.ann)]
        self.assertEqual([self.sender] * 2, senders)
        self.assertEqual(self.sender, self.person_you()["sender"])

    def person_you(self):
        self.ann.cursor = None
        self.ann.tab = "other"
        return self.ann.pull()["you"]

    def test_a_name_that_nobody_spoke_under_is_free_at_once(self):
        self.joined("kim")
        self.pass_time(60)
        self.assertEqual(200, self.refusal(self.person(), "kim")[0])

    def test_who_speaks_under_a_name_that_is_kept_for_another_is_refused(self):
        """As where the directory was away and could not tell."""
        bob = self.joined("bob")
        names = KeptNames(self.hub.log, 30 * DAY)
        asyncio.run(names.keep("bob", "another", None))
        answer = bob.say("it is me")
        self.assertEqual(409, answer.status)
        self.assertIn("The name bob is taken", answer.body.decode())
        self.assertEqual(1, len(self.history(bob)))

    def test_names_that_are_freed_are_anybodys(self):
        self.pass_time(60)
        asyncio.run(free_name(self.hub.log.records, "ann"))
        self.assertEqual(200, self.refusal(self.person(), "ann")[0])


class RestartTests(unittest.TestCase):
    """The real server, its process ended and begun anew."""

    def impostor(self, restart, first, second):
        async def write():
            async with ChatClient(first, nick="ann") as ann:
                await ann.join()
                await ann.send("it is me")
                return ann.session.cookie_jar

        async def check(jar):
            async with ChatClient(second, nick="ann") as bob:
                with self.assertRaises(ChatError) as caught:
                    await bob.join(0.0)
            self.assertEqual("The name ann is taken; choose another.", caught.exception.line)
            async with aiohttp.ClientSession(
                cookie_jar=jar, headers={"Accept": "application/json"}
            ) as session:
                ann = ChatClient(second, nick="ann", session=session)
                await ann.join()
                await ann.send("and again")
                said = await ann.history()
            self.assertEqual(["it is me", "and again"], [message.text for message in said])
            self.assertEqual(1, len({message.sender for message in said}))

        async def both():
            jar = await write()
            await asyncio.to_thread(restart)
            await check(jar)

        asyncio.run(asyncio.wait_for(both(), 60))

    def test_a_name_is_kept_over_a_restart(self):
        with ChatServer() as server:

            def restart():
                server.kill()
                server.start()

            self.impostor(restart, server.url, server.url)

    def test_a_name_is_kept_at_the_other_hosts_of_a_cluster(self):
        with Cluster() as cluster:
            one, two = (host.url for host in cluster.hosts)
            self.impostor(lambda: None, one, two)


class KeepTests(unittest.TestCase):
    def test_a_program_that_keeps_who_it_is_has_its_name_again(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        kept = folder / "robot.json"

        async def run(keep):
            async with ChatClient(server.url, nick="robot", keep=keep) as chat:
                await chat.join(0.0)
                await chat.send("hello")

        with ChatServer() as server:
            asyncio.run(run(kept))
            self.assertEqual(0o600, kept.stat().st_mode & 0o777)
            asyncio.run(run(str(kept)))
            with self.assertRaises(ChatError) as caught:
                asyncio.run(run(None))
        self.assertEqual(409, caught.exception.status)
        kept.write_text("[]")
        with self.assertRaisesRegex(ValueError, "no cookies of a chat"):
            asyncio.run(run(kept))
