"""What a cursor says comes back as it was; whatever else clients send is refused."""

import base64
import unittest

import orjson
from hypothesis import given
from hypothesis import strategies as st

from chatapp.live.cursor import BadCursor, Cursor

SEQS = st.integers(0, 2**53 - 1)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class CursorTests(unittest.TestCase):
    @given(NAMES, st.dictionaries(NAMES, SEQS, max_size=20), st.data())
    def test_it_comes_back_as_it_was(self, epoch, seqs, data):
        self.assertEqual((epoch, seqs, {}), Cursor.decode(Cursor(epoch, seqs).encode()))
        rooms = st.sampled_from(sorted(seqs)) if seqs else st.nothing()
        versions = data.draw(st.dictionaries(rooms, SEQS))
        cursor = Cursor(epoch, seqs, versions)
        self.assertEqual(cursor, Cursor.decode(cursor.encode()))

    @given(NAMES, st.dictionaries(NAMES, SEQS, max_size=20))
    def test_it_needs_no_escapes_in_a_url(self, epoch, seqs):
        self.assertLessEqual(set(Cursor(epoch, seqs).encode()), set(URL_SAFE))

    @given(st.text() | st.text(URL_SAFE, max_size=60) | st.binary(max_size=60).map(encoded))
    def test_any_other_text_is_refused_or_is_one(self, text):
        try:
            cursor = Cursor.decode(text)
        except BadCursor:
            return
        self.assertEqual(cursor, Cursor.decode(cursor.encode()))

    @given(NAMES, st.dictionaries(NAMES, SEQS, min_size=1, max_size=5), st.data())
    def test_one_that_was_cut_is_refused(self, epoch, seqs, data):
        text = Cursor(epoch, seqs).encode()
        cut = data.draw(st.integers(0, len(text) - 2))
        with self.assertRaises(BadCursor):
            Cursor.decode(text[:cut])

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | NAMES,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
            max_leaves=8,
        )
    )
    def test_json_of_another_shape_is_refused(self, data):
        try:
            epoch, seqs, versions = Cursor.decode(encoded(orjson.dumps(data)))
        except BadCursor:
            return
        self.assertIs(str, type(epoch))
        numbers = [*seqs.values(), *versions.values()]
        self.assertTrue(all(type(number) is int and 0 <= number < 2**53 for number in numbers))
        self.assertLessEqual(versions.keys(), seqs.keys())

    def test_numbers_that_no_message_has_are_refused(self):
        for seq in (-1, 2**53, 2**63, True, 1.0, "1", None):
            with self.subTest(seq), self.assertRaisesRegex(BadCursor, "no message"):
                Cursor.decode(encoded(orjson.dumps(["e", {"lobby": seq}])))

    def test_versions_that_do_not_fit_the_rooms_are_refused(self):
        for versions in ([], [1, 2], [-1], [2**53], ["1"], [True], 1, {"lobby": 1}, "1", [[1]]):
            with self.subTest(versions), self.assertRaises(BadCursor):
                Cursor.decode(encoded(orjson.dumps(["e", {"lobby": 1}, versions])))
        with self.assertRaises(BadCursor):
            Cursor.decode(encoded(orjson.dumps(["e", {"lobby": 1}, [1], [1]])))

    def test_one_that_is_too_long_is_not_looked_into(self):
        with self.assertRaisesRegex(BadCursor, "too long"):
            Cursor.decode("A" * (2**16 + 1))
