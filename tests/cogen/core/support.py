"""A scheduler on a fake clock."""

import unittest

from cogen.core.coroutines import coro
from cogen.core.schedulers import Scheduler
from tests.support.clock import FakeClockLoop


class CoreCase(unittest.TestCase):
    """`run_(generator function)` runs a coroutine to its end and gives its result back."""

    def setUp(self):
        self.loop = FakeClockLoop()
        self.scheduler = Scheduler(self.loop)
        self.addCleanup(self.loop.close)
        self.addCleanup(self.scheduler.shutdown)

    def start(self, function, *args):
        return self.scheduler.add(function, args)

    def run_(self, function, *args):
        coroutine = self.start(coro(function), *args)
        for _ in range(1000):
            if coroutine.done:
                break
            self.loop.advance(1)
        return coroutine.result()

    def assert_nothing_is_left(self):
        self.loop.settle()
        counts = {"coroutines": 0, "ready": 0, "deadlines": 0, "signal_waiters": 0}
        self.assertEqual(counts, self.scheduler.statistics())
