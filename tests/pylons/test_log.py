import io
import logging
import unittest

from pylons._context import RequestState, current
from pylons.log import WSGIErrorsHandler
from tests.pylons.support import make_config, make_environ


class Broken(io.StringIO):
    def write(self, text):
        raise OSError("closed")


class ErrorStreamTests(unittest.TestCase):
    def setUp(self):
        self.log = logging.Logger("of a test")
        self.config = make_config()

    def handle(self, **options):
        handler = WSGIErrorsHandler(**options)
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        self.log.addHandler(handler)
        self.addCleanup(handler.close)
        return handler

    def request(self, stream):
        environ = make_environ("/", **{"wsgi.errors": stream})
        token = current.set(RequestState(environ, lambda *_: None, self.config))
        self.addCleanup(current.reset, token)
        return token

    def test_a_record_goes_into_the_error_stream_of_its_request(self):
        self.handle()
        self.log.error("before")
        first, second = io.StringIO(), io.StringIO()
        self.request(first)
        self.log.error("é %s", 1)
        self.request(second)
        self.log.error("2")
        self.assertEqual(("ERROR é 1\n", "ERROR 2\n"), (first.getvalue(), second.getvalue()))

    def test_outside_a_request_there_is_no_stream(self):
        with self.assertRaises(TypeError):
            self.handle().get_wsgierrors()

    def test_the_stream_of_the_first_request_is_kept_if_that_is_wanted(self):
        self.handle(cache=True)
        first = io.StringIO()
        self.request(first)
        self.log.error("1")
        self.request(io.StringIO())
        self.log.error("2")
        self.assertEqual("ERROR 1\nERROR 2\n", first.getvalue())

    def test_a_stream_that_cannot_be_written_is_told_by_logging(self):
        told = []
        handler = self.handle()
        handler.handleError = told.append
        self.request(Broken())
        self.log.error("1")
        self.assertEqual(["1"], [record.getMessage() for record in told])
