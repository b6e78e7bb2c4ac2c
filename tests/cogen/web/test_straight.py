"""`wait` below a view: with whatever can be waited for, in threads and on each event loop."""

import asyncio
import contextlib
import threading
import unittest

from greenlet import GreenletExit

from benchmarks.harness.server import PATIENCE, eventually
from cogen.core.corolets import corolet
from cogen.core.coroutines import coro
from cogen.core.events import OperationTimeout, Sleep, WaitForSignal
from cogen.core.pubsub import PublishSubscribeQueue
from cogen.core.threads import RunInThread
from cogen.testing.memory import MemoryServer
from cogen.web import wait
from cogen.web.life import OnLoop
from cogen.web.options import Options
from tests.cogen.web.support import Records, ServedTestCase, WaitingTestCase, in_each_mode
from tests.support.cycles import assert_no_cycles

PLAIN = [("Content-Type", "text/plain")]
GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


@coro
def doubled(number):
    yield Sleep(0.001)
    return 2 * number


async def halved(number):
    await asyncio.sleep(0.001)
    return number // 2


@corolet
def straight(number):
    return wait(halved, wait(doubled, number)) + 1


async def needs_its_loop():
    return asyncio.get_running_loop().time() > 0


def answering(function):
    """An application that answers with what `function(environ)` gives."""

    def application(environ, start_response):
        body = repr(function(environ)).encode()
        start_response("200 OK", PLAIN)
        return [body]

    return application


class StraightTests(WaitingTestCase):
    def get(self, function):
        response = self.serve(answering(function)).get()
        self.assertEqual(200, response.status, self.records.text)
        self.idle()
        return response.body.decode()

    def test_whatever_can_be_waited_for(self):
        def view(environ):
            return [
                wait(Sleep(0.001)),
                wait(Sleep, 0.001),
                wait(doubled(2)),
                wait(doubled, 3),
                wait(halved(8)),
                wait(halved, number=4),
                wait(straight, 5),
                wait(len, "four"),
                wait(RunInThread, str.upper, "thread"),
            ]

        self.assertEqual("[None, None, 4, 6, 4, 2, 6, 4, 'THREAD']", self.get(view))

    def test_a_call_is_made_on_the_loop(self):
        def view(environ):
            return [
                wait(asyncio.gather, halved(2), halved(4)),
                wait(asyncio.create_task, halved(6)),
                wait(needs_its_loop),
                wait(asyncio.get_running_loop).is_running(),
            ]

        self.assertEqual("[[1, 2], 3, True, True]", self.get(view))

    def test_the_key_of_environ_is_the_same(self):
        def view(environ):
            return [
                environ["cogen.wait"](doubled, 3),
                environ["cogen.wait"](asyncio.gather, halved(2), halved(4)),
                environ["cogen.wait"](halved(8), timeout=10),
            ]

        self.assertEqual("[6, [1, 2], 4]", self.get(view))

    def test_in_chunks_and_in_close(self):
        seen = []

        class Chunks:
            def __iter__(self):
                yield b"%d" % wait(doubled, 1)
                yield b"%d" % wait(doubled, 2)

            def close(self):
                seen.append(wait(doubled, 3))

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            return Chunks()

        self.assertEqual(b"24", self.serve(application).get().body)
        eventually(lambda: seen, [6])

    def test_a_timeout_ends_what_is_waited_for(self):
        ended = []

        async def slow():
            try:
                await asyncio.sleep(3600)
            finally:
                ended.append("awaitable")

        @coro
        def slow_too():
            try:
                yield WaitForSignal("never")
            finally:
                ended.append("coroutine")

        def view(environ):
            for what in (slow, slow_too, WaitForSignal("never")):
                with contextlib.suppress(OperationTimeout):
                    wait(what, timeout=0.001)
                    ended.append("came back")
            return "goes on"

        self.assertEqual("'goes on'", self.get(view))
        eventually(lambda: ended, ["awaitable", "coroutine"])

    def test_a_client_that_leaves_ends_what_is_waited_for(self):
        ended = []

        async def slow():
            try:
                ended.append("begun")
                await asyncio.sleep(3600)
            finally:
                ended.append("awaitable")

        @coro
        def slow_too():
            try:
                ended.append("begun")
                yield WaitForSignal("never")
            finally:
                ended.append("coroutine")

        def yields(environ, start_response):
            yield environ["cogen.call"](slow_too)()

        def view(what):
            def waits(environ):
                try:
                    wait(what)
                except GreenletExit:
                    ended.append("left")
                    raise

            return answering(waits)

        for application, ends in (
            (view(slow), {"awaitable", "left"}),
            (view(slow_too), {"coroutine", "left"}),
            (yields, {"coroutine"}),
        ):
            with self.subTest(ends):
                with self.serve(application).connect() as client:
                    client.send(GET)
                    eventually(lambda: "begun" in ended, True)
                eventually(lambda ends=ends: ends <= set(ended), True)
                self.idle()
                ended.clear()

    def test_its_subscription_is_the_requests(self):
        news = PublishSubscribeQueue()

        def view(environ):
            wait(news.subscribe)
            return wait(news.fetch)

        with self.serve(answering(view)).connect() as client:
            client.send(GET)
            eventually(lambda: news.publish_nowait("extra"), 1)
            self.assertEqual(b"('extra',)", client.response().body)
        self.idle()
        self.assertEqual(0, news.statistics()["subscribers"])

    def test_misuse_says_what_to_do(self):
        @coro
        def slips():
            yield
            wait(Sleep(1))

        async def slips_too():
            wait(Sleep(1))

        def view(environ):
            said = []
            for what in (slips, slips_too, RunInThread(wait, Sleep(1))):
                try:
                    wait(what)
                except RuntimeError as error:
                    said.append(str(error))
            with contextlib.suppress(TypeError):
                wait(42)
            return said

        said = self.get(view)
        for part in ("`yield` the operation", "`await` the operation", "outside of a request"):
            self.assertIn(part, said)

    def test_what_it_raises_is_told_with_the_line_of_the_view(self):
        def view(environ):
            return wait(int, "no number")

        self.assertEqual(500, self.serve(answering(view)).get().status)
        self.assertIn("invalid literal", self.records.text)
        self.idle()


