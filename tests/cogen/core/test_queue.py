import unittest
from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from cogen.core.events import OperationTimeout
from cogen.core.queue import Empty, Full, Queue
from cogen.core.schedulers import Scheduler
from cogen.testing.clock import FakeClockLoop
from tests.cogen.core.support import CoreCase


class QueueTests(CoreCase):
    def test_items_leave_in_the_order_they_came(self):
        queue = Queue()
        for item in "abc":
            queue.put_nowait(item)
        self.assertEqual(["a", "b", "c"], [queue.get_nowait() for _ in range(3)])

    def test_it_is_bounded(self):
        queue = Queue(2)
        queue.put_nowait(1)
        queue.put_nowait(2)
        self.assertTrue(queue.full())
        with self.assertRaisesRegex(Full, "holds 2 items"):
            queue.put_nowait(3)
        self.assertEqual("<Queue 2/2>", repr(queue))

    def test_an_empty_one_says_so(self):
        with self.assertRaises(Empty):
            Queue().get_nowait()
        with self.assertRaisesRegex(ValueError, "maxsize"):
            Queue(-1)

    def test_getters_are_served_in_the_order_they_came(self):
        queue = Queue()
        getters = [self.start(lambda: (yield queue.get())) for _ in range(3)]
        self.loop.settle()
        for item in "abc":
            queue.put_nowait(item)
        self.scheduler.run()
        self.assertEqual(["a", "b", "c"], [getter.result() for getter in getters])

    def test_an_item_handed_over_is_not_taken_by_one_who_comes_later(self):
        queue = Queue()
        getter = self.start(lambda: (yield queue.get()))
        self.loop.settle()
        queue.put_nowait("a")
        with self.assertRaises(Empty):
            queue.get_nowait()
        self.scheduler.run()
        self.assertEqual("a", getter.result())

    def test_putters_wait_for_room_in_order(self):
        queue = Queue(1)

        def putting():
            for item in range(4):
                yield queue.put(item)

        def taking():
            got = []
            for _ in range(4):
                got.append((yield queue.get()))
            return got

        self.start(putting)
        taker = self.start(taking)
        self.scheduler.run()
        self.assertEqual([0, 1, 2, 3], taker.result())

    def test_join_waits_until_every_item_is_dealt_with(self):
        queue = Queue()
        queue.put_nowait("a")
        queue.put_nowait("b")
        joiner = self.start(lambda: (yield queue.join()))
        for _ in range(2):
            self.loop.settle()
            self.assertFalse(joiner.done)
            queue.get_nowait()
            queue.task_done()
        self.scheduler.run()
        self.assertTrue(joiner.done)
        with self.assertRaisesRegex(ValueError, "more often"):
            queue.task_done()


class QueueModelTests(unittest.TestCase):
    @settings(max_examples=200)
    @given(
        st.integers(0, 3),
        st.lists(st.sampled_from(["put", "get", "put_nowait", "get_nowait", "wait", "cancel"])),
    )
    def test_nothing_is_lost_doubled_or_reordered(self, maxsize, program):
        loop = FakeClockLoop()
        scheduler = Scheduler(loop)
        queue = Queue(maxsize)
        put, got, waiting = [], [], deque()

        def putting(item):
            try:
                yield queue.put(item, timeout=5)
            except OperationTimeout:
                return
            put.append(item)

        def taking():
            try:
                got.append((yield queue.get(timeout=5)))
            except OperationTimeout:
                return

        for number, step in enumerate(program):
            if step == "put":
                waiting.append(scheduler.add(putting, (number,)))
            elif step == "get":
                waiting.append(scheduler.add(taking))
            elif step == "put_nowait":
                try:
                    queue.put_nowait(number)
                    put.append(number)
                except Full:
                    self.assertTrue(queue.full())
            elif step == "get_nowait":
                try:
                    got.append(queue.get_nowait())
                except Empty:
                    self.assertTrue(queue.empty())
            elif step == "wait":
                loop.advance(3)
            elif waiting:
                waiting.popleft().cancel()
            loop.settle()
            self.assertLessEqual(len(queue), maxsize or len(program))
        scheduler.run()
        left = [queue.get_nowait() for _ in range(len(queue))]
        self.assertEqual(sorted(put), sorted(got + left))
        self.assertEqual(0, scheduler.statistics()["deadlines"])
        scheduler.shutdown()
        loop.close()
