"""Which parts a run has, by its clients."""

import unittest

from benchmarks.suite import jobs
from benchmarks.targets import TARGETS


class JobTests(unittest.TestCase):
    def plans(self, *clients, quick=False):
        """By number of clients."""
        chat = [target for target in TARGETS if target.name == "chat"]
        return {job.clients: job.plan for job in jobs(chat, clients, 1, quick)}

    def test_a_push_by_itself_is_measured_where_the_crowd_is_small(self):
        for quick in (False, True):
            plans = self.plans(100, 10_000, quick=quick)
            self.assertGreaterEqual(plans[100].alone, 100)
            self.assertEqual(0, plans[10_000].alone)

    def test_idle_polls_and_another_get_are_measured_where_it_is_large(self):
        plans = self.plans(100, 10_000)
        self.assertEqual((0, 0), (plans[100].idle, plans[100].fair))
        self.assertTrue(plans[10_000].idle and plans[10_000].fair)

    def test_one_that_takes_longer_than_a_message_of_the_fixed_rate_has_the_closed_loop(self):
        plan = self.plans(50_000)[50_000]
        self.assertEqual((0, 0, 0), (plan.fixed, plan.idle, plan.fair))
        self.assertGreaterEqual(plan.least_rounds, 3)
