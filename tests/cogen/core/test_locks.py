"""Event, Semaphore, Condition."""

import asyncio

from cogen.core.corolets import corolet, wait
from cogen.core.events import OperationTimeout, Sleep
from cogen.core.locks import Condition, Event, Semaphore, WouldBlock
from tests.cogen.core.support import CoreCase, LoopThread, elsewhere, end_of


class EventTests(CoreCase):
    def test_all_who_wait_go_on_when_it_is_set(self):
        event = Event()

        def waiting():
            return (yield event.wait())

        waiters = [self.start(waiting) for _ in range(3)]
        self.loop.settle()
        self.assertEqual("<Event not set, 3 wait>", repr(event))
        event.set()
        self.loop.settle()
        self.assertTrue(all(each.done for each in waiters))
        self.assertIsNone(self.run_(waiting))
        self.assertTrue(event.is_set())

    def test_one_that_is_cleared_is_waited_for(self):
        event = Event()
        event.set()
        event.clear()

        def waiting():
            with self.assertRaises(OperationTimeout):
                yield event.wait(timeout=1)

        self.run_(waiting)
        self.assertEqual({"waiters": 0}, event.statistics())
        self.assert_nothing_is_left()

    def test_another_thread_sets_it(self):
        event = Event()
        with LoopThread() as one, LoopThread() as two:
            waiters = [loop.start(lambda: (yield event.wait())) for loop in (one, two)]
            event.set()
            for each in waiters:
                self.assertIsNone(end_of(each))


class SemaphoreTests(CoreCase):
    def test_a_permit_that_nobody_has_waited_for_is_told(self):
        def slip():
            with self.semaphore.acquire():
                yield

        words = r"^<Acquire.*> has not been waited for: write `with \(yield semaphore.acquire"
        with (
            self.assertLogs("cogen.core.coroutines"),
            self.assertRaisesRegex(TypeError, words),
        ):
            self.run_(slip)
        self.assertEqual({"free": 2, "waiters": 0}, self.semaphore.statistics())

    def setUp(self):
        super().setUp()
        self.semaphore = Semaphore(2)
        self.most = self.now = 0

    def enter(self):
        self.now += 1
        self.most = max(self.most, self.now)

    def leave(self):
        self.now -= 1

    def generator(self):
        with (yield self.semaphore.acquire()):
            self.enter()
            yield Sleep(1)
            self.leave()

    async def native(self):
        async with self.semaphore.acquire():
            self.enter()
            await asyncio.sleep(1)
            self.leave()

    def straight(self):
        with wait(self.semaphore.acquire):
            self.enter()
            wait(Sleep(1))
            self.leave()

    def test_as_many_as_it_has_hold_it(self):
        for function in (self.generator, self.native, corolet(self.straight)):
            with self.subTest(function):
                self.most = 0
                begun = self.loop.time()
                for _ in range(6):
                    self.start(function)
                self.scheduler.run()
                self.assertEqual(2, self.most)
                self.assertEqual(begun + 3, self.loop.time())
                self.assertEqual({"free": 2, "waiters": 0}, self.semaphore.statistics())

    def test_those_who_wait_are_served_in_order(self):
        order = []

        def taking(number):
            with (yield self.semaphore.acquire()):
                order.append(number)
                yield Sleep(1)

        for number in range(7):
            self.start(taking, number)
        self.scheduler.run()
        self.assertEqual(list(range(7)), order)

    def test_one_is_taken_without_waiting_if_there_is_one(self):
        first, second = self.semaphore.acquire_nowait(), self.semaphore.acquire_nowait()
        with self.assertRaisesRegex(WouldBlock, "0/2 free"):
            self.semaphore.acquire_nowait()
        first.release()
        first.release()
        self.assertEqual({"free": 1, "waiters": 0}, self.semaphore.statistics())
        with self.assertRaisesRegex(RuntimeError, "given back before"), first:
            pass
        second.release()
        with self.assertRaisesRegex(ValueError, "1 or more"):
            Semaphore(0)

    def test_one_that_is_left_takes_nothing(self):
        held = [self.semaphore.acquire_nowait(), self.semaphore.acquire_nowait()]

        def leaving():
            with self.assertRaises(OperationTimeout):
                yield self.semaphore.acquire(timeout=1)

        self.start(leaving)
        cancelled = self.start(lambda: (yield self.semaphore.acquire()))
        self.loop.settle()
        self.assertEqual({"free": 0, "waiters": 2}, self.semaphore.statistics())
        cancelled.cancel()
        self.loop.advance(2)
        del held
        self.assertEqual({"free": 2, "waiters": 0}, self.semaphore.statistics())
        self.assert_nothing_is_left()

    def test_one_that_was_granted_to_who_has_gone_is_free_again(self):
        held = [self.semaphore.acquire_nowait(), self.semaphore.acquire_nowait()]
        leaver = self.start(lambda: (yield self.semaphore.acquire()))
        self.loop.settle()
        elsewhere(held.pop().release)  # it is on its way
        leaver.cancel()
        self.loop.settle()
        self.assertEqual({"free": 1, "waiters": 0}, self.semaphore.statistics())

    def test_another_thread_gives_one_back(self):
        with LoopThread() as other:
            held = [self.semaphore.acquire_nowait(), self.semaphore.acquire_nowait()]
            waiter = other.start(lambda: (yield self.semaphore.acquire()))
            held.pop().release()
            end_of(waiter).release()
            held.pop().release()
        self.assertEqual({"free": 2, "waiters": 0}, self.semaphore.statistics())


