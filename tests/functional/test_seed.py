"""A controller of the founding shape works as an ordinary one, behind ordinary middleware."""

import unittest
from wsgiref.validate import validator

from benchmarks.harness.server import ServerThread, eventually
from cogen.testing.memory import Browser, MemoryServer
from tests.functional.seed.application import make_app
from tests.functional.seed.controllers import talk


class SeedTests(unittest.TestCase):
    wrapped = staticmethod(lambda app: app)

    def setUp(self):
        self.server = MemoryServer(self.wrapped(make_app()))
        self.addCleanup(talk.clients.clear)
        self.addCleanup(self.server.close)
        self.ann, self.bob = Browser(self.server), Browser(self.server)

    def test_a_message_reaches_who_waits(self):
        held = self.ann.begin("GET", "/site/talk/pull")
        self.assertFalse(held.done)
        push = self.bob.ask("POST", "/site/talk/push", b"hello")
        self.assertEqual((200, b"1"), (push.status, push.body))
        self.assertEqual((200, b"nobody: hello\r\n"), (held.look().status, held.body))

    def test_the_session_saved_before_the_first_chunk_is_the_clients(self):
        held = self.ann.begin("GET", "/site/talk/pull")
        self.bob.ask("POST", "/site/talk/push", b"one")
        self.assertIn("beaker.session.id", held.look().header("set-cookie"))
        for text in (b"two", b"three"):
            self.bob.ask("POST", "/site/talk/push", text)
        pulled = self.ann.ask("GET", "/site/talk/pull")
        self.assertEqual(b"nobody: two\r\n", pulled.body)
        self.assertEqual(b"nobody: three\r\n", self.ann.ask("GET", "/site/talk/pull").body)

    def test_nothing_in_ten_seconds_is_an_empty_answer(self):
        held = self.ann.begin("GET", "/site/talk/pull")
        self.server.loop.advance(9.9)
        self.assertFalse(held.look().done)
        self.server.loop.advance(0.2)
        self.assertEqual((200, b""), (held.look().status, held.body))

    def test_who_leaves_eleven_behind_is_dropped_and_joins_again(self):
        self.ann.begin("GET", "/site/talk/pull").hang_up()
        held = self.ann.begin("GET", "/site/talk/pull")
        self.bob.ask("POST", "/site/talk/push", b"first")
        self.assertTrue(held.look().done)
        coroutines = self.server.scheduler.statistics()["coroutines"]
        for number in range(11):
            self.bob.ask("POST", "/site/talk/push", b"%d" % number)
        self.assertEqual(coroutines - 2, self.server.scheduler.statistics()["coroutines"])
        self.assertEqual([True, True], [client.dead for client in talk.clients.values()])
        held = self.ann.begin("GET", "/site/talk/pull")
        self.bob.ask("POST", "/site/talk/push", b"again")
        self.assertEqual(b"nobody: again\r\n", held.look().body)

    def test_a_hang_up_ends_the_wait(self):
        before = self.server.scheduler.statistics()
        held = self.ann.begin("GET", "/site/talk/pull")
        self.assertEqual(1, self.server.server.shared.statistics()["exchanges"])
        held.hang_up()
        self.server.loop.settle()
        self.assertEqual(0, self.server.server.shared.statistics()["exchanges"])
        [client] = talk.clients.values()
        client.messages.put_nowait("nobody waits")
        self.assertEqual(1, len(client.messages))
        self.assertEqual(before["deadlines"], self.server.scheduler.statistics()["deadlines"])

    def test_the_middleware_does_its_own_work_too(self):
        self.assertEqual(b"hello from a file\n", self.ann.ask("GET", "/site/hello.txt").body)
        made = {self.ann.ask("GET", "/site/talk/cached").body for _ in range(2)}
        self.assertEqual([32], [len(content) for content in made])
        self.assertEqual(b"/site/talk/stamp", self.ann.ask("GET", "/site/talk/stamp").body)
        self.assertEqual(404, self.ann.ask("GET", "/elsewhere").status)


class ValidatedSeedTests(SeedTests):
    """The same under the validator of PEP 3333, between the server and the application."""

    wrapped = staticmethod(validator)


class ThreadedSeedTests(unittest.TestCase):
    """In threads, as by default, with twenty clients on real connections."""

    wrapped = staticmethod(lambda app: app)
    CLIENTS = range(20)

    def setUp(self):
        self.addCleanup(talk.clients.clear)
        self.server = self.enterContext(ServerThread(self.wrapped(make_app()), threads="auto"))
        self.pollers, self.speakers = ([self.connect() for _ in self.CLIENTS] for _ in "ab")
        self.cookies = [""] * len(self.CLIENTS)
        self.heard = [[] for _ in self.CLIENTS]

    def connect(self):
        return self.enterContext(self.server.connect())

    def poll(self, number):
        cookie = f"Cookie: {self.cookies[number]}\r\n" if self.cookies[number] else ""
        self.pollers[number].send(
            f"GET /site/talk/pull HTTP/1.1\r\nHost: test\r\n{cookie}\r\n".encode()
        )

    def take(self, number):
        """What the poll of a client has got; it polls again."""
        response = self.pollers[number].response()
        self.assertEqual(200, response.status)
        if "set-cookie" in response.headers:
            self.cookies[number] = response.headers["set-cookie"].partition(";")[0]
        self.heard[number] += response.body.decode().splitlines()
        self.poll(number)

    def push(self, number, view, text):
        self.speakers[number].send(
            f"POST /site/talk/{view} HTTP/1.1\r\nHost: test\r\nContent-Length: {len(text)}\r\n"
            f"Cookie: {self.cookies[number]}\r\n\r\n{text}".encode()
        )

    def test_everybody_hears_all_that_all_say_at_once(self):
        for number in self.CLIENTS:
            self.poll(number)
        # Those that have joined, and none is dropped later.
        eventually(lambda: self.server.call(talk.pubsub.statistics)["subscribers"], 20)
        self.push(0, "push", "first")
        self.assertEqual(b"20", self.speakers[0].response().body)
        for number in self.CLIENTS:
            self.take(number)
        # Not more at once than fit into a client's queue.
        for first in range(0, len(self.CLIENTS), 10):
            ten = self.CLIENTS[first : first + 10]
            for number in ten:
                self.push(number, "shout" if number % 2 else "push", f"{number}")
            self.assertEqual({b"20"}, {self.speakers[number].response().body for number in ten})
            for number in self.CLIENTS:
                while len(self.heard[number]) < 1 + first + 10:
                    self.take(number)
        said = sorted(self.heard[0])
        self.assertEqual([said] * 20, [sorted(heard) for heard in self.heard])
        self.assertEqual(21, len({line.partition(": ")[2] for line in said}))
        self.assertEqual(20, len({line.partition(": ")[0] for line in said} - {"nobody"}))
        self.assertEqual([False] * 20, [client.dead for client in talk.clients.values()])


class ValidatedThreadedSeedTests(ThreadedSeedTests):
    wrapped = staticmethod(validator)
