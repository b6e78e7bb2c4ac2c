"""A held answer is told that the server stops: a stream ends itself, a poll is answered."""

import signal
import time
import unittest

from benchmarks.harness.commands import CommandServer
from benchmarks.harness.server import eventually
from cogen.core.events import OperationTimeout, Sleep, WaitForSignal
from cogen.core.pubsub import PublishSubscribeQueue
from cogen.testing.memory import Browser, MemoryServer
from cogen.web.http.errors import ServerStopping
from cogen.web.life import Life
from cogen.web.options import Options
from tests.cogen.web.support import ServedTestCase

PLAIN = [("Content-Type", "text/plain")]
EVENTS = [("Content-Type", "text/event-stream; charset=utf-8")]

# An hour of silence, and then news: only the stop is told in time.
STREAMS = """
import threading
from cogen.core.events import OperationTimeout, Sleep
from cogen.web.http.errors import ServerStopping

ended = 0
lock = threading.Lock()


def count():
    global ended
    with lock:
        ended += 1
        print("ended", ended, flush=True)


def yields(environ, start_response):
    if environ["PATH_INFO"] == "/plain":
        environ["cogen.stopping"].raises()
        start_response("200 OK", [("Content-Type", "text/plain")])
    else:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
    try:
        yield b": welcome\\n\\n"
        while True:
            yield environ["cogen.call"](Sleep)(3600)
            if isinstance(environ["cogen.wsgi"].result, ServerStopping):
                yield b": goodbye\\n\\n"
                break
    finally:
        count()


def waits(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/event-stream")])
    try:
        write(b": welcome\\n\\n")
        while True:
            environ["cogen.wait"](Sleep(3600))
    except ServerStopping:
        write(b": goodbye\\n\\n")
    finally:
        count()
    return []
"""


