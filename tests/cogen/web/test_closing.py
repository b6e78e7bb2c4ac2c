"""However a request ends: close() is called, may wait, and its end is counted. In both modes."""

import asyncio
import threading
import unittest
from logging import WARNING

from greenlet import GreenletExit

from benchmarks.harness.server import PATIENCE, eventually
from cogen.core.events import Sleep, WaitForSignal
from cogen.testing.memory import MemoryServer
from tests.cogen.web.support import ServedTestCase

PLAIN = [("Content-Type", "text/plain")]
GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
LARGE = b"x" * 1_000_000


class ModeTest(ServedTestCase):
    """On the loop; a subclass in threads."""

    def errors(self):
        """What the log was told of, but for all threads being busy."""
        return [each.getMessage() for each in self.records.records if each.levelno > WARNING]


class ClosingTest(ModeTest):
    def waits_in_finally(self, closed):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            try:
                for _ in range(1 if environ["PATH_INFO"] == "/short" else 50):
                    yield LARGE
            finally:
                environ["cogen.wait"](Sleep(0.01))
                closed.append(environ["PATH_INFO"])

        return application

    def test_clients_that_leave_end_nothing_but_their_requests(self):
        closed = []
        server = self.serve(self.waits_in_finally(closed))
        for _ in range(4):
            with server.connect(receive_buffer=4096) as client:
                client.send(GET)
                client.head()
                client.reset()
        eventually(lambda: closed, ["/"] * 4)
        server.settled(exchanges=0, connections=0)
        self.assertEqual(server.get("/short").body, LARGE)
        eventually(lambda: closed[4:], ["/short"])
        self.assertEqual(self.errors(), [])

    def test_a_wait_that_its_client_left_is_ended_and_cleans_up_by_waiting(self):
        seen = []

        def application(environ, start_response):
            try:
                environ["cogen.wait"](WaitForSignal("never"))
            except GreenletExit:
                environ["cogen.wait"](Sleep(0.01))
                seen.append("cleaned up")
                raise
            return []

        server = self.serve(application)
        with server.connect() as client:
            client.send(GET)
            server.settled(signal_waiters=1)
            client.reset()
        eventually(lambda: seen, ["cleaned up"])
        server.settled(exchanges=0, signal_waiters=0)
        self.assertEqual(self.errors(), [])

    def test_one_that_goes_on_waiting_is_ended_after_its_time(self):
        ended = []

        class Body(list[bytes]):
            def __init__(self, environ):
                super().__init__([b"hello"])
                self.wait = environ["cogen.wait"]

            def close(self):
                try:
                    self.wait(WaitForSignal("never"))
                except GreenletExit:
                    ended.append("ended")
                    self.wait(Sleep(0))

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            return Body(environ)

        server = self.serve(application, close_timeout=0.05)
        self.assertEqual(server.get().body, b"hello")
        eventually(lambda: ended, ["ended"])
        server.settled(exchanges=0, signal_waiters=0)
        self.assertIn("more than 0.05 s", self.records.text)

    def test_what_close_raises_is_told_and_ends_nothing(self):
        for error in (ValueError("x"), GreenletExit(), KeyboardInterrupt(), SystemExit(3)):
            with self.subTest(error=error):

                class Body(list[bytes]):
                    def close(self):
                        raise error  # noqa: B023

                def application(environ, start_response):
                    start_response("200 OK", PLAIN)
                    return Body([b"hello"])

                server = self.serve(application)
                with server.connect() as client:
                    self.assertEqual(client.get().body, b"hello")
                    self.assertEqual(client.get().body, b"hello")
                server.settled(exchanges=0, connections=0)
                self.assertIn("close() of the response failed", self.records.text)

    def test_whatever_an_application_raises_is_a_500(self):
        for error in (GreenletExit, KeyboardInterrupt, SystemExit, GeneratorExit):

            def called(environ, start_response):
                raise error("x")  # noqa: B023

            def iterated(environ, start_response):
                environ["cogen.wait"](Sleep(0))
                raise error("x")  # noqa: B023
                yield b""

            for application in (called, iterated):
                with self.subTest(error=error, where=application.__name__):
                    server = self.serve(application)
                    self.assertEqual(server.get().status, 500)
                    self.assertEqual(server.get().status, 500)
                    server.settled(exchanges=0, connections=0)


