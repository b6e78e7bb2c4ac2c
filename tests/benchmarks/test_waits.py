"""What a held request costs by the way in which it waits."""

import unittest

from benchmarks.waits import costs


class WaitTests(unittest.TestCase):
    def test_a_yielded_wait_has_no_thread_and_one_in_straight_line_code_has_one(self):
        clients = 60
        made = {(cost.application, cost.how, cost.mode): cost for cost in costs(clients)}
        self.assertEqual(8, len(made))
        for (_, how, mode), cost in made.items():
            has_threads = how == "waited" and mode == "threads"
            self.assertEqual(has_threads, cost.threads >= clients, cost)
