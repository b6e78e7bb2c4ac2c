"""The token bucket: what is let through at once, in the long run, and how long to wait."""

import unittest

from hypothesis import given
from hypothesis import strategies as st

from chatapp.directory.bucket import TokenBucket

PAUSES = st.lists(st.floats(0, 3), min_size=1, max_size=60)


class TokenBucketTests(unittest.TestCase):
    def test_a_burst_and_then_as_many_as_come_back(self):
        bucket = TokenBucket(3, 0.0)
        self.assertEqual([0, 0, 0], [bucket.take(2, 3, 0.0) for _ in range(3)])
        self.assertEqual(0.5, bucket.take(2, 3, 0.0))
        self.assertEqual(0.25, bucket.take(2, 3, 0.25))
        self.assertEqual(0.0, bucket.take(2, 3, 0.5))

    def test_a_long_rest_gives_a_burst_and_no_more(self):
        bucket = TokenBucket(3, 0.0)
        taken = [bucket.take(2, 3, 1000.0) for _ in range(4)]
        self.assertEqual([0, 0, 0, 0.5], taken)

    def test_no_rate_is_no_limit(self):
        bucket = TokenBucket(1, 0.0)
        self.assertEqual({0.0}, {bucket.take(0, 1, 0.0) for _ in range(1000)})

    @given(PAUSES, st.floats(0.1, 10), st.integers(1, 20))
    def test_never_more_than_the_burst_and_what_came_back(self, pauses, rate, burst):
        bucket, now, taken = TokenBucket(burst, 0.0), 0.0, 0
        for pause in pauses:
            now += pause
            taken += bucket.take(rate, burst, now) == 0.0
        self.assertLessEqual(taken, burst + now * rate + 1e-6)

    @given(PAUSES, st.floats(0.1, 10), st.integers(1, 20))
    def test_who_waits_as_long_as_told_is_let_through(self, pauses, rate, burst):
        bucket, now = TokenBucket(burst, 0.0), 0.0
        for pause in pauses:
            now += pause
            wait = bucket.take(rate, burst, now)
            if wait:
                now += wait + 1e-9
                self.assertEqual(0.0, bucket.take(rate, burst, now))