class StopTest(ModeTest):
    def check(self, application, **waits):
        """The server stops, and soon after its time, whatever `application` hangs in."""
        server = self.serve(application, shutdown_timeout=0.1)
        with server.connect(receive_buffer=4096) as client:
            client.send(GET)
            server.settled(**waits)
            server.stop()

    def test_a_wait_in_close_does_not_hold_it_up(self):
        def application(environ, start_response):
            try:
                start_response("200 OK", PLAIN)
                yield LARGE * 50
            finally:
                environ["cogen.wait"](WaitForSignal("never"))

        self.check(application, exchanges=1)

    def test_a_coroutine_that_does_not_end_does_not_hold_it_up(self):
        def stays():
            while True:
                try:
                    yield WaitForSignal("never")
                except asyncio.CancelledError:
                    continue

        def application(environ, start_response):
            yield environ["cogen.core"].events.AddCoro(stays)
            start_response("200 OK", PLAIN)
            yield b"started"

        self.check(application, signal_waiters=1)
        self.assertIn("coroutines that did not end: [<Coroutine", self.records.text)


class BlocksTest(ModeTest):
    """PEP 3333: a block is on its way before the next is asked for."""

    def check(self, application, opens):
        server = self.serve(application)
        self.addCleanup(opens.set)
        with server.connect() as client:
            client.send(GET)
            client.head()
            self.assertEqual(client.chunk(), b"first")
            opens.set()
            self.assertEqual(client.chunk(), b"second")

    def test_one_that_is_yielded_before_a_blocking_step_arrives_before_it(self):
        opens = threading.Event()

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            yield b"first"
            opens.wait(PATIENCE)
            yield b"second"

        self.check(application, opens)

    def test_so_does_one_of_an_application_that_waited(self):
        opens = threading.Event()

        def application(environ, start_response):
            yield environ["cogen.core"].events.Sleep(0)
            start_response("200 OK", PLAIN)
            yield b"first"
            opens.wait(PATIENCE)
            yield b"second"

        self.check(application, opens)

    def test_one_whose_length_was_told_arrives_before_what_blocks_behind_it(self):
        opens = threading.Event()
        self.addCleanup(opens.set)

        def application(environ, start_response):
            start_response("200 OK", [*PLAIN, ("Content-Length", "3")])
            yield b"all"
            opens.wait(PATIENCE)

        server = self.serve(application)
        with server.connect() as client:
            self.assertEqual(client.get().body, b"all")
            opens.set()


def _in_threads():
    for base in set(ModeTest.__subclasses__()):
        name = f"Threaded{base.__name__}"
        options = {"threads": "2"}
        globals()[name] = type(name, (base,), {"options": options, "__module__": __name__})


_in_threads()


class WritesTest(unittest.TestCase):
    def writes(self, application):
        server = MemoryServer(application)
        self.addCleanup(server.close)
        client = server.connect()
        written = []
        client.write = lambda data: written.append(bytes(data))  # type: ignore[method-assign]
        client.protocol.data_received(GET)
        server.loop.settle()
        return written

    def test_a_list_and_a_tuple_are_one_write_with_their_length(self):
        for kind in (list, tuple):

            def application(environ, start_response):
                start_response("200 OK", PLAIN)
                return kind([b"one ", b"two ", b"three"])  # noqa: B023

            (written,) = self.writes(application)
            self.assertIn(b"Content-Length: 13\r\n", written)
            self.assertTrue(written.endswith(b"\r\n\r\none two three"))

    def test_the_head_goes_with_the_first_block(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            yield b"one"
            yield b"two"

        first, second, end = self.writes(application)
        self.assertTrue(first.endswith(b"\r\n\r\n3\r\none\r\n"))
        self.assertEqual((second, end), (b"3\r\ntwo\r\n", b"0\r\n\r\n"))

    def test_an_operation_that_is_named_before_a_list_is_performed(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            return [environ["cogen.core"].events.Sleep(0), b"slept"]

        server = MemoryServer(application)
        self.addCleanup(server.close)
        client = server.connect()
        client.protocol.data_received(GET)
        server.loop.advance(0.001)
        self.assertIn(b"slept", client.written)
