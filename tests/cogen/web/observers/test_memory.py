"""Memory that a crowd took goes back to the system when the crowd is gone."""

import sys
import unittest
import weakref

from greenlet import getcurrent

from benchmarks.harness.hostile import HostileServer, broken_uploads
from benchmarks.harness.server import eventually
from cogen.testing.clock import FakeClockLoop
from cogen.testing.memory import MemoryServer
from cogen.web.http import response
from cogen.web.life import Life
from cogen.web.observers.memory import Memory
from tests.cogen.web.support import echo

MEBIBYTE = 1 << 20


@unittest.skipUnless(sys.platform == "linux", "elsewhere the allocator is left alone")
class MemoryTest(unittest.TestCase):
    def test_it_is_back_after_uploads_that_broke(self):
        with HostileServer(threads=0) as server:
            server.answers()
            before = server.resident()
            crowd = broken_uploads.against(server, 0.1)
            next(crowd)
            eventually(lambda: server.resident() > before + 10 * MEBIBYTE, True)
            next(crowd, None)
            # Freed, it would be kept by the allocator for ever.
            eventually(lambda: server.resident() < before + 3 * MEBIBYTE, True)

    def test_what_was_kept_for_reuse_goes_with_the_crowd(self):
        made_in_crowd = []

        def application(environ, start_response):
            made_in_crowd.append(weakref.ref(getcurrent()))
            return echo(environ, start_response)

        server = MemoryServer(application)
        self.addCleanup(server.close)
        clients = [server.connect() for _ in range(3)]
        for client in clients:
            client.protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.loop.settle()
        self.assertIsNotNone(made_in_crowd[0]())
        for client in clients:
            client.close()
        server.loop.advance(1)
        self.assertEqual([ref() for ref in made_in_crowd], [None] * 3)
        self.assertIsNone(server.server.shared._parser)
        self.assertEqual(response._heads, {})
        server.loop.advance(60)
        self.assertEqual([each for each in server.loop._scheduled if not each.cancelled()], [])

    def test_it_is_done_when_an_application_holds_much_less_and_once_more(self):
        """What the chat holds of clients lasts longer than their connections."""
        loop = FakeClockLoop()
        self.addCleanup(loop.close)
        trims = []
        memory = Memory(loop, lambda: trims.append(loop.time()))
        began = loop.time()
        for blocks in (300_000, 340_000, 300_000, 900_000, 700_000):
            memory.uses(blocks)
            loop.advance(1)
        self.assertEqual(trims, [])
        memory.uses(400_000)
        loop.advance(1)
        self.assertEqual([round(at - began, 1) for at in trims], [5.2])
        loop.advance(100)
        self.assertEqual(len(trims), 2)
        memory.uses(380_000)
        loop.advance(100)
        self.assertEqual(len(trims), 2)

    def test_applications_let_go_of_what_they_remember(self):
        trims = []
        lives = [Life(trim=lambda: trims.append("one")), Life()]
        server = MemoryServer(echo, lives=lives)
        self.addCleanup(server.close)
        client = server.connect()
        client.close()
        server.loop.advance(1)
        self.assertEqual(trims, ["one"])
