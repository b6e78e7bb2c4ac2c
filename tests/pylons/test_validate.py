"""`validate`: FormEncode refuses a form, and it is shown again."""

import json
import unittest
from io import BytesIO
from unittest import mock
from urllib.parse import urlencode

from pylons import decorators
from tests.pylons.example.controllers.forms import FormsController
from tests.pylons.support import get, make_app


class ValidateTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.app = make_app(debug="true")

    def send(self, action, method="POST", query="", **fields):
        body = urlencode(fields).encode()
        extra = {
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
            "QUERY_STRING": query,
        }
        return get(self.app, f"/forms/{action}", method, **extra)

    def test_fields_that_make_no_lists_are_a_bad_request(self):
        for fields in (
            {"tags-0": "x", "tags--repetitions": "1000000000"},
            {"tags-0": "x", "tags--repetitions": "9000", "a--repetitions": "9000"},
            {"tags-0": "x", "tags--repetitions": "20000", "a--repetitions": "-20000"},
            {"tags--repetitions": "many"},
            {"tags-²": "x"},
            {"tags-" + "9" * 5000: "x"},
        ):
            self.assertEqual("400 Bad Request", self.send("tagged", **fields).status, fields)
        self.assertEqual("200 OK", self.send("tagged", **{"tags--repetitions": "3"}).status)

    def test_the_action_finds_what_was_sent_as_the_schema_made_it(self):
        got = self.send("save/7", name="Ann", age="19", other="x")
        told = {"result": {"name": "Ann", "age": 19}, "id": "7"}
        self.assertEqual(told, json.loads(got.content))

    def test_a_refused_form_is_shown_as_a_get_with_what_was_sent_and_the_errors(self):
        page = self.send("save_page/7", name="A<b", age="3").content.decode()
        self.assertIn("<p>GET 7 age</p>", page)
        self.assertIn('value="A&lt;b"', page)
        self.assertIn('<input name="age" class="error" value="3"', page)
        self.assertIn("Please enter a number that is 18 or greater", page)

    def test_a_get_is_not_checked(self):
        with self.assertRaisesRegex(AttributeError, "form_result"):
            self.send("save_page", "GET", name="")

    def test_a_get_is_checked_if_it_is_to_be(self):
        got = self.send("search", "GET", "name=Ann&age=20")
        self.assertEqual("{'name': 'Ann', 'age': 20}", got.content.decode())
        self.assertIn(b"Please enter", self.send("search", "GET", "name=&age=20").content)

    def test_the_query_counts_only_without_post_only(self):
        self.assertIn(b"GET None age,name", self.send("save_page", query="name=Ann&age=20").content)
        got = self.send("search", query="name=Ann&age=20")
        self.assertEqual(b"{'name': 'Ann', 'age': 20}", got.content)

    def test_without_a_form_the_action_looks_at_the_errors(self):
        self.assertEqual(
            b"['age'] {'name': 'Anna'}", self.send("looks_itself", name="Anna", age="x").content
        )
        got = self.send("looks_itself", name="Anna", age="3")
        self.assertEqual(b"[] {'age': 3, 'name': 'Anna'}", got.content)

    def test_fields_become_lists(self):
        self.assertEqual(
            b"{'tags': [1, 2]}", self.send("tagged", **{"tags-0": 1, "tags-1": 2}).content
        )
        got = self.send("tagged", **{"tags-0": "x"}).content.decode()
        self.assertIn("Please enter an integer value", got)
        self.assertIn('<input name="tags-0" class="error" value="x"', got)

    def test_fields_that_have_to_match(self):
        self.assertEqual(b"the same", self.send("paired", name="a", again="a").content)
        self.assertIn(b"Fields do not match", self.send("paired", name="a", again="b").content)

    def test_options_of_htmlfill(self):
        page = self.send("quiet", name="", age="3").content
        self.assertNotIn(b"Please enter", page)

    def test_an_action_that_streams_is_checked_before_it_begins(self):
        self.assertEqual(b"streamed Ann", self.send("streams", name="Ann", age="19").content)
        self.assertIn(b"GET None age", self.send("streams", name="Ann", age="1").content)

    def test_a_form_that_stops_the_request_stops_it(self):
        self.assertEqual("410 Gone", self.send("to_missing").status)

    def test_a_form_may_be_written_to_the_response_or_be_bytes(self):
        for action in ("to_written", "to_octets"):
            got = self.send(action, name="Ä", age="1")
            self.assertIn('value="Ä"', got.content.decode(), action)
            self.assertEqual([str(len(got.content))], got.header("Content-Length"), action)

    def test_a_form_that_streams_or_is_not_there_is_refused(self):
        with self.assertRaisesRegex(TypeError, "validate: 'streamed' is a streaming action"):
            self.send("to_streamed")
        with self.assertRaisesRegex(AttributeError, "FormsController has no action 'nowhere'"):
            self.send("to_nowhere")

    def test_messages_are_translated_by_the_application_and_else_by_formencode(self):
        with mock.patch("pylons.decorators._validation.ugettext", lambda text: text):
            self.assertEqual("x", decorators.pylons_formencode_gettext("x"))
        with mock.patch("pylons.decorators._validation.ugettext", str.upper):
            self.assertEqual("X", decorators.PylonsFormEncodeState._("x"))

    def test_without_formencode_one_line_asks_for_it(self):
        with (
            mock.patch.dict("sys.modules", {"formencode": None}),
            self.assertRaisesRegex(
                ImportError, "^pylons.decorators.validate needs FormEncode: pip install FormEncode$"
            ),
        ):
            decorators.validate(form="edit")

    def test_the_action_keeps_its_name_and_arguments(self):
        self.assertEqual("save_page", FormsController.save_page.__name__)
