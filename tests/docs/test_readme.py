"""The action of README.txt waits, and what a request leaves behind is nothing."""

from __future__ import annotations

import gc
import unittest
from typing import Any

from routes import Mapper

from pylons.wsgiapp import PylonsApp
from tests.docs.pages import README, blocks
from tests.pylons.support import make_config
from tests.support.memory import Browser, MemoryServer


class ActionTests(unittest.TestCase):
    def setUp(self) -> None:
        [block] = blocks(README, "python")
        self.names: dict[str, Any] = {}
        exec(compile(block.text, str(block), "exec"), self.names)
        config = make_config()
        config["routes.map"] = Mapper(explicit=True)
        config["routes.map"].connect("/news/{action}", controller="news")
        app = PylonsApp(config)
        app.find_controller = lambda name: self.names[f"{name.title()}Controller"]
        self.server = MemoryServer(app)
        self.addCleanup(self.server.close)

    def ask(self, text: bytes) -> bytes:
        return Browser(self.server).ask("POST", "/news/publish", text).body

    def test_it_is_answered_when_somebody_publishes(self) -> None:
        held = [Browser(self.server).begin("GET", "/news/next") for _ in range(2)]
        self.assertEqual([False, False], [each.done for each in held])
        self.assertEqual(b"told 2\n", self.ask(b"hello"))
        self.assertEqual([b"hello\n", b"hello\n"], [each.look().body for each in held])

    def test_it_is_answered_when_nobody_does(self) -> None:
        held = Browser(self.server).begin("GET", "/news/next")
        self.server.loop.advance(10.1)
        self.assertEqual((200, b"no news\n"), (held.look().status, held.body))

    def test_a_hundred_polls_leave_nothing_behind(self) -> None:
        # Answered, timed out, hung up.
        ends = [
            lambda held: self.ask(b"hello"),
            lambda held: self.server.loop.advance(10.1),
            lambda held: held.hang_up(),
        ]
        before: list[int] = []
        for end in ends:
            for number in range(101):
                held = Browser(self.server).begin("GET", "/news/next")
                end(held)
                self.server.loop.settle()
                held.transport.close()
                self.server.loop.settle()
                if number in (0, 100):  # caches are filled by the first
                    gc.collect()
                    before.append(len(gc.get_objects()))
            self.assertLess(before[-1] - before[-2], 20)
        self.assertEqual({0}, set(self.names["news"].statistics().values()))
        statistics = self.server.scheduler.statistics()
        self.assertEqual({0}, {statistics[name] for name in ("coroutines", "ready")}, statistics)
