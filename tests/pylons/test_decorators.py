import json
import unittest
from decimal import Decimal

from pylons.decorators import JSONEncoder
from tests.pylons.support import get, make_app


class DecoratorTests(unittest.TestCase):
    def get(self, action, method="GET"):
        return get(make_app(), f"/answers/{action}", method)

    def test_an_object_may_say_what_it_is_in_json(self):
        got = self.get("person")
        self.assertEqual({"person": {"name": "Änn"}}, json.loads(got.content))
        self.assertEqual(["application/json; charset=utf-8"], got.header("Content-Type"))

    def test_a_decimal_is_a_number(self):
        told = {"a": Decimal("1.10"), "b": Decimal("3"), "c": Decimal("1E+2"), "d": Decimal(2**70)}
        self.assertEqual(
            '{"a": 1.1, "b": 3, "c": 100.0, "d": 1180591620717411303424}',
            json.dumps(told, cls=JSONEncoder),
        )

    def test_an_array_is_answered_with_a_warning_here_and_in_the_log(self):
        with (
            self.assertWarnsRegex(UserWarning, "people answers with a JSON array"),
            self.assertLogs("pylons.decorators", "WARNING"),
        ):
            got = self.get("people")
        self.assertEqual([{"name": "Änn"}], json.loads(got.content))

    def test_a_number_that_json_has_not_is_refused(self):
        with self.assertRaisesRegex(ValueError, "not JSON compliant"):
            self.get("endless")

    def test_what_json_cannot_say_is_refused(self):
        with self.assertRaisesRegex(TypeError, "object is not JSON serializable"):
            self.get("unsayable")
        with self.assertRaisesRegex(TypeError, "jsonify: .*streamed is a streaming"):
            self.get("streamed")

    def test_another_action_gets_the_arguments_that_it_names(self):
        self.assertEqual(b"page", self.get("page/7").content)
        self.assertEqual(b"saved 7 POST", self.get("page/7", "POST").content)
        self.assertEqual("404 Not Found", self.get("page", "POST").status)

    def test_another_action_has_to_be_there(self):
        with self.assertRaisesRegex(AttributeError, "nowhere"):
            self.get("page", "DELETE")

    def test_a_decorator_finds_the_names_of_pylons(self):
        self.assertEqual(b"/answers/pylons" * 2, self.get("pylons").content)
