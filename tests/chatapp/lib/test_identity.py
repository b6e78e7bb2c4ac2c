"""Signed ids, and the cookie they come in."""

import unittest

from hypothesis import given
from hypothesis import strategies as st

from chatapp.lib.identity import Signer, cookie_value, new_id

KEY = b"k" * 32


class SignerTests(unittest.TestCase):
    def setUp(self):
        self.signer = Signer(KEY, "token")

    def test_what_it_signed_is_the_id_again(self):
        identity = new_id()
        self.assertEqual(identity, self.signer.verified(self.signer.sign(identity)))

    def test_the_signature_is_the_same_at_every_start(self):
        # RFC 2104, HMAC-SHA256 of "ann" under KEY, its first 24 bytes in base64url.
        self.assertEqual("ann.it7jC8fwM3PqYqeDIONvG9JYQDHptsOK", self.signer.sign("ann"))

    def test_another_key_signs_otherwise(self):
        self.assertIsNone(Signer(b"l" * 32, "token").verified(self.signer.sign("ann")))

    @given(st.data())
    def test_a_token_with_another_character_is_nobodys(self, data):
        token = self.signer.sign("Zm9yZ2VkIG1l")
        at = data.draw(st.integers(0, len(token) - 1))
        other = data.draw(st.characters().filter(lambda c: c != token[at]))
        self.assertIsNone(self.signer.verified(token[:at] + other + token[at + 1 :]))

    @given(st.text())
    def test_any_text_is_nobodys(self, text):
        self.assertIsNone(self.signer.verified(text))

    def test_ids_are_not_guessed(self):
        ids = {new_id() for _ in range(1000)}
        self.assertEqual((1000, {22}), (len(ids), set(map(len, ids))))


class CookieTests(unittest.TestCase):
    def test_the_one_of_that_name_is_found(self):
        header = "a=1; chat_token=x.y==; b=2"
        self.assertEqual("x.y==", cookie_value(header, "chat_token"))
        self.assertEqual("1", cookie_value(header, "a"))
        self.assertIsNone(cookie_value(header, "token"))
        self.assertIsNone(cookie_value("", "a"))

    def test_a_name_that_ends_alike_is_another(self):
        self.assertIsNone(cookie_value("my_chat_token=evil", "chat_token"))

    @given(st.text())
    def test_any_header_is_read(self, header):
        value = cookie_value(header, "a")
        self.assertTrue(value is None or value in header)
