"""Where those of an ended epoch go on, and whether they may miss anything."""

import unittest

from chatapp.model.redis.past import Ended, Past


class PastTests(unittest.TestCase):
    def setUp(self):
        self.past = Past(
            {
                "a": Ended({"lobby": 5}, lost=True),
                "b": Ended({"lobby": 7}, lost=False),
                "c": Ended({"lobby": 6, "attic": 1}, lost=False),
            }
        )

    def test_a_cursor_no_further_than_the_beginnings_of_later_epochs_misses_nothing(self):
        self.assertEqual((6, False), self.past.place("b", "lobby", 6))
        self.assertEqual((7, True), Past({"b": Ended({"lobby": 7}, False)}).place("b", "lobby", 8))

    def test_a_cursor_that_is_further_is_put_at_the_earliest_of_them(self):
        self.assertEqual((6, True), self.past.place("b", "lobby", 7))
        self.assertEqual((0, True), self.past.place("c", "garden", 1))

    def test_what_is_known_to_be_lost_may_be_missing_to_all_of_that_epoch(self):
        self.assertEqual((2, True), self.past.place("a", "lobby", 2))

    def test_of_an_unknown_epoch_all_may_be_missing(self):
        self.assertEqual((0, True), self.past.place("x", "lobby", 0))

    def test_a_lost_message_is_unnoticed_unless_an_epoch_ended_with_that(self):
        self.assertTrue(self.past.unnoticed("b", "lobby", 7))
        self.assertFalse(self.past.unnoticed("b", "lobby", 6))
        self.assertFalse(self.past.unnoticed("a", "lobby", 9))
        self.assertFalse(self.past.unnoticed("x", "lobby", 9))
