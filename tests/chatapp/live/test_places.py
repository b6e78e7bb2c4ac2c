"""The places that an address has."""

import unittest

from chatapp.live.places import Places


class PlaceTests(unittest.TestCase):
    def test_each_address_has_so_many(self):
        places = Places(2)
        taken = [places.take(address) for address in ("a", "a", "a", "b")]
        self.assertEqual([True, True, False, True], taken)
        places.give_back("a")
        self.assertEqual([True, False], [places.take("a"), places.take("a")])

    def test_nothing_is_kept_of_those_who_have_none(self):
        places = Places(2)
        places.take("a")
        self.assertEqual(1, len(places))
        places.give_back("a")
        self.assertEqual(0, len(places))

    def test_an_address_that_is_not_known_and_a_limit_of_zero_are_none(self):
        for places, address in ((Places(1), None), (Places(0), "a")):
            self.assertEqual([True] * 9, [places.take(address) for _ in range(9)])
            for _ in range(9):
                places.give_back(address)
            self.assertEqual(0, len(places))
