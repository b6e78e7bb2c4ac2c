import asyncio
import contextlib
import gc
import unittest

from cogen.core.coroutines import coro
from cogen.core.events import OperationTimeout, Signal, Sleep, WaitForSignal
from cogen.core.queue import Queue
from cogen.core.schedulers import SLICE, Scheduler, Waiter, new_event_loop
from cogen.testing.clock import FakeClockLoop
from tests.cogen.core.support import CoreCase


class DefaultTimeoutTests(unittest.TestCase):
    def scheduler(self, default_timeout):
        loop = FakeClockLoop()
        self.addCleanup(loop.close)
        scheduler = Scheduler(loop, default_timeout=default_timeout)
        self.addCleanup(scheduler.shutdown)
        return scheduler

    def waited(self, scheduler, wait):
        """Seconds until the wait has timed out."""

        def waiting():
            try:
                yield wait()
            except OperationTimeout:
                return scheduler.loop.time() - begun

        begun = scheduler.loop.time()
        coroutine = scheduler.add(waiting)
        scheduler.loop.advance(50)
        return coroutine.result() if coroutine.done else "for ever"

    def test_it_is_for_what_has_no_timeout(self):
        scheduler, queue = self.scheduler(5), Queue()
        never = scheduler.loop.create_future()
        for wait in (queue.get, lambda: WaitForSignal("x"), lambda: never):
            self.assertEqual(5, self.waited(scheduler, wait))
        self.assertEqual(2, self.waited(scheduler, lambda: queue.get(timeout=2)))
        self.assertEqual("for ever", self.waited(scheduler, lambda: queue.get(timeout=-1)))

    def test_none_and_minus_1_are_for_ever(self):
        for default_timeout in (None, -1):
            scheduler = self.scheduler(default_timeout)
            self.assertEqual({}, scheduler.scopes)
            self.assertEqual("for ever", self.waited(scheduler, Queue().get))

    def test_what_makes_no_sense_is_refused(self):
        for default_timeout in (-2, float("nan")):
            with self.assertRaisesRegex(ValueError, "0 or more"):
                self.scheduler(default_timeout)


class SchedulerTests(CoreCase):
    def test_run_returns_when_nothing_is_left(self):
        began = self.loop.time()
        for seconds in (1, 5, 3):
            self.start(lambda seconds=seconds: (yield Sleep(seconds)))
        self.scheduler.run()
        self.assertAlmostEqual(5, self.loop.time() - began, places=2)
        self.assert_nothing_is_left()

    def test_shutdown_cancels_and_runs_finally(self):
        cleaned = []

        def waiting(name):
            try:
                yield Sleep(1000)
            finally:
                yield Sleep(1)
                cleaned.append(name)

        self.start(waiting, "one")
        self.start(waiting, "two")
        self.loop.settle()
        self.scheduler.shutdown()
        self.assertEqual(["one", "two"], cleaned)

    def test_a_turn_is_sliced_so_that_the_loop_gets_its_share(self):
        order = []

        def waiting(number):
            yield WaitForSignal("all")
            order.append(number)

        for number in range(10 * SLICE):
            self.start(waiting, number)
        self.loop.settle()
        self.loop.call_soon(lambda: self.loop.call_soon(order.append, "socket"))
        self.scheduler.add(lambda: (yield Signal("all")))
        self.scheduler.run()
        self.assertLessEqual(order.index("socket"), 3 * SLICE)
        self.assertEqual(list(range(10 * SLICE)), [each for each in order if each != "socket"])

    def test_a_crowd_that_is_woken_does_not_hold_up_another(self):
        order = []

        class Other(Waiter):
            def step(self):
                order.append("other")

        def waiting(number):
            yield WaitForSignal("all")
            order.append(number)

        for number in range(10 * SLICE):
            self.start(waiting, number)
        self.loop.settle()
        self.scheduler.add(lambda: (yield Signal("all")))
        self.loop.call_soon(
            lambda: self.loop.call_soon(self.scheduler.ready, Other(self.scheduler))
        )
        self.scheduler.run()
        self.assertLessEqual(order.index("other"), 3 * SLICE)

    def test_nor_do_others_hold_up_a_crowd(self):
        left = []

        class Other(Waiter):
            def step(self):
                if not left:
                    self.scheduler.ready(self)

        for _ in range(2 * SLICE):
            self.scheduler.ready(Other(self.scheduler))

        def leaves():
            yield Sleep(0)
            left.append(True)

        self.start(leaves)
        self.scheduler.run()
        self.assertEqual([True], left)

    def test_a_coroutine_that_never_waits_does_not_keep_the_others_out(self):
        stop = []

        def greedy():
            queue = Queue()
            for number in range(100_000):
                if stop:
                    return number
                yield queue.put(number)

        def modest():
            yield Sleep(0)
            stop.append(True)

        greedy_one = self.start(greedy)
        self.start(modest)
        self.scheduler.run()
        self.assertLess(greedy_one.result(), 100_000)

    def test_two_schedulers_do_not_hear_each_other(self):
        other = Scheduler(proactor="asyncio")
        self.addCleanup(other.shutdown)
        waiter = other.add(lambda: (yield WaitForSignal("x", timeout=0.01)))
        self.assertEqual(0, self.run_(lambda: (yield Signal("x"))))
        with self.assertLogs("cogen.core"):
            other.run()
        with self.assertRaises(OperationTimeout):
            waiter.result()

    def test_the_current_one_is_that_of_the_running_loop(self):
        async def current():
            return Scheduler.current()

        self.assertIs(self.scheduler, self.loop.run_until_complete(current()))
        with self.assertRaises(RuntimeError):
            Scheduler.current()

    def test_the_path_makes_no_cycles(self):
        @coro
        def work(queue):
            yield Sleep(1)
            queue.put_nowait("x")
            yield queue.get()
            with contextlib.suppress(OperationTimeout):
                yield queue.get(timeout=1)
            return (yield inner())

        @coro
        def inner():
            yield Sleep(0.5)
            return 1

        def many(count):
            for _ in range(count):
                self.start(work, Queue(1))
            self.scheduler.run()

        many(10)
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        before = len(gc.get_objects())
        many(5000)
        self.assertLess(len(gc.get_objects()) - before, 100)


class LoopTests(unittest.TestCase):
    def test_the_proactor_names_the_loop(self):
        for name, module in {"uvloop": "uvloop", "any": "uvloop", "asyncio": "asyncio"}.items():
            loop = new_event_loop(name)
            self.assertTrue(type(loop).__module__.startswith(module), name)
            loop.close()
        with self.assertRaisesRegex(ValueError, "must be one of any, uvloop, asyncio"):
            new_event_loop("twisted")

    def test_both_loops_run_the_same(self):
        for name in ("uvloop", "asyncio"):
            scheduler = Scheduler(proactor=name)

            async def native():
                await asyncio.sleep(0)
                return 2

            def mixed(native=native):
                yield Sleep(0.001)
                return (yield native())

            coroutine = scheduler.add(mixed)
            scheduler.run()
            self.assertEqual(2, coroutine.result())
            scheduler.shutdown()
