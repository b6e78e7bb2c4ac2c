"""The fake clock: time passes as a test says, and what cannot end is a Deadlock that names it."""

import asyncio
import time
import unittest

from cogen.core.coroutines import coro
from cogen.core.events import OperationTimeout, Sleep
from cogen.core.queue import Queue
from cogen.core.threads import RunInThread
from cogen.testing import Deadlock, FakeClock, FakeClockLoop


class ClockTests(unittest.TestCase):
    def setUp(self):
        self.clock = self.enterContext(FakeClock(patience=0.05))

    def test_a_coroutine_runs_to_its_end_in_no_time(self):
        def slow(answer):
            yield Sleep(3600)
            return answer

        begun, clock_begun = time.monotonic(), self.clock.time()
        self.assertEqual(42, self.clock.run(slow, answer=42))
        self.assertEqual(3600, self.clock.time() - clock_begun)
        self.assertLess(time.monotonic() - begun, 60)

    def test_what_it_raises_is_raised(self):
        def fails():
            yield Queue().get(timeout=10)

        with self.assertNoLogs("cogen"), self.assertRaises(OperationTimeout):
            self.clock.run(fails)

    def test_settling_parks_all_and_lets_no_time_pass(self):
        queue, steps = Queue(), []

        def waits():
            steps.append("begun")
            yield queue.get(timeout=10)

        begun = self.clock.time()
        coroutine = self.clock.add(waits)
        self.clock.settle()
        self.assertEqual((["begun"], False), (steps, coroutine.done))
        self.assertEqual(begun, self.clock.time())
        self.clock.advance(9.5)
        self.assertFalse(coroutine.done)
        self.clock.advance(0.6)
        with self.assertRaises(OperationTimeout):
            coroutine.result()

    def test_a_deadlock_names_who_waits_for_what(self):
        @coro
        def philosopher():
            yield Queue().get()

        with self.assertRaisesRegex(Deadlock, "philosopher: waits for <Get"):
            self.clock.run(philosopher)
        self.assertEqual(0, self.clock.scheduler.statistics()["coroutines"])

    def test_the_clock_waits_for_threads(self):
        def asks():
            return (yield RunInThread(time.sleep, 0.01, timeout=0.001))

        self.assertIsNone(self.clock.run(asks))

    def test_the_end_of_the_block_ends_what_runs(self):
        ended = []

        def endless():
            try:
                yield Sleep(3600)
            finally:
                ended.append("finally")

        with FakeClock() as clock:
            clock.add(endless)
            clock.settle()
        self.assertEqual(["finally"], ended)
        self.assertTrue(clock.loop.is_closed())
        clock.close()

    def test_asyncio_code_has_the_clock_too(self):
        async def slow():
            await asyncio.sleep(60)
            return "slept"

        loop = FakeClockLoop()
        self.addCleanup(loop.close)
        self.assertEqual("slept", loop.run_until_complete(slow()))
        self.assertEqual(1060, loop.time())
