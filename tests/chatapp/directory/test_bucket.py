"""Token buckets: what is let through at once, in the long run, how long to wait, what is kept."""

import unittest

from hypothesis import given
from hypothesis import strategies as st

from chatapp.directory.bucket import TokenBuckets
from chatapp.directory.limits import Limit

PAUSES = st.lists(st.floats(0, 3), min_size=1, max_size=60)
RATES = st.floats(0.05, 10)
BURSTS = st.integers(1, 20)


class TokenBucketTests(unittest.TestCase):
    def take(self, buckets, now, name="ann"):
        return buckets.take(name, now)

    def test_a_burst_and_then_as_many_as_come_back(self):
        buckets = TokenBuckets(Limit(2, 3))
        self.assertEqual([0, 0, 0], [self.take(buckets, 0.0) for _ in range(3)])
        self.assertEqual(0.5, self.take(buckets, 0.0))
        self.assertEqual(0.25, self.take(buckets, 0.25))
        self.assertEqual(0.0, self.take(buckets, 0.5))

    def test_a_long_rest_gives_a_burst_and_no_more(self):
        buckets = TokenBuckets(Limit(2, 3))
        self.take(buckets, 0.0)
        taken = [self.take(buckets, 1000.0) for _ in range(4)]
        self.assertEqual([0, 0, 0, 0.5], taken)

    def test_buckets_that_are_full_again_are_forgotten(self):
        buckets = TokenBuckets(Limit(2, 3))
        self.take(buckets, 0.0)
        self.take(buckets, 5.0, "bob")
        buckets.trim(5.0)
        self.assertEqual(1, len(buckets))

    def test_what_is_given_back_can_be_taken_again(self):
        buckets = TokenBuckets(Limit(2, 3))
        self.assertEqual([0, 0], [self.take(buckets, 0.0) for _ in range(2)])
        buckets.give_back("ann", 2)
        self.assertEqual([0, 0, 0, 0.5], [self.take(buckets, 0.0) for _ in range(4)])

    def test_what_is_refused_takes_nothing(self):
        buckets = TokenBuckets(Limit(2, 3))
        self.assertEqual(0.5, buckets.take("ann", 0.0, 4))
        self.assertEqual(0, len(buckets))

    def test_no_rate_is_no_limit(self):
        buckets = TokenBuckets(Limit(0, 1))
        self.assertEqual({0.0}, {self.take(buckets, 0.0) for _ in range(1000)})
        buckets.give_back("ann")
        self.assertEqual(0, len(buckets))

    def test_a_large_burst_is_had_to_the_last_token(self):
        for rate in (20, 2000 / 3600, 200 / 3600, 0.1):
            buckets = TokenBuckets(Limit(rate, 2000))
            waits = [self.take(buckets, 123456.789) for _ in range(2001)]
            self.assertEqual(2000, waits.count(0.0), rate)
            self.assertAlmostEqual(1 / rate, waits[-1], 5)

    @given(PAUSES, RATES, BURSTS)
    def test_never_more_than_the_burst_and_what_came_back(self, pauses, rate, burst):
        buckets, now, taken = TokenBuckets(Limit(rate, burst)), 0.0, 0
        for pause in pauses:
            now += pause
            taken += self.take(buckets, now) == 0.0
        self.assertLessEqual(taken, burst + now * rate + 1e-5)

    @given(PAUSES, RATES, BURSTS)
    def test_an_address_that_waits_as_long_as_told_is_let_through(self, pauses, rate, burst):
        buckets, now = TokenBuckets(Limit(rate, burst)), 0.0
        for pause in pauses:
            now += pause
            wait = self.take(buckets, now)
            if wait:
                now += wait
                self.assertEqual(0.0, self.take(buckets, now))

    @given(st.lists(st.tuples(st.integers(0, 300), st.floats(0, 0.5)), max_size=400))
    def test_a_bucket_that_is_forgotten_was_full(self, takes):
        """With room for all, it is as if each had a bucket of its own."""
        limit, now = Limit(2, 3), 0.0
        together, own = TokenBuckets(limit), {}
        for name, pause in takes:
            now += pause
            alone = own.setdefault(name, TokenBuckets(limit))
            self.assertEqual(self.take(alone, now), self.take(together, now, f"{name}"))

    def test_full_ones_are_let_go_and_the_number_is_bounded(self):
        buckets = TokenBuckets(Limit(1 / 60, 3), most=1000)
        for number in range(70_000):  # two a second: of each a token is lacking for a minute
            self.take(buckets, number / 2, f"{number}")
            self.assertLessEqual(len(buckets), 250)
        for number in range(70_000):
            self.take(buckets, 50_000.0, f"other {number}")
            self.assertLessEqual(len(buckets), 1000)

    def test_where_none_is_full_the_oldest_are_let_go(self):
        buckets = TokenBuckets(Limit(1 / 3600, 1), most=1000)
        for number in range(1001):
            self.assertEqual(0.0, self.take(buckets, 0.0, f"{number}"))
        self.assertEqual(3600.0, self.take(buckets, 0.0, "1000"))
        self.assertEqual(3600.0, self.take(buckets, 0.0, "500"))
        self.assertEqual(0.0, self.take(buckets, 0.0, "0"))
