"""What a request and the server own: coroutines that end with them."""

import asyncio
import gc

from greenlet import GreenletExit

from cogen.core.deadlines import Deadline, DeadlinePassed
from cogen.core.events import Sleep
from cogen.core.pubsub import PublishSubscribeQueue
from cogen.core.queue import Queue
from cogen.core.shields import Shield
from cogen.testing.memory import Browser, MemoryServer
from cogen.web import wait
from cogen.web.life import Life
from cogen.web.options import Options
from tests.cogen.web.support import RecordedTestCase
from tests.support.cycles import assert_no_cycles

MODES = {"on the loop": "0", "in threads": "4"}


class OwnerCase(RecordedTestCase):
    """Coroutines tell in `seen` what becomes of them."""

    def setUp(self):
        super().setUp()
        self.seen = []

    def serve(self, application, threads="0", lives=()):
        self.server = MemoryServer(application, Options(threads=threads), lives)
        self.addCleanup(self.server.close)
        self.shared = self.server.server.shared
        self.group = self.shared.base_environ["cogen.group"]
        return Browser(self.server)

    def settle(self, seconds=0):
        self.server.loop.advance(seconds)

    def member(self, seconds=100):
        try:
            yield Sleep(seconds)
            self.seen.append("slept")
        finally:
            yield Sleep(0.01)
            self.seen.append("ended")

    def failing(self, seconds=1):
        yield Sleep(seconds)
        raise ValueError("of a member")

    def assert_nothing_is_left(self):
        self.settle(1)
        statistics = self.shared.statistics()
        self.assertEqual(0, statistics["coroutines"] + statistics["exchanges"])
        self.assertEqual({"groups": 0, "coroutines": 0}, self.group.statistics())
        self.assertEqual({}, self.server.scheduler.scopes)

    def errors(self):
        return [
            record.getMessage() for record in self.records.records if record.levelname == "ERROR"
        ]


