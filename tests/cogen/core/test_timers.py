import unittest
from contextvars import ContextVar, copy_context

from cogen.core.timers import Timers
from cogen.testing.clock import FakeClockLoop


class Waiter:
    expired = 0

    def expire(self):
        self.expired += 1


class TimersTests(unittest.TestCase):
    def setUp(self):
        self.loop = FakeClockLoop()
        self.addCleanup(self.loop.close)
        self.timers = Timers(self.loop)

    def test_a_waiter_expires_once_at_its_deadline(self):
        waiter = Waiter()
        self.timers.start(waiter, 5.0)
        self.loop.advance(4.9)
        self.assertEqual(0, waiter.expired)
        self.loop.advance(20.0)
        self.assertEqual((1, 0), (waiter.expired, len(self.timers)))

    def test_what_is_left_is_told(self):
        waiter = Waiter()
        self.assertIsNone(self.timers.left(waiter, 5.0))
        self.timers.start(waiter, 5.0)
        self.loop.advance(2.0)
        self.assertAlmostEqual(3.0, self.timers.left(waiter, 5.0))
        self.timers.stop(waiter, 5.0)
        self.assertIsNone(self.timers.left(waiter, 5.0))

    def test_loop_timers_that_would_fire_for_nothing_are_let_go(self):
        stays, gone = Waiter(), Waiter()
        self.timers.start(stays, 7.0)
        self.timers.start(gone, 5.0)
        self.timers.stop(gone, 5.0)
        self.assertEqual(2, self.armed())
        self.timers.trim()
        self.assertEqual(1, self.armed())
        self.timers.start(gone, 5.0)
        self.loop.advance(7.0)
        self.assertEqual((1, 1), (stays.expired, gone.expired))

    def test_a_deadline_is_not_run_in_the_context_of_who_started_another(self):
        request = ContextVar("request", default=None)
        seen = []

        class Reader(Waiter):
            def expire(self):
                seen.append(request.get())

        def started():
            request.set("the first")
            self.timers.start(Waiter(), 5.0)

        copy_context().run(started)
        self.loop.advance(1.0)
        self.timers.start(Reader(), 5.0)
        self.loop.advance(5.0)
        self.assertEqual([None], seen)

    def armed(self):
        return sum(not handle.cancelled() for handle in self.loop._scheduled)

    def test_those_who_follow_at_once_are_swept_together_and_a_little_late(self):
        expired = []

        class Noting(Waiter):
            def expire(self, loop=self.loop):
                expired.append(loop.time() - started - 10.0)

        started = self.loop.time()
        waiters = [Noting() for _ in range(200)]
        for waiter in waiters:
            self.timers.start(waiter, 10.0)
            self.loop.advance(0.001)
        self.loop.advance(20.0)
        late = [at - 0.001 * number for number, at in enumerate(expired)]
        self.assertEqual(200, len(late))
        self.assertLessEqual(len(set(expired)), 6)
        self.assertGreaterEqual(min(late), -0.0011)
        self.assertLessEqual(max(late), 0.052)

    def test_one_that_comes_long_after_another_is_not_late(self):
        waiters = [Waiter(), Waiter()]
        self.timers.start(waiters[0], 1.0)
        self.loop.advance(0.5)
        self.timers.start(waiters[1], 1.0)
        self.loop.advance(0.999)
        self.assertEqual([1, 0], [each.expired for each in waiters])
        self.loop.advance(0.002)
        self.assertEqual([1, 1], [each.expired for each in waiters])
