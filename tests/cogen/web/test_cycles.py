"""What a request catches, or fails with, is freed at once, and the request with it."""

import asyncio
import gc
import threading
import unittest
import weakref

from cogen.core.coroutines import coro
from cogen.core.events import OperationTimeout, Sleep, WaitForSignal
from cogen.core.queue import Queue
from cogen.core.threads import RunInThread
from cogen.testing.memory import Browser, MemoryServer
from cogen.web.options import Options
from tests.cogen.web.support import Records
from tests.support.cycles import assert_no_cycles


def raising():
    raise ValueError("raised")


@coro
def failing():
    yield Sleep(1)
    raise ValueError("raised")


async def native_failing():
    await asyncio.sleep(1)
    raise ValueError("raised")


# Name -> (what makes what is waited for, what that raises).
CASES = {
    "a queue that stays empty": (lambda: Queue().get(timeout=1), OperationTimeout),
    "a signal that does not come": (lambda: WaitForSignal("x", timeout=1), OperationTimeout),
    "a coroutine": (failing, ValueError),
    "an awaitable": (native_failing, ValueError),
    "a thread": (lambda: RunInThread(raising), ValueError),
}


def begin(server):
    transport = server.connect()
    transport.protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    server.loop.settle()
    return transport


class CycleTests(unittest.TestCase):
    def check(self, view, body):
        """`view(environ, make, error)` makes the chunks; `body` is what is answered."""

        def application(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            yield from view(environ, *self.case)

        server = MemoryServer(application)
        self.addCleanup(server.close)

        def ask():
            transport = begin(server)
            server.loop.advance(1)
            transport.close()
            server.loop.settle()
            self.assertIn(body or self.case[1].__name__.encode(), transport.written)

        for name, self.case in CASES.items():
            with self.subTest(name), Records() as records:
                records.addFilter(lambda record: False)
                assert_no_cycles(self, ask)

    def test_a_view_yields_and_looks_at_the_result(self):
        def view(environ, make, error):
            yield environ["cogen.call"](make)()
            yield type(environ["cogen.wsgi"].result).__name__.encode()

        self.check(view, b"")

    def test_a_view_yields_and_raises_the_result(self):
        def view(environ, make, error):
            yield environ["cogen.call"](make)()
            try:
                raise environ["cogen.wsgi"].result
            except error as raised:
                yield type(raised).__name__.encode()

        self.check(view, b"")

    def test_a_view_yields_and_dies(self):
        def view(environ, make, error):
            yield environ["cogen.call"](make)()
            raise environ["cogen.wsgi"].result

        self.check(view, b"could not answer")

    def test_a_view_waits_and_catches(self):
        def view(environ, make, error):
            try:
                environ["cogen.wait"](make())
            except error as raised:
                yield type(raised).__name__.encode()

        self.check(view, b"")

    def test_a_view_waits_and_dies(self):
        def view(environ, make, error):
            environ["cogen.wait"](make())
            yield b"never"

        self.check(view, b"could not answer")

    def test_a_client_leaves_a_wait(self):
        def yielding(environ, start_response):
            yield environ["cogen.call"](Queue().get)(timeout=9)

        def waiting(environ, start_response):
            environ["cogen.wait"](Queue().get(timeout=9))

        for application in (yielding, waiting):
            server = MemoryServer(application)
            self.addCleanup(server.close)

            def leave(server=server):
                begin(server).close()
                server.loop.settle()

            with self.subTest(application):
                assert_no_cycles(self, leave)


class StopTests(unittest.TestCase):
    def test_a_server_that_has_stopped_is_kept_by_no_greenlet(self):
        applications = [weakref.ref(self.served_and_stopped()) for _ in range(3)]
        # A thread that looked for stalls has its server until it has ended, soon after the server.
        for thread in threading.enumerate():
            if thread.name == "cogen-stalls":
                thread.join()
        gc.collect()
        # Of the last one the process may still know.
        self.assertEqual([None, None], [reference() for reference in applications[:2]])

    def served_and_stopped(self):
        def application(environ, start_response):
            start_response("200 OK", [])
            return [b"there"]

        with MemoryServer(application, Options(threads="0")) as server:
            self.assertEqual(b"there", Browser(server).begin("GET", "/").look().body)
        return application
