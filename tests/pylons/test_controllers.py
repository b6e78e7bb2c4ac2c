import json
import unittest

from webob.exc import HTTPFound

from pylons.controllers import WSGIController
from pylons.controllers.util import abort, redirect
from tests.pylons.example.controllers import hello
from tests.pylons.support import get, make_app


class ControllerCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.app = make_app()

    def setUp(self):
        hello.log.clear()

    def get(self, action, method="GET", **extra):
        return get(self.app, f"/hello/{action}", method, **extra)


class ActionResults(ControllerCase):
    def test_text_is_encoded_and_measured(self):
        got = self.get("index")
        self.assertEqual((got.status, got.content), ("200 OK", "hällo".encode()))
        self.assertEqual(got.header("Content-Type"), ["text/html; charset=utf-8"])
        self.assertEqual(got.header("Content-Length"), ["6"])

    def test_bytes_go_out_as_they_are(self):
        self.assertEqual(self.get("octets").content, b"\x00\xff")

    def test_head_has_the_length_and_no_body(self):
        got = self.get("index", "HEAD")
        self.assertEqual((got.chunks, got.header("Content-Length")), ([], ["6"]))

    def test_none_keeps_the_response_that_the_action_made(self):
        got = self.get("nothing")
        self.assertEqual((got.status, got.content), ("201 Created", b"written"))
        self.assertEqual(got.header("X-Made"), ["yes"])
        self.assertEqual(got.header("Content-Length"), ["7"])

    def test_an_answer_without_content_describes_none(self):
        got = self.get("no_content")
        self.assertEqual((got.status, got.content), ("204 No Content", b""))
        self.assertEqual(got.header("Content-Type") + got.header("Content-Length"), [])

    def test_a_webob_response_answers_with_the_cookies_set_before(self):
        got = self.get("webob_response")
        self.assertEqual(got.content, b"own")
        self.assertEqual(got.header("Content-Type"), ["text/plain; charset=utf-8"])
        self.assertEqual(got.header("Set-Cookie"), ["seen=1; Path=/"])

    def test_the_charset_of_the_response_is_used(self):
        self.assertEqual(self.get("latin").content, b"\xe4")

    def test_an_iterable_is_streamed_block_by_block(self):
        self.assertEqual(self.get("listed").chunks, [b"a", b"", b"b"])

    def test_json(self):
        got = self.get("json")
        self.assertEqual(got.header("Content-Type"), ["application/json; charset=utf-8"])
        self.assertEqual(json.loads(got.content), {"nick": "ä", "n": [1, None]})

    def test_forward_lets_another_application_answer(self):
        got = self.get("forwarded")
        self.assertEqual((got.status, got.content), ("202 Accepted", b"from another app"))

    def test_forward_keeps_what_is_set_on_the_response(self):
        got = self.get("forwarded_with_cookie")
        self.assertEqual(["seen=1; Path=/"], got.header("Set-Cookie"))
        self.assertEqual((["yes"], []), (got.header("X-Kept"), got.header("Pragma")))

    def test_an_action_may_answer_by_start_response(self):
        got = self.get("answers_itself")
        self.assertEqual((got.status, got.content), ("202 Accepted", b"from another app"))
        self.assertEqual(["seen=1; Path=/"], got.header("Set-Cookie"))
        got = self.get("answers_itself_in_one")
        self.assertEqual((got.status, got.content), ("202 Accepted", b"whole"))

    def test_a_controller_has_the_objects_of_its_request(self):
        self.assertEqual(b"/hello/objects PylonsContext Example", self.get("objects").content)

    def test_environ_names_the_controller_while_it_is_called(self):
        got = self.get("keys")
        keys = {"session": "beaker.session", "cache": "beaker.cache"}
        self.assertEqual(f"True keys {keys}".encode(), got.content)
        self.assertNotIn("pylons.pylons", got.environ)

    def test_an_action_that_is_not_there_is_named_with_debug(self):
        app = make_app()
        app.config["debug"] = True
        with self.assertRaisesRegex(NotImplementedError, "Action 'nowhere' is not implemented"):
            get(app, "/hello/nowhere")

    def test_forward_to_a_pylons_application_streams(self):
        self.assertEqual(self.get("forwarded_home").chunks, [b"", "é".encode(), b"", b"!"])

    def test_a_dict_is_refused_with_the_remedy(self):
        with self.assertRaisesRegex(TypeError, "returned dict.*@jsonify"):
            self.get("returns_dict")

    def test_an_async_action_is_refused_with_the_remedy(self):
        with (
            self.assertWarnsRegex(RuntimeWarning, "never awaited"),
            self.assertRaisesRegex(TypeError, "coroutine.*write a generator"),
        ):
            self.get("coroutine")


