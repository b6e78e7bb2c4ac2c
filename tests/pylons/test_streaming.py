import contextvars
import gc
import unittest
from wsgiref.validate import validator

import webob.dec
from beaker.middleware import CacheMiddleware, SessionMiddleware
from paste.cascade import Cascade
from paste.urlmap import URLMap
from paste.urlparser import StaticURLParser

from pylons import request
from pylons._context import HeadersFixed, OutsideRequest
from pylons.middleware import ErrorHandler, StatusCodeRedirect
from tests.pylons.example.controllers import hello
from tests.pylons.support import ROOT, Exchange, get, make_app, make_environ

SECRET = {"session.secret": "s3cret", "session.validate_key": "s3cret"}


class StreamCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.app = make_app()

    def setUp(self):
        hello.log.clear()

    def get(self, action, app=None, **extra):
        return get(app or self.app, f"/hello/{action}", **extra)


class Blocks(StreamCase):
    def test_chunks_pass_one_for_one_and_text_is_encoded(self):
        self.assertEqual(self.get("stream").chunks, [b"", "é".encode(), b"", b"!"])

    def test_what_an_action_sets_after_a_wait_counts(self):
        got = self.get("stream_late")
        self.assertEqual(got.status, "202 Accepted")
        self.assertEqual(got.header("X-Late"), ["1"])
        self.assertEqual(got.header("Set-Cookie"), ["late=2; Path=/"])

    def test_headers_that_did_not_change_are_given_once(self):
        self.assertEqual(self.get("stream").starts, 1)

    def test_the_response_is_started_before_the_call_returns(self):
        exchange = Exchange(self.app, "/hello/stream_late")
        self.addCleanup(exchange.close)
        self.assertEqual(exchange.status, "200 OK")

    def test_a_stream_of_empty_chunks_is_an_empty_answer(self):
        got = self.get("stream_nothing")
        self.assertEqual((got.status, got.chunks), ("200 OK", [b"", b""]))
        self.assertEqual(self.get("stream_empty").chunks, [])

    def test_abort_counts_until_the_first_content(self):
        got = self.get("stream_abort")
        self.assertEqual(got.status, "409 Conflict")
        self.assertIn(b"taken", got.content)
        self.assertEqual(hello.log, ["before stream_abort", "closed", "after"])
        self.assertEqual(self.get("stream_abort_at_once").status, "410 Gone")

    def test_what_an_abort_streams_is_closed(self):
        exchange = Exchange(self.app, "/hello/stream_abort_with_a_stream")
        self.assertEqual([b"", b"other"], [exchange.step() for _ in range(2)])
        self.assertEqual("409 Conflict", exchange.status)
        exchange.close()
        self.assertEqual("body closed", hello.log[-1])

    def test_abort_after_content_is_an_error_for_the_server(self):
        exchange = Exchange(self.app, "/hello/stream_abort_late")
        self.addCleanup(exchange.close)
        exchange.step()
        with self.assertRaisesRegex(Exception, "too late"):
            exchange.step()

    def test_close_runs_the_finally_of_the_action_within_its_request(self):
        exchange = Exchange(self.app, "/hello/stream_wait")
        exchange.step()
        exchange.step()
        exchange.close()
        self.assertEqual(hello.log, ["before stream_wait", "closed /hello/stream_wait"])

    def test_a_failing_action_is_closed_when_it_fails_during_the_call(self):
        with self.assertRaisesRegex(TypeError, "yielded NoneType.*to wait, yield the empty chunk"):
            self.get("stream_none")

    def test_a_value_returned_by_a_streaming_action_is_refused(self):
        with self.assertRaisesRegex(TypeError, "returned str: yield it"):
            self.get("stream_returns")


class Interleaving(StreamCase):
    """One thread, one Context: what a server without coroutines does with two iterators."""

    def test_two_requests_in_turn_see_each_their_own_names(self):
        first = Exchange(self.app, "/hello/stream_names/1")
        second = Exchange(self.app, "/hello/stream_names/2")
        for _ in range(6):
            first.step()
            second.step()
        self.assertEqual(first.content, b"1=/hello/stream_names/1 " * 3)
        self.assertEqual(second.content, b"2=/hello/stream_names/2 " * 3)

    def test_nothing_is_current_between_the_steps(self):
        exchange = Exchange(self.app, "/hello/stream_names/1")
        exchange.step()
        with self.assertRaisesRegex(OutsideRequest, "request was used outside a request"):
            _ = request.path

    def test_each_step_may_run_in_another_context(self):
        exchange = Exchange(self.app, "/hello/stream_names/3")
        for _ in range(6):
            contextvars.Context().run(exchange.step)
        self.assertEqual(exchange.content, b"3=/hello/stream_names/3 " * 3)

    def test_all_steps_may_run_in_one_context_of_the_request(self):
        context = contextvars.copy_context()
        exchange = context.run(Exchange, self.app, "/hello/stream_names/4")
        context.run(exchange.run)
        self.assertEqual(exchange.content, b"4=/hello/stream_names/4 " * 3)


