"""`chatapp names` and `chatapp free`, while the server runs and while it does not."""

import asyncio
import unittest

from chatapp.bots import ChatClient
from tests.chatapp.command.program import ServedByCommand, run
from tests.support.cluster import Cluster


def speak(url, *nicks):
    async def spoken():
        for nick in nicks:
            async with ChatClient(url, nick=nick) as client:
                await client.join(0.0)
                await client.send("hello")

    asyncio.run(spoken())


class NamesTests(unittest.TestCase):
    def test_a_name_that_was_freed_is_anybodys_at_once(self):
        with ServedByCommand() as server:
            data = server.folder / "data"
            url = f"http://127.0.0.1:{server.port}/"
            speak(url, "Iris", "ann")
            self.assertEqual((0, "Iris\nann\n", ""), run("names", "--data", data))
            said = "anybody can take Iris now\n"
            self.assertEqual((0, said, ""), run("free", "lris", "--data", data))
            speak(url, "lris")
            status, _, line = run("free", "kim", "--data", data)
            self.assertEqual((1, "chatapp: the name kim is not kept\n"), (status, line))
            server.stop()
            self.assertEqual((0, "ann\nlris\n", ""), run("names", "--data", data))
            server.start()
            self.assertEqual(0, run("free", "ann", "--data", data)[0])
            speak(url, "ann")

    def test_names_in_redis_are_freed_for_all_workers(self):
        with Cluster() as cluster:
            one, two = cluster.hosts
            speak(one.url, "ann")
            self.assertEqual((0, "ann\n", ""), run("names", "--ini", two.ini))
            self.assertEqual(0, run("free", "ann", "--ini", two.ini)[0])
            speak(two.url, "ann")
