"""WebTest's TestApp on applications that wait: yielded and in straight-line code, in both modes."""

import asyncio
import threading
import time
import unittest

import flask
from webtest import TestApp

from cogen.core.events import OperationTimeout, Sleep, WaitForSignal
from cogen.core.pubsub import PublishSubscribeQueue
from cogen.testing import Browser, Deadlock, WaitingApp
from cogen.web import wait
from cogen.web.life import Life, OnLoop
from cogen.web.options import Options
from tests.cogen.web.support import Records

PLAIN = [("Content-Type", "text/plain")]


class WaitingCase(unittest.TestCase):
    threads = "0"

    def app(self, application, **settings):
        settings.setdefault("options", Options(threads=self.threads))
        self.waiting = self.enterContext(WaitingApp(application, **settings))
        return TestApp(self.waiting)


class WebTestTests(WaitingCase):
    def test_an_application_that_yields_its_waits(self):
        def application(environ, start_response):
            yield environ["cogen.core"].events.Sleep(3600)
            yield environ["cogen.call"](WaitForSignal)("never", timeout=10)
            start_response("200 OK", PLAIN)
            yield b"one "
            yield type(environ["cogen.wsgi"].result).__name__.encode()

        begun = time.monotonic()
        self.assertEqual("one OperationTimeout", self.app(application).get("/").text)
        self.assertLess(time.monotonic() - begun, 60)

    def test_an_application_in_straight_line(self):
        site = flask.Flask(__name__)
        site.secret_key = "secret"

        async def doubled(number):
            await asyncio.sleep(60)
            return 2 * number

        @site.post("/name")
        def name():
            flask.session["name"] = flask.request.form["name"]
            return flask.redirect("/hello")

        @site.get("/hello")
        def hello():
            both = wait(asyncio.gather, doubled(1), doubled(2))
            flask.request.environ["cogen.wait"](Sleep(60))
            return {"name": flask.session["name"], "both": both, "query": flask.request.args["q"]}

        app = self.app(site)
        self.assertEqual("/hello", app.post("/name", {"name": "bob"}, status=302).location)
        answer = app.get("/hello?q=a%20b", status=200)
        self.assertEqual({"name": "bob", "both": [2, 4], "query": "a b"}, answer.json)
        app.get("/nowhere", status=404)

    def test_what_the_test_says_reaches_the_application(self):
        def application(environ, start_response):
            start_response("200 Fine", [*PLAIN, ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
            keys = "REMOTE_USER SCRIPT_NAME PATH_INFO HTTP_X_MINE CONTENT_TYPE wsgi.url_scheme"
            said = " ".join(environ.get(key, "-") for key in keys.split())
            return [said.encode("latin-1"), environ["wsgi.input"].read()]

        app = self.app(application)
        app.extra_environ = {"REMOTE_USER": "bob", "SCRIPT_NAME": "/site"}
        answer = app.put("/site/p%C3%A4th", b"body", {"X-Mine": "yes", "Content-Type": "a/b"})
        path = "/päth".encode().decode("latin-1")
        self.assertEqual(f"bob /site {path} yes a/b httpbody".encode("latin-1"), answer.body)
        self.assertEqual("200 Fine", answer.status)
        self.assertEqual({"a": "1", "b": "2"}, app.cookies)

    def test_a_head_has_no_body(self):
        def application(environ, start_response):
            start_response("200 OK", [*PLAIN, ("Content-Length", "5")])
            return [b"hello"]

        answer = self.app(application).head("/")
        self.assertEqual(("5", b""), (answer.headers["Content-Length"], answer.body))

    def test_early_hints_are_no_answer(self):
        def application(environ, start_response):
            environ["cogen.early_hints"]([("Link", "</a>; rel=preload")])
            wait(Sleep(1))
            start_response("200 OK", PLAIN)
            return [b"after"]

        answer = self.app(application).get("/")
        self.assertEqual(("after", None), (answer.text, answer.headers.get("Link")))

    def test_what_the_application_raises_is_raised_by_the_test(self):
        def raises(environ, start_response):
            wait(Sleep(1))
            raise KeyError("lost")

        def raises_later(environ, start_response):
            start_response("200 OK", PLAIN)
            yield environ["cogen.core"].events.Sleep(1)
            raise KeyError("lost")

        for application in (raises, raises_later):
            with self.subTest(application.__name__), Records():
                app = self.app(application)
                for _ in range(2):
                    with self.assertRaisesRegex(KeyError, "lost"):
                        app.get("/")

    def test_one_is_held_while_another_is_asked(self):
        news = PublishSubscribeQueue()

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            if environ["REQUEST_METHOD"] == "POST":
                return [b"told %d" % wait(news.publish, environ["wsgi.input"].read())]
            wait(news.subscribe)
            try:
                return list(wait(news.fetch(timeout=10)))
            except OperationTimeout:
                return [b"no news"]

        app = self.app(application)
        held = Browser(self.waiting.server).begin("GET", "/")
        self.assertFalse(held.done)
        self.assertEqual("told 1", app.post("/", b"it rains").text)
        self.assertEqual(b"it rains", held.look().body)
        self.assertEqual("no news", app.get("/").text)

    def test_an_application_that_is_on_the_loop(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            yield environ["cogen.core"].events.Sleep(1)
            yield b"on the loop"

        self.assertEqual("on the loop", self.app(OnLoop(application)).get("/").text)

    def test_a_file(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            return environ["wsgi.file_wrapper"](open(__file__, "rb"))

        self.assertIn("def test_a_file", self.app(application).get("/").text)

    def test_its_life_is_led(self):
        told = []

        async def start(environ):
            told.append("start")

        async def stop():
            told.append("stop")

        with WaitingApp(lambda *_: [], lives=[Life(start=start, stop=stop)]) as waiting:
            self.assertEqual(["start"], told)
        self.assertEqual(["start", "stop"], told)
        waiting.close()


class ThreadedWebTestTests(WebTestTests):
    threads = "2"


class OnTheLoopTests(WaitingCase):
    def test_an_answer_that_can_never_come_is_a_deadlock_that_says_what_it_waits_for(self):
        def application(environ, start_response):
            wait(WaitForSignal("never"))

        app = self.app(application)
        self.waiting.server.loop.patience = 0.01
        said = "no answer: GET /held waits for <WaitForSignal 'never'>"
        with self.assertRaisesRegex(Deadlock, said):
            app.get("/held")

    def test_the_look_for_stalls_puts_off_no_deadlock(self):
        def application(environ, start_response):
            wait(WaitForSignal("never"))

        app = self.app(application, options=Options(threads="0", stall_warning=0.04))
        loop = self.waiting.server.loop
        loop.patience = 0.3
        late = threading.Timer(5, loop.call_soon_threadsafe, (loop.stop,))
        late.daemon = True
        late.start()
        with self.assertRaisesRegex(Deadlock, "no answer: GET /held waits"):
            app.get("/held")
        late.cancel()
        late.join()

    def test_a_loop_of_asyncios_waits_for_real(self):
        async def fetched():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return line

        async def slow(reader, writer):
            await asyncio.sleep(0.01)
            writer.write(b"a line\n")
            writer.close()

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            return [wait(fetched, timeout=10)]

        loop = asyncio.new_event_loop()
        app = self.app(application, loop=loop)
        server = loop.run_until_complete(asyncio.start_server(slow, "127.0.0.1", 0))
        self.addCleanup(server.close)
        port = server.sockets[0].getsockname()[1]
        self.assertEqual("a line\n", app.get("/").text)


class BlockingTests(WaitingCase):
    threads = "2"

    def test_the_clock_waits_for_a_thread_that_blocks(self):
        def application(environ, start_response):
            begun = self.waiting.server.loop.time()
            time.sleep(0.05)
            start_response("200 OK", PLAIN)
            passed = self.waiting.server.loop.time() - begun
            return [b"soon" if passed < 5 else b"late"]

        self.assertEqual("soon", self.app(application).get("/").text)
