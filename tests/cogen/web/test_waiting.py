"""Applications that wait, over a real socket, on each event loop and in threads."""

import asyncio
import threading

from benchmarks.harness.resident import resident
from benchmarks.harness.server import eventually
from cogen.core.coroutines import coro
from cogen.core.events import Signal, Sleep, WaitForSignal
from cogen.testing.memory import MemoryServer
from tests.cogen.web.support import WaitingTestCase, in_each_mode

PLAIN = [("Content-Type", "text/plain")]
GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
MIB = 1 << 20


class YieldingTests(WaitingTestCase):
    def get(self, *operations):
        """The reprs of the results of `operations`, each made of the environ and yielded."""

        def application(environ, start_response):
            results = []
            for operation in operations:
                yield operation(environ)
                wsgi = environ["cogen.wsgi"]
                results.append(f"{wsgi.result!r} {wsgi.exception is not None}")
            start_response("200 OK", PLAIN)
            yield "\n".join(results).encode()

        response = self.serve(application).get()
        self.assertEqual(response.status, 200, self.records.text)
        return response.body.decode().split("\n")

    def test_a_named_call_is_performed_and_its_result_kept(self):
        async def slow():
            await asyncio.sleep(0)
            return "awaited"

        @coro
        def adds(a, b):
            yield Sleep(0.001)
            return a + b

        self.assertEqual(
            self.get(
                lambda environ: environ["cogen.core"].events.Sleep(0.001),
                lambda environ: environ["cogen.call"](adds)(1, b=2),
                lambda environ: environ["cogen.call"](slow)(),
                lambda environ: environ["cogen.call"](len)("four"),
                lambda environ: environ["cogen.call"](Signal)("nobody"),
            ),
            ["None False", "3 False", "'awaited' False", "4 False", "0 False"],
        )

    def test_an_operation_that_there_is_already_is_named(self):
        operations = [
            lambda environ: environ["cogen.wsgi"].name(Signal("nobody")),
            lambda environ: environ["cogen.yield"](Signal("nobody")),
        ]
        self.assertEqual(["0 False"] * 2, self.get(*operations))

    def test_a_failure_is_the_result(self):
        @coro
        def fails():
            yield Sleep(0.001)
            raise KeyError("lost")

        async def fails_too():
            raise ValueError("early")

        self.assertEqual(
            self.get(
                lambda environ: environ["cogen.call"](fails)(),
                lambda environ: environ["cogen.call"](fails_too)(),
                lambda environ: environ["cogen.core"].events.WaitForSignal("x", timeout=0.001),
            ),
            [
                "KeyError('lost') True",
                "ValueError('early') True",
                "OperationTimeout(<WaitForSignal 'x'>) True",
            ],
        )

    def test_others_are_served_meanwhile_and_the_headers_are_deferred(self):
        def application(environ, start_response):
            if environ["PATH_INFO"] == "/quick":
                start_response("200 OK", PLAIN)
                yield b"quick"
                return
            yield environ["cogen.call"](WaitForSignal)("news")
            start_response("202 Accepted", [("X-Late", environ["cogen.wsgi"].result)])
            yield b"late"

        server = self.serve(application)
        with server.connect() as client:
            client.send(GET)
            server.settled(signal_waiters=1)
            self.assertEqual(server.get("/quick").body, b"quick")
            self.signal("news", "yes")
            response = client.response()
        self.assertEqual((response.status, response.body), (202, b"late"))
        self.assertEqual(response.headers["x-late"], "yes")
        self.idle()

    def test_a_head_is_replaced_until_the_first_content_even_without_exc_info(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            yield environ["cogen.core"].events.Sleep(0.001)
            start_response("202 Accepted", PLAIN)  # as a middleware does that drops exc_info
            if environ["PATH_INFO"] == "/late":
                yield b"content"
                start_response("203 Late", PLAIN)
            yield b"late"

        server = self.serve(application)
        response = server.get("/")
        self.assertEqual((response.status, response.body), (202, b"late"))
        with server.connect() as client:
            client.send(b"GET /late HTTP/1.1\r\nHost: test\r\n\r\n")
            self.assertTrue(client.rest().endswith(b"content\r\n"))
        self.assertIn("twice without exc_info", self.records.text)

    def test_a_last_chunk_that_is_the_first_leaves_in_one_write_with_its_length(self):
        def application(environ, start_response):
            yield environ["cogen.core"].events.Sleep(0.001)
            start_response("200 OK", PLAIN)
            yield environ["cogen.wsgi"].last(b"short")

        self.assertEqual(self.serve(application).get().headers["content-length"], "5")
        server = MemoryServer(application)
        self.addCleanup(server.close)
        client = server.connect()
        client.protocol.data_received(GET)
        server.loop.run_until_complete(asyncio.sleep(1))
        self.assertEqual((client.written[-5:], client.writes), (b"short", 1))

    def test_a_last_chunk_that_is_not_the_first_is_a_chunk(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            yield b"one "
            yield environ["cogen.wsgi"].last(b"two")

        response = self.serve(application).get()
        self.assertEqual(response.body, b"one two")
        self.assertEqual(response.headers["transfer-encoding"], "chunked")

    def test_a_chunk_behind_the_last_is_cut_off_and_told(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            yield environ["cogen.wsgi"].last(b"last")
            yield b"more"

        self.assertEqual(self.serve(application).get().body, b"last")
        eventually(lambda: "4 bytes longer" in self.records.text, True)

    def test_the_iteration_may_go_on_after_chunks(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            for number in range(3):
                yield environ["cogen.core"].events.Sleep(0.001)
                yield b"%d" % number

        self.assertEqual(self.serve(application).get().body, b"012")


class LostChunkTests(WaitingTestCase):
    def check(self, application, said):
        response = self.serve(application).get()
        self.assertEqual(response.status, 500)
        self.assertIn(said, self.records.text)
        self.assertIn("must pass each block on as it comes", self.records.text)
        self.idle()

    def test_a_swallowed_chunk_is_a_500_that_says_so(self):
        def application(environ, start_response):
            environ["cogen.core"].events.Sleep(1)
            start_response("200 OK", PLAIN)
            yield b"too early"

        self.check(application, "<Sleep within 1 s> was named, but the chunk b'too early' came")

    def test_a_plain_value_is_told_with_the_function_that_returned_it(self):
        class Room:
            def told(self): ...

        def application(environ, start_response):
            environ["cogen.call"](Room().told)()
            start_response("200 OK", PLAIN)
            yield b"too early"

        self.check(application, "Room.told() returned, was named, but the chunk")

    def test_so_is_an_iteration_that_ends(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            environ["cogen.core"].events.Sleep(1)
            return []

        self.check(application, "the iteration ended")

    def test_so_is_a_second_operation(self):
        def application(environ, start_response):
            environ["cogen.core"].events.Sleep(1)
            yield environ["cogen.core"].events.Sleep(2)

        self.check(application, "named while <Sleep within 1 s> still waits")

    def test_so_is_a_middleware_that_joins_chunks(self):
        def inner(environ, start_response):
            yield environ["cogen.core"].events.Sleep(1)
            start_response("200 OK", PLAIN)
            yield b"hello"

        def middleware(environ, start_response):
            return [b"".join(inner(environ, start_response))]

        self.check(middleware, "came")


class StraightLineTests(WaitingTestCase):
    def test_a_plain_function_waits_in_the_middle(self):
        def application(environ, start_response):
            value = environ["cogen.wait"](WaitForSignal("go"))
            start_response("200 OK", PLAIN)
            return [value.encode()]

        server = self.serve(application)
        with server.connect() as one, server.connect() as two:
            one.send(GET)
            two.send(GET)
            server.settled(signal_waiters=2)
            self.signal("go", "went")
            self.assertEqual([one.response().body, two.response().body], [b"went", b"went"])
        self.idle()

    def test_a_failure_is_raised(self):
        def application(environ, start_response):
            async def fails():
                await asyncio.sleep(0)
                raise KeyError("lost")

            try:
                environ["cogen.wait"](fails())
            except KeyError as error:
                start_response("200 OK", PLAIN)
                return [repr(error).encode()]
            raise AssertionError("nothing was raised")

        self.assertEqual(self.serve(application).get().body, b"KeyError('lost')")

    def test_a_cancelled_awaitable_is_an_error_of_the_request_alone(self):
        def application(environ, start_response):
            async def cancels():
                await asyncio.sleep(0)
                raise asyncio.CancelledError

            environ["cogen.wait"](cancels())
            return []

        self.assertEqual(self.serve(application).get().status, 500)
        self.idle()


class HangUpTests(WaitingTestCase):
    def test_a_client_that_leaves_ends_the_wait(self):
        seen = []

        def yields(environ, start_response):
            try:
                yield environ["cogen.call"](WaitForSignal)("never", timeout=3600)
            finally:
                seen.append("finally")

        def waits(environ, start_response):
            try:
                environ["cogen.wait"](WaitForSignal("never"))
            finally:
                seen.append("finally")
            return []

        def streams(environ, start_response):
            start_response("200 OK", PLAIN)
            try:
                yield b"first"
                yield environ["cogen.call"](WaitForSignal)("never")
            finally:
                seen.append("finally")

        for application in (yields, waits, streams):
            for leave in ("close", "shutdown"):
                with self.subTest(application.__name__, leave=leave):
                    before = self.serve(application).statistics()
                    with self.server.connect() as client:
                        client.send(GET)
                        self.server.settled(signal_waiters=1)
                        if leave == "shutdown":
                            client.shutdown()
                            client.rest()
                    eventually(lambda: seen, ["finally"])
                    self.idle()
                    self.server.settled(**{**before, "requests": before["requests"] + 1})
                    seen.clear()

    def test_one_that_has_left_before_the_wait_ends_it_too(self):
        seen = []

        def yields(environ, start_response):
            try:
                yield environ["cogen.call"](WaitForSignal)("never")
            finally:
                seen.append("finally")

        def waits(environ, start_response):
            try:
                environ["cogen.wait"](WaitForSignal("never"))
            finally:
                seen.append("finally")
            return []

        for application in (yields, waits):
            with self.subTest(application.__name__), self.serve(application).connect() as client:
                client.send(GET)
                client.shutdown()
                self.assertEqual(client.rest(), b"")
                eventually(lambda: seen, ["finally"])
                self.idle()
                seen.clear()

    def test_one_that_leaves_when_its_news_has_come_is_answered(self):
        def application(environ, start_response):
            yield environ["cogen.call"](WaitForSignal)("go")
            start_response("200 OK", PLAIN)
            yield environ["cogen.wsgi"].result

        server = self.serve(application)

        def at_once():
            (connection,) = server.server.shared.connections
            for waiter in server.server.scheduler.signals.pop("go"):
                waiter.resume(b"went")
            connection.eof_received()

        with server.connect() as client:
            client.send(GET)
            server.settled(signal_waiters=1, connections=1)
            server.call(at_once)
            self.assertEqual(client.response().body, b"went")

    def test_a_wait_behind_the_hang_up_does_not_come_back(self):
        seen = []

        def application(environ, start_response):
            try:
                environ["cogen.wait"](WaitForSignal("never"))
            finally:
                seen.append("left")
                environ["cogen.wait"](Sleep(3600))
                seen.append("came back")
            return []

        with self.serve(application).connect() as client:
            client.send(GET)
            self.server.settled(signal_waiters=1)
        self.idle()
        self.assertEqual(seen, ["left"])


class BackPressureTests(WaitingTestCase):
    def slow_read(self, application):
        """What the server's memory grows by while a client takes next to nothing of 100 MiB."""
        server = self.serve(application)
        server.get("/small")
        with server.connect(receive_buffer=4096) as client:
            before = resident()
            client.send(GET)
            for _ in range(10):
                self.assertEqual(len(client.sock.recv(1)), 1)
                server.get("/small")
            return resident() - before

    def test_a_slow_reader_costs_little_of_a_large_answer(self):
        whole = b"x" * (100 * MIB)
        made = 0

        def one_chunk(environ, start_response):
            start_response("200 OK", PLAIN)
            return [b"small" if environ["PATH_INFO"] == "/small" else whole]

        def many(environ, start_response):
            nonlocal made
            start_response("200 OK", PLAIN)
            if environ["PATH_INFO"] == "/small":
                yield b"small"
                return
            for _ in range(100 * MIB // 16_384):
                made += 1
                yield b"y" * 16_384

        for application in (one_chunk, many):
            with self.subTest(application.__name__):
                self.assertLess(self.slow_read(application), MIB)
                self.idle()
        # What the kernel buffers for a loopback connection, and some.
        self.assertLess(made * 16_384, 8 * MIB)

    def test_an_upload_is_echoed_in_little_memory(self):
        size = 64 * MIB

        def application(environ, start_response):
            start_response("200 OK", [("Content-Length", environ["CONTENT_LENGTH"])])
            while True:
                yield environ["cogen.input"].read(65_536)
                data = environ["cogen.wsgi"].result
                if not data:
                    return
                yield data

        block = bytes(range(256)) * 256
        head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n"

        def send(client):
            client.send(head.encode())
            for _ in range(size // len(block)):
                client.send(block)

        with self.serve(application).connect() as client:
            before = most = resident()
            sender = threading.Thread(target=send, args=(client,))
            sender.start()
            client.head()
            for _ in range(size // len(block)):
                self.assertEqual(client.file.read(len(block)), block)
                most = max(most, resident())
            sender.join()
        self.assertLess(most - before, 16 * MIB)
        self.idle()

    def test_lines_of_the_body_as_operations(self):
        def application(environ, start_response):
            lines = []
            while True:
                yield environ["cogen.input"].readline()
                if not environ["cogen.wsgi"].result:
                    break
                lines.append(environ["cogen.wsgi"].result)
            start_response("200 OK", PLAIN)
            yield repr(lines).encode()

        with self.serve(application).connect() as client:
            client.send(
                b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"5\r\none\nt\r\n3\r\nwo\n\r\n5\r\nthree\r\n0\r\n\r\n"
            )
            self.assertEqual(client.response().body, repr([b"one\n", b"two\n", b"three"]).encode())


in_each_mode(globals())