class RequestTests(OwnerCase):
    def test_what_an_answered_request_has_started_ends_with_it(self):
        def application(environ, start_response):
            environ["cogen.group"].start(self.member)
            wait(Sleep(1))
            start_response("200 OK", [])
            return [b"answered"]

        for mode, threads in MODES.items():
            with self.subTest(mode):
                self.seen.clear()
                answer = self.serve(application, threads).begin("GET", "/")
                self.settle(2)
                self.assertEqual(b"answered", answer.look().body)
                self.assertEqual(["ended"], self.seen)
                self.assert_nothing_is_left()

    def test_what_has_not_begun_when_its_request_is_over_never_does(self):
        def application(environ, start_response):
            environ["cogen.group"].start(self.member)
            start_response("200 OK", [])
            return [b"answered"]

        for mode, threads in MODES.items():
            with self.subTest(mode):
                self.serve(application, threads).ask("GET", "/")
                self.assert_nothing_is_left()

    def test_what_a_request_that_fails_has_started_ends_with_it(self):
        def application(environ, start_response):
            environ["cogen.group"].start(self.member)
            wait(Sleep(1))
            raise LookupError("of the request")

        for mode, threads in MODES.items():
            with self.subTest(mode):
                self.seen.clear()
                browser = self.serve(application, threads)
                answer = browser.begin("GET", "/")
                self.settle(2)
                self.assertEqual(500, answer.look().status)
                self.assertEqual(["ended"], self.seen)
                self.assert_nothing_is_left()

    def test_what_a_request_that_is_hung_up_has_started_ends_with_it(self):
        def yielding(environ, start_response):
            environ["cogen.group"].start(self.member)
            yield environ["cogen.call"](Queue().get)()

        def waiting(environ, start_response):
            environ["cogen.group"].start(self.member)
            wait(Queue().get)

        for mode, threads in MODES.items():
            for application in (yielding, waiting):
                with self.subTest(mode, application=application.__name__):
                    self.seen.clear()
                    answer = self.serve(application, threads).begin("GET", "/")
                    self.settle(1)
                    self.assertEqual([], self.seen)
                    answer.hang_up()
                    self.settle(1)
                    self.assertEqual(["ended"], self.seen)
                    self.assert_nothing_is_left()

    def test_a_request_waits_for_what_it_has_started(self):
        def yielding(environ, start_response):
            group = environ["cogen.group"]
            group.start(self.member, 1)
            group.start(self.member, 2)
            yield environ["cogen.call"](group.join)()
            start_response("200 OK", [])
            yield str(self.seen.count("ended")).encode()

        def waiting(environ, start_response):
            group = environ["cogen.group"]
            group.start(self.member, 1)
            group.start(self.member, 2)
            wait(group.join)
            start_response("200 OK", [])
            return [str(self.seen.count("ended")).encode()]

        for mode, threads in MODES.items():
            for application in (yielding, waiting):
                with self.subTest(mode, application=application.__name__):
                    self.seen.clear()
                    answer = self.serve(application, threads).begin("GET", "/")
                    self.settle(3)
                    self.assertEqual(b"2", answer.look().body)
                    self.assert_nothing_is_left()

    def test_a_failure_is_raised_at_what_the_request_waits_for_and_is_logged_once(self):
        def application(environ, start_response):
            environ["cogen.group"].start(self.failing)
            environ["cogen.group"].start(self.member)
            wait(Queue().get)

        for mode, threads in MODES.items():
            with self.subTest(mode):
                self.records.records.clear()
                answer = self.serve(application, threads).begin("GET", "/")
                self.settle(2)
                self.assertEqual(500, answer.look().status)
                [told] = self.errors()
                self.assertIn("GET /: ExceptionGroup: failed in a TaskGroup", told)
                self.assert_nothing_is_left()

    def test_a_failure_comes_to_who_yields_as_any_other(self):
        def application(environ, start_response):
            environ["cogen.group"].start(self.failing)
            yield environ["cogen.call"](Queue().get)()
            start_response("200 OK", [])
            [error] = environ["cogen.wsgi"].result.exceptions
            yield repr(error).encode()

        for mode, threads in MODES.items():
            with self.subTest(mode):
                answer = self.serve(application, threads).begin("GET", "/")
                self.settle(2)
                self.assertEqual(b"ValueError('of a member')", answer.look().body)
                self.assertEqual([], self.errors())
                self.assert_nothing_is_left()

    def test_a_failure_that_no_wait_follows_is_logged_once(self):
        def application(environ, start_response):
            start_response("200 OK", [])
            environ["cogen.group"].start(self.failing, 0)
            yield b"one"
            for _ in range(5):
                yield b""
            yield b"two"

        answer = self.serve(application).begin("GET", "/")
        self.settle(2)
        self.assertEqual(b"onetwo", answer.look().body)
        [told] = self.errors()
        self.assertIn("died of ValueError('of a member')", told)
        self.assert_nothing_is_left()

    def test_members_start_others_wherever_they_run(self):
        def application(environ, start_response):
            group = environ["cogen.group"]

            def outer():
                group.start(self.member, 1)
                yield

            async def native():
                group.start(self.member, 1)

            group.start(outer)
            group.start(native)
            wait(group.join)
            start_response("200 OK", [])
            return [str(self.seen.count("slept")).encode()]

        for mode, threads in MODES.items():
            with self.subTest(mode):
                self.seen.clear()
                answer = self.serve(application, threads).begin("GET", "/")
                self.settle(3)
                self.assertEqual(b"2", answer.look().body)
                self.assert_nothing_is_left()

    def test_requests_of_one_connection_have_a_group_each(self):
        groups = []

        def application(environ, start_response):
            environ["cogen.group"].start(self.member)
            groups.append(environ["cogen.group"].own())
            wait(Sleep(0.1))
            start_response("200 OK", [])
            return [b"answered"]

        self.serve(application)
        transport = self.server.connect()
        transport.protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
        self.settle(1)
        self.assertEqual(3, transport.written.count(b"answered"))
        self.assertEqual(3, len(set(map(id, groups))))
        self.assertEqual(["ended"] * 3, self.seen)
        transport.close()
        self.assert_nothing_is_left()

    def test_work_is_handed_over_to_the_server(self):
        def application(environ, start_response):
            environ["cogen.server_group"].start(self.member, 5)
            start_response("200 OK", [])
            return [b"answered"]

        for mode, threads in MODES.items():
            with self.subTest(mode):
                self.seen.clear()
                self.serve(application, threads).ask("GET", "/")
                self.settle(4)
                self.assertEqual([], self.seen)
                self.settle(2)
                self.assertEqual(["slept", "ended"], self.seen)

    def test_outside_of_a_request_it_is_refused(self):
        kept = []

        def application(environ, start_response):
            kept.append(environ["cogen.group"])
            environ["cogen.server_group"].start(self.late, environ)
            start_response("200 OK", [])
            return [b"answered"]

        self.serve(application).ask("GET", "/")
        with self.assertRaisesRegex(RuntimeError, "no code of a coroutine"):
            kept[0].start(self.member)
        self.settle(2)
        [said] = self.seen
        self.assertIn("is of requests that are not over", said)

    def late(self, environ):
        yield Sleep(1)
        try:
            environ["cogen.group"].start(self.member)
        except RuntimeError as error:
            self.seen.append(str(error))

    def test_a_deadline_ends_the_waits_of_a_request(self):
        def yielding(environ, start_response):
            start_response("200 OK", [])
            with Deadline(2) as deadline:
                yield environ["cogen.call"](Sleep)(1)
                yield environ["cogen.call"](Queue().get)()
                error = environ["cogen.wsgi"].result
                yield environ["cogen.call"](Queue().get)()
                again = environ["cogen.wsgi"].result
            yield f"{error.deadline is deadline}, {again.deadline is deadline}".encode()

        def waiting(environ, start_response):
            start_response("200 OK", [])
            try:
                with Deadline(2) as deadline:
                    wait(Sleep(1))
                    wait(Queue().get)
            except DeadlinePassed as error:
                return [f"{error.deadline is deadline}, True".encode()]

        for mode, threads in MODES.items():
            for application in (yielding, waiting):
                with self.subTest(mode, application=application.__name__):
                    answer = self.serve(application, threads).begin("GET", "/")
                    self.settle(1.9)
                    self.assertFalse(answer.look().done)
                    self.settle(0.2)
                    self.assertEqual(b"True, True", answer.look().body)
                    self.assert_nothing_is_left()

    def test_a_shield_holds_until_its_end_when_the_client_leaves(self):
        def yielding(environ, start_response):
            try:
                yield environ["cogen.call"](Queue().get)()
            finally:
                self.seen.append("told")

        def shielded(environ, start_response):
            yield environ["cogen.call"](Shield)(Sleep(5), timeout=9)
            self.seen.append("never: its chunks are asked for no more")

        def waiting(environ, start_response):
            wait(Shield(Sleep(5), timeout=9))
            self.seen.append("slept")
            try:
                wait(Sleep(5))
            finally:
                self.seen.append("told")

        cases = {
            yielding: (["told"], ["told"]),
            shielded: ([], []),
            waiting: ([], ["slept", "told"]),
        }
        for mode, threads in MODES.items():
            for application, (at_once, then) in cases.items():
                with self.subTest(mode, application=application.__name__):
                    self.seen.clear()
                    answer = self.serve(application, threads).begin("GET", "/")
                    self.settle(1)
                    answer.hang_up()
                    self.settle(1)
                    self.assertEqual(at_once, self.seen)
                    self.settle(4)
                    self.assertEqual(then, self.seen)
                    self.assert_nothing_is_left()

    def test_a_deadline_in_clean_up_does_not_let_a_request_go_on_whose_client_has_left(self):
        def waiting(environ, start_response):
            try:
                with Deadline(2):
                    try:
                        wait(Sleep(9))
                    finally:
                        wait(Sleep(1.5))
            except BaseException as error:
                self.seen.append(type(error))
                raise

        for mode, threads in MODES.items():
            with self.subTest(mode):
                self.seen.clear()
                answer = self.serve(waiting, threads).begin("GET", "/")
                self.settle(1)
                answer.hang_up()
                self.settle(9)
                self.assertEqual([GreenletExit], self.seen)
                self.assert_nothing_is_left()

    def test_what_refuses_to_be_cancelled_has_as_long_as_closing_when_the_client_leaves(self):
        async def refuses():
            while len(self.seen) < 9:
                try:
                    await Sleep(100)
                except asyncio.CancelledError:
                    self.seen.append("refused")

        def waiting(environ, start_response):
            try:
                wait(refuses)
            except GreenletExit as error:
                self.seen.append(str(error))
                with self.assertRaises(GreenletExit):
                    wait(Sleep(1))
                raise

        for mode, threads in MODES.items():
            with self.subTest(mode):
                self.seen.clear()
                answer = self.serve(waiting, threads).begin("GET", "/")
                self.settle(1)
                answer.hang_up()
                self.settle(1)
                self.assertEqual(["refused"], self.seen)
                self.settle(self.server.server.options.close_timeout)
                self.assertEqual(["refused", "refused", "close_timeout is over"], self.seen)
                self.seen += [""] * 9
                self.settle(100)
                self.assert_nothing_is_left()

    def test_a_failure_leaves_nothing_for_the_collector(self):
        def application(environ, start_response):
            environ["cogen.group"].start(self.failing)
            wait(Queue().get)

        self.records.addFilter(lambda record: False)
        self.serve(application)

        def run():
            transport = self.server.connect()
            transport.protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.settle(2)
            transport.close()
            self.settle()

        assert_no_cycles(self, run)