class ConditionTests(CoreCase):
    def test_a_predicate_is_looked_at_again_when_it_is_notified(self):
        condition, items = Condition(), []

        def waiting():
            return (yield condition.wait_for(lambda: len(items) > 1 and items))

        waiter = self.start(waiting)
        for item in "ab":
            self.loop.settle()
            self.assertFalse(waiter.done)
            items.append(item)
            condition.notify_all()
        self.loop.settle()
        self.assertEqual(["a", "b"], waiter.result())
        self.assertEqual(["a", "b"], self.run_(waiting))
        self.assertEqual({"waiters": 0}, condition.statistics())

    def test_as_many_as_are_notified_go_on_in_order(self):
        condition = Condition()
        waiters = [self.start(lambda: (yield condition.wait())) for _ in range(4)]
        self.loop.settle()
        condition.notify(2)
        self.loop.settle()
        self.assertEqual([True, True, False, False], [each.done for each in waiters])
        condition.notify_all()
        self.loop.settle()
        self.assertTrue(all(each.done for each in waiters))

    def test_a_predicate_that_fails_fails_in_who_waits(self):
        condition, wrong = Condition(), []

        def waiting():
            with self.assertRaises(ZeroDivisionError):
                yield condition.wait_for(lambda: 1 // 0 if wrong else None)
            with self.assertRaises(ZeroDivisionError):
                yield condition.wait_for(lambda: 1 // 0)
            return "caught"

        waiter = self.start(waiting)
        self.loop.settle()
        wrong.append(True)
        condition.notify()
        self.loop.settle()
        self.assertEqual("caught", waiter.result())
        self.assertEqual({"waiters": 0}, condition.statistics())

    def test_one_that_is_left_is_not_notified(self):
        condition = Condition()

        def leaving():
            with self.assertRaises(OperationTimeout):
                yield condition.wait(timeout=1)

        self.run_(leaving)
        condition.notify_all()
        self.assertEqual("<Condition, 0 wait>", repr(condition))
        self.assert_nothing_is_left()

    def test_another_thread_notifies(self):
        condition, items = Condition(), []
        with LoopThread() as other:
            waiter = other.start(lambda: (yield condition.wait_for(lambda: items)))
            items.append(1)
            condition.notify()
            self.assertEqual([1], end_of(waiter))
