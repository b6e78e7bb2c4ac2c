"""Routes before other middleware: `_method`, forms that cannot be read, paths beyond ASCII."""

import io
import unittest

import routes.middleware
from routes import Mapper

from pylons.middleware import RoutesMiddleware
from tests.pylons.support import get, make_app

FORM = "application/x-www-form-urlencoded"
PART = b'--x\r\nContent-Disposition: form-data; name="_method"'


class RoutesMiddlewareTests(unittest.TestCase):
    def setUp(self):
        app = make_app()
        self.app = RoutesMiddleware(app, app.config["routes.map"], singleton=False)

    def post(self, path, body, kind=FORM, app=None, **extra):
        length = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body))}
        extra = {**length, "wsgi.input": io.BytesIO(body), **extra}
        return get(app or self.app, path, "POST", **extra)

    def test_it_finds_the_route_and_makes_urls(self):
        got = get(self.app, "/items/3")
        self.assertEqual(b"3 item /items/3", got.content)
        self.assertEqual("/items/4", got.environ["routes.url"]("item", id=4))
        self.assertEqual("404 Not Found", get(self.app, "/").status)
        self.assertIsNone(get(self.app, "/").environ["routes.route"])

    def test_a_post_takes_the_route_of_the_method_that_it_names(self):
        for extra in ({}, {"QUERY_STRING": "_method=put"}):
            body = b"" if extra else b"_method=put"
            got = self.post("/write", body, **extra)
            self.assertEqual((b"saved", "POST"), (got.content, got.environ["REQUEST_METHOD"]))
        for query in ("x_method=1", "back=/a?_method"):
            got = self.post("/write", b"_method=put", QUERY_STRING=query)
            self.assertEqual(b"saved", got.content)
        multipart = PART + b"\r\n\r\nPUT\r\n--x--\r\n"
        self.assertEqual(
            b"saved", self.post("/write", multipart, "multipart/form-data; boundary=x").content
        )

    def test_a_link_names_no_method(self):
        got = get(self.app, "/write", QUERY_STRING="_method=PUT")
        self.assertEqual("405 Method Not Allowed", got.status)

    def test_a_method_that_has_no_route_is_not_answered_by_the_route_of_post(self):
        self.assertEqual("404 Not Found", self.post("/write", b"_method=DELETE").status)

    def test_without_a_route_the_application_answers(self):
        got = get(self.app, "/read", "DELETE")
        self.assertEqual("405 Method Not Allowed", got.status)
        self.assertEqual("GET, HEAD", dict(got.headers)["Allow"])
        got = get(self.app, "/read", "HEAD")
        self.assertEqual(("200 OK", b""), (got.status, got.content))

    def test_the_route_of_an_outer_one_is_not_taken_for_its_own(self):
        outer = Mapper()
        outer.connect("/blog/*path_info", controller="hello", action="index")
        outer.create_regs(["hello"])
        got = get(RoutesMiddleware(self.app, outer), "/blog/items/3")
        self.assertEqual(b"3 item /items/3", got.content)
        got = get(RoutesMiddleware(self.app, outer), "/blog/unknown")
        self.assertEqual("404 Not Found", got.status)
        self.assertNotIn("wsgiorg.routing_args", got.environ)

    def test_it_can_be_turned_off(self):
        app = make_app()
        wrapped = RoutesMiddleware(app, app.config["routes.map"], use_method_override=False)
        self.assertEqual("hällo", self.post("/write", b"_method=PUT", app=wrapped).content.decode())

    def test_a_form_that_cannot_be_read_is_the_clients_fault(self):
        multipart = "multipart/form-data; boundary=x"
        for kind, body, status in (
            ("multipart/form-data", b"x", "400"),
            ("multipart/form-data; boundary=", b"x", "400"),
            (multipart, PART + b'; filename="f"\r\n\r\nPUT\r\n--x--\r\n', "400"),
            (multipart, PART + b"\r\nContent-Type: multipart/mixed\r\n\r\n\r\n--x--\r\n", "400"),
            (multipart, PART + b"\r\nContent-Type: a/b; charset=no\r\n\r\nP\r\n--x--\r\n", "400"),
            (
                multipart,
                PART + b"\r\nContent-Transfer-Encoding: base64\r\n\r\nabc\r\n--x--\r\n",
                "400",
            ),
            (f"{FORM}; charset=latin-1", b"a=b", "415"),
        ):
            with self.subTest(kind=kind, body=body):
                self.assertEqual(status, self.post("/write", body, kind).status[:3])

    def test_broken_bytes_of_a_form_are_replaced(self):
        self.assertEqual("404 Not Found", self.post("/write", b"_method=%ff").status)

    def test_a_body_that_is_no_form_is_not_read(self):
        got = self.post("/write", b"\xff", "application/octet-stream")
        self.assertEqual(b"\xff", got.environ["wsgi.input"].read())

    def test_letters_of_a_path_are_text_and_other_bytes_a_bad_request(self):
        got = get(self.app, "/items/\xc3\xbc")
        self.assertEqual("ü item /items/\xc3\xbc", got.content.decode())
        self.assertEqual("400 Bad Request", get(self.app, "/items/\xff").status)

    def test_a_redirecting_route_redirects(self):
        for path, place in (("/old/3", "/items/3"), ("/old/\xc3\xbc", "/items/%C3%BC")):
            got = get(self.app, path)
            self.assertEqual("301 Moved Permanently", got.status)
            self.assertTrue(dict(got.headers)["Location"].endswith(place))

    def test_path_info_is_where_the_application_is(self):
        def app(environ, start_response):
            start_response("200 OK", [])
            return [f"{environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode("latin-1")]

        mapper = Mapper()
        mapper.connect("/blog/*path_info", controller="blog")
        mapper.create_regs(["blog"])
        for path, below in (("a/b", "/a/b"), ("\xc3\xbc", "/\xc3\xbc")):
            got = get(RoutesMiddleware(app, mapper), f"/blog/{path}", SCRIPT_NAME="/at")
            self.assertEqual(f"/at/blog {below}", got.content.decode("latin-1"))
        whole = RoutesMiddleware(app, mapper, path_info=False)
        self.assertEqual(b" /blog/a", get(whole, "/blog/a").content)


class RoutesOwnTests(unittest.TestCase):
    def setUp(self):
        app = make_app()
        mapper = app.config["routes.map"]
        mapper.connect("/given/{id}", controller="hello", action="args", kind="ü")
        self.app = routes.middleware.RoutesMiddleware(app, mapper, singleton=False)

    def test_letters_of_a_path_are_text_and_other_bytes_a_bad_request(self):
        got = get(self.app, "/items/\xc3\xbc")
        self.assertEqual("ü item /items/\xc3\xbc", got.content.decode())
        self.assertEqual("400 Bad Request", get(self.app, "/items/\xff").status)

    def test_what_the_route_says_is_as_it_is(self):
        got = get(self.app, "/given/\xc3\xa9")
        self.assertEqual("é ü", got.content.decode()[:3])