class Sessions(StreamCase):
    def follow(self, app, action, times):
        cookie, values = "", []
        for _ in range(times):
            got = get(app, f"/hello/{action}", HTTP_COOKIE=cookie)
            values.append(got.content.decode())
            cookie = "; ".join(v.split(";")[0] for v in got.header("Set-Cookie")) or cookie
        return values, cookie

    def session_app(self, kind):
        options = {"session.type": kind, "session.data_serializer": "json", **SECRET}
        return SessionMiddleware(self.app, options)

    def test_a_session_saved_before_the_wait_is_kept(self):
        for kind in ("memory", "cookie"):
            values, _ = self.follow(self.session_app(kind), "stream_session", 3)
            self.assertEqual(values, ["1", "2", "3"], kind)

    def test_a_session_saved_after_the_wait_is_kept(self):
        for kind in ("memory", "cookie"):
            values, _ = self.follow(self.session_app(kind), "stream_session_late", 3)
            self.assertEqual(values, ["1", "2", "3"], kind)

    def test_a_session_saved_before_and_after_is_kept_as_it_was_last(self):
        for kind in ("memory", "cookie"):
            values, _ = self.follow(self.session_app(kind), "stream_session_both", 2)
            self.assertEqual(values, ["11", "22"], kind)

    def test_a_wait_does_not_write_its_old_copy_back(self):
        app = self.session_app("memory")
        _, cookie = self.follow(app, "stream_session", 1)
        held = Exchange(app, "/hello/stream_session", HTTP_COOKIE=cookie)
        held.step()
        get(app, "/hello/stream_session", HTTP_COOKIE=cookie)
        held.run()
        got = get(app, "/hello/session_value", HTTP_COOKIE=cookie)
        self.assertEqual(got.content, b"3")

    def test_without_the_middleware_the_error_names_it(self):
        with self.assertRaisesRegex(OutsideRequest, "SessionMiddleware"):
            self.get("session_value")


@webob.dec.wsgify.middleware
def stamped(req, app):
    """A middleware of the usual WebOb shape: gets the response, adds to it, passes it on."""
    response = req.get_response(app)
    response.headers["X-Stamp"] = "1"
    return response


@webob.dec.wsgify.middleware
def marked(req, app):
    """A middleware that only touches the request."""
    req.environ["marked"] = True
    return app


class Middleware(StreamCase):
    def whole_stack(self):
        app = SessionMiddleware(self.app, {"session.type": "memory", **SECRET})
        app = CacheMiddleware(app, {"cache.type": "memory"})
        app = StatusCodeRedirect(ErrorHandler(app, {"debug": "false"}), (404, 409))
        app = Cascade([StaticURLParser(ROOT), stamped(marked(app))])
        urls = URLMap()
        urls["/mounted"] = app
        return urls

    def test_the_usual_stack_keeps_every_block(self):
        app = validator(self.whole_stack())
        got = Exchange(app, "/mounted/hello/stream")
        self.assertEqual(got.run().chunks, [b"", "é".encode(), b"", b"!"])
        self.assertEqual(got.header("X-Stamp"), ["1"])

    def test_the_stack_takes_no_step_ahead(self):
        exchange = Exchange(self.whole_stack(), "/mounted/hello/stream_wait")
        for _ in range(5):
            self.assertEqual(exchange.step(), b"")
        exchange.close()
        self.assertEqual(hello.log[-1], "closed /mounted/hello/stream_wait")

    def test_a_session_saved_before_the_wait_passes_a_webob_middleware(self):
        app = stamped(SessionMiddleware(self.app, {"session.type": "cookie", **SECRET}))
        got = get(app, "/hello/stream_session")
        self.assertEqual(got.chunks, [b"", b"1"])
        self.assertEqual(len(got.header("Set-Cookie")), 1)

    def test_a_change_after_a_webob_middleware_copied_the_headers_is_an_error(self):
        with self.assertRaisesRegex(HeadersFixed, "before the first yield"):
            self.get("stream_late", stamped(self.app))

    def test_a_validator_finds_no_fault(self):
        for action in (
            "stream",
            "stream_late",
            "stream_nothing",
            "stream_abort",
            "index",
            "listed",
        ):
            self.get(action, validator(self.app))
            self.get(action, validator(ErrorHandler(self.app)))
            self.get(action, validator(StatusCodeRedirect(self.app, (409,))))


def take(app, path):
    """A request that ties nothing together itself."""

    def start_response(status, headers, exc_info=None):
        pass

    body = app(make_environ(path, QUERY_STRING="a=1"), start_response)
    for _ in body:
        pass
    if hasattr(body, "close"):
        body.close()


class Memory(StreamCase):
    def check_no_cycles(self, app, *actions):
        gc.collect()
        gc.disable()
        try:
            for action in actions:
                take(app, f"/hello/{action}")
                gc.collect()
                for _ in range(20):
                    take(app, f"/hello/{action}")
                self.assertEqual(gc.collect(), 0, action)
        finally:
            gc.enable()

    def test_requests_behind_a_session_leave_no_cycles(self):
        app = SessionMiddleware(self.app, {"session.type": "cookie", "session.validate_key": "k"})
        self.check_no_cycles(app, "index", "stream", "stream_late")

    def test_requests_leave_no_cycles(self):
        # Nor do templates of ours: Mako's Context refers to itself.
        app = StatusCodeRedirect(ErrorHandler(self.app))
        actions = "index", "stream", "stream_late", "query", "stop", "away"
        self.check_no_cycles(app, *actions, "stops_after_an_error", "objects", "answers_itself")
