"""PEP 3333 over a real socket: what an application may do, and what becomes of it."""

import gzip
import io
import json
import os
import sys
import tempfile
import unittest
from wsgiref.validate import validator

from benchmarks.harness.server import ServerThread, eventually
from cogen.core.events import WaitForSignal
from tests.cogen.web.support import LOOPS, Records, SharedServerTestCase

PLAIN = [("Content-Type", "text/plain")]


class Body:
    """An iterable that counts how often it is closed."""

    def __init__(self, chunks):
        self.chunks = iter(chunks)
        self.closed = 0

    def __iter__(self):
        return self.chunks

    def close(self):
        self.closed += 1


class WSGITest(SharedServerTestCase):
    def get(self, application, path="/"):
        return self.serve(application).get(path)

    def check_failure(self, application, *said):
        """The answer is a 500 that tells nothing, the log says `said`, the server goes on."""
        response = self.get(application)
        self.assertEqual(response.status, 500)
        self.assertNotIn(b"Traceback", response.body)
        for each in said:
            self.assertIn(each, self.records.text)
        self.assertEqual(self.get(hello).body, b"hello")


def hello(environ, start_response):
    start_response("200 OK", PLAIN)
    return [b"hello"]


class IterableTest(WSGITest):
    def test_one_chunk_has_a_content_length(self):
        response = self.get(hello)
        self.assertEqual(response.headers["content-length"], "5")
        self.assertEqual(response.body, b"hello")
        self.assertIn("date", response.headers)
        self.assertTrue(response.headers["server"].startswith("cogen"))

    def test_no_chunk_is_an_empty_body(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            return []

        response = self.get(application)
        self.assertEqual((response.headers["content-length"], response.body), ("0", b""))

    def test_iterables_of_every_kind_are_whole(self):
        kinds = [list, tuple, iter, Body, dict.fromkeys]
        for kind in kinds:
            with self.subTest(kind=kind):

                def application(environ, start_response, kind=kind):
                    start_response("200 OK", PLAIN)
                    made = kind([b"a", b"", b"bc"])
                    return made

                self.assertEqual(self.get(application).body, b"abc")

    def test_a_generator_may_start_the_response_at_its_first_chunk(self):
        def application(environ, start_response):
            yield b""
            start_response("201 Created", PLAIN)
            yield b"made"

        response = self.get(application)
        self.assertEqual((response.status, response.body), (201, b"made"))

    def test_a_chunk_before_the_response_was_started_fails_whatever_follows(self):
        def application(environ, start_response):
            yield b"too early"
            start_response("200 OK", PLAIN)
            yield b"too late"

        self.check_failure(application, "start_response before its first chunk")

    def test_a_chunk_that_was_said_to_be_the_last_ends_only_where_it_comes_last(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            chunk = b"tick"
            yield chunk
            yield environ["cogen.wsgi"].last(chunk)

        self.assertEqual(self.get(application).body, b"ticktick")

    def test_chunks_leave_before_the_next_is_asked_for(self):
        client = []

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            yield b"first"
            yield environ["cogen.core"].events.WaitForSignal("go")
            yield b"second"

        with self.serve(application).connect() as one:
            client.append(one)
            one.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            one.head()
            self.assertEqual(one.chunk(), b"first")
            self.server.settled(signal_waiters=1)
            self.server.call(lambda: self.server.server.scheduler.add(_signal))
            self.assertEqual((one.chunk(), one.chunk()), (b"second", b""))

    def test_http10_gets_no_chunks(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            return iter([b"a", b"b"])

        answer = self.serve(application).exchange(b"GET / HTTP/1.0\r\n\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertEqual(body, b"ab")
        self.assertNotIn(b"chunked", head)
        self.assertIn(b"Connection: close", head)

    def test_head_has_the_headers_of_get_and_no_body(self):
        with self.serve(hello).connect() as client:
            client.send(b"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n")
            self.assertEqual(client.response("HEAD").headers["content-length"], "5")
            self.assertEqual(client.get().body, b"hello")

    def test_head_is_whole_whatever_fails_behind_its_first_chunk(self):
        def application(environ, start_response):
            write = start_response("200 OK", PLAIN)
            if environ["PATH_INFO"] == "/write":
                write(b"first")
            else:
                yield b"first"
            raise ValueError("nobody sees it")

        for path in (b"/write", b"/yield"):
            with self.subTest(path), self.serve(application).connect() as client:
                for _ in range(2):
                    client.send(b"HEAD %b HTTP/1.1\r\nHost: test\r\n\r\n" % path)
                    self.assertEqual(client.response("HEAD").status, 200)

    def test_head_is_refused_without_a_body(self):
        chunked = b"Host: test\r\nTransfer-Encoding: chunked\r\n\r\nbad\r\n"
        for status, rest in (
            (b"400", b"\r\n"),
            (b"400", chunked),
            (b"413", b"Host: test\r\nContent-Length: 99999999999999\r\n\r\n"),
            (b"417", b"Host: test\r\nExpect: more\r\n\r\n"),
        ):
            with self.subTest(status=status):
                raw = b"HEAD / HTTP/1.1\r\n" + rest
                head, _, body = self.serve(hello).exchange(raw).partition(b"\r\n\r\n")
                self.assertEqual((head[9:12], body), (status, b""))
                self.assertIn(b"Content-Length: ", head)

    def test_statuses_without_content_have_none(self):
        for status in ("204 No Content", "304 Not Modified"):
            with self.subTest(status=status):

                def application(environ, start_response, status=status):
                    start_response(status, [("ETag", '"x"')])
                    return [b"dropped"]

                with self.serve(application).connect() as client:
                    response = client.get()
                    self.assertEqual(response.status, int(status[:3]))
                    self.assertNotIn("transfer-encoding", response.headers)
                    self.assertNotIn("content-length", response.headers)
                    self.assertEqual(client.get().status, int(status[:3]))

    def test_205_says_that_it_has_no_content(self):
        for headers in ([], [("Content-Length", "7")]):
            for made in ([b"dropped"], (each for each in (b"drop", b"ped")), []):
                with self.subTest(headers=headers, made=made):

                    def application(
                        environ,
                        start_response,
                        headers=headers,
                        made=made,
                    ):
                        start_response("205 Reset Content", headers)
                        return made

                    with self.serve(application).connect() as client:
                        response = client.get()
                        self.assertEqual((response.status, response.body), (205, b""))
                        self.assertEqual(response.headers["content-length"], "0")
                        self.assertNotIn("transfer-encoding", response.headers)
                        self.assertEqual(client.get().status, 205)

    def test_what_is_no_iterable_of_bytes_fails(self):
        for made, said in (
            (
                None,
                ".application returned None, and PEP 3333 asks for an iterable of bytes: its re",
            ),
            ("text", "returned 'text', and PEP 3333 asks for an iterable of bytes: return [text.e"),
            ([b"", "text"], "chunks must be bytes"),
            (b"bytes", "returned b'bytes', and PEP 3333 asks for an iterable of bytes: return [d"),
            ([1], "chunks must be bytes"),
            (7, "returned 7, and PEP 3333 asks for an iterable of bytes: return [b'...']"),
        ):
            with self.subTest(made=made):

                def application(environ, start_response, made=made):
                    start_response("200 OK", PLAIN)
                    return made

                self.check_failure(application, said)

    def test_an_error_before_the_first_chunk_is_a_500(self):
        def raises(environ, start_response):
            raise KeyError("secret")

        def generates(environ, start_response):
            start_response("200 OK", PLAIN)
            yield b""
            raise KeyError("secret")

        def exits(environ, start_response):
            sys.exit("secret")

        for application in (raises, generates, exits):
            with self.subTest(application=application.__name__):
                self.check_failure(application, "secret", "GET /")

    def test_an_error_behind_the_first_chunk_cuts_the_answer(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            yield b"first"
            raise KeyError("late")

        answer = self.serve(application).exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertFalse(answer.endswith(b"0\r\n\r\n"), answer)
        self.assertIn("late", self.records.text)


def _signal():
    from cogen.core.events import Signal

    yield Signal("go")


class StartResponseTest(WSGITest):
    def test_no_start_response_fails(self):
        self.check_failure(lambda environ, start: [b"hello"], "start_response")

    def test_a_second_call_needs_exc_info(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            start_response("200 OK", PLAIN)
            return [b""]

        self.check_failure(application, "twice", "exc_info")

    def test_exc_info_before_the_headers_replaces_them(self):
        def application(environ, start_response):
            start_response("200 OK", [("X-First", "1")])
            try:
                raise ValueError("shown")
            except ValueError:
                start_response("503 Busy", PLAIN, sys.exc_info())
            return [b"sorry"]

        response = self.get(application)
        self.assertEqual((response.status, response.body), (503, b"sorry"))
        self.assertNotIn("x-first", response.headers)

    def test_exc_info_behind_the_headers_is_raised(self):
        raised = []

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            yield b"first"
            try:
                raise ValueError("late")
            except ValueError:
                try:
                    start_response("500 Oh", PLAIN, sys.exc_info())
                except ValueError as error:
                    raised.append(error)
                    raise

        answer = self.serve(application).exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertIn(b"200 OK", answer)
        self.assertFalse(answer.endswith(b"0\r\n\r\n"))
        self.assertEqual([str(error) for error in raised], ["late"])

    def test_bad_statuses_are_refused(self):
        for status in (
            "OK",
            "20 OK",
            "100 Continue",
            "200 O\r\nK",
            "200OK",
            b"200 OK",
            200,
            "2000",
        ):
            with self.subTest(status=status):

                def application(environ, start_response, status=status):
                    start_response(status, PLAIN)
                    return [b""]

                self.check_failure(application, "status must be like '200 OK'")

    def test_bad_headers_are_refused_with_their_names(self):
        for header in (
            ("X-Bad", "a\r\nSet-Cookie: b"),
            ("X-Bad", "a\nb"),
            ("X-Bad", "a\rb"),
            ("X-Bad", "a\x00b"),
            ("X-Bad", "a\x7f"),
            ("X-Bad", "snow\u2603"),
            ("X-Bad", b"bytes"),
            ("X-Bad", 7),
            ("X-Bad\r\nX", "a"),
            ("X-Bad:", "a"),
            ("X-Bad ", "a"),
            ("Transfer-Encoding", "chunked"),
            ("Keep-Alive", "timeout=5"),
            ("Content-Length", "five"),
            ("Content-Length", "-5"),
        ):
            with self.subTest(header=header):

                def application(environ, start_response, header=header):
                    start_response("200 OK", [header])
                    return [b"hello"]

                name = "X-Bad" if "Bad" in header[0] else header[0]
                self.records.records.clear()
                self.check_failure(application)
                self.assertIn(name.lower(), self.records.text.lower())

    def test_obs_text_and_repeated_headers_pass(self):
        def application(environ, start_response):
            start_response("200 OK", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=caf\xe9")])
            return [b""]

        answer = self.serve(application).exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertIn(b"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=caf\xe9\r\n", answer)

    def test_the_application_can_close_the_connection(self):
        def application(environ, start_response):
            start_response("200 OK", [*PLAIN, ("Connection", "close")])
            return [b"bye"]

        with self.serve(application).connect() as client:
            self.assertEqual(client.get().headers["connection"], "close")
            self.assertEqual(client.rest(), b"")


class WriteTest(WSGITest):
    def test_what_is_written_comes_before_the_chunks(self):
        def application(environ, start_response):
            write = start_response("200 OK", PLAIN)
            write(b"one ")
            write(b"")
            write(b"two ")
            return [b"three"]

        self.assertEqual(self.get(application).body, b"one two three")

    def test_write_takes_bytes(self):
        self.check_failure(lambda environ, start: start("200 OK", PLAIN)("text"), "write")

    def test_writing_waits_for_a_slow_client(self):
        def application(environ, start_response):
            write = start_response("200 OK", PLAIN)
            for _ in range(200):
                write(b"x" * 100_000)
            return []

        server = self.serve(application)
        with server.connect(receive_buffer=4096) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            client.head()
            server.settled(exchanges=1)
            held = server.call(
                lambda: max(
                    c._transport.get_write_buffer_size() for c in server.server.shared.connections
                )
            )
            self.assertLess(held, 500_000)
            total = sum(map(len, iter(client.chunk, b"")))
        self.assertEqual(total, 20_000_000)


class PipelineTest(WSGITest):
    def test_requests_of_a_client_that_reads_nothing_are_not_piled_up(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            return [b"x" * 100]

        held = []
        with self.serve(application).connect(receive_buffer=4096) as client:
            client.sock.settimeout(0.5)
            with self.assertRaises(TimeoutError):
                for _ in range(100):
                    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 10_000)
                    held.append(self.server.call(self.held))
            held.append(self.server.call(self.held))
        self.assertLess(max(held), 1 << 20)

    def test_a_body_that_is_cut_short_behind_another_request_is_refused(self):
        def application(environ, start_response):
            environ["cogen.wait"](WaitForSignal("ended"))
            start_response("200 OK", PLAIN)
            return [b"well"]

        server = self.serve(application)
        with server.connect() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            server.settled(signal_waiters=1)
            body = b"Content-Length: 100\r\n\r\nbegun"
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + body)
            (connection,) = server.server.shared.connections
            eventually(lambda: bool(connection._buffer), True)

            def end():
                connection.eof = True
                server.server.scheduler.signal("ended")

            server.call(end)
            self.assertEqual(client.response().body, b"well")
            self.assertEqual(client.response().status, 400)
        server.settled(connections=0, exchanges=0)

    def held(self):
        connections = self.server.server.shared.connections
        return max((len(connection._buffer) for connection in connections), default=0)


class ContentLengthTest(WSGITest):
    def answer(self, length, chunks):
        def application(environ, start_response):
            start_response("200 OK", [("Content-Length", str(length))])
            return iter(chunks)

        raw = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        return self.serve(application).exchange(raw).partition(b"\r\n\r\n")[2]

    def test_a_body_that_is_too_long_is_cut_and_logged(self):
        self.assertEqual(self.answer(5, [b"hel", b"lo, wor", b"ld"]), b"hello")
        self.assertIn("longer than its Content-Length", self.records.text)

    def test_a_body_that_is_too_short_closes_the_connection(self):
        def application(environ, start_response):
            start_response("200 OK", [("Content-Length", "9")])
            return [b"hello"]

        with self.serve(application).connect() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            client.head()
            self.assertEqual(client.rest(), b"hello")
        self.assertIn("4 bytes shorter than its Content-Length", self.records.text)

    def test_head_and_304_may_name_a_length_without_a_body(self):
        def application(environ, start_response):
            start_response(environ["QUERY_STRING"] + " X", [("Content-Length", "9")])
            return []

        with self.serve(application).connect() as client:
            client.send(b"HEAD /?200 HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(client.response("HEAD").headers["content-length"], "9")
            self.assertEqual(client.get("/?304").headers["content-length"], "9")
            client.send(b"HEAD /?200 HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(client.response("HEAD").status, 200)


class CloseTest(WSGITest):
    def served(self, chunks, raw):
        body = Body(chunks())

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            return body

        self.serve(application).exchange(raw)
        self.server.settled(exchanges=0, connections=0)
        eventually(lambda: body.closed > 0, True)
        return body.closed

    def test_close_is_called_once(self):
        def fails():
            yield b"x"
            raise ValueError("in the body")

        def endless():
            while True:
                yield b"x" * 1000

        get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        for name, chunks, raw in (
            ("read to the end", lambda: [b"a", b"b"], get),
            ("empty", lambda: [], get),
            ("head", lambda: [b"a"], get.replace(b"GET", b"HEAD")),
            ("error", fails, get),
            ("not bytes", lambda: ["text"], get),
        ):
            with self.subTest(name):
                self.assertEqual(self.served(chunks, raw), 1)

    def test_close_is_called_once_if_the_client_hangs_up(self):
        body = Body(iter(lambda: b"x" * 100_000, None))

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            return body

        with self.serve(application).connect(4096) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            client.head()
        self.server.settled(exchanges=0, connections=0)
        eventually(lambda: body.closed, 1)

    def test_an_operation_that_close_names_harms_nothing(self):
        def application(environ, start_response):
            class Names(Body):
                def close(self):
                    environ["cogen.core"].events.Sleep(0)

            start_response("200 OK", PLAIN)
            return Names([b"whole"])

        with self.serve(application).connect() as client:
            for _ in range(2):
                self.assertEqual(client.get().body, b"whole")

    def test_an_error_in_close_is_logged_and_harms_nothing(self):
        class Bad(Body):
            def close(self):
                raise ValueError("cannot close")

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            return Bad([b"hello"])

        with self.serve(application).connect() as client:
            self.assertEqual(client.get().body, b"hello")
            self.assertEqual(client.get().body, b"hello")
        self.assertIn("close() of the response failed", self.records.text)


class FileWrapperTest(WSGITest):
    def file_of(self, content):
        file = tempfile.TemporaryFile()  # noqa: SIM115 (the server closes it)
        file.write(content)
        file.flush()
        file.seek(0)
        return file  # type: ignore[return-value]

    def respond(self, file):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            wrapped = environ["wsgi.file_wrapper"](file)
            return wrapped

        return self.get(application)

    def test_a_file_has_its_length_and_is_closed(self):
        file = self.file_of(b"0123456789" * 50_000)
        response = self.respond(file)
        self.assertEqual(response.headers["content-length"], "500000")
        self.assertEqual(response.body, b"0123456789" * 50_000)
        eventually(lambda: file.closed, True)

    def test_a_file_is_sent_from_where_it_stands(self):
        file = self.file_of(b"0123456789")
        file.seek(4)
        self.assertEqual(self.respond(file).body, b"456789")

    def test_what_has_no_length_is_sent_as_it_comes(self):
        reader, writer = os.pipe()
        os.write(writer, b"piped")
        os.close(writer)
        for file, body in ((io.BytesIO(b"memory"), b"memory"), (os.fdopen(reader, "rb"), b"piped")):
            with self.subTest(body=body):
                response = self.respond(file)
                self.assertEqual(response.body, body)
                eventually(lambda file=file: file.closed, True)

    def test_a_compressed_file_is_sent_as_it_is_read(self):
        file = tempfile.NamedTemporaryFile()  # noqa: SIM115 (closed with what reads it)
        self.addCleanup(file.close)
        with gzip.open(file.name, "wb") as compressed:
            compressed.write(b"0123456789" * 100)
        opened = gzip.open(file.name)  # noqa: SIM115 (the server closes it)
        self.assertEqual(self.respond(opened).body, b"0123456789" * 100)

    def test_a_file_in_a_wrapper_is_sent_with_its_length(self):
        file = tempfile.NamedTemporaryFile()  # noqa: SIM115 (the server closes it)
        file.write(b"0123456789")
        file.seek(3)
        response = self.respond(file)
        self.assertEqual((response.headers["content-length"], response.body), ("7", b"3456789"))
        eventually(lambda: file.closed, True)

    def test_what_reads_from_a_file_in_its_own_way_is_sent_as_it_reads(self):
        class Around:
            """Has the file, as wrappers often call it."""

            def __init__(self, file):
                self.file = file

            def read(self, size=-1):
                return self.file.read(size).upper()

            def close(self):
                self.file.close()

        class Own(io.FileIO):
            def read(self, size=-1):
                return super().read(size).upper()

        named = tempfile.NamedTemporaryFile()  # noqa: SIM115 (closed at the end)
        self.addCleanup(named.close)
        named.write(b"abc" * 10)
        named.flush()
        compressed = self.file_of(gzip.compress(b"ABC" * 10))
        patched = open(named.name, "rb")  # noqa: SIM115 (the server closes it)
        random_access = open(named.name, "r+b")  # noqa: SIM115
        random_access.read = lambda size=-1: Around(patched).read(size)
        for file in (
            Around(self.file_of(b"abc" * 10)),
            Own(named.name),
            io.BufferedReader(gzip.GzipFile(fileobj=compressed)),
            random_access,
        ):
            with self.subTest(type(file)):
                self.assertEqual(self.respond(file).body, b"ABC" * 10)
        for each in (compressed, patched, random_access):
            each.close()

    def test_files_of_the_kernel_are_whole_whatever_size_they_say(self):
        for path in ("/proc/self/cmdline", "/sys/devices/system/cpu/online"):
            if not os.path.exists(path):
                continue
            with self.subTest(path), open(path, "rb") as file:
                expected = file.read()
                response = self.respond(open(path, "rb"))  # noqa: SIM115 (the server closes it)
                self.assertEqual(response.body, expected)

    def test_an_empty_file_is_an_empty_body(self):
        response = self.respond(self.file_of(b""))
        self.assertEqual((response.headers["content-length"], response.body), ("0", b""))

    def test_a_file_is_read_as_the_client_takes_it(self):
        class Counting(io.RawIOBase):
            taken = 0

            def readable(self):
                return True

            def read(self, size=-1):
                self.taken += size
                return b"x" * size

        file = Counting()

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            wrapped = environ["wsgi.file_wrapper"](file)
            return wrapped

        with self.serve(application).connect(4096) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            client.head()
            self.server.settled(exchanges=1)
            self.server.call(lambda: None)
            # What the kernel's buffers hold and the transport's high-water mark.
            self.assertLess(file.taken, 8 << 20)
        self.server.settled(exchanges=0)

    def test_head_reads_nothing_of_a_file(self):
        file = self.file_of(b"x" * 100_000)
        where = []
        close = file.close
        file.close = lambda: (where.append(file.tell()), close())[1]  # type: ignore[method-assign]

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            wrapped = environ["wsgi.file_wrapper"](file)
            return wrapped

        with self.serve(application).connect() as client:
            client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(client.response("HEAD").headers["content-length"], "100000")
        self.server.settled(exchanges=0)
        self.assertEqual(where, [0])


class InputTest(WSGITest):
    def read(self, how, raw_body, chunked=False):
        """What `how(environ['wsgi.input'])` gives for a body."""

        def application(environ, start_response):
            assert environ["wsgi.input_terminated"] is True
            made = how(environ["wsgi.input"])
            start_response("200 OK", PLAIN)
            return [json.dumps([each.decode() for each in made]).encode()]

        if chunked:
            framing = "Transfer-Encoding: chunked"
            raw_body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(raw_body), raw_body)
        else:
            framing = f"Content-Length: {len(raw_body)}"
        with self.serve(application).connect() as client:
            client.send(f"POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode() + raw_body)
            return client.response().json

    def test_the_body_is_a_file_that_ends(self):
        ways = [
            ("read", lambda file: [file.read(), file.read()]),
            ("read some", lambda file: [file.read(2), file.read(100), file.read(1)]),
            ("lines", lambda file: list(file)),
            ("readline", lambda file: [file.readline(), file.readline(1), file.readline()]),
            ("readlines", lambda file: file.readlines()),
        ]
        body = b"one\ntwo\nthree"
        expected = {
            "read": ["one\ntwo\nthree", ""],
            "read some": ["on", "e\ntwo\nthree", ""],
            "lines": ["one\n", "two\n", "three"],
            "readline": ["one\n", "t", "wo\n"],
            "readlines": ["one\n", "two\n", "three"],
        }
        for chunked in (False, True):
            for name, how in ways:
                with self.subTest(name, chunked=chunked):
                    self.assertEqual(self.read(how, body, chunked), expected[name])

    def test_a_body_larger_than_what_is_taken_ahead(self):
        body = b"0123456789abcde\n" * 40_000
        for chunked in (False, True):
            with self.subTest(chunked=chunked):
                self.assertEqual(
                    self.read(lambda file: [file.read()], body, chunked), [body.decode()]
                )
                lines = self.read(lambda file: [b"%d" % len(list(file))], body, chunked)
                self.assertEqual(lines, ["40000"])

    def test_a_large_body_of_tiny_chunks(self):
        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            return [b"%d" % len(environ["wsgi.input"].read())]

        with self.serve(application).connect() as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            client.send(b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n")
            self.assertEqual(client.response().body, b"100000")
            self.assertEqual(client.get().status, 200)

    def test_a_body_that_nobody_reads_does_not_become_a_request(self):
        with self.serve(hello).connect() as client:
            client.send(
                b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 43\r\n\r\n"
                b"GET /smuggled HTTP/1.1\r\nHost: a\r\nA: 123\r\n\r\n"
            )
            self.assertEqual(client.response().body, b"hello")
            self.assertEqual(client.get().body, b"hello")
        self.assertEqual(self.server.get().status, 200)


class ArrivingInputTest(WSGITest):
    """Without threads the application reads the body while it arrives."""

    def test_100_continue_is_sent_when_the_application_reads(self):
        def application(environ, start_response):
            body = environ["wsgi.input"].read() if environ["PATH_INFO"] == "/read" else b"unread"
            start_response("200 OK", PLAIN)
            return [body]

        head = "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        with self.serve(application).connect() as client:
            client.send(head.format("/read").encode())
            self.assertEqual(client.response().status, 100)
            client.send(b"hello")
            self.assertEqual(client.response().body, b"hello")
            client.send(head.format("/unread").encode())
            response = client.response()
            # The body may or may not follow, so nothing else can on this connection.
            self.assertEqual((response.status, response.body), (200, b"unread"))
            self.assertEqual(response.headers["connection"], "close")

    def test_a_body_cut_short_is_an_error_for_its_reader(self):
        seen = []

        def application(environ, start_response):
            try:
                environ["wsgi.input"].read()
            except OSError as error:
                seen.append(str(error))
                raise
            raise AssertionError("the body was not whole")

        answer = self.serve(application).exchange(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + b"x" * 70_000
        )
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
        self.assertEqual(seen, ["the client closed the connection within the body"])


class ValidatedTest(unittest.TestCase):
    """wsgiref.validate between the server and an application finds nothing, on each loop."""

    def test_validator(self):
        @validator
        def application(environ, start_response):
            body = environ["wsgi.input"].read(1 << 20)
            environ["wsgi.errors"].write("")
            environ["wsgi.errors"].flush()
            write = start_response("200 OK", PLAIN)
            write(environ["PATH_INFO"].encode("latin-1"))
            return [body, b"!"]

        for proactor in LOOPS:
            with (
                self.subTest(proactor=proactor),
                Records() as records,
                ServerThread(application, proactor) as server,
                server.connect() as client,
            ):
                self.assertEqual(client.get("/a%20b?c").body, b"/a b!")
                client.send(b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
                self.assertEqual(client.response().body, b"/phi!")
                large = b"x" * 100_000
                client.send(
                    b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + large
                )
                self.assertEqual(client.response().body, b"/p" + large + b"!")
                self.assertEqual(records.text, "")


def _in_threads():
    for base in set(WSGITest.__subclasses__()) - {ArrivingInputTest}:
        name = f"Threaded{base.__name__}"
        globals()[name] = type(name, (base,), {"options": {"threads": "2"}, "__module__": __name__})


_in_threads()
