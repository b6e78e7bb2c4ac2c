"""What is around the chat: who sees the traceback of an error that nobody expected."""

import tempfile
import unittest

from webtest import TestApp

from chatapp.config.middleware import make_chat

LINE = "Something went wrong here; it has been written down."


class TracebackTests(unittest.TestCase):
    def failed(self, global_conf, address="127.0.0.1", **app_conf):
        """The answer to a request for a page that cannot be made."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        app = make_chat(global_conf, **{"chat.data": folder, "chat.log": "memory:", **app_conf})
        app.hub.about.clear()
        with self.assertLogs("pylons", "ERROR"):
            shown = {"REMOTE_ADDR": address, "paste.throw_errors": False}
            return TestApp(app).get("/", extra_environ=shown, status=500)

    def test_it_is_on_the_page_where_debug_is_set_in_either_place(self):
        for default, own in (({"debug": "true"}, {}), ({}, {"debug": "true"})):
            answer = self.failed(default, **own)
            self.assertIn("KeyError: &#x27;version&#x27;", answer.text)
            self.assertEqual("text/html", answer.content_type)

    def test_nobody_else_sees_it(self):
        for default, address in (
            ({"debug": "false"}, "127.0.0.1"),
            ({"debug": "true"}, "192.0.2.1"),
        ):
            answer = self.failed(default, address)
            self.assertNotIn("KeyError", answer.text)

    def test_without_debug_it_is_told_in_a_line(self):
        self.assertIn(LINE, self.failed({}).text)
