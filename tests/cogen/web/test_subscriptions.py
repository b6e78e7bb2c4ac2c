"""Subscriptions of requests: in generators, straight-line code, on the loop and in threads."""

import unittest

from cogen.core.events import OperationTimeout
from cogen.core.pubsub import PublishSubscribeQueue
from cogen.testing.memory import Browser, MemoryServer
from cogen.web import wait
from cogen.web.options import Options
from tests.support.cycles import assert_no_cycles

NOTHING = {"subscribers": 0, "fetchers": 0, "messages": 0}


class Applications:
    """Each waits for a message of `news` and answers it; the path /failing fails behind it."""

    def __init__(self, news):
        self.news = news

    def generator(self, environ, start_response):
        with self.news.subscription() as items:
            yield environ["cogen.call"](items.fetch)(timeout=10)
        yield self.answer(environ, start_response, environ["cogen.wsgi"].result)

    def without_a_block(self, environ, start_response):
        items = environ["items"] = self.news.subscription()
        yield environ["cogen.call"](items.fetch)(timeout=10)
        yield self.answer(environ, start_response, environ["cogen.wsgi"].result)

    def straight_line(self, environ, start_response):
        with self.news.subscription() as items:
            try:
                result = wait(items.fetch, timeout=10)
            except OperationTimeout as error:
                result = error
        return [self.answer(environ, start_response, result)]

    def by_key(self, environ, start_response):
        with self.news.subscription(key=environ["QUERY_STRING"], keep=30) as items:
            yield environ["cogen.call"](items.fetch)(timeout=10)
        yield self.answer(environ, start_response, environ["cogen.wsgi"].result)

    def answer(self, environ, start_response, result):
        if environ["PATH_INFO"] == "/failing":
            raise KeyError("wanted")
        start_response("200 OK", [])
        return b"late" if isinstance(result, OperationTimeout) else b" ".join(result)


class RequestTests(unittest.TestCase):
    def setUp(self):
        self.news = PublishSubscribeQueue()
        self.applications = Applications(self.news)

    def serve(self, name, threads="0"):
        server = MemoryServer(getattr(self.applications, name), Options(threads=threads))
        self.addCleanup(server.close)
        return server

    def each(self):
        """Servers: each application on the loop, and in threads."""
        for name in ("generator", "without_a_block", "straight_line"):
            for threads in ("0", "2"):
                with self.subTest(name, threads=threads):
                    yield self.serve(name, threads)
                    self.assertEqual(NOTHING, self.news.statistics())

    def held(self, server, path="/"):
        answer = Browser(server).begin("GET", path)
        self.assertFalse(answer.done)
        self.assertEqual(1, self.news.statistics()["fetchers"])
        return answer

    def test_a_message_answers_it(self):
        for server in self.each():
            answer = self.held(server)
            self.news.publish_nowait(b"it rains")
            server.loop.settle()
            self.assertEqual(b"it rains", answer.look().body)

    def test_its_time_is_up(self):
        for server in self.each():
            answer = self.held(server)
            server.loop.advance(11)
            self.assertEqual(b"late", answer.look().body)

    def test_it_fails(self):
        for server in self.each():
            answer = self.held(server, "/failing")
            with self.assertLogs("cogen.web"):
                self.news.publish_nowait(b"it rains")
                server.loop.settle()
            self.assertEqual(500, answer.look().status)

    def test_the_client_hangs_up(self):
        for server in self.each():
            self.held(server).hang_up()
            server.loop.settle()
            server.loop.advance(0.1)

    def test_the_server_stops(self):
        for server in self.each():
            self.held(server)
            server.close()

    def test_ten_thousand_of_each_leave_nothing(self):
        server = self.serve("generator")
        for _ in range(100):
            held = [Browser(server).begin("GET", path) for path in ("/", "/failing") * 50]
            gone = [Browser(server).begin("GET", "/") for _ in range(100)]
            self.assertEqual(200, self.news.statistics()["fetchers"])
            for answer in gone:
                answer.hang_up()
            server.loop.settle()
            with self.assertLogs("cogen.web"):
                self.news.publish_nowait(b"it rains")
                server.loop.settle()
            statuses = [answer.look().status for answer in held]
            self.assertEqual([200, 500] * 50, statuses)
            self.assertEqual(NOTHING, self.news.statistics())
            for answer in held:
                answer.hang_up()
        server.loop.settle()
        self.assertEqual(0, server.scheduler.statistics()["deadlines"])

    def test_no_way_leaves_cycles(self):
        server = self.serve("generator")

        def run():
            answered, gone = (server.connect() for _ in range(2))
            for client in (answered, gone):
                client.protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            gone.close()
            server.loop.settle()
            self.news.publish_nowait(b"it rains")
            server.loop.settle()
            answered.close()
            server.loop.settle()

        assert_no_cycles(self, run)


class KeyTests(unittest.TestCase):
    def setUp(self):
        self.news = PublishSubscribeQueue()
        self.server = MemoryServer(Applications(self.news).by_key)
        self.addCleanup(self.server.close)

    def poll(self, session):
        return Browser(self.server).begin("GET", f"/?{session}")

    def test_nothing_is_missed_between_two_polls(self):
        polls = [self.poll("ann"), self.poll("bob")]
        self.news.publish_nowait(b"1")
        self.server.loop.settle()
        self.assertEqual([b"1", b"1"], [answer.look().body for answer in polls])
        self.news.publish_nowait(b"2")
        self.news.publish_nowait(b"3")
        self.assertEqual([b"2 3", b"2 3"], [self.poll(each).look().body for each in ("ann", "bob")])
        self.server.loop.advance(31)
        self.assertEqual(NOTHING, self.news.statistics())

    def test_what_comes_while_one_hangs_up_is_the_next_ones(self):
        self.poll("ann").hang_up()
        self.server.loop.settle()
        self.news.publish_nowait(b"1")
        self.assertEqual(b"1", self.poll("ann").look().body)
