# ruff: noqa: RUF001
"""Two names that say the same have the same fold, in any script."""

import unittest
from unicodedata import normalize

from hypothesis import given
from hypothesis import strategies as st

from chatapp.names import folded
from tests.chatapp.scripts import NAMES

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=80)


class FoldingTests(unittest.TestCase):
    def test_case_width_and_composition_do_not_count(self):
        for names in (
            ("tea", "Tea", "TEA", "ｔｅａ", "t\u200bea", "te\u034fa"),
            ("straße", "STRASSE", "stra\u1e9ee", "Strasse"),
            ("é", "e\u0301", "É", "E\u0301"),
            ("\u2126", "\u03a9", "\u03c9"),
            ("한", "\u1112\u1161\u11ab"),
            ("\uf914", "樂"),
            ("ᾳ", "ΑΙ", "αι"),
            ("ガ", "ｶﾞ", "カ\u3099"),
            ("Ꭰ", "ꭰ"),
        ):
            self.assertEqual(1, len({folded(name) for name in names}), names)

    def test_other_letters_count_and_look_alikes_too(self):
        names = ("tea", "te", "tee", "te\u0430", "tea1", "t.ea", "téa", "teа\u0301")
        self.assertEqual(len(names), len({folded(name) for name in names}))

    def test_what_is_composed_and_what_is_not_are_one_in_every_script(self):
        for script, name in NAMES.items():
            for form in ("NFC", "NFD", "NFKC", "NFKD"):
                self.assertEqual(folded(name), folded(normalize(form, name)), script)
            for changed in (name.upper(), name.lower(), name.casefold()):
                self.assertEqual(folded(name), folded(changed), script)

    def test_scripts_stay_apart(self):
        folds = {folded(name) for name in NAMES.values()}
        self.assertEqual(len(NAMES), len(folds))

    @given(TEXTS)
    def test_a_fold_is_its_own_fold(self, text):
        self.assertEqual(folded(text), folded(folded(text)))

    @given(TEXTS)
    def test_equal_texts_have_equal_folds(self, text):
        for form in ("NFC", "NFD"):
            self.assertEqual(folded(text), folded(normalize(form, text)))
