"""What a process is at goes to the log at SIGUSR2: threads and held requests, with their stacks."""

import functools
import re
import signal
import threading
import unittest

from benchmarks.harness.commands import HOLDS, CommandServer
from benchmarks.harness.server import PATIENCE, eventually
from cogen.core.events import PARKED, Operation, Sleep, WaitForSignal
from cogen.core.queue import Queue
from tests.cogen.web.support import ServedTestCase

PLAIN = [("Content-Type", "text/plain")]
HEADING = re.compile(r"1 request is held|\d+ requests are held")


class Passing:
    """Middleware with an iterator of its own, as werkzeug's ClosingIterator."""

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        return Chunks(self.application(environ, start_response))


class Chunks:
    def __init__(self, chunks):
        self.next = iter(chunks).__next__

    def __iter__(self):
        return self

    def __next__(self):
        return self.next()


class Unseen(Operation):
    def run(self, waiter):
        return PARKED

    def undo(self, waiter):
        pass

    def __repr__(self):
        raise ValueError("on purpose")


class Proxy:
    """As werkzeug's LocalProxy, of something that is not there."""

    @property
    def __class__(self):
        raise RuntimeError("outside of context")

    def __getattr__(self, name):
        raise RuntimeError("outside of context")

    def __next__(self):
        raise RuntimeError("outside of context")


class Proxied(Chunks):
    def __init__(self, chunks):
        super().__init__(chunks)
        self.proxy = Proxy()


def passing_by_generator(application):
    def middleware(environ, start_response):
        # It is not the last that it holds.
        other = iter(())
        for chunk in application(environ, start_response):
            passed = chunk
            yield passed
        list(other)

    return middleware


class DumpTest(ServedTestCase):
    def setUp(self):
        super().setUp()
        self.queue = Queue()

    def yields(self, environ, start_response):
        start_response("200 OK", PLAIN)
        yield environ["cogen.call"](self.queue.get)(timeout=60)  # yielded
        yield b"never"

    def calls(self, environ, start_response):
        return self.deeper(environ["cogen.wait"])

    def deeper(self, wait):
        wait(WaitForSignal("never"))  # called

    def delegates(self, environ, start_response):
        yield from self.yields(environ, start_response)

    def dump(self, server):
        """What is told of threads, and of requests."""
        eventually(lambda: server.server.dump.tells, False)
        self.records.records.clear()
        server.server.dump.begin()
        told = self.records.records
        eventually(lambda: sum(bool(HEADING.match(each.getMessage())) for each in told), 1)
        return [each.getMessage() for each in told if each.name.endswith(".dump")]

    def ask(self, server, *paths):
        for path in paths:
            client = server.connect()
            self.addCleanup(client.close)
            client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    def held(self, application, *paths):
        """What is told of requests of `paths` that wait."""
        server = self.serve(application)
        self.ask(server, *paths)
        server.settled(exchanges=len(paths))
        eventually(lambda: self.waiting(server), len(paths))
        return self.dump(server)[1]

    def waiting(self, server):
        exchanges = list(server.server.shared.exchanges)
        waits = ("Get", "WaitForSignal", "Sleep", "Unseen")
        return sum(type(each.awaited).__name__ in waits for each in exchanges)

    def test_one_that_waits_by_yielding_is_told_with_the_line_of_its_generator(self):
        text = self.held(self.yields, "/pull?since=1")
        self.assertRegex(
            text,
            r"1 request is held\nGET /pull waits for <Get <Queue 0/no limit>>, "
            r"for 0\.\d s at .*/test_requests\.py:\d+ in DumpTest\.yields\n",
        )
        self.assertIn("(timeout=60)  # yielded", text)
        self.assertNotIn("since", text)

    def test_what_middleware_is_around_it_does_not_matter(self):
        for middleware in (Passing, passing_by_generator):
            for application in (self.yields, self.delegates):
                with self.subTest(middleware, application=application):
                    wrapped = middleware(passing_by_generator(Passing(application)))
                    text = self.held(wrapped, "/pull")
                    self.assertRegex(text, r" s at .*/test_requests\.py:\d+ in DumpTest\.yields\n")
                    self.assertIn("(timeout=60)  # yielded", text)

    def test_one_that_waits_in_a_call_is_told_with_its_stack(self):
        text = self.held(self.calls, "/pull")
        self.assertRegex(
            text, r"GET /pull waits for <WaitForSignal .* at .*:\d+ in DumpTest\.deeper\n"
        )
        self.assertIn('return self.deeper(environ["cogen.wait"])', text)
        self.assertIn('wait(WaitForSignal("never"))  # called', text)

    def test_those_at_the_same_place_are_told_once(self):
        text = self.held(self.yields, *(f"/rooms/{number}" for number in range(60)), "/pull")
        self.assertIn("61 requests are held\n61 GET /", text)
        self.assertIn(", ... wait for queue.Get like ", text)
        self.assertIn(", the oldest for 0.", text)
        self.assertEqual(text.count("# yielded"), 1)

    def test_objects_of_the_application_that_raise_keep_nothing_from_being_told(self):
        def application(environ, start_response):
            environ["cogen.wait"](Unseen())

        self.assertIn("GET /pull waits for <Unseen>", self.held(application, "/pull"))
        text = self.held(lambda *args: Proxied(self.yields(*args)), "/pull")
        self.assertIn("GET /pull waits for <Get", text)

    def test_threads_are_told_with_their_names(self):
        text = self.dump(self.serve(self.yields))[0]
        self.assertRegex(text, r"\d+ threads\n")
        self.assertRegex(text, r"thread [^\n]*MainThread")
        self.assertIn("_work_of_this_test", self.in_thread_of_its_own())

    def in_thread_of_its_own(self):
        go_on = threading.Event()

        def _work_of_this_test():
            go_on.wait(PATIENCE)

        thread = threading.Thread(target=_work_of_this_test)
        thread.start()
        try:
            return self.dump(self.serve(self.yields))[0]
        finally:
            go_on.set()
            thread.join()

    def test_two_at_a_time_are_one(self):
        server, go_on = self.serve(self.yields), threading.Event()
        self.addCleanup(go_on.set)
        server.loop.call_soon_threadsafe(go_on.wait, PATIENCE)
        dump = server.server.dump
        dump.begin()
        eventually(lambda: "threads" in self.records.text, True)
        dump.begin()
        dump.begin()
        go_on.set()
        eventually(lambda: len(HEADING.findall(self.records.text)), 1)
        self.dump(server)


