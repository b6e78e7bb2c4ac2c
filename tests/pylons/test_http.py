"""Request and Response: what they have beyond WebOb's."""

import unittest

from webob.exc import HTTPBadRequest, HTTPUnsupportedMediaType

from pylons import Request, Response
from pylons._context import RequestState
from pylons._current import current
from pylons._signed import sign, unsign
from tests.pylons.support import make_config, make_environ


class RequestTests(unittest.TestCase):
    def request(self, **extra):
        environ = make_environ("/", **extra)
        self.state = RequestState(environ, lambda *_: None, make_config())
        token = current.set(self.state)
        self.addCleanup(current.reset, token)
        return self.state.request

    def test_bytes_of_the_query_that_are_no_utf_8_are_replaced(self):
        for query in ("a=%ffb&c=%C3%A9&d=", "a=\xffb&c=\xc3\xa9&d="):
            request = Request(make_environ("/", QUERY_STRING=query))
            self.assertEqual([("a", "\ufffdb"), ("c", "é"), ("d", "")], list(request.GET.items()))
            self.assertEqual("\ufffdb", request.params["a"])
            self.assertIs(request.GET, request.GET)

    def test_bytes_of_the_path_that_are_no_utf_8_are_replaced(self):
        request = Request(make_environ("/\xc3\xa9\xff", SCRIPT_NAME="/\xfe"))
        self.assertEqual(("/é\ufffd", "/\ufffd"), (request.path_info, request.script_name))
        self.assertEqual("http://127.0.0.1/%EF%BF%BD/%C3%A9%EF%BF%BD", request.url)
        request.path_info = "/ü"
        self.assertEqual("/\xc3\xbc", request.environ["PATH_INFO"])

    def test_bytes_of_a_form_that_are_no_utf_8_are_replaced(self):
        multipart = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xffb\r\n--x--\r\n'
        for kind, body in (
            ("application/x-www-form-urlencoded", b"a=%ffb"),
            ("application/x-www-form-urlencoded", b"a=\xffb"),
            ("multipart/form-data; boundary=x", multipart),
        ):
            request = Request.blank("/", POST=body, content_type=kind)
            self.assertEqual("\ufffdb", request.POST["a"], kind)
            self.assertEqual("\ufffdb", request.params["a"])

    def test_what_is_no_form_is_a_bad_request(self):
        named = b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: '
        for kind, body, error in (
            ("multipart/form-data", b"junk", HTTPBadRequest),
            ("multipart/form-data; boundary=x", named + b"multipart/mixed\r\n\r\n", HTTPBadRequest),
            (
                "multipart/form-data; boundary=x",
                named + b"text/plain; charset=none\r\n\r\na\r\n--x--\r\n",
                HTTPBadRequest,
            ),
            ("application/x-www-form-urlencoded; charset=none", b"a=b", HTTPUnsupportedMediaType),
        ):
            request = Request.blank("/", POST=body, content_type=kind)
            with self.assertRaises(error, msg=kind):
                list(request.POST)
            with self.assertRaises(error, msg=kind):
                list(request.params)

    def test_it_has_the_objects_of_the_request(self):
        extra = {"beaker.session": {"a": 1}, "pylons.routes_dict": {"action": "index"}}
        request = self.request(**extra)
        self.assertIs(self.state.config, request.config)
        self.assertIs(self.state.tmpl_context, request.tmpl_context)
        self.assertIs(self.state.url, request.link)
        self.assertEqual(({"a": 1}, {"action": "index"}), (request.session, request.route_dict))

    def test_without_a_session_it_has_none(self):
        self.assertFalse(hasattr(self.request(), "session"))

    def test_outside_a_request_it_has_no_configuration(self):
        self.assertFalse(hasattr(Request.blank("/"), "config"))

    def test_what_the_client_takes(self):
        request = Request.blank("/", accept="text/plain", accept_charset="utf-8")
        self.assertEqual("text/plain", request.match_accept(["text/html", "text/plain"]))
        self.assertIsNone(request.match_accept(["text/html"]))
        self.assertEqual("utf-8", str(request.determine_browser_charset()))


class ResponseTests(unittest.TestCase):
    def test_it_has_the_names_of_older_versions(self):
        response = Response("é", content_type="text/plain", charset="utf-8")
        self.assertEqual("é".encode(), response.content)
        self.assertEqual("é".encode(), response.get_content())
        response.content = b"new"
        self.assertEqual(("200 OK", response.headers, b"new"), response.wsgi_response())
        self.assertEqual("utf-8", response.determine_charset())
        self.assertTrue(response.has_header("content-type"))
        self.assertFalse(response.has_header("nothing"))

    def test_a_new_content_type_keeps_the_name_of_the_charset(self):
        response = Response(content_type="text/html", charset="utf-8")
        response.content_type = "text/plain"
        self.assertEqual("text/plain; charset=utf-8", response.headers["Content-Type"])


class SignedCookieTests(unittest.TestCase):
    def test_a_cookie_is_read_by_who_knows_the_secret(self):
        response = Response()
        response.signed_cookie("who", {"name": "é"}, secret="s", max_age=60)
        cookie = response.headers["Set-Cookie"]
        self.assertIn("Max-Age=60", cookie)
        request = Request.blank("/", headers={"Cookie": cookie.partition(";")[0]})
        self.assertEqual({"name": "é"}, request.signed_cookie("who", "s"))
        self.assertIsNone(request.signed_cookie("who", "another"))
        self.assertIsNone(request.signed_cookie("nobody", "s"))

    def test_what_was_changed_is_nothing(self):
        signed = sign([1], b"s")
        self.assertEqual([1], unsign(signed, "s"))
        for changed in (
            "",
            "x",
            signed[:-4],
            signed[:40],
            "é" + signed[1:],
            signed + "é",
            "0" * 60,
        ):
            self.assertIsNone(unsign(changed, "s"), changed)

    def test_a_cookie_of_pylons_on_python_2_is_read(self):
        # pickle.dumps({'a': 1}, 2) there, signed with 'sec'
        signed = "31bb201b915933264aa7892a0b75de28a1919941gAJ9cQFVAWFLAXMu"
        self.assertEqual({"a": 1}, unsign(signed, "sec"))
