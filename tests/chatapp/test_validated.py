"""The whole application under the validator of PEP 3333, which raises at each breach of it."""

from wsgiref.validate import validator

from tests.chatapp import test_polls
from tests.chatapp.support import ChatCase


class ValidatedPlainPollTests(test_polls.PlainPollTests):
    wrapped = staticmethod(validator)


class ValidatedPollTests(test_polls.PollTests):
    wrapped = staticmethod(validator)


class ValidatedTests(ChatCase):
    wrapped = staticmethod(validator)

    def setUp(self):
        self.start()

    def test_a_breach_would_be_seen(self):
        self.app._app = lambda environ, start_response: start_response("200 OK", []) and ["text"]
        with self.assertLogs("cogen", "ERROR") as logs:
            self.assertEqual(500, self.person().ask("GET", "/").status)
        self.assertIn("AssertionError", logs.output[0])

    def test_a_poll_that_is_left(self):
        ann = self.joined("ann")
        self.settle()
        ann.pull()
        ann.poll().hang_up()
        self.settle()
        self.assertEqual(0, self.server.server.shared.statistics()["exchanges"])

    def test_the_page_and_its_files(self):
        browser = self.person()
        for path in ("/", "/chat.js", "/chat.css", "/icon.svg"):
            self.assertEqual(200, browser.ask("GET", path).status, path)
        changed = browser.ask("GET", "/chat.js").header("last-modified")
        self.assertEqual(304, browser.ask("GET", "/chat.js", If_Modified_Since=changed).status)

    def test_answers_without_a_wait(self):
        ann = self.joined("ann")
        ann.say("hi")
        for path in ("/chat/history/lobby", "/chat/people/lobby", "/chat/nick"):
            self.assertEqual(200, ann.ask("GET", path).status, path)

    def test_refusals(self):
        ann = self.joined("ann")
        for status, method, path, body in (
            (400, "POST", "/chat/push", b"\xff"),
            (403, "POST", "/chat/push", b"evil"),
            (404, "GET", "/nowhere", b""),
            (405, "DELETE", "/chat/push", b""),
            (413, "POST", "/chat/push", b"x" * 5000),
        ):
            headers = {"Origin": "http://evil.example"} if status == 403 else {}
            self.assertEqual(status, ann.ask(method, path, body, **headers).status)
