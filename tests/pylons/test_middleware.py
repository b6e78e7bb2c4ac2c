import unittest

from pylons.middleware import (
    ErrorHandler,
    StatusCodeRedirect,
    debugger_filter_app_factory,
    debugger_filter_factory,
)
from tests.pylons.support import Exchange, get, make_app


class Errors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.app = make_app()

    def failing(self, action, debug, **extra):
        with self.assertLogs("pylons.middleware", "ERROR") as logged:
            got = get(ErrorHandler(self.app, {"debug": debug}), f"/hello/{action}", **extra)
        self.assertIn(f"GET http://127.0.0.1/hello/{action}", logged.output[0])
        self.assertIn("ZeroDivisionError", logged.output[0])
        return got

    def test_a_failure_is_logged_and_answered_without_its_traceback(self):
        for action in ("fails", "stream_fail"):
            got = self.failing(action, "false")
            self.assertEqual(got.status, "500 Internal Server Error")
            self.assertEqual(got.content, b"Internal Server Error\n")

    def test_debug_shows_the_traceback_escaped(self):
        got = self.failing("fails", "true", **{"wsgi.multiprocess": True})
        self.assertIn(b"ZeroDivisionError: &lt;script&gt;", got.content)
        self.assertNotIn(b"<script>", got.content)

    def test_debug_shows_nothing_to_other_machines(self):
        for extra in ({"REMOTE_ADDR": "10.0.0.8"}, {"HTTP_X_FORWARDED_FOR": "10.0.0.8"}):
            got = self.failing("fails", "true", **extra)
            self.assertEqual(got.content, b"Internal Server Error\n")

    def test_after_content_the_failure_goes_to_the_server(self):
        exchange = Exchange(ErrorHandler(self.app), "/hello/stream_fail_late")
        exchange.step()
        with self.assertLogs("pylons.middleware"), self.assertRaises(ZeroDivisionError):
            exchange.step()
        exchange.close()


class ErrorDocuments(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.app = StatusCodeRedirect(make_app(), (404, 405, 409))

    def test_the_page_is_sent_with_the_original_status(self):
        got = get(self.app, "/nowhere", "POST", CONTENT_LENGTH="5", CONTENT_TYPE="text/plain")
        self.assertEqual(got.status, "404 Not Found")
        self.assertEqual(got.content, b"<h1>404 at /nowhere</h1>")
        self.assertEqual(got.header("Content-Length"), [str(len(got.content))])

    def test_what_the_error_says_of_itself_is_kept(self):
        self.assertEqual(get(self.app, "/write").header("Allow"), ["POST, PUT"])
        self.assertEqual(get(self.app, "/hello/stop").header("Set-Cookie"), ["seen=1; Path=/"])

    def test_an_abort_after_a_wait_gets_its_page(self):
        got = get(self.app, "/hello/stream_abort")
        self.assertEqual(got.status, "409 Conflict")
        self.assertEqual(got.chunks, [b"", b"<h1>409 at /hello/stream_abort</h1>"])

    def test_other_statuses_pass_block_by_block(self):
        self.assertEqual(get(self.app, "/hello/stream").chunks, [b"", "é".encode(), b"", b"!"])
        self.assertEqual(get(self.app, "/hello/stream_late").status, "202 Accepted")

    def test_an_action_may_answer_for_itself(self):
        extra = {"pylons.status_code_redirect": False}
        got = get(self.app, "/nowhere", **extra)
        self.assertNotIn(b"<h1>404 at", got.content)

    def test_a_failure_after_content_asks_for_no_page_and_is_told_once(self):
        app = StatusCodeRedirect(ErrorHandler(make_app()), (404, 500))
        exchange = Exchange(app, "/hello/stream_fail_late")
        exchange.step()
        with (
            self.assertLogs("pylons.middleware") as logged,
            self.assertRaises(ZeroDivisionError),
        ):
            exchange.step()
        exchange.close()
        self.assertEqual(1, len(logged.output), logged.output)

    def test_a_page_that_is_not_there_leaves_the_error_as_it_is(self):
        got = get(StatusCodeRedirect(make_app(), path="/no/page"), "/nowhere")
        self.assertEqual(got.status, "404 Not Found")
        self.assertIn(b"could not be found", got.content)


class Body:
    """Chunks that are their own iterator; counts how often it is closed."""

    def __init__(self, *chunks, before_last=None):
        self.chunks = list(chunks)
        self.before_last = before_last
        self.closed = 0

    def __iter__(self):
        return self

    def __next__(self):
        if not self.chunks:
            raise StopIteration
        if len(self.chunks) == 1 and self.before_last is not None:
            self.before_last()
        return self.chunks.pop(0)

    def close(self):
        self.closed += 1


class Closing(unittest.TestCase):
    """PEP 3333: a body is closed once, however much of it was taken."""

    def application(self, environ, start_response):
        def fail():
            start_response("404 Not Found", [], (KeyError, KeyError(), None))

        if environ["PATH_INFO"] == "/error/document":
            start_response("200 OK", [])
            self.page = Body(b"page", b"!")
            return self.page
        start_response("200 OK", [])
        fails = environ["PATH_INFO"] == "/fails"
        self.body = Body(b"", b"" if fails else b"hi", before_last=fail if fails else None)
        return self.body

    def taken(self, path, steps):
        exchange = Exchange(ErrorHandler(StatusCodeRedirect(self.application)), path)
        chunks = [exchange.step() for _ in range(steps)]
        exchange.close()
        return chunks

    def test_a_body(self):
        for steps in range(3):
            self.assertEqual([b"", b"hi"][:steps], self.taken("/", steps))
            self.assertEqual(1, self.body.closed, steps)

    def test_an_error_after_a_wait_and_its_page(self):
        for steps in (2, 3):
            self.assertEqual([b"", b"page", b"!"][:steps], self.taken("/fails", steps))
            self.assertEqual((1, 1), (self.body.closed, self.page.closed), steps)


class Debugger(unittest.TestCase):
    def test_an_ini_may_ask_for_the_traceback_page(self):
        for make in (
            lambda app: debugger_filter_factory({})(app),
            lambda app: debugger_filter_app_factory(app, {}),
        ):
            self.assertTrue(make(make_app()).debug)