class StreamTests(ServedTestCase):
    """By a memory server, with a fake clock."""

    def stops(self, application, **options):
        """What a request of `application` got, and the seconds that the stop took."""
        server = MemoryServer(application, Options(threads="0", **options))
        held = Browser(server).begin("GET", "/")
        self.assertFalse(held.done)
        began = server.loop.time()
        server.loop.run_until_complete(server.server.stop())
        seconds = server.loop.time() - began
        server.close()
        self.assertEqual(0, server.server.shared.statistics()["exchanges"])
        return held.look(), seconds

    def test_a_stream_of_events_is_told_at_its_wait(self):
        seen = []

        def application(environ, start_response):
            start_response("200 OK", EVENTS)
            yield b"data: 1\n\n"
            yield environ["cogen.call"](WaitForSignal)("never")
            seen.append(environ["cogen.wsgi"].exception)
            yield b"data: 2\n\n"

        answer, seconds = self.stops(application)
        self.assertIs(ServerStopping, seen[0][0])
        self.assertEqual(b"data: 1\n\ndata: 2\n\n", answer.body)
        self.assertTrue(answer.done)
        self.assertLess(seconds, 1)

    def test_one_that_goes_on_whatever_happened_is_ended_at_its_next_wait(self):
        ended = []

        def application(environ, start_response):
            start_response("200 OK", EVENTS)
            try:
                while True:
                    yield b": still here\n\n"
                    yield environ["cogen.call"](WaitForSignal)("never", timeout=15)
            finally:
                ended.append(True)

        answer, seconds = self.stops(application)
        self.assertEqual([True], ended)
        self.assertEqual(b": still here\n\n" * 2, answer.body)
        self.assertTrue(answer.done)
        self.assertLess(seconds, 1)

    def test_one_that_is_at_work_is_told_when_it_waits(self):
        def application(environ, start_response):
            start_response("200 OK", EVENTS)
            yield environ["cogen.call"](Sleep)(1000)
            if environ["cogen.wsgi"].exception:
                for _ in range(100):
                    yield b""  # at work
                yield environ["cogen.call"](Sleep)(1000)
                yield b"not reached"

        answer, seconds = self.stops(application)
        self.assertEqual((200, b""), (answer.status, answer.body))
        self.assertLess(seconds, 1)

    def test_in_straight_line_code_it_is_raised(self):
        def application(environ, start_response):
            write = start_response("200 OK", EVENTS)
            write(b"data: 1\n\n")
            try:
                environ["cogen.wait"](WaitForSignal("never"))
            except ServerStopping:
                return [b"data: 2\n\n"]

        answer, seconds = self.stops(application)
        self.assertEqual(b"data: 1\n\ndata: 2\n\n", answer.body)
        self.assertLess(seconds, 1)

    def test_and_again_where_it_was_swallowed(self):
        swallowed = []

        def application(environ, start_response):
            write = start_response("200 OK", EVENTS)
            write(b"data: 1\n\n")
            while len(swallowed) < 3:
                try:
                    environ["cogen.wait"](WaitForSignal("never"))
                except Exception as error:  # noqa: BLE001 (it is the slip)
                    swallowed.append(type(error))
            return [b"data: 2\n\n"]

        answer, seconds = self.stops(application)
        self.assertEqual([ServerStopping] * 3, swallowed)
        self.assertTrue(answer.done)
        self.assertLess(seconds, 1)

    def test_another_response_is_told_that_asks_for_it(self):
        def application(environ, start_response):
            environ["cogen.stopping"].raises()
            environ["cogen.stopping"].raises()
            start_response("200 OK", PLAIN)
            yield b"1"
            yield environ["cogen.call"](WaitForSignal)("never")
            yield b"2" if environ["cogen.wsgi"].exception else b"3"

        answer, seconds = self.stops(application)
        self.assertEqual(b"12", answer.body)
        self.assertLess(seconds, 1)

    def test_if_it_lets_it_pass_before_its_head_the_answer_is_503(self):
        def application(environ, start_response):
            environ["cogen.stopping"].raises()
            environ["cogen.wait"](WaitForSignal("never"))

        answer, _ = self.stops(application)
        self.assertEqual(503, answer.status)
        self.assertEqual([], [each for each in self.records.records if each.levelname == "ERROR"])

    def test_a_poll_and_a_stream_that_ends_are_left_in_peace(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            for number in range(3):
                yield b"%d" % number
                yield environ["cogen.call"](Sleep)(1)
                assert environ["cogen.wsgi"].exception is None

        answer, _ = self.stops(application)
        self.assertEqual(b"012", answer.body)

    def test_what_an_application_says_at_its_stopping_comes_first(self):
        news = PublishSubscribeQueue()

        async def stopping():
            news.publish_nowait(b"data: goodbye\n\n")

        def application(environ, start_response):
            start_response("200 OK", EVENTS)
            yield environ["cogen.call"](news.subscribe)()
            yield environ["cogen.call"](news.fetch)()
            yield environ["cogen.wsgi"].result[0]

        server = MemoryServer(application, lives=[Life(stopping=stopping)])
        held = Browser(server).begin("GET", "/")
        server.close()
        self.assertEqual(b"data: goodbye\n\n", held.look().body)

    def test_the_flag_and_the_wait_for_it(self):
        def application(environ, start_response):
            stopping = environ["cogen.stopping"]
            start_response("200 OK", PLAIN)
            yield environ["cogen.call"](stopping.wait)(timeout=1)
            assert isinstance(environ["cogen.wsgi"].result, OperationTimeout)
            yield b"serves " if not stopping else b"stops "
            yield environ["cogen.call"](stopping.wait)()
            yield b"stops" if stopping else b"serves"
            yield environ["cogen.call"](stopping.wait)()

        server = MemoryServer(application)
        held = Browser(server).begin("GET", "/")
        server.loop.advance(2)
        server.close()
        self.assertEqual(b"serves stops", held.look().body)

    def test_outside_of_a_request_nothing_can_be_asked_for(self):
        def application(environ, start_response):
            def elsewhere():
                environ["cogen.stopping"].raises()
                yield

            start_response("200 OK", PLAIN)
            yield environ["cogen.call"](environ["cogen.server_group"].start)(elsewhere)
            yield str(environ["cogen.wsgi"].result).encode()

        server = MemoryServer(application)
        answer = Browser(server).ask("GET", "/")
        server.close()
        self.assertIn(b"raises() was called outside of a request", answer.body)


class ThreadTests(ServedTestCase):
    options = {"threads": "2"}

    def test_a_wait_that_holds_its_thread_is_told(self):
        def application(environ, start_response):
            write = start_response("200 OK", EVENTS)
            write(b"data: 1\n\n")
            try:
                environ["cogen.wait"](WaitForSignal("never"))
            except ServerStopping:
                return [b"data: 2\n\n"]

        self.told(application)

    def test_and_one_that_left_it(self):
        def application(environ, start_response):
            start_response("200 OK", EVENTS)
            yield b"data: 1\n\n"
            yield environ["cogen.call"](WaitForSignal)("never")
            yield b"data: 2\n\n"

        self.told(application)

    def test_and_one_that_goes_on_whatever_happened(self):
        ended = []

        def application(environ, start_response):
            start_response("200 OK", EVENTS)
            try:
                yield b"data: 1\n\n"
                while True:
                    yield environ["cogen.call"](WaitForSignal)("never")
                    yield b"data: 2\n\n"
            finally:
                ended.append(True)

        self.told(application)
        self.assertEqual([True], ended)

    def told(self, application):
        server = self.serve(application)
        with server.connect() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            client.head()
            self.assertEqual(b"data: 1\n\n", client.chunk())
            eventually(
                lambda: [each.awaits_news for each in server.server.shared.exchanges], [True]
            )
            began = time.monotonic()
            server.stop()
            self.assertLess(time.monotonic() - began, 4)  # half of shutdown_timeout
            self.assertEqual(b"data: 2\n\n", client.chunk())
            self.assertEqual(b"", client.chunk())


class ProcessTests(unittest.TestCase):
    """By a signal, in a process of its own."""

    def test_a_hundred_endless_streams_end_within_a_second(self):
        for threads, application in (("0", "yields"), ("0", "waits"), ("auto", "yields")):
            with self.subTest(threads=threads, application=application):
                seconds, log, bodies = self.stop(threads, application, "/events")
                self.assertLess(seconds, 1)
                self.assertIn("ended 100\n", log)
                self.assertEqual({b": welcome\n\n: goodbye\n\n"}, bodies)

    def test_so_do_those_that_asked_for_it(self):
        seconds, log, bodies = self.stop("0", "yields", "/plain")
        self.assertLess(seconds, 1)
        self.assertIn("ended 100\n", log)
        self.assertEqual({b": welcome\n\n: goodbye\n\n"}, bodies)

    def test_a_reload_tells_those_of_the_process_before(self):
        server = self.server("0", "yields")
        with server:
            client = server.connect()
            self.addCleanup(client.close)
            self.begin(client, "/events")
            server.signal(signal.SIGHUP)
            self.assertEqual(b": goodbye\n\n", client.chunk())
            self.assertEqual(b"", client.chunk())

    def server(self, threads, application):
        server = CommandServer(f"app:{application}", threads=threads)
        server.write("one", STREAMS)
        return server

    def begin(self, client, path):
        client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        client.head()
        self.assertEqual(b": welcome\n\n", client.chunk())

    def stop(self, threads, application, path):
        """Seconds until the process has ended, its log, and what the clients got."""
        with self.server(threads, application) as server:
            clients = [server.connect() for _ in range(100)]
            for client in clients:
                self.addCleanup(client.close)
                self.begin(client, path)
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(30)
            seconds = time.monotonic() - began
            bodies = {b": welcome\n\n" + client.chunk() + client.chunk() for client in clients}
            return seconds, server.log, bodies
