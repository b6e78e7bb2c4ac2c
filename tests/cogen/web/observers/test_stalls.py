"""Who holds the loop, or all threads, is told once, with the line of code."""

import signal
import threading
import unittest

from benchmarks.harness.commands import CommandServer
from benchmarks.harness.server import PATIENCE, eventually
from cogen.core.coroutines import coro
from cogen.core.events import Sleep, WaitForSignal
from tests.cogen.web.support import LOOPS, ServedTestCase

PLAIN = [("Content-Type", "text/plain")]


class StallTest(ServedTestCase):
    def setUp(self):
        super().setUp()
        self.go_on = threading.Event()

    def application(self, environ, start_response):
        if environ["PATH_INFO"] == "/holds":
            self.hold()
        if environ["PATH_INFO"] == "/waits":
            environ["cogen.wait"](WaitForSignal("never"))
        start_response("200 OK", PLAIN)
        return [b"well"]

    def hold(self):
        self.go_on.wait(PATIENCE)  # here

    def serve(self, **options):
        server = super().serve(self.application, stall_warning=0.2, **options)
        self.addCleanup(self.go_on.set)  # before it stops
        # Its watcher has begun.
        eventually(lambda: server.server.stalls.watches, True)
        return server

    def told(self, what, count=1):
        """The lines that name `what`, once there are so many."""
        told = []

        def look():
            told[:] = [
                text for record in self.records.records if what in (text := record.getMessage())
            ]
            return len(told)

        eventually(look, count)
        return told

    def ask(self, server, path="/holds"):
        client = server.connect()
        self.addCleanup(client.close)
        client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        return client

    def look_on(self, stalls):
        """Return when it has looked some times more."""
        looks = stalls.looks
        eventually(lambda: stalls.looks > looks + 6, True)

    def assert_line(self, text):
        number = self.hold.__code__.co_firstlineno + 1
        self.assertRegex(text, rf" at .*/test_stalls\.py:{number} in StallTest\.hold")
        self.assertIn("self.go_on.wait(PATIENCE)  # here", text)


class LoopTest(StallTest):
    def test_a_request_that_holds_the_loop_is_named_once(self):
        for proactor in LOOPS:
            with self.subTest(proactor):
                self.go_on.clear()
                self.records.records.clear()
                server = self.serve(proactor=proactor)
                client = self.ask(server)
                [text] = self.told("the event loop is held by")
                self.assertIn("\nGET /holds runs, for ", text)
                self.assert_line(text)
                self.assertNotIn("run_forever", text)
                self.assertNotIn("exchange.py", text)
                self.go_on.set()
                self.assertEqual(client.response().body, b"well")
                self.told("the event loop goes on after")
                self.told("the event loop is held by")
                stalls = server.server.stalls
                self.assertEqual(stalls.counts["loop"], 1)
                self.assertGreater(stalls.lasted, 0.2)

    def test_a_second_time_is_another(self):
        server = self.serve()
        for count in (1, 2):
            self.go_on.clear()
            client = self.ask(server)
            self.told("the event loop is held by", count)
            self.go_on.set()
            client.response()
            self.told("the event loop goes on after", count)

    def test_it_is_named_after_it_has_waited_in_a_call_too(self):
        def application(environ, start_response):
            environ["cogen.wait"](Sleep(0.001))
            self.hold()
            start_response("200 OK", PLAIN)
            return []

        self.application = application
        server = self.serve()
        self.ask(server, "/after")
        [text] = self.told("the event loop is held by")
        self.assertIn("\nGET /after runs, for ", text)
        self.assert_line(text)

    def test_a_coroutine_that_holds_it_is_named(self):
        @coro
        def holder():
            yield Sleep(0.001)
            self.hold()

        for proactor in LOOPS:
            with self.subTest(proactor):
                self.go_on.clear()
                self.records.records.clear()
                server = self.serve(proactor=proactor)
                server.server.scheduler.add(holder)
                [text] = self.told("the event loop is held by")
                self.assertIn("\ncoroutine LoopTest.test_a_coroutine_that_holds_it_is_named", text)
                self.assertIn("holder runs, for ", text)
                self.assert_line(text)
                self.go_on.set()

    def test_a_loop_that_is_idle_is_left_alone(self):
        for proactor in LOOPS:
            with self.subTest(proactor):
                stalls = self.serve(proactor=proactor).server.stalls
                self.look_on(stalls)
                questions = stalls.questions
                self.look_on(stalls)
                self.assertEqual(stalls.questions, questions)

    def test_a_search_for_garbage_is_told_as_that(self):
        server = ServedTestCase.serve(self, self.application, stall_warning=0.04)
        eventually(lambda: server.server.stalls.watches, True)
        kept = [[] for _ in range(1_000_000)]

        def told():
            server.call(server.server.collector.collect)
            return "garbage was collected" in self.records.text

        eventually(told, True)
        self.assertEqual(len(kept), 1_000_000)

    def test_without_a_limit_nobody_looks(self):
        server = ServedTestCase.serve(self, self.application, stall_warning=0)
        self.assertFalse(server.server.stalls.watches)

    def test_it_ends_with_the_server(self):
        server = self.serve()
        stalls = server.server.stalls
        server.stop()
        eventually(lambda: stalls.watches, False)


