"""The slips that people make with WSGI: a plain 500, and the log names the line of their code."""

import inspect

from cogen.core.events import Sleep
from tests.cogen.web.support import ServedTestCase

PLAIN = [("Content-Type", "text/plain")]


def text_chunk(environ, start_response):
    start_response("200 OK", PLAIN)
    yield "text"  # slip


def text_chunk_after_a_wait(environ, start_response):
    start_response("200 OK", PLAIN)
    yield environ["cogen.core"].events.Sleep(0)
    yield "text"  # slip


def number_chunk(environ, start_response):
    start_response("200 OK", PLAIN)
    yield 5  # slip


def no_start(environ, start_response):
    yield b"body"  # slip


def newline(environ, start_response):
    start_response("200 OK", [("X-A", "a\nSet-Cookie: b")])  # slip
    return [b""]


def numeric_header(environ, start_response):
    start_response("200 OK", [("Content-Length", 3)])  # slip
    return [b"abc"]


def numeric_status(environ, start_response):
    start_response(200, PLAIN)  # slip
    return [b""]


def bad_status(environ, start_response):
    start_response("OK", PLAIN)  # slip
    return [b""]


def hop_by_hop(environ, start_response):
    start_response("200 OK", [("Transfer-Encoding", "chunked")])  # slip
    return [b""]


def twice(environ, start_response):
    start_response("200 OK", PLAIN)
    start_response("200 OK", PLAIN)  # slip
    return [b""]


def text_written(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write("text")  # slip
    return []


def raises(environ, start_response):
    return [int("x")]  # slip


def named_and_not_yielded(environ, start_response):
    start_response("200 OK", PLAIN)
    environ["cogen.call"](Sleep)(0)
    yield b"chunk"  # slip


def no_chunks_and_no_start(environ, start_response):  # slip
    yield from ()


def text_in_a_list(environ, start_response):  # slip
    start_response("200 OK", PLAIN)
    return ["text"]


def text_returned(environ, start_response):  # slip
    start_response("200 OK", PLAIN)
    return "text"


def nothing_returned(environ, start_response):  # slip
    start_response("200 OK", PLAIN)


def list_and_no_start(environ, start_response):  # slip
    return [b"body"]


SLIPS = {
    text_chunk: "TypeError: the application yielded 'text': chunks must be bytes",
    text_chunk_after_a_wait: "TypeError: the application yielded 'text'",
    number_chunk: "TypeError: the application yielded 5: chunks must be bytes",
    no_start: "RuntimeError: the application did not call start_response",
    newline: r"ValueError: the value of the header X-A holds '\n'",
    numeric_header: "TypeError: the value of the header Content-Length must be str, not 3",
    numeric_status: "ValueError: status must be like '200 OK', not 200",
    bad_status: "ValueError: status must be like '200 OK', not 'OK'",
    hop_by_hop: "ValueError: the header transfer-encoding is the server's to set",
    twice: "RuntimeError: start_response was called twice",
    text_written: "TypeError: write() takes bytes, not 'text'",
    raises: "ValueError: invalid literal for int()",
    named_and_not_yielded: "LostOperation: <Sleep within 0 s> was named, but the chunk b'chunk'",
    no_chunks_and_no_start: "RuntimeError: the application did not call start_response",
    text_in_a_list: "TypeError: the application yielded 'text'",
    text_returned: "TypeError: the application ",
    nothing_returned: "TypeError: the application ",
    list_and_no_start: "RuntimeError: the application did not call start_response",
}


def through(application):
    """Middleware that passes chunks on."""

    def middleware(environ, start_response):
        for chunk in application(environ, start_response):
            passed = chunk
            yield passed

    return middleware


class Unclosing:
    """Middleware whose iterable has no close()."""

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        return map(bytes, self.application(environ, start_response))


class Forgetting(Unclosing):
    """One whose close() forgets the application's."""

    def __call__(self, environ, start_response):
        return ForgettingChunks(self.application(environ, start_response))


class ForgettingChunks:
    def __init__(self, chunks):
        self.chunks = chunks

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.chunks)

    def close(self):
        pass


class Closing(Forgetting):
    """One that does as it should."""

    def __call__(self, environ, start_response):
        return ClosingChunks(self.application(environ, start_response))


class ClosingChunks(ForgettingChunks):
    def close(self):
        self.chunks.close()


class SlipTest(ServedTestCase):
    def line(self, application, mark="# slip"):
        """Where the slip is, as the log has it."""
        lines, first = inspect.getsourcelines(application)
        number = next(number for number, line in enumerate(lines, first) if mark in line)
        return f"test_slips.py:{number} in {application.__qualname__}"

    def told(self, application):
        """What the log says of a request, which is answered with a plain 500."""
        self.records.records.clear()
        response = self.serve(application).get("/a?b")
        self.assertEqual(response.status, 500)
        self.assertEqual(
            response.body, b"The server could not answer this request; its log says why.\n"
        )
        [record] = self.records.records
        return record.getMessage()

    def test_each_is_named_with_its_line(self):
        for application, message in SLIPS.items():
            with self.subTest(application.__name__):
                text = self.told(application)
                self.assertIn(f"GET /a?b: {message}", text)
                self.assertTrue(text.endswith(self.line(application)), text)

    def test_a_generator_in_middleware_is_the_one_that_is_named(self):
        for application in (text_chunk, text_chunk_after_a_wait, number_chunk):
            with self.subTest(application.__name__):
                self.assertIn(self.line(application), self.told(through(application)))

    def test_a_length_that_is_wrong_is_named_too(self):
        def short(environ, start_response):  # slip
            start_response("200 OK", [("Content-Length", "9")])
            return [b"short"]

        def long(environ, start_response):
            start_response("200 OK", [("Content-Length", "3")])
            yield b"too long"  # slip

        for application in (short, long):
            with self.subTest(application.__name__), self.serve(application).connect() as client:
                client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                client.rest()
                # In a thread the generator may have gone on.
                self.assertRegex(
                    self.records.text, rf"test_slips\.py:\d+ in .*{application.__name__}"
                )

    def test_a_generator_that_is_never_closed_is_told_once(self):
        for middleware in (Unclosing, Forgetting):
            with self.subTest(middleware):

                def application(environ, start_response):
                    start_response("200 OK", PLAIN)
                    while True:
                        yield b"chunk"  # slip

                server = self.serve(middleware(application))
                self.records.records.clear()
                for _ in range(2):
                    with server.connect() as client:
                        client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
                        client.response("HEAD")
                    server.settled(exchanges=0)
                self.assertEqual(self.records.text.count("a generator was not closed"), 1)
                self.assertIn(self.line(application), self.records.text)
                self.forget()

    def forget(self):
        """The next application is at the same place."""
        from cogen.web.exchanges import slips

        slips._told.clear()

    def test_one_that_is_closed_is_not(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            while True:
                yield b"chunk"

        server = self.serve(Closing(application))
        with server.connect() as client:
            client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            client.response("HEAD")
        server.settled(exchanges=0)
        self.assertEqual(self.records.text, "")


class ThreadedSlipTest(SlipTest):
    options = {"threads": "2"}

    def setUp(self):
        super().setUp()
        self.forget()