class ServerTests(OwnerCase):
    def application(self, environ, start_response):
        start_response("200 OK", [])
        return [b"answered"]

    def test_background_work_is_cancelled_between_stopping_and_stop(self):
        async def start(environ):
            environ["cogen.server_group"].start(self.background)

        async def stopping():
            self.seen.append("stopping")

        async def stop():
            self.seen.append("stop")

        self.serve(self.application, lives=[Life(start=start, stopping=stopping, stop=stop)])
        self.settle(3)
        self.server.loop.run_until_complete(self.server.server.stop())
        self.assertEqual(["stopping", "cleans up", "stop"], self.seen)
        self.assertEqual([], self.errors())

    def background(self, seconds=2):
        try:
            while True:
                yield Sleep(1)
        finally:
            yield Sleep(seconds)
            self.seen.append("cleans up")

    def test_what_a_request_owns_cleans_up_at_the_stop(self):
        def application(environ, start_response):
            environ["cogen.group"].start(self.background, 0.2)
            wait(Queue().get)

        self.serve(application).begin("GET", "/")
        self.settle(1)
        self.server.loop.run_until_complete(self.server.server.stop())
        self.assertEqual(["cleans up"], self.seen)

    def test_one_that_fails_is_logged_and_ends_no_other(self):
        async def start(environ):
            environ["cogen.server_group"].start(self.failing)
            environ["cogen.server_group"].start(self.member, 5)

        self.serve(self.application, lives=[Life(start=start)])
        self.settle(6)
        self.assertEqual(["slept", "ended"], self.seen)
        [told] = self.errors()
        self.assertIn("died of ValueError('of a member')", told)

    def test_one_that_does_not_end_is_named(self):
        def stubborn():
            while True:
                try:
                    yield Sleep(1)
                except asyncio.CancelledError:
                    self.seen.append("stays")

        async def start(environ):
            environ["cogen.server_group"].start(stubborn)

        self.serve(self.application, lives=[Life(start=start)])
        self.settle(3)
        self.server.loop.run_until_complete(self.server.server.stop())
        self.assertIn("background coroutines that did not end", self.records.text)
        self.assertIn("stubborn", self.records.text)
        for coroutine in self.server.scheduler.coroutines:
            coroutine._generator.close()
        self.server.scheduler.coroutines.clear()


