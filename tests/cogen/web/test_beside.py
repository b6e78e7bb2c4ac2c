"""What goes beside a response: hints ahead of it, trailers behind it, how long it took."""

from tests.cogen.web.support import ServedTestCase

PLAIN = [("Content-Type", "text/plain")]
STYLE = ("Link", "</style.css>; rel=preload; as=style")
SUM = ("X-Sum", "1")


def hinting(environ, start_response):
    environ["cogen.early_hints"]([STYLE])
    environ["cogen.early_hints"]([("Link", "</script.js>; rel=preload; as=script")])
    start_response("200 OK", PLAIN)
    return [b"well"]


def trailing(environ, start_response):
    start_response("200 OK", PLAIN)
    yield b"a"
    yield b"b"
    environ["cogen.wsgi"].trailers([SUM])


class BesideTest(ServedTestCase):
    """On the loop; a subclass in threads."""

    def ask(self, client, headers="", version="1.1"):
        client.send(f"GET / HTTP/{version}\r\nHost: a\r\n{headers}\r\n".encode())

    def test_hints_go_ahead_of_the_response(self):
        with self.serve(hinting).connect() as client:
            for _ in range(2):
                self.ask(client)
                self.assertEqual(client.head(), (103, {"link": STYLE[1]}))
                self.assertEqual(client.head()[0], 103)
                self.assertEqual(client.response().body, b"well")

    def test_hints_are_not_for_http_1_0(self):
        answer = self.serve(hinting).exchange(b"GET / HTTP/1.0\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "))
        self.assertTrue(answer.endswith(b"\r\n\r\nwell"))

    def test_hints_come_too_late_once_the_response_has_begun(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            yield b"begun"
            environ["cogen.early_hints"]([STYLE])

        self.assertEqual(self.serve(application).get().body, b"begun")

    def test_a_hint_with_a_bad_header_is_an_error_of_the_application(self):
        def application(environ, start_response):
            environ["cogen.early_hints"]([("Link", "a\r\nSet-Cookie: b")])

        self.assertEqual(self.serve(application).get().status, 500)
        self.assertIn("the value of the header Link holds", self.records.text)

    def test_hints_frame_nothing_and_without_any_nothing_is_sent(self):
        def application(environ, start_response):
            environ["cogen.early_hints"]([])
            start_response("200 OK", PLAIN)
            try:
                environ["cogen.early_hints"]([("Content-Length", "5")])
            except ValueError as error:
                return [str(error).encode()]

        self.assertEqual(
            self.serve(application).get().body, b"Content-Length may be in no interim response"
        )

    def test_trailers_go_behind_the_last_chunk_where_the_client_takes_them(self):
        with self.serve(trailing).connect() as client:
            for headers, trailer in (("TE: trailers\r\n", b"X-Sum: 1\r\n"), ("", b"")):
                for _ in range(2):
                    self.ask(client, headers)
                    client.head()
                    body = b"1\r\na\r\n1\r\nb\r\n0\r\n" + trailer + b"\r\n"
                    self.assertEqual(client.file.read(len(body)), body)

    def test_trailers_are_left_out_where_nothing_is_chunked(self):
        def application(environ, start_response):
            environ["cogen.wsgi"].trailers([SUM])
            start_response("200 OK", PLAIN)
            return [b"well"]

        server = self.serve(application)
        self.assertEqual(server.get(headers="TE: trailers\r\n").body, b"well")
        raw = b"GET / HTTP/1.0\r\nTE: trailers\r\n\r\n"
        self.assertNotIn(b"X-Sum", self.serve(trailing).exchange(raw))

    def test_what_frames_a_response_is_no_trailer(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            environ["cogen.wsgi"].trailers([("Content-Length", "1")])
            return [b"well"]

        self.assertEqual(self.serve(application).get().status, 500)
        self.assertIn("Content-Length may be no trailer", self.records.text)

    def test_the_time_that_a_request_took_is_told_where_that_is_wanted(self):
        with self.serve(hinting, server_timing=True).connect() as client:
            for _ in range(2):
                self.ask(client)
                client.head()
                client.head()
                self.assertRegex(client.response().headers["server-timing"], r"^total;dur=\d+\.\d$")
        self.assertNotIn("server-timing", self.serve(trailing).get().headers)


class ThreadedBesideTest(BesideTest):
    options = {"threads": "2"}
