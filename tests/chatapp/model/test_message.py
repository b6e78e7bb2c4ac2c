import dataclasses
import math
import unittest

from hypothesis import given
from hypothesis import strategies as st

from chatapp.model.message import FIELDS, Draft, Message, handle, message_of, values_of

TEXT = st.text(st.characters(exclude_categories=("Cs",)))
MESSAGES = st.builds(
    Message,
    TEXT,
    st.integers(0, 2**53),
    TEXT,
    TEXT,
    st.floats(-1e12, 1e12),
    TEXT,
    TEXT,
    st.none() | TEXT,
    st.none() | st.integers(0, 2**53),
    TEXT,
)


def _stored(message):
    """What an engine gives back: texts as UTF-8."""
    values = values_of(message)
    return [value.encode() if isinstance(value, str) else value for value in values]


class FieldTests(unittest.TestCase):
    def test_fields_are_those_of_a_message_in_their_order(self):
        names = [field.name for field in dataclasses.fields(Message)]
        self.assertEqual(names, [field.name for field in FIELDS])

    def test_what_an_older_version_lacks_is_what_a_message_has_without_it(self):
        message = Message("tea", 1, "Ann", "hi", 1.0)
        stored = _stored(message)[:5] + [field.absent for field in FIELDS[5:]]
        self.assertEqual(values_of(message), values_of(message_of(stored)))

    @given(MESSAGES)
    def test_a_message_comes_back_as_it_was_stored(self, message):
        self.assertEqual(values_of(message), values_of(message_of(_stored(message))))

    @given(MESSAGES)
    def test_numbers_may_be_stored_as_their_digits(self, message):
        digits = [b"%d" % message.seq, repr(message.at).encode()]
        room, _, nick, text, _, *others = _stored(message)
        read = message_of([room, digits[0], nick, text, digits[1], *others])
        self.assertEqual(values_of(message), values_of(read))

    def test_what_is_damaged_is_no_message(self):
        whole = _stored(Message("tea", 1, "Ann", "hi", 1.0, nonce="n"))
        message_of(whole)
        for at, wrongs in enumerate(
            (
                (None, b"\xff", 1),
                (None, b"", b"x"),
                (None, b"\xff", 2.5),
                (None, b"\xff", 2.5),
                (None, b"", b"x", math.nan, math.inf),
                (None, b"\xff", 2.5),
                (None, b"\xff", 2.5),
                (b"\xff", 2.5),
                (b"", b"x"),
                (None, b"\xff", 2.5),
            )
        ):
            for wrong in wrongs:
                with self.subTest(FIELDS[at].name, wrong=wrong), self.assertRaises(ValueError):
                    message_of([*whole[:at], wrong, *whole[at + 1 :]])
        with self.assertRaises(ValueError):
            message_of(whole[:-1])

    def test_a_draft_has_pairs_of_what_is_not_empty_with_nick_and_text_first(self):
        draft = Draft("tea", "Ann", "hi", "id")
        expected = ["nick", "Ann", "text", "hi", "kind", "said", "sender", "id"]
        self.assertEqual(expected, list(draft.pairs()))
        self.assertEqual(
            [*expected, "nonce", "n"], list(dataclasses.replace(draft, nonce="n").pairs())
        )


class WireTests(unittest.TestCase):
    MESSAGE = Message("tea", 1, "Ann", "hi", 1.5, sender="the id", nonce="n1")

    def test_others_see_the_handle_of_the_sender_and_no_nonce(self):
        seen = {
            "room": "tea",
            "seq": 1,
            "kind": "said",
            "nick": "Ann",
            "text": "hi",
            "at": 1.5,
            "sender": handle("the id"),
        }
        self.assertEqual(seen, self.MESSAGE.wire())
        self.assertNotIn("the id", str(self.MESSAGE.wire()))

    def test_the_sender_sees_the_nonce(self):
        self.assertEqual({**self.MESSAGE.wire(), "nonce": "n1"}, self.MESSAGE.wire(own=True))

    def test_a_message_of_an_older_version_has_no_sender(self):
        self.assertNotIn("sender", Message("tea", 1, "Ann", "hi", 1.5).wire(own=True))

    def test_what_it_is_about_is_seen_and_its_address_is_not(self):
        message = Message("tea", 2, "Bob", "rude", 1.5, "removal", about=1, address="192.0.2.1")
        seen = {"room": "tea", "seq": 2, "kind": "removal", "nick": "Bob", "text": "rude"}
        self.assertEqual({**seen, "at": 1.5, "about": 1}, message.wire(own=True))

    def test_of_a_removed_message_all_is_left_but_text_and_nonce(self):
        removed = Message("tea", 1, "Ann", "", 1.5, "removed", "the id", address="192.0.2.1")
        message = dataclasses.replace(self.MESSAGE, address="192.0.2.1")
        self.assertEqual(values_of(removed), values_of(message.emptied()))

    @given(TEXT, TEXT)
    def test_a_handle_is_the_same_for_the_same_sender_only(self, one, other):
        self.assertEqual(12, len(handle(one)))
        self.assertEqual(one == other, handle(one) == handle(other))
