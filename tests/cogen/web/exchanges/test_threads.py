"""Applications that block, in threads: what the other suites do not show of the option."""

import asyncio
import collections
import contextlib
import contextvars
import threading

from greenlet import GreenletExit

from benchmarks.harness.server import PATIENCE, ServerThread, eventually
from cogen.core.events import Signal, Sleep, WaitForSignal
from cogen.core.pubsub import PublishSubscribeQueue
from cogen.core.queue import Queue
from cogen.core.schedulers import Scheduler
from cogen.web.exchanges import pool
from cogen.web.life import Life, register, take_lives
from tests.cogen.web.support import ServedTestCase
from tests.support.gate import Gate

PLAIN = [("Content-Type", "text/plain")]
GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
LIMIT = 1000  # of the spool


class ThreadsTest(ServedTestCase):
    """In two threads."""

    options = {"threads": "2", "spool_body": LIMIT, "health_path": "/healthz"}

    def gate(self):
        """Open at the end of the test at the latest."""
        gate = Gate()
        self.addCleanup(gate.open)
        return gate


class BlockingTest(ThreadsTest):
    def test_a_blocked_call_holds_up_no_other(self):
        gate = self.gate()

        def application(environ, start_response):
            if environ["PATH_INFO"] == "/blocks":
                gate.wait()
            start_response("200 OK", PLAIN)
            return [environ["PATH_INFO"].encode()]

        server = self.serve(application)
        with server.connect() as blocked:
            blocked.send(b"GET /blocks HTTP/1.1\r\nHost: a\r\n\r\n")
            gate.reached()
            self.assertEqual(server.get("/quick").body, b"/quick")
            gate.open()
            self.assertEqual(blocked.response().body, b"/blocks")

    def test_with_all_threads_blocked_the_server_says_that_it_lives_and_others_wait(self):
        gate = self.gate()

        def application(environ, start_response):
            gate.wait()
            start_response("200 OK", PLAIN)
            return [b"done"]

        server = self.serve(application)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.connect()) for _ in range(5)]
            for client in clients:
                client.send(GET)
            gate.reached(2)
            self.assertEqual(server.get("/healthz").status, 200)
            gate.open()
            self.assertEqual([client.response().body for client in clients], [b"done"] * 5)

    def test_an_application_that_yields_its_wait_holds_no_thread(self):
        def application(environ, start_response):
            yield environ["cogen.call"](WaitForSignal)("go")
            start_response("200 OK", PLAIN)
            yield environ["cogen.wsgi"].result

        server = self.serve(application)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.connect()) for _ in range(10)]
            for client in clients:
                client.send(GET)
            server.settled(signal_waiters=10)
            server.call(lambda: server.server.scheduler.add(_signal, ("go", b"went")))
            self.assertEqual([client.response().body for client in clients], [b"went"] * 10)


def _signal(name, value):
    yield Signal(name, value)


