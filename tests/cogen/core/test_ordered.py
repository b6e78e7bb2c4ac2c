"""Queues whose items leave in another order than they came."""

import queue
import threading
import unittest

from hypothesis import given
from hypothesis import strategies as st

from cogen.core.events import OperationTimeout
from cogen.core.ordered import LifoQueue, PriorityQueue
from cogen.core.queue import Empty, Full
from tests.cogen.core.support import CoreCase

PAIRS = {LifoQueue: queue.LifoQueue, PriorityQueue: queue.PriorityQueue}


class OrderTests(unittest.TestCase):
    @given(st.lists(st.one_of(st.none(), st.integers(0, 5))))
    def test_the_order_is_that_of_the_standard_library(self, steps):
        """A number is put, None takes one out."""
        for ours, theirs in PAIRS.items():
            one, other = ours(3), theirs(3)
            for step in steps:
                if step is None:
                    self.assertEqual(self.outcome(other.get_nowait), self.outcome(one.get_nowait))
                else:
                    put = [self.outcome(lambda q=q, i=step: q.put_nowait(i)) for q in (other, one)]
                    self.assertEqual(*put)
                self.assertEqual(other.qsize(), len(one))
            self.assertEqual([other.get_nowait() for _ in range(len(one))], one.queue)

    def outcome(self, function):
        try:
            return function()
        except (Empty, queue.Empty):
            return "empty"
        except (Full, queue.Full):
            return "full"

    def test_equal_ones_leave_in_the_order_they_came(self):
        class Task:
            def __init__(self, number):
                self.number = number

            def __lt__(self, other):
                return False

        tasks, waiting = [Task(number) for number in range(9)], PriorityQueue()
        for task in tasks:
            waiting.put_nowait(task)
        self.assertEqual(tasks, [waiting.get_nowait() for _ in tasks])

    def test_what_cannot_be_compared_is_not_put(self):
        waiting = PriorityQueue()
        for item in (3, 1, 2):
            waiting.put_nowait(item)
        with self.assertRaises(TypeError):
            waiting.put_nowait("text")
        self.assertEqual(3, waiting.unfinished)
        self.assertEqual([1, 2, 3], [waiting.get_nowait() for _ in range(3)])

    def test_a_queue_says_what_it_is(self):
        self.assertEqual("<PriorityQueue 0/no limit>", repr(PriorityQueue()))
        self.assertEqual("<LifoQueue 0/2>", repr(LifoQueue(2)))


class WaitingTests(CoreCase):
    def test_who_waits_gets_the_first_that_comes(self):
        for make in PAIRS:
            waiting = make()
            getters = [self.start(self.getting, waiting) for _ in range(2)]
            self.loop.settle()
            for item in (2, 1, 3, 0):
                waiting.put_nowait(item)
            self.loop.settle()
            self.assertEqual([2, 1], [each.result() for each in getters])
            self.assertEqual(2, len(waiting))

    def test_a_full_one_is_waited_for(self):
        for make in PAIRS:
            waiting = make(1)
            waiting.put_nowait(1)
            putter = self.start(self.putting, waiting)
            self.loop.settle()
            self.assertFalse(putter.done)
            self.assertEqual(1, waiting.get_nowait())
            self.loop.settle()
            self.assertTrue(putter.done)
            self.assertEqual(0, waiting.get_nowait())

    def getting(self, waiting):
        return (yield waiting.get())

    def putting(self, waiting):
        yield waiting.put(0)

    def leaving(self, waiting):
        with self.assertRaises(OperationTimeout):
            yield waiting.get(timeout=1)
        waiting.put_nowait("kept")
        return waiting.get_nowait()

    def test_one_that_is_left_takes_nothing(self):
        for make in PAIRS:
            self.assertEqual("kept", self.run_(self.leaving, make()))
            self.assert_nothing_is_left()

    def test_threads_put_and_the_loop_takes(self):
        waiting = PriorityQueue()

        def put(start):
            for item in range(start, 400, 4):
                waiting.put_nowait(item)

        def taking():
            taken = []
            for _ in range(400):
                taken.append((yield waiting.get(timeout=10)))
            return sorted(taken)

        threads = [threading.Thread(target=put, args=(start,)) for start in range(4)]
        for thread in threads:
            thread.start()
        taken = self.run_(taking)
        for thread in threads:
            thread.join()
        self.assertEqual(list(range(400)), taken)
