"""One contract for applications in Flask, Django, Pyramid, Bottle and Falcon on `cogen-serve`."""

import unittest

from benchmarks.harness.commands import CommandServer

BOUNDARY = "----boundary"


def multipart(file):
    """A form with the text `note` and `file`."""
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="note"\r\n\r\n'
        f'of note\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; '
        'filename="a.bin"\r\nContent-Type: application/octet-stream\r\n\r\n'
    ).encode() + b"%s\r\n--%s--\r\n" % (file, BOUNDARY.encode())


class Contract:
    """`module` holds the application; `options` are the server's."""

    options = {}

    @classmethod
    def setUpClass(cls):
        where = f"tests.frameworks.applications.{cls.module}:application"
        # Warnings of frameworks are their own affair.
        cls.server = CommandServer(where, {"PYTHONWARNINGS": "ignore"}, **cls.options)
        cls.server.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def setUp(self):
        self.client = self.server.connect()
        self.addCleanup(self.client.close)

    def post(self, path, body, kind="application/octet-stream"):
        client = self.client
        client.send(
            f"POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        return client.response()

    def test_a_query(self):
        self.assertEqual(self.client.get("/hello?name=J%C3%B6rg+M").body, "hello Jörg M".encode())

    def test_head(self):
        self.client.send(b"HEAD /hello HTTP/1.1\r\nHost: test\r\n\r\n")
        response = self.client.response("HEAD")
        self.assertIn(response.status, (200, 405))
        self.assertEqual(self.client.get("/hello").body, b"hello world")

    def test_a_form(self):
        body = b"name=%C3%A9&text=a+b%26c"
        response = self.post("/form", body, "application/x-www-form-urlencoded")
        self.assertEqual(response.body, "é a b&c".encode())

    def test_an_upload(self):
        for size in (10, 3_000_000):
            with self.subTest(size=size):
                kind = f"multipart/form-data; boundary={BOUNDARY}"
                response = self.post("/upload", multipart(b"\0" * size), kind)
                self.assertEqual(response.body, f"a.bin {size} of note".encode())

    def test_a_stream(self):
        response = self.client.get("/stream")
        self.assertEqual(response.headers["transfer-encoding"], "chunked")
        self.assertEqual(response.body.splitlines()[-1], b"line 999")
        self.assertEqual(len(response.body.splitlines()), 1000)

    def test_a_redirect(self):
        response = self.client.get("/redirect")
        self.assertEqual(response.status, 302)
        self.assertIn(response.headers["location"].removeprefix("http://test"), ("/hello",))

    def test_cookies(self):
        response = self.client.get("/cookie")
        self.assertEqual(response.body, b"never")
        cookie = response.headers["set-cookie"].split(";")[0]
        self.assertEqual(self.client.get("/cookie", f"Cookie: {cookie}\r\n").body, b"once")

    def test_errors(self):
        self.assertEqual(self.client.get("/missing").status, 404)
        with self.server.connect() as client:
            response = client.get("/error")
        self.assertEqual(response.status, 500)
        self.assertNotIn(b"secret", response.body)
        self.assertIn("ValueError: secret", self.server.log)

    def test_a_large_answer(self):
        response = self.client.get("/large")
        self.assertEqual(response.headers["content-length"], "5000000")
        self.assertEqual(response.body, b"x" * 5_000_000)

    def test_bodies(self):
        for size in (0, 5, 100_000, 2_000_000):
            self.assertEqual(self.post("/length", b"x" * size).body, b"%d" % size)

    def test_a_chunked_body(self):
        self.client.send(
            b"POST /length HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
        )
        self.assertEqual(self.client.response().body, b"11")


class FlaskTest(Contract, unittest.TestCase):
    module = "flask_application"


class DjangoTest(Contract, unittest.TestCase):
    module = "django_application"


class PyramidTest(Contract, unittest.TestCase):
    module = "pyramid_application"


class BottleTest(Contract, unittest.TestCase):
    module = "bottle_application"


class FalconTest(Contract, unittest.TestCase):
    module = "falcon_application"


class FlaskOnLoopTest(Contract, unittest.TestCase):
    module = "flask_application"
    options = {"threads": "0"}