class AutoTest(ThreadsTest):
    """The default: a few threads, and more as they block."""

    options = {"threads": "auto"}

    def test_one_that_blocks_in_every_thread_holds_up_nobody(self):
        gate = self.gate()

        def application(environ, start_response):
            if environ["PATH_INFO"] == "/blocks":
                gate.wait()
            start_response("200 OK", PLAIN)
            return [environ["PATH_INFO"].encode()]

        server = self.serve(application)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.connect()) for _ in range(10)]
            for client in clients:
                client.send(b"GET /blocks HTTP/1.1\r\nHost: a\r\n\r\n")
            gate.reached(len(clients))
            self.assertEqual(server.get("/quick").body, b"/quick")
            self.assertGreaterEqual(server.statistics()["threads"], 10)
            gate.open()
            self.assertEqual([client.response().body for client in clients], [b"/blocks"] * 10)

    def test_threads_have_no_running_loop_and_locals_of_their_own(self):
        local = threading.local()

        def application(environ, start_response):
            local.name = environ["PATH_INFO"]
            with self.assertRaises(RuntimeError):
                asyncio.get_running_loop()
            environ["cogen.wait"](WaitForSignal("go"))
            start_response("200 OK", PLAIN)
            return [local.name.encode()]

        server = self.serve(application)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.connect()) for _ in range(6)]
            for number, client in enumerate(clients):
                client.send(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
            server.settled(signal_waiters=6)
            server.call(lambda: server.server.scheduler.add(_signal, ("go", None)))
            said = [client.response().body for client in clients]
        self.assertEqual(said, [b"/%d" % number for number in range(6)])

    def test_the_environ_tells_of_threads(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            return [b"%r" % environ["wsgi.multithread"]]

        self.assertEqual(self.serve(application).get().body, b"True")


class OnLoopTest(ThreadsTest):
    """An application that never blocks, mounted beside one that does."""

    def setUp(self):
        super().setUp()
        self.threads = []
        self.addCleanup(take_lives)

    def tell(self, environ, start_response):
        """Waits, writes and yields; notes where it ran."""
        self.note()
        try:
            start_response("200 OK", PLAIN)(b"written ")
            yield environ["cogen.call"](WaitForSignal)("go")
            self.note()
            yield environ["cogen.wsgi"].result
            environ["cogen.wait"](Sleep(0))
            self.note()
            yield environ["cogen.wsgi"].last(b" end")
        finally:
            self.note()

    def note(self):
        self.threads.append(threading.current_thread().name)

    def check(self, application):
        server = self.serve(application)
        with server.connect() as client:
            client.send(GET)
            server.settled(signal_waiters=1, threads_busy=0)
            server.call(lambda: server.server.scheduler.add(_signal, ("go", b"went")))
            self.assertEqual(client.response().body, b"written went end")
        server.settled(exchanges=0)
        loop = server._thread.name
        self.assertEqual(self.threads, [loop] * 4)

    def test_it_runs_on_the_loop_below_what_hands_it_on(self):
        told = register(self.tell, Life(), blocks=False)
        self.check(lambda environ, start_response: told(environ, start_response))

    def test_it_runs_on_the_loop_below_what_wraps_its_chunks(self):
        told = register(self.tell, Life(), blocks=False)

        def middleware(environ, start_response):
            self.assertIn("cogen-", threading.current_thread().name)
            chunks = told(environ, start_response)
            try:
                yield from chunks
            finally:
                chunks.close()  # type: ignore[attr-defined]

        self.check(middleware)

    def test_alone_it_needs_no_threads(self):
        self.options = {"threads": "auto"}
        self.server = self.serve(register(self.tell, Life(), blocks=False))
        self.assertIsNone(self.server.server.shared.pool)
        self.assertIn("on the event loop", self.server.server.mode)

    def test_what_it_returns_as_a_list_is_sent(self):
        def application(environ, start_response):
            self.note()
            start_response("200 OK", PLAIN)
            return [b"a", b"b"]

        told = register(application, Life(), blocks=False)
        server = self.serve(lambda environ, start_response: told(environ, start_response))
        self.assertEqual(server.get().body, b"ab")
        self.assertEqual(self.threads, [server._thread.name])

    def test_a_client_that_leaves_closes_it_on_the_loop(self):
        told = register(self.tell, Life(), blocks=False)
        server = self.serve(lambda environ, start_response: told(environ, start_response))
        with server.connect() as client:
            client.send(GET)
            server.settled(signal_waiters=1)
            client.reset()
        server.settled(exchanges=0, signal_waiters=0)
        self.assertEqual(self.threads, [server._thread.name] * 2)


class ContextTest(ThreadsTest):
    def test_the_calls_of_a_request_and_its_coroutines_see_one_context(self):
        name = contextvars.ContextVar("name")
        seen = []

        def notes():
            seen.append(name.get())
            yield Signal("nobody")

        def application(environ, start_response):
            name.set(environ["PATH_INFO"])
            yield environ["cogen.core"].events.AddCoro(notes)
            yield environ["cogen.call"](WaitForSignal)("go")
            start_response("200 OK", PLAIN)
            yield name.get().encode()

        server = self.serve(application)
        with server.connect() as one, server.connect() as two:
            one.send(b"GET /one HTTP/1.1\r\nHost: a\r\n\r\n")
            server.settled(signal_waiters=1)
            two.send(b"GET /two HTTP/1.1\r\nHost: a\r\n\r\n")
            server.settled(signal_waiters=2)
            server.call(lambda: server.server.scheduler.add(_signal, ("go", None)))
            self.assertEqual((one.response().body, two.response().body), (b"/one", b"/two"))
        self.assertEqual(seen, ["/one", "/two"])


class SubscriptionTest(ThreadsTest):
    def test_the_request_subscribes_over_several_waits_until_its_end(self):
        news = PublishSubscribeQueue()

        def application(environ, start_response):
            wait = environ["cogen.wait"]
            wait(news.subscribe())
            heard = [*wait(news.fetch()), *wait(news.fetch())]
            start_response("200 OK", PLAIN)
            return heard

        server = self.serve(application)
        with server.connect() as client:
            client.send(GET)
            for message in (b"one ", b"two"):
                eventually(lambda: server.call(news.statistics)["fetchers"], 1)
                server.call(lambda: news.publish_nowait(message))  # noqa: B023
            self.assertEqual(client.response().body, b"one two")
        server.settled(exchanges=0)
        self.assertEqual(news.statistics(), {"subscribers": 0, "fetchers": 0, "messages": 0})


class CallTest(ThreadsTest):
    """Blocking views call what coroutines and other requests wait for."""

    def test_what_a_view_puts_publishes_and_signals_arrives_at_once(self):
        queue, news = Queue(1), PublishSubscribeQueue()

        def signal():
            return Scheduler.current().signal("go", "signal")

        def start():
            Scheduler.current().add(_signal, ("go", "coroutine"))
            return "started"

        views = {
            "/put": lambda: queue.put_nowait("item"),
            "/publish": lambda: news.publish_nowait("message"),
            "/signal": signal,
            "/start": start,
        }

        def application(environ, start_response):
            wait, path = environ["cogen.wait"], environ["PATH_INFO"]
            start_response("200 OK", PLAIN)
            if path in views:
                return [str(views[path]()).encode()]
            if path == "/got":
                return [wait(queue.get()).encode()]
            if path == "/told":
                wait(news.subscribe())
                return [wait(news.fetch())[0].encode()]
            return [wait(WaitForSignal("go")).encode()]

        server = self.serve(application)
        signals = lambda: server.statistics()["signal_waiters"]  # noqa: E731
        for path, waiters, acting, said, got in (
            ("/got", lambda: 1, "/put", b"None", b"item"),
            ("/told", lambda: news.statistics()["fetchers"], "/publish", b"1", b"message"),
            ("/heard", signals, "/signal", b"1", b"signal"),
            ("/heard", signals, "/start", b"started", b"coroutine"),
        ):
            with self.subTest(acting), server.connect() as client:
                client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                eventually(waiters, 1)
                self.assertEqual(server.get(acting).body, said)
                self.assertEqual(client.response().body, got)
        self.assertEqual(server.get("/put").body, b"None")
        self.assertEqual(server.get("/put").status, 500)
        self.assertIn("the queue holds 1 items already", self.records.text)

    def test_a_chat_of_coroutines_works_from_blocking_views(self):
        news, queues = PublishSubscribeQueue(), [Queue(10) for _ in range(3)]

        def watch(queue):
            yield news.subscribe()
            while True:
                yield queue.put_nowait((yield news.fetch()))

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            if environ["REQUEST_METHOD"] == "POST":
                return [b"%d" % news.publish_nowait(environ["wsgi.input"].read())]
            queue = queues[int(environ["QUERY_STRING"])]
            if environ["PATH_INFO"] == "/join":
                news.subscribe_nowait(Scheduler.current().add(watch, (queue,)))
                return [b"joined"]
            return list(environ["cogen.wait"](queue.get(timeout=PATIENCE)))

        server = self.serve(application)
        for number in range(3):
            self.assertEqual(server.get(f"/join?{number}").body, b"joined")
        for message in (b"hello", b"bye"):
            with server.connect() as client:
                client.send(
                    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(message)
                )
                client.send(message)
                self.assertEqual(client.response().body, b"3")
            for number in range(3):
                self.assertEqual(server.get(f"/pull?{number}").body, message)


class HangUpTest(ThreadsTest):
    def test_who_leaves_before_there_is_a_thread_calls_nothing(self):
        gate = self.gate()
        called = []

        def application(environ, start_response):
            called.append(environ["PATH_INFO"])
            gate.wait()
            start_response("200 OK", PLAIN)
            return [b"done"]

        server = self.serve(application)
        with server.connect() as one, server.connect() as two:
            for client in (one, two):
                client.send(b"GET /blocks HTTP/1.1\r\nHost: a\r\n\r\n")
            gate.reached(2)
            with server.connect() as client:
                client.send(b"GET /left HTTP/1.1\r\nHost: a\r\n\r\n")
                server.settled(threads_waiting=1)
                client.reset()
            server.settled(connections=2)
            gate.open()
            self.assertEqual([one.response().body, two.response().body], [b"done"] * 2)
        server.settled(exchanges=0)
        self.assertEqual(called, ["/blocks"] * 2)

    def test_what_a_left_call_returns_is_closed(self):
        gate = self.gate()
        closed = threading.Event()

        class Body(list[bytes]):
            def close(self):
                closed.set()

        def application(environ, start_response):
            gate.wait()
            start_response("200 OK", PLAIN)
            return Body([b"unseen"])

        server = self.serve(application)
        with server.connect() as client:
            client.send(GET)
            gate.reached()
            client.reset()
        server.settled(exchanges=1, connections=0)
        self.assertFalse(closed.is_set())
        gate.open()
        self.assertTrue(closed.wait(PATIENCE))

    def test_a_left_call_that_asks_for_something_is_ended(self):
        gate = self.gate()
        seen = []

        def application(environ, start_response):
            gate.wait()
            try:
                environ["cogen.wait"](WaitForSignal("never"))
            except GreenletExit:
                seen.append("left")
                raise
            return []

        server = self.serve(application)
        with server.connect() as client:
            client.send(GET)
            gate.reached()
            client.reset()
        server.settled(connections=0)
        gate.open()
        eventually(lambda: seen, ["left"])
        server.settled(exchanges=0)

    def test_a_wait_outside_of_the_request_is_refused(self):
        kept = []

        def application(environ, start_response):
            kept.append(environ["cogen.wait"])
            start_response("200 OK", PLAIN)
            return [b"hello"]

        self.serve(application).get()
        with self.assertRaisesRegex(RuntimeError, "outside of the request"):
            kept[0](WaitForSignal("never"))


class OneThreadTest(ThreadsTest):
    """What belongs to a thread is the same for all of an answer, however slow its client."""

    def setUp(self):
        super().setUp()
        self.places = collections.defaultdict(list)

    def streams(self, environ, start_response):
        """3 MB, in blocks of the size that is asked for, written or yielded."""
        places = self.places[environ["PATH_INFO"]]
        how, _, size = environ["PATH_INFO"].strip("/").partition("/")
        block = b"x" * int(size or 5)

        def blocks():
            for _ in range(3_000_000 // len(block) if size else 1):
                places.append(threading.get_ident())
                yield block

        class Body:
            __iter__ = staticmethod(blocks)

            def close(self):
                places.append(threading.get_ident())

        write = start_response("200 OK", PLAIN)
        if how == "write":
            for each in blocks():
                write(each)
            return []
        return Body()

    def test_more_slow_readers_than_threads_hold_up_nobody(self):
        server = self.serve(self.streams)
        paths = ["/yield/4000", "/yield/1000000", "/write/4000", "/write/1000000"]
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.connect(receive_buffer=4096)) for _ in paths]
            for client, path in zip(clients, paths, strict=True):
                client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            server.settled(threads=4)
            for _ in range(5):
                self.assertEqual(server.get().body, b"xxxxx")
            sizes = [len(client.response().body) for client in clients]
        self.assertEqual(sizes, [3_000_000] * 4)
        server.settled(exchanges=0, threads_busy=0)
        self.assertEqual([len(set(self.places[path])) for path in paths], [1, 1, 1, 1])

    def test_with_too_many_slow_readers_their_threads_are_left(self):
        self.addCleanup(setattr, pool, "_MOST_LENT", pool._MOST_LENT)
        pool._MOST_LENT = 1
        server = self.serve(self.streams)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.connect(receive_buffer=4096)) for _ in range(6)]
            for client in clients:
                client.send(b"GET /yield/4000 HTTP/1.1\r\nHost: a\r\n\r\n")
            for _ in range(5):
                self.assertEqual(server.get().body, b"xxxxx")
            self.assertLessEqual(server.statistics()["threads"], 3)
            sizes = [len(client.response().body) for client in clients]
        self.assertEqual(sizes, [3_000_000] * 6)
        server.settled(exchanges=0, threads_busy=0)

    def test_one_that_leaves_has_its_answer_closed_there_too(self):
        server = self.serve(self.streams)
        paths = ["/yield/4000", "/yield/1000000"]
        for path in paths:
            with server.connect(receive_buffer=4096) as client:
                client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                client.head()
                client.reset()
        server.settled(exchanges=0, threads_busy=0)
        self.assertEqual([len(set(self.places[path])) for path in paths], [1, 1])
        self.assertEqual(self.records.text, "")

    def test_an_answer_that_fails_is_closed_there_too(self):
        idents = []

        def application(environ, start_response):
            idents.append(threading.get_ident())
            try:
                if environ["PATH_INFO"] != "/start":
                    length = "3" if environ["PATH_INFO"] == "/long" else "50"
                    start_response("200 OK", [*PLAIN, ("Content-Length", length)])
                if environ["PATH_INFO"] == "/first":
                    raise ValueError("x")
                yield b"first"
                if environ["PATH_INFO"] == "/bytes":
                    yield "second"
                raise ValueError("x")
            finally:
                idents.append(threading.get_ident())

        server = self.serve(application)
        for path, status, body in (
            ("/start", 500, None), ("/first", 500, None), ("/later", 200, b"first"),
            ("/bytes", 200, b"first"), ("/long", 200, b"fir"),
        ):  # fmt: skip
            with self.subTest(path):
                answer = server.exchange(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                self.assertIn(f"HTTP/1.1 {status} ".encode(), answer)
                if body is not None:
                    self.assertTrue(answer.endswith(b"\r\n\r\n" + body), answer)
                server.settled(exchanges=0, connections=0, threads_busy=0)
                self.assertEqual(len(set(idents[-2:])), 1)
        self.assertEqual(len(idents), 10)

    def test_a_list_that_can_be_closed_is_closed_there(self):
        idents = []

        class Body(list[bytes]):
            def close(self):
                idents.append(threading.get_ident())

        def application(environ, start_response):
            idents.append(threading.get_ident())
            start_response("200 OK", PLAIN)
            return Body([b"one", b"two"])

        response = self.serve(application).get()
        self.assertEqual((response.body, response.headers["content-length"]), (b"onetwo", "6"))
        eventually(lambda: len(idents), 2)
        self.assertEqual(idents[0], idents[1])


class BodyTest(ThreadsTest):
    """The body is taken in before the application is called."""

    BODY = b"".join(b"%d\n" % number for number in range(50_000))

    def send(self, client, length=None):
        head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {len(self.BODY)}\r\n\r\n"
        client.send(head.encode() + self.BODY[:length])

    def test_one_that_the_client_sends_when_asked_is_taken_in_when_it_is_read(self):
        def application(environ, start_response):
            if environ["PATH_INFO"] == "/refuses":
                start_response("403 Forbidden", PLAIN)
                return [b"no"]
            file = environ["wsgi.input"]
            start_response("200 OK", PLAIN)
            return [b"%d" % sum(map(len, (file.readline(), file.read(5), file.read())))]

        server = self.serve(application)
        head = f"Host: a\r\nContent-Length: {len(self.BODY)}\r\nExpect: 100-continue\r\n\r\n"
        with server.connect() as client:
            client.send(f"POST /refuses HTTP/1.1\r\n{head}".encode())
            self.assertEqual(client.response().status, 403)
        with server.connect() as client:
            client.send(f"POST / HTTP/1.1\r\n{head}".encode())
            self.assertEqual(client.head()[0], 100)
            client.send(self.BODY)
            self.assertEqual(client.response().body, b"%d" % len(self.BODY))
        server.settled(exchanges=0, spooled_bytes=0)

    def test_all_have_bounded_room(self):
        def application(environ, start_response):
            size = len(environ["wsgi.input"].read())
            start_response("200 OK", PLAIN)
            return [b"%d" % size]

        self.options = {**self.options, "spool_total": 200_000}
        server = self.serve(application)
        with server.connect() as holds, server.connect() as refused:
            self.send(holds, 150_000)
            eventually(lambda: server.statistics()["spooled_bytes"] >= 100_000, True)
            self.send(refused, 150_000)
            self.assertEqual(refused.response().status, 503)
        server.settled(exchanges=0, spooled_bytes=0)
        with server.connect() as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
            client.send(b"x" * 100_000)
            self.assertEqual(client.response().body, b"100000")

    def test_slow_bodies_hold_no_thread(self):
        def application(environ, start_response):
            size = len(environ["wsgi.input"].read())
            start_response("200 OK", PLAIN)
            return [b"%d" % size]

        server = self.serve(application)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.connect()) for _ in range(5)]
            for client in clients:
                self.send(client, 100_000)
            server.settled(exchanges=5)
            self.assertEqual(server.get().body, b"0")
            for client in clients:
                client.send(self.BODY[100_000:])
                self.assertEqual(client.response().body, b"%d" % len(self.BODY))

    def test_it_reads_as_a_file_and_as_operations(self):
        def application(environ, start_response):
            parts = [environ["wsgi.input"].readline()]
            for read in (
                lambda: environ["cogen.input"].readline(),
                lambda: environ["cogen.input"].readline(1),
                lambda: environ["cogen.input"].readline(),
                lambda: environ["cogen.input"].read(5),
            ):
                yield read()
                parts.append(environ["cogen.wsgi"].result)
            parts += environ["wsgi.input"].readlines()[:2]
            start_response("200 OK", PLAIN)
            yield b"|".join(parts)
            yield environ["cogen.input"].read()
            yield b"|%r" % environ["cogen.wsgi"].result

        server = self.serve(application)
        with server.connect() as client:
            self.send(client)
            self.assertEqual(client.response().body, b"0\n|1\n|2|\n|3\n4\n5|\n|6\n|b''")

    def test_the_length_of_a_chunked_one_is_told(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            return [environ["CONTENT_LENGTH"].encode()]

        with self.serve(application).connect() as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            client.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(self.BODY), self.BODY))
            self.assertEqual(client.response().body, b"%d" % len(self.BODY))

    def test_one_that_is_cut_short_reaches_no_application(self):
        called = []

        def application(environ, start_response):
            called.append(environ)
            return []

        server = self.serve(application)
        with server.connect() as client:
            self.send(client, 100_000)
            client.shutdown()
            self.assertIn(b" 400 ", client.rest()[:20])
        self.assertEqual(called, [])


class StopTest(ThreadsTest):
    def test_the_stop_waits_for_a_blocked_call(self):
        gate = self.gate()

        def application(environ, start_response):
            gate.wait()
            start_response("200 OK", PLAIN)
            return [b"done"]

        server = self.serve(application)
        with server.connect() as client:
            client.send(GET)
            gate.reached()
            stopping = threading.Thread(target=server.stop)
            stopping.start()
            eventually(lambda: server.server.shared.stopping, True)
            gate.open()
            self.assertEqual(client.response().body, b"done")
            stopping.join(PATIENCE)

    def test_a_call_that_never_returns_is_left_and_told(self):
        gate = self.gate()

        def application(environ, start_response):
            gate.wait()
            return []

        server = ServerThread(application, threads="1", shutdown_timeout=0.05)
        with server, server.connect() as client:
            client.send(GET)
            gate.reached()
            server.stop()
            self.assertEqual(client.rest(), b"")
        self.assertIn("1 threads of the application are left: cogen-0 at ", self.records.text)
