"""What the guide to waiting says of a server's start and stop."""

import contextlib
import io
import unittest

from cogen.testing.memory import Browser, MemoryServer
from cogen.web.life import take_lives
from tests.docs.pages import DOCS, blocks


class LifeTests(unittest.TestCase):
    def test_a_held_request_is_told_that_the_server_stops(self):
        [block] = [each for each in blocks(DOCS / "waiting.md") if each.name == "pool.py"]
        names = {}
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.text, str(block), "exec"), names)
            server = MemoryServer(names["application"], lives=take_lives())
            held = Browser(server).begin("GET", "/")
            self.assertFalse(held.done)
            server.close()
        self.assertEqual(b"the server stops\n", held.look().body)
        self.assertEqual("opened\nclosed\n", printed.getvalue())

    def test_an_endless_answer_ends_itself(self):
        [block] = [each for each in blocks(DOCS / "waiting.md") if each.name == "ticker.py"]
        names = {}
        exec(compile(block.text, str(block), "exec"), names)
        server = MemoryServer(names["application"])
        held = Browser(server).begin("GET", "/")
        server.loop.advance(1.5)
        began = server.loop.time()
        server.close()
        self.assertLess(server.loop.time() - began, 1)
        self.assertEqual(b"tick\ntick\nthe server stops\n", held.look().body)
