import dataclasses
import unittest

from chatapp.options import ChatOptions
from cogen.web.options import OptionError, parse_options


class ChatOptionsTests(unittest.TestCase):
    def test_every_default_is_within_its_own_limits(self):
        for field in dataclasses.fields(ChatOptions):
            text = str(field.default)
            with self.subTest(field.name):
                self.assertEqual(ChatOptions(), parse_options({field.name: text}, ChatOptions))

    def test_no_number_may_be_below_zero(self):
        for field in dataclasses.fields(ChatOptions):
            if isinstance(field.default, int | float):
                with self.assertRaisesRegex(OptionError, f"^chat.{field.name} = '-1'"):
                    parse_options({f"chat.{field.name}": "-1"}, ChatOptions, prefix="chat.")
