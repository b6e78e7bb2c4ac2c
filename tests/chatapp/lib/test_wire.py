"""What clients may send, piece by piece: it comes out clean or is refused with one line."""

import unicodedata
import unittest

from hypothesis import given
from hypothesis import strategies as st

from chatapp.lib.wire import (
    BadInput,
    accepts_json,
    checked_json,
    checked_nick,
    checked_query,
    checked_room,
    checked_rooms,
    checked_seq,
    checked_text,
    checked_token,
    is_json,
)

ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.lists(st.text())
)
CONTROL = st.characters(categories=["Cc", "Cs", "Zl", "Zp"])


class KindTests(unittest.TestCase):
    def test_types_have_no_case_and_may_have_parameters(self):
        for kind in ("application/json", "Application/JSON", "application/json ; charset=utf-8"):
            self.assertTrue(is_json({"CONTENT_TYPE": kind}), kind)
            self.assertTrue(accepts_json({"HTTP_ACCEPT": f"text/html, {kind}"}), kind)
        for kind in ("", "text/plain", "application/jsonp", "text/json;a=application/json"):
            self.assertFalse(is_json({"CONTENT_TYPE": kind}), kind)


class WireCase(unittest.TestCase):
    def refused(self, status, check, *arguments):
        with self.assertRaises(BadInput) as caught:
            check(*arguments)
        self.assertEqual(status, caught.exception.status)
        self.assertRegex(caught.exception.line, r"\A[^\n]{5,200}\Z")
        return caught.exception.line


class RoomTests(WireCase):
    def test_letters_digits_and_a_few_signs(self):
        for name in ("lobby", "a.b-c_d", "7", "été", "日本", "x" * 64):
            self.assertEqual(name, checked_room(name))

    def test_a_private_rooms_name_is_taken_in_one_form(self):
        name = "~abcdefgh234567xy"
        self.assertEqual(name, checked_room(name))
        for other in (
            "~", "~abc", name.upper(), name[:-1], f"{name}z", f"{name}\n", f"~{name}", f"a{name}",
            name.replace("a", "0"), name.replace("~", "\uff5e"), name.replace("a", "\uff41"),
            name.replace("~", "\u02dc"), f" {name}",
        ):  # fmt: skip
            self.refused(400, checked_room, other)

    def test_both_ways_to_write_a_letter_are_one_room(self):
        self.assertEqual("été", checked_room(unicodedata.normalize("NFD", "été")))

    def test_slashes_commas_spaces_and_nothing(self):
        for name in ("a/b", "/", "a,b", "a b", "", "x" * 65, "a:b", "<b>", "..\\x"):
            self.refused(400, checked_room, name)

    def test_dots_alone_are_lost_from_urls_and_refused(self):
        for name in (".", "..", "...", ".\u200d."):
            self.assertIn("not dots alone", self.refused(400, checked_room, name))
        for name in (".a", "a..", "-."):
            self.assertEqual(name, checked_room(name))

    def test_a_mark_belongs_to_the_letter_before(self):
        for name in ("हिन्दी", "e\u20dd", "-\u20dd"):
            self.assertEqual(name, checked_room(name))
        for name in ("\u20dd", "\u20dde", "\u0301a"):
            self.refused(400, checked_room, name)

    @given(st.text(), CONTROL, st.text())
    def test_control_characters_and_surrogates(self, before, control, after):
        self.refused(400, checked_room, before + control + after)

    @given(st.text())
    def test_what_is_taken_stays_as_it_is_and_needs_no_quotes(self, text):
        try:
            name = checked_room(text)
        except BadInput:
            return
        self.assertEqual(name, checked_room(name))
        self.assertNotRegex(name, r"[\s/,\"'<>&:%?#\\]")

    def test_several_each_once(self):
        self.assertEqual((("lobby",), {}), checked_rooms(None, 1))
        self.assertEqual((("a", "b"), {}), checked_rooms("a,b,a", 2))
        self.assertEqual((("é",), {"e\u0301": "é"}), checked_rooms("e\u0301,é", 2))
        self.assertIn("2", self.refused(400, checked_rooms, "a,b,c", 2))
        self.refused(400, checked_rooms, "a,,b", 5)