class Dispatch(ControllerCase):
    def test_arguments_come_from_the_route_by_name(self):
        self.assertEqual(get(self.app, "/items/7").content, b"7 item /items/7")
        self.assertEqual(get(self.app, "/hello/args/8").content, b"8 none /hello/args/8")

    def test_a_catch_all_gets_every_value(self):
        names = b"action,controller,environ,id,pylons,start_response"
        self.assertEqual(get(self.app, "/hello/everything/1").content, names)

    def test_a_hyphen_in_the_url_is_an_underscore(self):
        self.assertEqual(self.get("no-content").status[:3], "204")

    def test_what_is_no_public_method_is_not_found(self):
        for action in (
            "_private",
            "attribute",
            "missing",
            "__before__",
            "__class__",
            "_call",
            "mro",
        ):
            self.assertEqual(self.get(action).status, "404 Not Found", action)

    def test_a_url_without_a_needed_value_is_not_found(self):
        got = self.get("args")
        self.assertEqual(got.status, "404 Not Found")
        self.assertIn(b"no value for: id", got.content)

    def test_before_and_after_surround_the_action(self):
        self.get("index")
        self.assertEqual(hello.log, ["before index", "after"])

    def test_after_runs_when_the_action_aborts(self):
        self.get("stop")
        self.assertEqual(hello.log, ["before stop", "after"])

    def test_an_abort_before_answers_and_nothing_else_runs(self):
        got = self.get("index", HTTP_X_STOP="1")
        self.assertEqual(got.status, "403 Forbidden")
        self.assertEqual(hello.log, ["before index"])

    def test_after_finds_the_answer_in_the_response_and_may_change_it(self):
        for action, content in (
            ("index", "HÄLLO".encode()),
            ("nothing", b"WRITTEN"),
            ("webob_response", b"OWN"),
        ):
            got = self.get(action, HTTP_X_AFTER="1")
            for name in ("X-After", "Content-Length"):
                self.assertEqual([str(len(content))], got.header(name))
        got = self.get("stop", HTTP_X_AFTER="1")
        self.assertEqual(("409 Conflict", ["0"]), (got.status, got.header("X-After")))

    def test_after_may_abort(self):
        got = self.get("index", HTTP_X_STOP_AFTER="1")
        self.assertEqual("403 Forbidden", got.status)
        self.assertIn(b"stopped after", got.content)

    def test_after_of_a_stream_runs_at_its_end(self):
        self.get("stream")
        self.assertEqual(hello.log, ["before stream", "after"])

    def test_a_step_that_nothing_would_run_is_refused(self):
        async def waits(self):
            raise AssertionError

        def yields(self):
            yield b""

        async def both(self):
            yield b""

        for name in ("__before__", "__after__"):
            for step in (waits, yields, both):
                made = type("Made", (WSGIController,), {name: step, "index": lambda self: "seen"})
                route = ((), {"controller": made, "action": "index"})
                with self.subTest(name, step=step), self.assertRaisesRegex(TypeError, name):
                    get(self.app, "/", **{"wsgiorg.routing_args": route})

    def test_restrict_names_the_methods_allowed(self):
        self.assertEqual(self.get("only_get", "HEAD").status, "200 OK")
        got = self.get("only_get", "POST")
        self.assertEqual(got.status, "405 Method Not Allowed")
        self.assertEqual(got.header("Allow"), ["GET, HEAD"])

    def test_dispatch_on_chooses_by_method(self):
        self.assertEqual(self.get("form").content, b"form")
        self.assertEqual(self.get("form", "POST").content, b"saved")


class Util(ControllerCase):
    def test_abort_answers_with_an_escaped_line_and_the_cookies(self):
        got = self.get("stop", HTTP_ACCEPT="text/html")
        self.assertEqual(got.status, "409 Conflict")
        self.assertIn(b"Nick &lt;ann&gt; is taken", got.content)
        self.assertEqual(got.header("Set-Cookie"), ["seen=1; Path=/"])

    def test_abort_knows_its_statuses(self):
        with self.assertRaisesRegex(ValueError, "999"):
            abort(999)

    def test_redirect(self):
        got = self.get("away")
        self.assertEqual(got.status, "303 See Other")
        self.assertEqual(got.header("Location"), ["http://127.0.0.1/items/3"])

    def test_a_redirect_quotes_what_is_not_ascii(self):
        with self.assertRaises(HTTPFound) as raised:
            redirect("/ä€?x=%20é&y#z")
        self.assertEqual("/%C3%A4%E2%82%AC?x=%20%C3%A9&y#z", raised.exception.location)

    def test_a_redirect_quotes_what_no_header_can_have(self):
        with self.assertRaises(HTTPFound) as raised:
            redirect("/a b\r\nX: \x00\x7f")
        self.assertEqual("/a%20b%0D%0AX:%20%00%7F", raised.exception.location)

    def test_a_redirect_to_none_is_refused(self):
        with self.assertRaisesRegex(TypeError, "None"):
            redirect(None)

    def test_redirect_is_for_redirections(self):
        with self.assertRaisesRegex(ValueError, "200"):
            redirect("/", code=200)

    def test_redirect_to_names_a_route(self):
        self.assertEqual(self.get("away_to").header("Location"), ["http://127.0.0.1/items/4"])

    def test_urls_are_made_from_routes(self):
        self.assertEqual(self.get("where").content, b"/room/5 /items/6")

    def test_urls_start_with_the_place_of_the_application(self):
        got = self.get("where", SCRIPT_NAME="/app")
        self.assertEqual(got.content, b"/app/room/5 /app/items/6")

    def test_etag_cache_answers_304_to_who_has_it(self):
        first = self.get("tagged")
        self.assertEqual((first.content, first.header("ETag")), (b"content", ['"v1"']))
        again = self.get("tagged", HTTP_IF_NONE_MATCH='"v1"')
        self.assertEqual((again.status, again.content), ("304 Not Modified", b""))
        self.assertEqual(again.header("ETag"), ['"v1"'])

    def test_templates_escape_and_see_the_context(self):
        self.assertEqual(
            self.get("page").content.strip(),
            b'<p>&lt;ann&gt;</p><b>raw</b><a href="/items/7">/hello/page</a>&amp;',
        )
