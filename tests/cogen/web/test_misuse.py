"""Applications that do what they should not: all counts go back to what they were, and the next
client is answered. On the loop and in threads."""

import contextlib
import threading

from greenlet import GreenletExit

from benchmarks.harness.server import PATIENCE, eventually
from cogen.core.events import Signal, Sleep, WaitForSignal
from tests.cogen.web.test_closing import GET, LARGE, PLAIN, ModeTest
from tests.support.gate import Gate

NOTHING = {
    "connections": 0, "exchanges": 0, "coroutines": 0, "deadlines": 0, "signal_waiters": 0,
    "spooled_bytes": 0,
}  # fmt: skip
ERRORS = (ValueError, KeyboardInterrupt, SystemExit, GeneratorExit, GreenletExit, StopIteration)


class MisuseTest(ModeTest):
    def settled(self, server):
        threads = {"threads_busy": 0, "threads_waiting": 0} if self.options else {}
        server.settled(**NOTHING, **threads)
        with server.connect() as client:
            self.assertEqual(client.get("/ordinary").body, b"well")
        server.settled(**NOTHING, **threads)

    def serve(self, application, **options):
        def beside(environ, start_response):
            if environ["PATH_INFO"] != "/ordinary":
                return application(environ, start_response)
            start_response("200 OK", PLAIN)
            return [b"well"]

        return super().serve(beside, **options)


class RaisesTest(MisuseTest):
    """Errors of every kind at every place."""

    class Raises:
        """Raises where `place` says."""

        def __init__(self, place, error):
            self.place = place
            self.error = error
            self.chunks = 0

        def at(self, place):
            if self.place == place:
                raise self.error("on purpose")

        def __iter__(self):
            self.at("iter")
            return self

        def __next__(self):
            self.chunks += 1
            self.at(f"next {self.chunks}")
            if self.chunks == 3:
                raise StopIteration
            return b"chunk"

        def close(self):
            self.at("close")

    def application(self, environ, start_response):
        place = environ["PATH_INFO"].strip("/")
        body = self.Raises(place, ERRORS[int(environ["QUERY_STRING"])])
        body.at("call")
        write = start_response("200 OK", PLAIN)
        body.at("start")
        if place == "write":
            write(b"written")
            body.at("write")
        if place == "wait":
            environ["cogen.wait"](Sleep(0))
            body.at("wait")
        if place == "on_loop":
            environ.get("cogen.on_loop", lambda function: function())(lambda: body.at("on_loop"))
        return body

    def test_they_are_answered(self):
        server = self.serve(self.application)
        places = {
            "call": 500, "start": 500, "wait": 500, "on_loop": 500, "iter": 500, "next%201": 500,
            "write": 200, "next%202": 200, "close": 200,
        }  # fmt: skip
        for place, status in places.items():
            for number, error in enumerate(ERRORS):
                with self.subTest(place, error=error), server.connect() as client:
                    headers = "Host: a\r\nConnection: close\r\n\r\n"
                    client.send(f"GET /{place}?{number} HTTP/1.1\r\n{headers}".encode())
                    answer = client.rest()
                    ends = error is StopIteration and "next" in place
                    said = 200 if ends else status
                    self.assertIn(f"HTTP/1.1 {said} ".encode(), answer)
                    if status == 200:
                        self.assertEqual(answer.endswith(b"0\r\n\r\n"), ends or place == "close")
        self.settled(server)


