"""Requests that fail, and those through decorators, translation and remote calls, leave nothing for
the collector."""

import logging
import tempfile
import unittest
import xmlrpc.client
from io import BytesIO

from beaker.cache import CacheManager
from beaker.middleware import SessionMiddleware

from pylons.middleware import ErrorHandler
from tests.pylons.support import make_app, make_environ
from tests.pylons.test_translation import write_catalogs
from tests.support.cycles import assert_no_cycles

SESSION = {"session.type": "cookie", "session.validate_key": "k", "session.data_serializer": "json"}
FORM = "application/x-www-form-urlencoded"


def call(method, *arguments):
    return xmlrpc.client.dumps(arguments, method).encode()


REQUESTS = {
    "a form that is taken": ("/forms/save/7", b"name=Ann&age=20"),
    "a form that is refused": ("/forms/save_page/7", b"name=&age=2"),
    "a form that looks at its errors": ("/forms/looks_itself", b"name=Anna&age=x"),
    "a form that stops": ("/forms/to_missing", b"name="),
    "a form that streams": ("/forms/streams", b"name=Ann&age=20"),
    "a form without a token": ("/forms/send", b"a=1"),
    "a page for HTTPS": ("/forms/locked", None),
    "an action that is kept": ("/texts/kept/1", None),
    "an action that is made and kept": ("/texts/kept_since", None),
    "another action": ("/answers/page/7", b"x"),
    "an action that fails": ("/hello/fails", None),
    "a stream that fails": ("/hello/stream_fail", None),
    "JSON": ("/answers/person", None),
    "a language": ("/texts/translated/de,fr", None),
    "a language that is not there": ("/texts/translated/xx", None),
    "a language in a wait": ("/texts/wait_between/de", None),
    "a message": ("/texts/flash", None),
    "a method": ("/calls/index", call("hello", "x")),
    "a method that waits": ("/calls/index", call("waits", "x")),
    "a fault": ("/calls/index", call("raised")),
    "a fault after a wait": ("/calls/index", call("waits", "stop")),
    "no call": ("/calls/index", b"x"),
    "arguments that are missing": ("/calls/index", call("user_info")),
    "a method that fails": ("/calls/index", call("broken")),
    "a method of JSON": ("/sums/index", b'{"id": 1, "method": "add", "params": [1, 2]}'),
    "an error of JSON": ("/sums/index", b'{"id": 1, "method": "refused"}'),
    "a method of JSON that fails": ("/sums/index", b'{"id": 1, "method": "broken"}'),
    "a method of JSON that aborts": ("/sums/index", b'{"id": 1, "method": "aborted"}'),
    "arguments of JSON that are missing": ("/sums/index", b'{"id": 1, "method": "add"}'),
    "a method of JSON that waits": ("/sums/index", b'{"id": 1, "method": "waits", "params": [-1]}'),
}


class LeftoverTests(unittest.TestCase):
    def setUp(self):
        app = make_app()
        app.config["pylons.paths"]["root"] = self.enterContext(tempfile.TemporaryDirectory())
        write_catalogs(app.config["pylons.paths"]["root"])
        app.config["pylons.app_globals"].cache = CacheManager()
        self.app = ErrorHandler(SessionMiddleware(app, SESSION))
        logging.disable()
        self.addCleanup(logging.disable, logging.NOTSET)

    def test_requests_leave_no_cycles(self):
        for what, (path, body) in REQUESTS.items():
            with self.subTest(what):
                assert_no_cycles(self, lambda path=path, body=body: self.ask(path, body))

    def ask(self, path, body):
        settings = {"QUERY_STRING": "a=text"}
        if body is not None:
            settings.update(
                {
                    "CONTENT_TYPE": FORM,
                    "CONTENT_LENGTH": str(len(body)),
                    "wsgi.input": BytesIO(body),
                }
            )
        environ = make_environ(path, "GET" if body is None else "POST", **settings)
        answer = self.app(environ, lambda status, headers, exc_info=None: None)
        list(answer)
        if hasattr(answer, "close"):
            answer.close()
