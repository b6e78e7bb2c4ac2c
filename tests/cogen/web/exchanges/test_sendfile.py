"""Files that the kernel sends: whole, slowly, and cut short."""

import os
import random
import resource
import tempfile

from benchmarks.harness.server import eventually
from tests.cogen.web.support import ServedTestCase

PLAIN = [("Content-Type", "text/plain")]
# More than the buffers of the kernel hold.
LARGE = 16 << 20


def file_of(content):
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the server closes it)
    file.write(content)
    file.seek(0)
    return file


class SendFileTest(ServedTestCase):
    def setUp(self):
        super().setUp()
        self.content = random.Random(7).randbytes(LARGE)
        self.file = file_of(self.content)
        self.addCleanup(self.file.close)

    def application(self, environ, start_response):
        start_response("200 OK", PLAIN)
        if environ["PATH_INFO"] == "/file":
            return environ["wsgi.file_wrapper"](self.file)
        return [b"well"]

    def begin(self, server):
        """A client, which has read the head of the file's answer and takes no more for now."""
        client = server.connect(receive_buffer=4096)
        self.addCleanup(client.close)
        client.send(b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
        status, headers = client.head()
        self.assertEqual((status, headers["content-length"]), (200, str(LARGE)))
        server.settled(exchanges=1)
        return client

    def settled(self, server):
        server.settled(exchanges=0, connections=0, deadlines=0)
        self.assertTrue(self.file.closed)

    def test_a_slow_client_gets_all_of_it_and_holds_up_nobody(self):
        server = self.serve(self.application)
        client = self.begin(server)
        self.assertEqual(server.get("/").body, b"well")
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertTrue(client.file.read(LARGE) == self.content)
        self.assertEqual(client.response().body, b"well")
        client.close()
        self.settled(server)

    def test_a_client_that_has_ended_its_side_gets_all_of_it(self):
        server = self.serve(self.application)
        client = self.begin(server)
        client.shutdown()
        self.assertTrue(client.rest() == self.content)
        self.settled(server)

    def test_a_client_that_leaves_leaves_nothing_behind(self):
        server = self.serve(self.application)
        server.get("/")
        server.settled(connections=0)
        before = server.open_files()
        self.begin(server).reset()
        self.settled(server)
        self.assertEqual(server.open_files(), before - 1)

    def test_a_client_that_takes_nothing_is_cut(self):
        server = self.serve(self.application, write_timeout=0.2)
        self.begin(server)
        self.settled(server)
        self.assertIn("takes nothing of its answer", self.records.text)

    def test_a_file_that_is_cut_off_meanwhile_closes_the_connection(self):
        server = self.serve(self.application)
        client = self.begin(server)
        self.file.truncate(10)
        self.assertLess(len(client.rest()), LARGE)
        self.settled(server)
        self.assertIn("bytes shorter than its Content-Length", self.records.text)

    def test_a_stop_cuts_it(self):
        server = self.serve(self.application, shutdown_timeout=0.1)
        self.begin(server)
        server.stop()
        self.assertTrue(self.file.closed)

    def test_none_of_it_is_read(self):
        where = []
        close = self.file.close
        self.file.close = lambda: (where.append(self.file.tell()), close())[1]
        self.assertTrue(self.serve(self.application).get("/file").body == self.content)
        eventually(lambda: where, [0])

    def test_it_is_read_where_the_process_has_no_descriptor_to_spare(self):
        def application(environ, start_response):
            limits = resource.getrlimit(resource.RLIMIT_NOFILE)
            start_response("200 OK", PLAIN)
            wrapped = environ["wsgi.file_wrapper"](self.file)
            spare = os.dup(0)
            os.close(spare)
            resource.setrlimit(resource.RLIMIT_NOFILE, (spare, limits[1]))
            self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
            return wrapped

        server = self.serve(application)
        with server.connect() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertTrue(client.response().body == self.content)

    def test_no_more_is_sent_than_the_content_length_says(self):
        def application(environ, start_response):
            start_response("200 OK", [*PLAIN, ("Content-Length", "4")])
            return environ["wsgi.file_wrapper"](file_of(b"0123456789"))

        answer = self.serve(application).exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertTrue(answer.endswith(b"\r\n\r\n0123"))
        self.assertIn("longer than its Content-Length", self.records.text)


class AsyncioSendFileTest(SendFileTest):
    options = {"proactor": "asyncio"}


class ThreadedSendFileTest(SendFileTest):
    options = {"threads": "auto"}