class ThreadTests(ServedTestCase):
    def test_a_thread_of_the_applications_own_is_given_the_key(self):
        def view(environ):
            said = []

            def work():
                said.append(environ["cogen.wait"](asyncio.gather, halved(2), halved(4)))
                try:
                    wait(Sleep(0))
                except RuntimeError as error:
                    said.append(str(error))

            thread = threading.Thread(target=work)
            thread.start()
            thread.join(PATIENCE)
            return said

        body = self.serve(answering(view), threads="1").get().body.decode()
        self.assertIn("[1, 2]", body)
        self.assertIn("environ['cogen.wait'], which it has to be given", body)

    def test_an_application_on_the_loop_among_those_in_threads(self):
        on_loop = OnLoop(answering(lambda environ: wait(doubled, 2)))
        in_thread = answering(lambda environ: wait(doubled, 3))

        def application(environ, start_response):
            chosen = on_loop if environ["PATH_INFO"] == "/loop" else in_thread
            return chosen(environ, start_response)

        server = self.serve(application, threads="2")
        self.assertEqual(b"6", server.get("/thread").body)
        self.assertEqual(b"4", server.get("/loop").body)

    def test_a_thread_that_has_done_its_job_is_nobodys(self):
        def view(environ):
            return threading.current_thread()

        seen = []
        self.serve(answering(lambda environ: seen.append(view(environ))), threads="1").get()
        eventually(lambda: seen[0].waits, None)


class ManyTests(unittest.TestCase):
    """Requests that are answered, fail, or are hung up in the middle of a wait leave nothing."""

    batches = 10

    def check(self, threads):
        news = PublishSubscribeQueue()

        async def slow():
            await asyncio.sleep(5)

        @coro
        def slow_too():
            yield news.subscribe()
            yield news.fetch()

        def application(environ, start_response):
            wait(news.subscribe)
            try:
                wait(asyncio.gather, slow(), slow())
                if environ["PATH_INFO"] == "/fails":
                    raise ZeroDivisionError
                with contextlib.suppress(OperationTimeout):
                    wait(slow_too, timeout=1)
            finally:
                wait(Sleep, 0)
            start_response("200 OK", PLAIN)
            return [b"done"]

        options = Options(threads=threads, access_log="off", stall_warning=0)
        with MemoryServer(application, options) as server:

            def counts():
                pool = server.server.shared.pool
                busy = pool.statistics()["threads_busy"] if pool is not None else 0
                tasks = len(asyncio.all_tasks(server.loop))
                subscribers = news.statistics()["subscribers"]
                return server.scheduler.statistics(), tasks, subscribers, busy

            before = counts()
            for _ in range(self.batches):
                clients = [server.connect() for _ in range(40)]
                for number, client in enumerate(clients):
                    path = (b"/fine", b"/fails", b"/left", b"/late")[number % 4]
                    client.protocol.data_received(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path)
                server.loop.settle()
                for client in clients[2::4]:
                    client.close()
                server.loop.advance(5.5)
                for client in clients[3::4]:
                    client.close()
                server.loop.advance(2)
                said = [bytes(client.written[9:12]) for client in clients[:4]]
                self.assertEqual([b"200", b"500", b"", b""], said)
                for client in clients:
                    client.close()
                server.loop.settle()
            self.assertEqual(before, counts())

    def test_on_the_loop(self):
        with Records():
            self.check("0")

    def test_in_threads(self):
        with Records():
            self.check("40")


class CycleTests(unittest.TestCase):
    def test_no_way_out_of_a_request_leaves_a_cycle(self):
        def late():
            wait(WaitForSignal("never"), timeout=1)

        def caught():
            with contextlib.suppress(OperationTimeout):
                late()
            with contextlib.suppress(OperationTimeout):
                wait(halved, 2, timeout=0)

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            (caught if environ["PATH_INFO"] == "/caught" else late)()
            return [b"waited"]

        server = MemoryServer(application, Options(threads="0", access_log="off"))
        self.addCleanup(server.close)

        def begin(path):
            client = server.connect()
            client.protocol.data_received(b"GET %s HTTP/1.1\r\nHost: test\r\n\r\n" % path)
            server.loop.settle()
            return client

        def run():
            held, left = begin(b"/caught"), begin(b"/late")
            left.close()
            server.loop.advance(3)
            assert held.written.startswith(b"HTTP/1.1 200 OK"), held.written
            held.close()
            server.loop.settle()

        with self.assertNoLogs("cogen", "ERROR"):
            assert_no_cycles(self, run)


in_each_mode(globals())
