"""What is not displayed, and what is left of a text without it."""

import unicodedata
import unittest

from chatapp.names import is_seen, visible
from tests.chatapp.scripts import NAMES

INVISIBLE = [
    chr(code)
    for code in (
        *(
            0xAD,
            0x34F,
            0x61C,
            0x115F,
            0x1160,
            0x17B4,
            0x17B5,
            0x180B,
            0x180E,
            0x200B,
            0x200C,
            0x200D,
        ),
        *(0x200E, 0x202E, 0x2060, 0x2064, 0x206A, 0x3164, 0xFE0F, 0xFEFF, 0xFFA0),
        *(0x1D173, 0xE0041, 0xE0100),
    )
]
BLANK = [chr(code) for code in (0x2800, 0x1D159, 0x13441, 0x16FE4)]


class UnseenTests(unittest.TestCase):
    def test_nothing_is_left_of_what_cannot_be_seen(self):
        for character in INVISIBLE:
            self.assertEqual("ab", visible(f"a{character}b"), ascii(character))
            self.assertFalse(is_seen(character * 3), ascii(character))

    def test_spaces_controls_and_blanks_are_not_seen(self):
        for text in (*BLANK, "", " ", "\t\r\n\0\x7f\x85", "\u00a0\u2003\u3000\u1680\u2028"):
            self.assertFalse(is_seen(text), ascii(text))
        self.assertFalse(is_seen("".join([*INVISIBLE, *BLANK, " \n"])))

    def test_everything_else_is(self):
        for text in (*NAMES.values(), "\u0301", "👩\u200d🚀", ".", "\u0600", "\ufffd", "\ue000"):
            self.assertTrue(is_seen(text), ascii(text))
            self.assertTrue(is_seen(f"\u200b {text}"), ascii(text))

    def test_no_letter_is_taken_for_invisible(self):
        for code in range(0x110000):
            character = chr(code)
            if unicodedata.category(character)[0] in "LNPS" and not is_seen(character):
                name = unicodedata.name(character)
                self.assertRegex(name, "FILLER|BLANK|NULL NOTEHEAD", hex(code))