class ThreadsTest(StallTest):
    options = {"threads": "2"}

    def test_all_threads_that_are_held_are_named_once(self):
        server = self.serve()
        clients = [self.ask(server) for _ in range(3)]
        [text] = self.told("all 2 threads of the application are held")
        self.assertIn("; 1 requests wait for one", text)
        self.assertIn("\n2 GET /holds runs, the oldest for ", text)
        self.assert_line(text)
        self.assertNotIn("threading.py", text.splitlines()[1])
        self.go_on.set()
        for client in clients:
            self.assertEqual(client.response().body, b"well")
        self.assertEqual(server.server.stalls.counts["threads"], 1)

    def test_what_they_wait_for_is_named(self):
        server = self.serve()
        for _ in range(3):
            self.ask(server, "/waits")
        [text] = self.told("all 2 threads of the application are held")
        self.assertIn(
            "2 GET /waits wait for events.WaitForSignal like <WaitForSignal 'never'>", text
        )
        self.assertIn("in StallTest.application", text)

    def test_threads_that_become_more_are_not_all(self):
        server = self.serve(threads="auto", threads_max=121)
        for _ in range(120):
            self.ask(server)
        pool = server.server.shared.pool
        eventually(lambda: pool.statistics()["threads_busy"], 120)
        stalls = server.server.stalls
        self.look_on(stalls)
        self.assertEqual(stalls.counts["threads"], 0)
        self.assertNotIn("are held", self.records.text)
        # One that none comes for any more.
        for _ in range(2):
            self.ask(server)
        self.told("all 121 threads of the application are held; 1 requests wait")
        self.assertEqual(stalls.counts["threads"], 1)

    def test_one_that_is_free_is_enough(self):
        server = self.serve()
        self.ask(server)
        self.assertEqual(server.get().body, b"well")
        stalls = server.server.stalls
        self.look_on(stalls)
        self.assertEqual(stalls.counts["threads"], 0)

    def test_the_loop_is_watched_too(self):
        server = self.serve()
        server.loop.call_soon_threadsafe(self.hold)
        [text] = self.told("the event loop is held by")
        self.assertIn("a callback StallTest.hold runs", text)
        self.assert_line(text)


LOCKS = r"""
import re

answer = application

def application(environ, start_response):
    if environ['PATH_INFO'] == '/regex':
        re.match('(a+)+$', 'a' * 25 + 'b')  # keeps the interpreter's lock
    return answer(environ, start_response)
"""


class ProcessTest(unittest.TestCase):
    def test_one_that_was_stopped_is_no_stall(self):
        with CommandServer(stall_warning=0.2, metrics_path="/metrics") as server:
            server.get()
            server.signal(signal.SIGSTOP)
            threading.Event().wait(1.0)
            server.signal(signal.SIGCONT)
            server.logged("the process stood still for 1.")
            self.assertNotIn("held by", server.log)
            with server.connect() as client:
                figures = client.get("/metrics").body.decode()
            self.assertIn('cogen_stalls_total{of="loop"} 0.0', figures)
            self.assertIn("cogen_stall_seconds_total 0.0", figures)

    def test_code_in_c_that_keeps_the_interpreter_is_named_when_it_is_over(self):
        server = CommandServer(stall_warning=0.1, threads=0)
        server.write("one", LOCKS)
        with server:
            server.get("/regex")
            server.logged("code in C kept the interpreter's lock")
            self.assertRegex(server.log, r"GET /regex runs, for .* at .*/app\.py:\d+ in applic")
            self.assertIn("re.match('(a+)+$', 'a' * 25 + 'b')", server.log)
