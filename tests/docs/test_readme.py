"""The action of README.txt waits, and what a request leaves behind is nothing."""

import gc
import re
import unittest

from routes import Mapper

from cogen.testing.memory import Browser, MemoryServer
from pylons.wsgiapp import PylonsApp
from tests.docs.pages import README, ROOT, blocks
from tests.pylons.support import make_config


class ActionTests(unittest.TestCase):
    def setUp(self):
        [block] = blocks(README, "python")
        self.names = {}
        exec(compile(block.text, str(block), "exec"), self.names)
        config = make_config()
        config["routes.map"] = Mapper(explicit=True)
        config["routes.map"].connect("/news/{action}", controller="news")
        app = PylonsApp(config)
        app.find_controller = lambda name: self.names[f"{name.title()}Controller"]
        self.server = MemoryServer(app)
        self.addCleanup(self.server.close)

    def ask(self, text):
        return Browser(self.server).ask("POST", "/news/publish", text).body

    def test_it_is_answered_when_somebody_publishes(self):
        held = [Browser(self.server).begin("GET", "/news/next") for _ in range(2)]
        self.assertEqual([False, False], [each.done for each in held])
        self.assertEqual(b"told 2\n", self.ask(b"hello"))
        self.assertEqual([b"hello\n", b"hello\n"], [each.look().body for each in held])

    def test_it_is_answered_when_nobody_does(self):
        held = Browser(self.server).begin("GET", "/news/next")
        self.server.loop.advance(10.1)
        self.assertEqual((200, b"no news\n"), (held.look().status, held.body))

    def test_a_hundred_polls_leave_nothing_behind(self):
        ends = {
            "answered": lambda held: self.ask(b"hello"),
            "timed out": lambda held: self.server.loop.advance(10.1),
            "hung up": lambda held: [each.hang_up() for each in held],
        }
        for end, act in ends.items():
            with self.subTest(end):
                self.poll(1, act)  # fills caches
                before = _objects()
                self.poll(100, act)
                self.assertLess(_objects() - before, 20)
                self.assertEqual({0}, set(self.names["news"].statistics().values()))
                statistics = self.server.scheduler.statistics()
                self.assertEqual((0, 0), (statistics["coroutines"], statistics["ready"]))

    def poll(self, count, end):
        held = [Browser(self.server).begin("GET", "/news/next") for _ in range(count)]
        end(held)
        for each in held:
            each.transport.close()
        self.server.loop.settle()


def _objects():
    gc.collect()
    return len(gc.get_objects())


class PortTests(unittest.TestCase):
    def test_another_port_is_asked_for_by_one_name(self):
        [asked] = re.findall(r"ARGS=(\w+=\d+)", README.read_text())
        for ini in ("test.ini", "development.ini"):
            for said in re.findall(r"paster serve \S+ (\w+=\d+)", (ROOT / ini).read_text()):
                self.assertEqual(asked, said, ini)