class ThreadedDumpTest(DumpTest):
    options = {"threads": "3"}

    def test_one_that_runs_is_told_with_the_stack_of_its_thread(self):
        go_on = threading.Event()

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            go_on.wait(PATIENCE)  # runs
            return []

        server = self.serve(application)
        self.addCleanup(go_on.set)
        self.ask(server, "/a", "/b", "/b", "/c")
        server.settled(exchanges=4, threads_busy=3)
        eventually(lambda: sum(map(bool, self.workers(server))), 3)
        text = self.dump(server)[1]
        self.assertRegex(text, r"3 GET /[abc], /[abc].* runs, the oldest .*:\d+ in .*application\n")
        self.assertIn("go_on.wait(PATIENCE)  # runs", text)
        self.assertIn("GET /", text)
        self.assertIn("waits for <a thread>", text)

    def workers(self, server):
        return [each.worker for each in list(server.server.shared.exchanges)]

    def test_its_middleware_and_its_wait_are_those_of_its_thread(self):
        def application(environ, start_response):
            environ["cogen.wait"](Sleep(3600))  # in a thread

        text = self.held(Passing(application), "/")
        self.assertIn("waits for <Sleep", text)
        self.assertIn("# in a thread", text)


class SignalTest(unittest.TestCase):
    def ask(self, server, path):
        client = server.connect()
        self.addCleanup(client.close)
        client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    def test_a_process_tells(self):
        with CommandServer(threads=0) as server:
            self.ask(server, "/held")
            server.get()
            server.signal(signal.SIGUSR2)
            server.logged("1 request is held\nGET /held waits for <WaitForSignal")
            self.assertRegex(server.log, r"for 0\.\d s at .*/app\.py:\d+ in application\n")
            server.get()

    def test_one_whose_loop_is_held_tells_of_its_threads(self):
        server = CommandServer(threads=0)
        server.write("one", HOLDS)
        with server:
            self.ask(server, "/holds")
            server.logged("held")
            server.signal(signal.SIGUSR2)
            server.logged("time.sleep(60)")
            self.assertRegex(server.log, r"thread MainThread at .*/app\.py:\d+ in application\n")

    def test_the_supervisor_hands_it_on(self):
        with CommandServer(threads=0, workers=2) as server:
            self.ask(server, "/held")
            server.get()
            server.signal(signal.SIGUSR2)
            server.logged("1 request is held\n")
            server.logged("0 requests are held\n")
            server.logged("GET /held waits for <WaitForSignal")

    def test_after_a_reload_the_new_process_tells(self):
        with CommandServer(threads=0) as server:
            server.signal(signal.SIGHUP)
            server.logged("a new process serves")
            eventually(functools.partial(self.new, server), True)
            self.ask(server, "/held")
            server.get()
            server.signal(signal.SIGUSR2)
            server.logged("GET /held waits for <WaitForSignal")

    def new(self, server):
        return server.get()[1] != server.process.pid