class LeftTest(MisuseTest):
    """Its client has left, and the application goes on."""

    def leave(self, server):
        with server.connect(receive_buffer=4096) as client:
            client.send(GET)
            client.head()
            client.reset()
        self.settled(server)

    def test_writing_for_ever_ends(self):
        ended = []

        def application(environ, start_response):
            write = start_response("200 OK", PLAIN)
            try:
                while True:
                    write(LARGE)
            except GreenletExit:
                write(b"to nobody")
                ended.append("ended")
                raise

        self.leave(self.serve(application))
        self.assertEqual(ended, ["ended"])

    def test_writing_for_ever_ends_where_the_first_byte_meets_a_closed_connection(self):
        begun, gone, ended = threading.Event(), threading.Event(), []

        def application(environ, start_response):
            write = start_response("200 OK", PLAIN)
            begun.set()
            gone.wait(PATIENCE)
            try:
                while True:
                    write(b"to nobody")
            except GreenletExit:
                ended.append("ended")
                raise

        server = self.serve(application)
        with server.connect() as client:
            client.send(GET)
            self.assertTrue(begun.wait(PATIENCE))
            client.reset()
        gone.set()
        self.settled(server)
        self.assertEqual(ended, ["ended"])

    def test_a_writer_whose_client_keeps_up_lets_others_have_their_turns(self):
        answered = threading.Event()

        def application(environ, start_response):
            write = start_response("200 OK", PLAIN)
            while not answered.is_set():
                write(b"")
            return []

        server = self.serve(application)
        with server.connect() as client:
            client.send(GET)
            self.assertEqual(server.get("/ordinary").body, b"well")
            answered.set()
            client.response()
        self.settled(server)

    def test_who_takes_no_notice_is_ended_after_its_time(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)(b"begun")
            for _ in range(5):
                with contextlib.suppress(GreenletExit):
                    environ["cogen.wait"](WaitForSignal("never"))
            return [b"unheard"]

        self.leave(self.serve(application, close_timeout=0.05))

    def test_a_generator_that_does_not_want_to_end_does(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            while True:
                try:
                    yield LARGE
                    yield environ["cogen.core"].events.Sleep(0)
                except GeneratorExit:
                    if not stubborn:
                        return
                    stubborn.pop()

        stubborn = ["once"]
        self.leave(self.serve(application))
        self.assertIn("generator ignored GeneratorExit", self.records.text)


class EndlessTest(MisuseTest):
    def test_of_an_endless_answer_no_more_is_made_than_is_seen(self):
        closed = []

        def application(environ, start_response):
            status = environ["QUERY_STRING"] or "200%20OK"
            start_response(status.replace("%20", " "), [])
            try:
                while True:
                    yield b"tick"
            finally:
                closed.append(status)

        server = self.serve(application)
        with server.connect() as client:
            for method, status in (("HEAD", "200%20OK"), ("GET", "304%20Not%20Modified")):
                client.send(f"{method} /?{status} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                client.response(method)
            self.assertEqual(client.get("/ordinary").body, b"well")
        self.settled(server)
        self.assertEqual(closed, ["200%20OK", "304%20Not%20Modified"])


class LateTest(MisuseTest):
    def test_a_response_cannot_be_started_when_it_is_over(self):
        kept = []

        def application(environ, start_response):
            kept.append(start_response)
            start_response("200 OK", PLAIN)
            return [b"hello"]

        server = self.serve(application)
        with server.connect() as client:
            self.assertEqual(client.get().body, b"hello")
            with self.assertRaisesRegex(RuntimeError, "start_response .* outside of the request"):
                server.call(lambda: kept[0]("200 OK", PLAIN))
            self.assertEqual(client.get().body, b"hello")


class OwnThreadTest(MisuseTest):
    """A thread of the application's own, where its requests have none."""

    def test_it_is_refused(self):
        said = []

        def application(environ, start_response):
            write = start_response("200 OK", PLAIN)
            for call in (lambda: environ["cogen.wait"](Sleep(0)), lambda: write(b"x")):
                thread = threading.Thread(target=self.note, args=(call, said))  # type: ignore[arg-type]
                thread.start()
                thread.join(PATIENCE)
            return [b"hello"]

        server = self.serve(application)
        self.assertEqual(server.get().body, b"hello")
        self.assertEqual(
            said,
            [
                "cogen.wait was called outside of the request it belongs to",
                "write() was called outside of the request it belongs to",
            ],
        )
        self.settled(server)

    def note(self, call, said):
        try:
            call()
        except RuntimeError as error:
            said.append(str(error))


class ThreadedRaisesTest(RaisesTest):
    options = {"threads": "2"}


class ThreadedLeftTest(LeftTest):
    options = {"threads": "2"}


class ThreadedEndlessTest(EndlessTest):
    options = {"threads": "2"}


class ThreadedLateTest(LateTest):
    options = {"threads": "2"}


class OwnThreadsTest(MisuseTest):
    """Threads that an application starts, which wait by the keys of its request's environ."""

    options = {"threads": "2"}

    def start(self, wait):
        """Waits in a thread: what came of it goes to `self.seen`."""

        def run():
            try:
                self.seen.append(wait())
            except BaseException as error:  # noqa: BLE001
                self.seen.append(repr(error))

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join, PATIENCE)
        return thread

    def setUp(self):
        super().setUp()
        self.seen = []

    def test_they_and_the_request_wait_side_by_side(self):
        def application(environ, start_response):
            wait = environ["cogen.wait"]
            threads = [self.start(lambda: wait(WaitForSignal("go"))) for _ in range(3)]
            while server.statistics()["signal_waiters"] < 3:
                wait(Sleep(0.001))
            wait(Signal("go", "told"))
            for thread in threads:
                thread.join(PATIENCE)
            start_response("200 OK", PLAIN)
            threads = [self.start(lambda: wait(WaitForSignal("yielded")))]
            while server.statistics()["signal_waiters"] < 1:
                yield environ["cogen.core"].events.Sleep(0.001)
            yield environ["cogen.core"].events.Signal("yielded", "too")
            threads[0].join(PATIENCE)
            yield b"done"

        server = self.serve(application)
        self.assertEqual(server.get().body, b"done")
        self.assertEqual(self.seen, ["told"] * 3 + ["too"])
        self.settled(server)

    def test_their_waits_end_with_the_request(self):
        def application(environ, start_response):
            self.start(lambda: environ["cogen.wait"](WaitForSignal("never")))
            self.start(
                lambda: environ["cogen.on_loop"](
                    lambda: environ["cogen.wait"](WaitForSignal("never"))
                )
            )
            while server.statistics()["signal_waiters"] < 2:
                environ["cogen.wait"](Sleep(0.001))
            start_response("200 OK", PLAIN)
            return [b"hello"]

        server = self.serve(application)
        self.assertEqual(server.get().body, b"hello")
        eventually(lambda: len(self.seen), 2)
        for said in self.seen:
            self.assertIn("outside of the request it belongs to", said)
        self.settled(server)

    def test_their_waits_end_when_the_client_leaves(self):
        gate = Gate()
        self.addCleanup(gate.open)

        def application(environ, start_response):
            self.start(lambda: environ["cogen.wait"](WaitForSignal("never")))
            gate.wait()
            try:
                environ["cogen.wait"](WaitForSignal("never"))
            except GreenletExit:
                self.seen.append("the request too")
                raise
            return []

        server = self.serve(application)
        with server.connect() as client:
            client.send(GET)
            gate.reached()
            server.settled(signal_waiters=1)
            client.reset()
        eventually(lambda: self.seen, ["GreenletExit('the client is gone')"])
        gate.open()
        self.settled(server)
        self.assertEqual(self.seen[1:], ["the request too"])

    def test_what_they_write_is_whole(self):
        def application(environ, start_response):
            write = start_response("200 OK", PLAIN)
            for thread in [
                self.start(lambda: [write(b"x" * 1000) for _ in range(50)]) for _ in range(4)
            ]:
                thread.join(PATIENCE)
            return []

        server = self.serve(application)
        self.assertEqual(len(server.get().body), 200_000)
        self.settled(server)

    def test_calls_on_the_loop_nest_and_may_wait(self):
        def application(environ, start_response):
            wait, on_loop = environ["cogen.wait"], environ["cogen.on_loop"]
            said = on_loop(lambda: on_loop(lambda: wait(_answer())))
            start_response("200 OK", PLAIN)
            return [said]

        server = self.serve(application)
        self.assertEqual(server.get().body, b"answer")
        self.settled(server)


async def _answer():
    return b"answer"


class StopTest(MisuseTest):
    """A stop ends what requests do, whatever that is."""

    options = {"threads": "auto"}

    def application(self, environ, start_response):
        wait, path = environ["cogen.wait"], environ["PATH_INFO"]
        write = start_response("200 OK", PLAIN)
        if path == "/waits":
            wait(WaitForSignal("never"))
        elif path == "/yields":
            yield environ["cogen.call"](WaitForSignal)("never")
        elif path == "/writes":
            while True:
                write(LARGE)
        elif path == "/streams":
            while True:
                yield LARGE
        elif path == "/reads":
            environ["wsgi.input"].read()
        elif path == "/on_loop":
            environ["cogen.on_loop"](lambda: wait(WaitForSignal("never")))
        try:
            yield b"begun"
        finally:
            if path == "/closes":
                wait(WaitForSignal("never"))

    def test_each_is_ended(self):
        server = self.serve(self.application, shutdown_timeout=0.1, close_timeout=60)
        with contextlib.ExitStack() as stack:

            def ask(text):
                client = stack.enter_context(server.connect(receive_buffer=4096))
                client.send(text.encode())
                return client

            for path in ("waits", "yields", "writes", "streams", "on_loop", "closes"):
                ask(f"GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n")
            ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + "x" * 70_000)
            expects = "Content-Length: 9\r\nExpect: 100-continue\r\n\r\n"
            client = ask(f"POST /reads HTTP/1.1\r\nHost: a\r\n{expects}")
            self.assertEqual(client.head()[0], 100)
            server.settled(exchanges=8, signal_waiters=4)
            server.stop()
        self.assertEqual(server.server.shared.statistics()["exchanges"], 0)
        self.assertNotIn("have not returned", self.records.text)
