"""Forms with a token, pages on HTTPS, and messages for the next page."""

import unittest

from beaker.middleware import SessionMiddleware
from webtest import TestApp

from pylons.decorators.secure import csrf_detected_message
from pylons.pylonslib import Flash
from tests.pylons.support import get, make_app

OPTIONS = {
    "session.type": "cookie",
    "session.validate_key": "secret",
    "session.data_serializer": "json",
}


class TokenTests(unittest.TestCase):
    def setUp(self):
        self.app = TestApp(SessionMiddleware(make_app(), OPTIONS))

    def token(self):
        page = self.app.get("/forms/token")
        page.mustcontain('<form action="/forms/send" method="POST">', 'type="hidden"')
        return _value(page.text)

    def test_a_form_with_the_sessions_token_is_taken_and_loses_it(self):
        fields = {"a": "1", "_authentication_token": self.token()}
        self.assertEqual("[('a', '1')]", self.app.post("/forms/send", fields).text)
        self.assertEqual("[('a', '1')]", self.app.get("/forms/send", fields).text)

    def test_the_token_stays_the_same(self):
        self.assertEqual(self.token(), self.token())

    def test_another_token_or_none_is_refused(self):
        self.token()
        for fields in ({}, {"_authentication_token": "x"}, {"_authentication_token": "ä"}):
            with self.assertLogs("pylons.decorators.secure", "WARNING") as logged:
                page = self.app.post("/forms/send", fields, status=403)
            page.mustcontain(csrf_detected_message[:40])
            self.assertIn("POST /forms/send", logged.output[0])

    def test_a_form_that_is_shown_again_with_its_errors_can_be_sent(self):
        form = self.app.get("/forms/token_page").form
        form["name"], form["age"] = "Ann", "7"
        again = form.submit()
        again.mustcontain("18 or greater")
        again.form["age"] = "70"
        self.assertEqual("taken {'name': 'Ann', 'age': 70}", again.form.submit().text)


def _value(page):
    return page.rpartition('value="')[2].partition('"')[0]


class HttpsTests(unittest.TestCase):
    def get(self, action, method="GET", **extra):
        return get(make_app(), f"/forms/{action}", method, **extra)

    def test_a_page_on_https_is_answered(self):
        got = self.get("locked", **{"wsgi.url_scheme": "https"})
        self.assertEqual(b"locked", got.content)

    def test_another_is_sent_there(self):
        for action, location in (
            ("locked", "https://127.0.0.1/forms/locked?q=1"),
            ("elsewhere", "https://127.0.0.1/other?x=1"),
            ("late", "https://site.example/late"),
        ):
            got = self.get(action, QUERY_STRING="q=1", HTTP_HOST="127.0.0.1")
            self.assertEqual("302 Found", got.status)
            self.assertEqual([location], got.header("Location"))

    def test_a_host_that_is_none_fails_nothing(self):
        got = self.get("locked", HTTP_HOST="[::1")
        self.assertEqual("302 Found", got.status)

    def test_a_form_cannot_be_sent_elsewhere(self):
        got = self.get("locked", "POST")
        self.assertEqual(("405 Method Not Allowed", ["GET"]), (got.status, got.header("Allow")))


class FlashTests(unittest.TestCase):
    def setUp(self):
        self.app = TestApp(SessionMiddleware(make_app(), OPTIONS))

    def flash(self, *arguments):
        query = "&".join(f"a={each}" for each in arguments)
        return self.app.get(f"/texts/flash?{query}").text

    def pop(self):
        return self.app.get("/texts/messages").json

    def test_a_message_is_there_once_on_the_next_page(self):
        self.flash("saved <now>")
        self.assertEqual([["notice", "saved <now>", "saved &lt;now&gt;"]], self.pop())
        self.assertEqual([], self.pop())

    def test_messages_keep_their_order_and_category(self):
        self.flash("one", "error")
        self.flash("two")
        self.assertEqual(["error", "notice"], [each[0] for each in self.pop()])

    def test_a_message_said_twice_may_be_kept_once(self):
        self.flash("one")
        self.flash("one", "warning", "once")
        self.assertEqual([["warning", "one", "one"]], self.pop())

    def test_an_unknown_category_is_refused(self):
        with self.assertRaisesRegex(
            ValueError, "flash: 'loud' is no category: take one of warning"
        ):
            Flash()("x", "loud")
        with self.assertRaisesRegex(ValueError, "'loud' is no category"):
            Flash(default_category="loud")
        Flash(categories=["loud"], default_category="loud")