class ManyTests(OwnerCase):
    """10,000 requests of each kind leave nothing."""

    def setUp(self):
        super().setUp()
        self.news = PublishSubscribeQueue()

    def watching(self):
        yield self.news.subscribe()
        while True:
            yield self.news.fetch(timeout=1000)

    def application(self, environ, start_response):
        group = environ["cogen.group"]
        group.start(self.watching)
        group.start(self.watching)
        with Deadline(50):
            yield environ["cogen.call"](Sleep)(1)
        if environ["PATH_INFO"] == "/fails":
            raise LookupError("of the request")
        if environ["PATH_INFO"] == "/held":
            yield environ["cogen.call"](Queue().get)()
        start_response("200 OK", [])
        yield b"answered"

    def test_ten_thousand_requests_of_each_kind(self):
        self.records.addFilter(lambda record: False)
        self.serve(self.application)
        self.requests(b"/answered", b"200 OK")
        self.requests(b"/fails", b"500 ")
        self.requests(b"/held", b"")

    def requests(self, path, status):
        self.batch(path, status, 20)
        self.settle(2000)  # no timer is left
        before = self.counts()
        for _ in range(10):
            self.batch(path, status, 1000)
        self.settle(2000)
        self.assertEqual(before, self.counts(), path)
        self.assert_nothing_is_left()

    def batch(self, path, status, count):
        transports = [self.server.connect() for _ in range(count)]
        for transport in transports:
            transport.protocol.data_received(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        self.settle()
        self.assertEqual(2 * count, self.news.statistics()["subscribers"])
        self.settle(2)
        for transport in transports:
            self.assertIn(status, transport.written)
            transport.close()
        self.settle()

    def counts(self):
        statistics = self.shared.statistics()
        del statistics["requests"]
        gc.collect()
        return {
            **statistics,
            **self.news.statistics(),
            "objects": len(gc.get_objects()) // 1000,
        }
