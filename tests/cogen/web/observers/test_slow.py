"""Requests that took the application long are told; those that only waited are not."""

import threading

from benchmarks.harness.server import eventually
from cogen.core.events import Sleep
from tests.cogen.web.support import ServedTestCase
from tests.cogen.web.test_closing import GET, LARGE, PLAIN

SECONDS = 0.4


class SlowTest(ServedTestCase):
    def serve(self, application, **options):
        return super().serve(
            application, **{"slow_request": SECONDS, "stall_warning": 0.1, **options}
        )

    def block(self):
        threading.Event().wait(SECONDS + 0.1)  # blocks

    def lines(self, server):
        server.settled(exchanges=0)
        return [
            record.getMessage()
            for record in self.records.records
            if record.name.endswith("observers.slow")
        ]

    def test_one_that_blocks_is_told_with_its_line(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            self.block()
            return [b"hello"]

        server = self.serve(application)
        server.get("/report?of=all")
        [text] = self.lines(server)
        number = self.block.__code__.co_firstlineno + 1
        self.assertRegex(
            text,
            r"^GET /report\?of=all: slow: \d\.\d\d s, and 0\.0\d s in which it waited; status 200; "
            rf"seen at .*/test_slow\.py:{number} in SlowTest\.block$",
        )
        self.assertEqual(server.server.stalls.slow.count, 1)

    def test_its_waits_do_not_count(self):
        def straight(environ, start_response):
            environ["cogen.wait"](Sleep(SECONDS + 0.1))
            start_response("200 OK", PLAIN)
            return [b"hello"]

        def yielding(environ, start_response):
            yield environ["cogen.core"].events.Sleep(SECONDS + 0.1)
            start_response("200 OK", PLAIN)
            yield b"hello"

        def body(environ, start_response):
            environ["wsgi.input"].read()
            start_response("200 OK", PLAIN)
            return [b"hello"]

        for application in (straight, yielding):
            with self.subTest(application.__name__):
                server = self.serve(application)
                server.get()
                self.assertEqual(self.lines(server), [])
        with self.subTest("a body that comes slowly"):
            server = self.serve(body)
            with server.connect() as client:
                client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
                client.send(b"x" * 80_000)
                self.block()
                client.send(b"x" * 20_000)
                client.response("POST")
            self.assertEqual(self.lines(server), [])

    def test_a_client_that_reads_slowly_is_no_slow_application(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            for _ in range(3):
                yield LARGE

        server = self.serve(application)
        with server.connect(receive_buffer=4096) as client:
            client.send(GET)
            client.head()
            self.block()
            while client.chunk():
                pass
        self.assertEqual(self.lines(server), [])

    def test_both_are_told_apart(self):
        def application(environ, start_response):
            environ["cogen.wait"](Sleep(0.15))
            self.block()
            yield environ["cogen.core"].events.Sleep(0.15)
            start_response("200 OK", PLAIN)
            yield b"hello"

        server = self.serve(application)
        server.get()
        [text] = self.lines(server)
        self.assertRegex(text, r"slow: \d\.\d\d s, and 0\.[3-9]\d s in which it waited")

    def test_by_default_nothing_is_timed(self):
        def application(environ, start_response):
            timed.extend(each.stopwatch for each in server.server.shared.exchanges)
            start_response("200 OK", PLAIN)
            return [b"hello"]

        timed = []
        server = self.serve(application, slow_request=0)
        server.get()
        self.assertEqual(timed, [None])


class ThreadedSlowTest(SlowTest):
    options = {"threads": "2"}

    def test_threads_of_its_own_wait_side_by_side(self):
        def application(environ, start_response):
            wait = environ["cogen.wait"]
            threads = [threading.Thread(target=wait, args=(Sleep(0.3),)) for _ in range(3)]
            for thread in threads:
                thread.start()
            wait(Sleep(0.3))
            for thread in threads:
                thread.join()
            start_response("200 OK", PLAIN)
            return [b"hello"]

        server = self.serve(application)
        server.get()
        self.assertEqual(self.lines(server), [])
        eventually(lambda: server.server.stalls.slow.count, 0)