class NickTests(WireCase):
    def test_printable_names(self):
        for nick in ("ann", "Ann Lee", "日本", "O'Brien", "<b>", "x" * 32, "👩\u200d🚀7"):
            self.assertEqual(nick, checked_nick(nick))
        self.assertEqual("Ann Lee", checked_nick("  Ann   Lee "))

    @given(ANYTHING)
    def test_what_is_no_text(self, value):
        self.refused(400, checked_nick, value)

    @given(st.text(max_size=10), CONTROL, st.text(max_size=10))
    def test_control_characters_and_surrogates(self, before, control, after):
        self.refused(400, checked_nick, f"a{before}{control}{after}b")

    def test_what_would_end_a_name_in_a_line_of_text(self):
        for nick in ("x: I resign. bye", "x:  y", "a: b: c"):
            self.assertIn("colon", self.refused(400, checked_nick, nick))
        for nick in ("a:b", "a:", ":a", "a :b"):
            self.assertEqual(nick, checked_nick(nick))

    def test_what_turns_or_hides_text(self):
        for nick in ("\u202eevil", "a\u2066b", "a\ufeffb", "\u200d", "--", "", "  ", "x" * 33):
            self.refused(400, checked_nick, nick)

    @given(st.text())
    def test_what_is_taken_stays_as_it_is(self, text):
        try:
            nick = checked_nick(text)
        except BadInput:
            return
        self.assertEqual(nick, checked_nick(nick))
        self.assertEqual(nick, " ".join(nick.split()))


class TextTests(WireCase):
    @given(st.text(max_size=20))
    def test_what_is_taken_is_left_as_it_is(self, text):
        try:
            self.assertIs(text, checked_text(text, 10))
            self.assertTrue(text.strip() and len(text) <= 10)
            text.encode()
        except BadInput as bad:
            self.assertEqual(413 if len(text) > 10 else 400, bad.status)

    @given(ANYTHING)
    def test_what_is_no_text(self, value):
        self.refused(400, checked_text, value, 10)

    def test_the_limit_counts_characters(self):
        self.assertEqual("🌠" * 10, checked_text("🌠" * 10, 10))
        self.assertIn("11", self.refused(413, checked_text, "🌠" * 11, 10))

    def test_nothing_surrogates_and_nul(self):
        for text in ("", " \t\n", "\ud800", "a\udfffb", "a\0"):
            self.refused(400, checked_text, text, 10)


class NumberTests(WireCase):
    def test_whole_numbers_within_the_limits(self):
        self.assertEqual(7, checked_seq("7", "before", 1))
        self.assertEqual(200, checked_seq("200", "limit", 1, 200))

    def test_others(self):
        for text in ("0", "-1", "+1", "1.0", "1e3", "", " 1", "x", "٣", "9" * 19, "9" * 5000):
            self.assertIn("before", self.refused(400, checked_seq, text, "before", 1))
        self.refused(400, checked_seq, "201", "limit", 1, 200)


class TokenTests(WireCase):
    @given(st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z"))
    def test_letters_digits_dashes_and_underscores(self, token):
        self.assertEqual(token, checked_token(token, "client"))

    @given(ANYTHING | st.text().filter(lambda text: not text.isascii()))
    def test_others(self, value):
        self.assertIn("client", self.refused(400, checked_token, value, "client"))

    def test_the_end_of_a_line_is_no_part_of_one(self):
        for token in ("a\n", "", "x" * 65, "a b", "a/b", "a."):
            self.refused(400, checked_token, token, "client")


class QueryTests(WireCase):
    def test_the_last_of_each_name(self):
        self.assertEqual({}, checked_query(""))
        self.assertEqual({"a": "2", "b": "é"}, checked_query("a=1&b=%C3%A9&a=2"))
        self.assertEqual({"a": ""}, checked_query("a="))

    def test_what_is_left_out_is_empty(self):
        self.assertEqual({"a": "", "b": "", "": "c"}, checked_query("a&b=&=c&&"))
        self.assertEqual({"a": "", "b": "", "": "c"}, checked_query("a&b=&=%63&&"))
        self.assertEqual({"a": "b=c"}, checked_query("a=b=c"))

    def test_what_cannot_be_read(self):
        self.refused(400, checked_query, "a=%FF")
        self.refused(400, checked_query, "&".join(f"a{n}=1" for n in range(21)))


class JSONTests(WireCase):
    def test_an_object(self):
        self.assertEqual({"text": "é"}, checked_json('{"text": "é"}'.encode()))

    @given(st.binary())
    def test_any_bytes_are_an_object_or_refused(self, body):
        try:
            self.assertIs(dict, type(checked_json(body)))
        except BadInput as bad:
            self.assertEqual(400, bad.status)

    def test_depth_and_size_end_in_a_line(self):
        for body in (b"[" * 100_000, b'{"a":' * 100_000, b"1" * 100_000, b"null", b"[]", b"\xff"):
            self.refused(400, checked_json, body)


class AcceptTests(unittest.TestCase):
    def test_json_for_who_names_it(self):
        self.assertTrue(accepts_json({"HTTP_ACCEPT": "text/html, application/json;q=0.9"}))
        for accept in ({}, {"HTTP_ACCEPT": "*/*"}, {"HTTP_ACCEPT": "text/plain"}):
            self.assertFalse(accepts_json(accept))
