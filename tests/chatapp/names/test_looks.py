# ruff: noqa: RUF001
"""Nicks that look the same have a look in common; others have not."""

import re
import unittest
from importlib.resources import files

from hypothesis import given
from hypothesis import strategies as st

from chatapp.names import looks
from tests.chatapp.names.test_unseen import BLANK, INVISIBLE
from tests.chatapp.scripts import NAMES


def alike(one, other):
    return bool(set(looks(one)) & set(looks(other)))


class LooksTests(unittest.TestCase):
    def test_what_cannot_be_seen_does_not_count(self):
        for added in INVISIBLE:
            for nick in (f"ann{added}", f"{added}ann", f"a{added}nn"):
                self.assertTrue(alike("ann", nick), ascii(nick))
        for added in BLANK:
            self.assertTrue(alike("ann", f"ann{added}"), ascii(added))

    def test_look_alikes_are_alike(self):
        for one, other in (
            ("ann", "\u0430nn"),
            ("ann", "ANN"),
            ("ann", "ａｎｎ"),
            ("Iris", "lris"),
            ("Iris", "1ris"),
            ("bOb", "b0b"),
            ("paypal", "раураl"),
            ("modern", "rnodern"),
            ("scope", "ѕсоре"),
            ("Å", "A\u030a"),
            ("ﬁn", "fin"),
        ):
            self.assertTrue(alike(one, other), (one, other))

    def test_others_are_not(self):
        for one, other in (("ian", "lan"), ("ann", "anna"), ("bob", "b0b"), ("a b", "ab")):
            self.assertFalse(alike(one, other), (one, other))

    def test_a_name_of_one_script_is_none_of_another(self):
        names = list(NAMES.values())
        for number, name in enumerate(names):
            for other in names[number + 1 :]:
                self.assertFalse(alike(name, other), (name, other))

    @given(st.text(max_size=32))
    def test_every_nick_is_like_itself_in_any_case(self, nick):
        self.assertTrue(alike(nick, nick))
        self.assertEqual(looks(nick)[0], looks(nick.casefold())[0])

    def test_the_list_of_look_alikes_is_the_one_of_unicode_18(self):
        text = files("chatapp.names").joinpath("confusables.txt").read_text("utf-8")
        self.assertIn("# Version: 18.0.0", text)
        [total] = re.findall(r"# total: (\d+)", text)
        self.assertEqual(int(total), len(re.findall(r"^[0-9A-F]+ ;", text, re.M)))
