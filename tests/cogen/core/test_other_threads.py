"""What other threads than the loop's do: at once, in order, nothing lost, nothing doubled."""

import asyncio
import contextlib
import random
import sys
import threading
import time
import unittest
from collections import Counter, deque
from contextvars import ContextVar
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from cogen.core.coroutines import coro
from cogen.core.events import Join, OperationTimeout, Sleep, WaitForSignal
from cogen.core.pubsub import PublishSubscribeQueue
from cogen.core.queue import Empty, Full, Queue
from cogen.core.schedulers import Scheduler, Waiter, running_for
from cogen.core.threads import RunInThread
from cogen.testing.clock import FakeClockLoop
from tests.cogen.core.support import CoreCase, LoopThread, elsewhere, end_of


@contextlib.contextmanager
def fast_switches():
    """Threads interrupt each other five hundred times as often."""
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(switch)


class AtOnceTests(unittest.TestCase):
    """The loop is idle, and nothing else wakes it."""

    def on_each_loop(self):
        for proactor in ("asyncio", "uvloop"):
            with self.subTest(proactor), LoopThread(proactor) as there:
                yield there

    def test_an_item_reaches_who_waits_for_it(self):
        for there in self.on_each_loop():
            queue = Queue()
            getter = there.start(lambda queue=queue: (yield queue.get()))
            queue.put_nowait("item")
            self.assertEqual("item", end_of(getter))

    def test_room_lets_in_who_waits_for_it(self):
        for there in self.on_each_loop():
            queue = Queue(1)
            queue.put_nowait(1)
            putter = there.start(lambda queue=queue: (yield queue.put(2)))
            self.assertEqual(1, queue.get_nowait())
            end_of(putter)
            self.assertEqual(2, queue.get_nowait())

    def test_the_last_task_done_ends_a_join(self):
        for there in self.on_each_loop():
            queue = Queue()
            queue.put_nowait("task")
            joiner = there.start(lambda queue=queue: (yield queue.join()))
            self.assertFalse(joiner.done)
            queue.task_done()
            end_of(joiner)

    def test_a_message_reaches_who_fetches(self):
        for there in self.on_each_loop():
            pubsub = PublishSubscribeQueue()

            def reading(pubsub=pubsub):
                yield pubsub.subscribe()
                return (yield pubsub.fetch())

            reader = there.start(reading)
            self.assertEqual(1, pubsub.publish_nowait("message"))
            self.assertEqual(("message",), end_of(reader))

    def test_a_signal_reaches_who_waits_for_it(self):
        for there in self.on_each_loop():
            waiter = there.start(lambda: (yield WaitForSignal("name")))
            self.assertEqual(0, there.scheduler.signal("other"))
            self.assertEqual(1, there.scheduler.signal("name", "value"))
            self.assertEqual("value", end_of(waiter))

    def test_a_coroutine_starts(self):
        for there in self.on_each_loop():
            self.assertEqual(3, end_of(there.scheduler.add(lambda a, b: a + b, (1,), {"b": 2})))

    def test_a_loop_that_ran_in_this_thread_before_is_woken(self):
        there = LoopThread()
        there.scheduler.add(lambda: (yield))
        there.scheduler.run()
        queue = Queue()
        getter = there.scheduler.add(lambda: (yield queue.get()))
        with there:
            queue.put_nowait("item")
            self.assertEqual("item", end_of(getter))

    def test_a_coroutine_is_cancelled(self):
        for there in self.on_each_loop():
            waiter = there.start(lambda: (yield Sleep(1000)))
            waiter.cancel()
            with self.assertRaises(asyncio.CancelledError):
                end_of(waiter)
            waiter.cancel()


class OrderTests(CoreCase):
    """The loop stands while another thread works: the order of what both do is known."""

    def setUp(self):
        super().setUp()
        self.queue = Queue()

    def getter(self, queue=None, timeout=None):
        queue = self.queue if queue is None else queue

        def getting():
            try:
                return (yield queue.get(timeout=timeout))
            except OperationTimeout:
                return "timed out"

        coroutine = self.start(getting)
        self.loop.settle()
        return coroutine

    def test_an_item_that_came_in_time_comes_before_the_timeout(self):
        getter = self.getter(timeout=5)
        self.loop.advance(4)
        elsewhere(self.queue.put_nowait, "item")
        # Its time is up, and the loop has not been told of the item yet.
        self.scheduler.timers._lanes[5].deadlines[getter] = 0
        getter.expire()
        self.loop.settle()
        self.assertEqual("item", getter.result())

    def test_an_item_for_one_that_is_cancelled_goes_to_the_next(self):
        first, second = self.getter(), self.getter()
        elsewhere(self.queue.put_nowait, "item")
        first.cancel()
        self.loop.settle()
        self.assertEqual("item", second.result())
        self.assertTrue(first.done)

    def test_an_item_for_one_that_is_cancelled_stays(self):
        getter = self.getter()
        elsewhere(self.queue.put_nowait, "item")
        getter.cancel()
        self.loop.settle()
        self.assertEqual("item", self.queue.get_nowait())

    def test_items_for_those_who_wait_do_not_fill_it(self):
        queue = Queue(1)
        getters = [self.getter(queue) for _ in range(2)]
        for item in range(3):
            elsewhere(queue.put_nowait, item)
        self.assertTrue(queue.full())
        with self.assertRaises(Full):
            elsewhere(queue.put_nowait, 3)
        with self.assertRaises(Full):
            queue.put_nowait(3)
        self.loop.settle()
        self.assertEqual([0, 1], [getter.result() for getter in getters])
        self.assertEqual(2, queue.get_nowait())

    def test_an_item_for_one_who_waits_is_not_taken_by_another(self):
        getter = self.getter()
        elsewhere(self.queue.put_nowait, "item")
        for take in (self.queue.get_nowait, partial(elsewhere, self.queue.get_nowait)):
            with self.assertRaises(Empty):
                take()
        self.loop.settle()
        self.assertEqual("item", getter.result())

    def test_items_of_a_thread_and_of_the_loop_keep_their_order(self):
        getters = [self.getter() for _ in range(2)]
        elsewhere(self.queue.put_nowait, 1)
        self.queue.put_nowait(2)
        elsewhere(self.queue.put_nowait, 3)
        self.queue.put_nowait(4)
        self.loop.settle()
        self.assertEqual([1, 2], [getter.result() for getter in getters])
        self.assertEqual([3, 4], [self.queue.get_nowait(), elsewhere(self.queue.get_nowait)])

    def test_who_waits_for_room_comes_before_a_thread(self):
        queue = Queue(2)
        queue.put_nowait(1)
        queue.put_nowait(2)
        putter = self.start(lambda: (yield queue.put(3)))
        self.loop.settle()
        self.assertEqual(1, elsewhere(queue.get_nowait))
        for put in (partial(elsewhere, queue.put_nowait), queue.put_nowait):
            with self.assertRaises(Full):
                put(4)
        self.loop.settle()
        self.assertTrue(putter.done)
        self.assertEqual([2, 3], [queue.get_nowait() for _ in range(2)])

    def test_one_who_no_longer_waits_for_room_puts_nothing(self):
        queue = Queue(1)
        queue.put_nowait(1)
        putter = self.start(lambda: (yield queue.put(2)))
        self.loop.settle()
        elsewhere(queue.get_nowait)
        putter.cancel()
        self.loop.settle()
        self.assertTrue(queue.empty())
        elsewhere(queue.put_nowait, 3)

    def test_a_join_waits_for_what_came_meanwhile(self):
        elsewhere(self.queue.put_nowait, 1)
        joiner = self.start(lambda: (yield self.queue.join()))
        self.loop.settle()
        elsewhere(self.queue.put_nowait, 2)
        elsewhere(self.queue.task_done)
        self.loop.settle()
        self.assertFalse(joiner.done)
        self.queue.task_done()
        self.loop.settle()
        self.assertTrue(joiner.done)
        for done in (self.queue.task_done, partial(elsewhere, self.queue.task_done)):
            with self.assertRaisesRegex(ValueError, "more often"):
                done()

    def test_signals_of_a_thread_reach_those_who_waited_before_them(self):
        def waiting(timeout=None):
            return (yield WaitForSignal("name", timeout))

        early = self.start(waiting, 5)
        self.loop.settle()
        signal = partial(elsewhere, self.scheduler.signal, "name")
        self.assertEqual([1, 0], [signal("first"), signal("second")])
        late = self.start(waiting)
        early.expire()
        self.loop.settle()
        self.assertEqual(("first", False), (early.result(), late.done))
        self.assertEqual(1, self.scheduler.signal("name", "third"))
        self.scheduler.run()
        self.assertEqual("third", late.result())

    def test_what_a_thread_does_is_done_in_its_order(self):
        seen = []
        pubsub = PublishSubscribeQueue()

        def reading():
            yield pubsub.subscribe()
            seen.extend((yield pubsub.fetch()))

        def noting(name, operation):
            yield operation
            seen.append(name)

        self.start(reading)
        self.start(noting, "signal", WaitForSignal("name"))
        self.loop.settle()

        def working():
            self.scheduler.signal("name")
            pubsub.publish_nowait("message")
            self.scheduler.add(lambda: seen.append("coroutine"))

        elsewhere(working)
        self.scheduler.run()
        self.assertEqual({"coroutine", "signal", "message"}, set(seen))
        self.assertLess(seen.index("signal"), seen.index("message"))

    def test_a_thread_joins_and_watches_nothing_behind_the_loop(self):
        ended = []
        coroutine = self.start(lambda: (yield Sleep(1)))
        self.loop.settle()
        elsewhere(coroutine.add_done_callback, lambda _: ended.append(threading.get_ident()))
        self.scheduler.run()
        self.assertEqual([threading.get_ident()], ended)
        self.assertIsNone(elsewhere(coroutine.result))

    def test_one_that_is_cancelled_before_its_first_turn_does_not_run(self):
        ran = []
        coroutine = elsewhere(self.scheduler.add, lambda: ran.append(True))
        elsewhere(coroutine.cancel)
        self.scheduler.run()
        self.assertEqual(([], True), (ran, coroutine.done))


class Meanwhile(dict):
    """Another thread does something just before an entry can be seen."""

    def __init__(self, act):
        self.act = act

    def __setitem__(self, key, value):
        elsewhere(self.act)
        super().__setitem__(key, value)


class Raced(deque):
    """Another thread takes the item just before."""

    def popleft(self):
        elsewhere(super().popleft)
        return super().popleft()


class MomentTests(CoreCase):
    """What another thread does in the worst moment."""

    def setUp(self):
        super().setUp()
        self.queue = Queue(1)

    def test_an_item_comes_while_somebody_begins_to_wait(self):
        self.queue._items = deque()
        self.queue._getters = Meanwhile(partial(self.queue.put_nowait, "item"))
        self.assertEqual("item", self.run_(lambda: (yield self.queue.get())))

    def test_room_comes_while_somebody_begins_to_wait_for_it(self):
        self.queue.put_nowait(1)
        self.queue._putters = Meanwhile(self.queue.get_nowait)
        self.run_(lambda: (yield self.queue.put(2)))
        self.assertEqual(2, self.queue.get_nowait())

    def test_the_last_task_is_done_while_somebody_begins_to_wait_for_it(self):
        self.queue.put_nowait("task")
        self.queue._joiners = Meanwhile(self.queue.task_done)
        self.run_(lambda: (yield self.queue.join()))

    def test_the_item_is_gone_that_was_there(self):
        self.run_(lambda: (yield self.queue.put("at home")))
        self.queue._items = Raced([1])
        with self.assertRaises(Empty):
            self.queue.get_nowait()
        self.queue._items = Raced([1])
        with self.assertRaises(Empty):
            elsewhere(self.queue.get_nowait)

    def test_the_item_is_gone_that_was_for_one_who_waits(self):
        getter = self.start(lambda: (yield self.queue.get()))
        self.loop.settle()
        self.queue._items = Raced([1])
        self.queue._match()
        self.loop.settle()
        self.assertFalse(getter.done)
        self.queue.put_nowait(2)
        self.loop.settle()
        self.assertEqual(2, getter.result())

    def test_a_thread_signals_before_somebody_begins_to_wait(self):
        heard = []

        class Probe(Waiter):
            def step(self):
                heard.append(self.value)

        self.start(lambda: (yield WaitForSignal("name")))
        self.loop.settle()
        elsewhere(self.scheduler.signal, "name", "before")
        Probe(self.scheduler).perform(WaitForSignal("name"))
        self.scheduler.signal("name", "after")
        self.scheduler.run()
        self.assertEqual(["after"], heard)

    def test_threads_that_put_at_once_do_not_put_too_much(self):
        rounds, count = 100, 4
        barrier, put = threading.Barrier(count), []
        queues = [Queue(1) for _ in range(rounds)]

        def putting():
            for number, queue in enumerate(queues):
                barrier.wait()
                with contextlib.suppress(Full):
                    queue.put_nowait(number)
                    put.append(number)

        threads = [threading.Thread(target=putting) for _ in range(count)]
        with fast_switches():
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(list(range(rounds)), sorted(put))

    def test_an_idle_queue_costs_one_small_object(self):
        def putting_and_getting():
            yield self.queue.put(1)
            yield self.queue.get()
            with contextlib.suppress(OperationTimeout):
                yield self.queue.get(timeout=1)

        self.run_(putting_and_getting)
        self.assertIsNone(self.queue._items)


class PubSubOrderTests(CoreCase):
    def setUp(self):
        super().setUp()
        self.pubsub = PublishSubscribeQueue()
        self.got = []

    def reader(self, got=None):
        got = self.got if got is None else got

        def reading():
            yield self.pubsub.subscribe()
            while True:
                got.extend((yield self.pubsub.fetch()))

        coroutine = self.start(reading)
        self.loop.settle()
        return coroutine

    def test_messages_of_a_thread_and_of_the_loop_keep_their_order(self):
        self.reader()
        for number in range(6):
            if number % 2:
                elsewhere(self.pubsub.publish_nowait, number)
            else:
                self.pubsub.publish_nowait(number)
        self.loop.settle()
        self.assertEqual([0, 1, 2, 3, 4, 5], self.got)

    def test_who_subscribes_gets_nothing_that_a_thread_published_before(self):
        self.reader()
        elsewhere(self.pubsub.publish_nowait, 1)
        late = []
        self.reader(late)
        elsewhere(self.pubsub.publish_nowait, 2)
        self.loop.settle()
        self.assertEqual(([1, 2], [2]), (self.got, late))

    def test_one_that_is_subscribed_gets_nothing_that_a_thread_published_before(self):
        def reading():
            yield Sleep(1)
            self.got.extend((yield self.pubsub.fetch()))

        self.reader([])
        coroutine = self.start(reading)
        self.loop.settle()
        elsewhere(self.pubsub.publish_nowait, 1)
        self.pubsub.subscribe_nowait(coroutine)
        self.pubsub.publish_nowait(2)
        self.loop.advance(2)
        self.assertEqual([2], self.got)

    def test_one_that_comes_as_the_last_goes_stays(self):
        coroutine = self.reader()
        (part,) = self.pubsub._parts.values()
        self.pubsub.left(part)
        self.assertEqual(1, self.pubsub.publish_nowait(1))
        self.loop.settle()
        self.assertEqual([1], self.got)
        coroutine.cancel()

    def test_a_thread_subscribes_another_from_now_on(self):
        def reading():
            while True:
                self.got.extend((yield self.pubsub.fetch()))

        def subscribing():
            coroutine = self.scheduler.add(reading)
            counts = [self.pubsub.publish_nowait(1)]
            self.pubsub.subscribe_nowait(coroutine)
            self.pubsub.subscribe_nowait(coroutine)
            return [*counts, self.pubsub.publish_nowait(2)], coroutine

        counts, coroutine = elsewhere(subscribing)
        self.assertEqual([0, 1], counts)
        self.loop.settle()
        self.assertEqual([2], self.got)
        coroutine.cancel()
        self.loop.settle()
        self.assertEqual(0, elsewhere(self.pubsub.publish_nowait, 3))

    def test_one_that_a_thread_subscribes_and_drops_is_none(self):
        coroutine = self.scheduler.add(lambda: (yield Sleep(1000)))

        def working():
            self.pubsub.subscribe_nowait(coroutine)
            self.pubsub.drop(coroutine)

        elsewhere(working)
        self.loop.settle()
        counts = {"subscribers": 0, "fetchers": 0, "messages": 0}
        self.assertEqual(counts, self.pubsub.statistics())
        self.assertEqual({}, self.pubsub._parts)

    def test_one_that_is_unsubscribed_while_it_waits_is_told(self):
        for drop in (self.pubsub.drop, partial(elsewhere, self.pubsub.drop)):
            reader = self.reader()
            drop(reader)
            with self.assertLogs("cogen.core"):
                self.loop.settle()
            self.assertEqual(0, self.pubsub.publish_nowait("for nobody"))
            with self.assertRaisesRegex(LookupError, "was unsubscribed while it waited"):
                reader.result()

    def test_one_that_was_not_started_cannot_subscribe(self):
        coroutine = coro(lambda: None)()
        with self.assertRaisesRegex(RuntimeError, "cannot subscribe: it has not been started"):
            self.pubsub.subscribe_nowait(coroutine)
        self.pubsub.drop(coroutine)

    def test_what_is_kept_for_nobody_goes_when_a_thread_asks(self):
        self.reader()
        self.start(lambda: (yield self.pubsub.subscribe()) or (yield Sleep(1)))
        self.loop.settle()
        self.pubsub.publish_nowait(1)
        self.loop.advance(2)
        self.assertEqual(1, self.pubsub.statistics()["messages"])
        self.assertEqual(0, elsewhere(self.pubsub.compact))
        self.loop.settle()
        self.assertEqual(0, self.pubsub.statistics()["messages"])


class TwoLoopsTests(CoreCase):
    """Each of two loops has those who wait for the same thing."""

    def setUp(self):
        super().setUp()
        self.other = LoopThread()
        self.other.__enter__()
        self.addCleanup(self.other.__exit__)

    def here(self, function, *args):
        coroutine = self.start(function, *args)
        self.loop.settle()
        return coroutine

    def test_items_reach_both(self):
        queue = Queue()
        threads = []

        def getting():
            item = yield queue.get()
            threads.append(threading.get_ident())
            return item

        here, there = self.here(getting), self.other.start(getting)
        queue.put_nowait(1)
        queue.put_nowait(2)
        self.scheduler.run()
        self.assertEqual([1, 2], [here.result(), end_of(there)])
        self.assertEqual({self.scheduler.thread, self.other.scheduler.thread}, set(threads))

    def test_room_lets_in_both(self):
        queue = Queue(1)
        queue.put_nowait(0)

        def putting(item):
            yield queue.put(item)

        here, there = self.here(putting, 1), self.other.start(putting, 2)
        got = [queue.get_nowait()]
        self.loop.settle()
        got.append(queue.get_nowait())
        self.scheduler.run()
        end_of(there)
        got.append(queue.get_nowait())
        self.assertEqual([0, 1, 2], got)
        self.assertTrue(here.done)

    def test_one_join_waits_on_both(self):
        queue = Queue()
        queue.put_nowait("task")
        joiners = [each(lambda: (yield queue.join())) for each in (self.here, self.other.start)]
        queue.task_done()
        self.scheduler.run()
        end_of(joiners[1])
        self.assertTrue(joiners[0].done)

    def test_who_times_out_or_is_cancelled_on_the_other_leaves_nothing(self):
        queue = Queue(1)
        self.here(lambda: (yield queue.put(0)))

        def putting():
            with contextlib.suppress(OperationTimeout):
                yield queue.put(1, timeout=0)

        end_of(self.other.start(putting))
        putter = self.other.start(lambda: (yield queue.put(2)))
        putter.cancel()
        with self.assertRaises(asyncio.CancelledError):
            end_of(putter)
        self.assertEqual({}, queue._away._waiting)
        self.assertEqual(0, queue.get_nowait())
        self.assertTrue(queue.empty())

    def test_messages_reach_both_in_one_order(self):
        pubsub = PublishSubscribeQueue()

        def reading():
            yield pubsub.subscribe()
            got = []
            while len(got) < 30:
                got += yield pubsub.fetch()
            return got

        readers = [each(reading) for each in (self.here, self.other.start)]
        for number in range(10):
            self.assertEqual(2, pubsub.publish_nowait(("here", number)))
            self.assertEqual(2, self.other.call(pubsub.publish_nowait, ("there", number)))
            self.assertEqual(2, elsewhere(pubsub.publish_nowait, ("elsewhere", number)))
        self.scheduler.run()
        self.assertEqual(readers[0].result(), end_of(readers[1]))
        self.other.idle()
        self.assertEqual({}, pubsub._parts)

    def test_a_coroutine_of_the_other_can_be_joined(self):
        for joined in (Join, lambda coroutine: coroutine):
            there = self.other.start(lambda: (yield WaitForSignal("end")))
            joiner = self.here(lambda there=there, joined=joined: (yield joined(there)))
            self.other.scheduler.signal("end", "value")
            self.scheduler.run()
            self.assertEqual("value", joiner.result())

    def test_its_error_reaches_who_joins_it(self):
        def failing():
            yield WaitForSignal("end")
            raise KeyError("of the other")

        there = self.other.start(failing)
        joiner = self.here(lambda: (yield Join(there)))
        self.other.scheduler.signal("end")
        with self.assertLogs("cogen.core") as logs:
            self.scheduler.run()
        self.assertEqual(1, len(logs.records), logs.output)
        with self.assertRaisesRegex(KeyError, "of the other"):
            joiner.result()

    def test_who_joins_it_no_more_is_forgotten(self):
        there = self.other.start(lambda: (yield WaitForSignal("end")))
        joiner = self.here(lambda: (yield Join(there)))
        joiner.cancel()
        self.loop.settle()
        self.assertEqual({}, self.other.call(lambda: dict(there.joiners)))
        self.other.scheduler.signal("end")
        end_of(there)

    def test_who_is_cancelled_as_it_ends_is_cancelled(self):
        there = self.other.start(lambda: (yield WaitForSignal("end")))
        joiner = self.here(lambda: (yield Join(there)))
        self.other.scheduler.signal("end")
        end_of(there)
        joiner.cancel()
        with self.assertNoLogs("asyncio"):
            self.loop.settle()
        with self.assertRaises(asyncio.CancelledError):
            joiner.result()

    def test_the_other_is_closed_without_a_word(self):
        queue = Queue()
        self.here(lambda: (yield queue.put(0)))
        self.assertEqual(0, queue.get_nowait())
        other = Scheduler(FakeClockLoop())
        other.add(lambda: (yield queue.get()))
        other.loop.settle()
        other.loop.close()
        for put in (queue.put_nowait, partial(elsewhere, queue.put_nowait)):
            put("item")
            self.assertEqual("item", queue.get_nowait())
        self.assertEqual({}, queue._away._waiting)

    def test_asyncio_code_in_a_thread_waits_too(self):
        queue, pubsub = Queue(), PublishSubscribeQueue()
        self.here(lambda: (yield queue.put(0)))

        async def working():
            got = [await queue.get()]
            await pubsub.subscribe()
            self.scheduler.post(partial(queue.put_nowait, 1))
            got.append(await queue.get())
            self.scheduler.post(partial(pubsub.publish_nowait, 2))
            return [*got, *await pubsub.fetch()]

        worker = self.start(lambda: (yield RunInThread(asyncio.run, working())))
        self.scheduler.run()
        self.assertEqual([0, 1, 2], worker.result())
        self.assertEqual({}, pubsub._parts)


class ClosedLoopTests(unittest.TestCase):
    def abandoned(self, function):
        """Somebody waits on a loop that is closed without a word."""
        scheduler = Scheduler(FakeClockLoop())
        scheduler.add(function)
        scheduler.loop.settle()
        scheduler.loop.close()
        return scheduler

    def test_an_item_stays_for_others(self):
        for put in (Queue.put_nowait, partial(elsewhere, Queue.put_nowait)):
            queue = Queue(1)
            self.abandoned(lambda queue=queue: (yield queue.get()))
            put(queue, "item")
            with self.assertRaises(Full):
                put(queue, "too much")
            other = Scheduler(FakeClockLoop())
            getter = other.add(lambda queue=queue: (yield queue.get()))
            other.run()
            self.assertEqual("item", getter.result())
            other.loop.close()

    def test_a_message_reaches_the_others(self):
        for publish in (
            PublishSubscribeQueue.publish_nowait,
            partial(elsewhere, PublishSubscribeQueue.publish_nowait),
        ):
            pubsub = PublishSubscribeQueue()

            def reading(pubsub=pubsub):
                yield pubsub.subscribe()
                return (yield pubsub.fetch())

            self.abandoned(reading)
            self.assertEqual(0, publish(pubsub, "for nobody"))
            other = Scheduler(FakeClockLoop())
            reader = other.add(reading)
            other.loop.settle()
            self.assertEqual(1, publish(pubsub, "message"))
            other.run()
            self.assertEqual(("message",), reader.result())
            other.loop.close()

    def test_nothing_can_be_asked_of_it(self):
        scheduler = self.abandoned(lambda: (yield WaitForSignal("name")))
        (coroutine,) = scheduler.coroutines
        self.assertFalse(scheduler.post(self.fail))
        self.assertEqual(0, elsewhere(scheduler.signal, "name"))
        elsewhere(coroutine.cancel)
        with self.assertRaisesRegex(RuntimeError, "cannot be started: the loop is closed"):
            elsewhere(scheduler.add, lambda: None)
        other = Scheduler(FakeClockLoop())
        joiner = other.add(lambda: (yield Join(coroutine)))
        with self.assertLogs("cogen.core"):
            other.run()
        with self.assertRaisesRegex(RuntimeError, "cannot end: its loop is closed"):
            joiner.result()
        other.loop.close()

    def test_schedulers_of_closed_loops_are_forgotten(self):
        async def waiting():
            await Sleep(0)
            return Scheduler.current()

        for _ in range(3):
            asyncio.run(waiting())
        known = [loop for loop in Scheduler._by_loop if loop.is_closed()]
        self.assertLessEqual(len(known), 1)


class CurrentTests(CoreCase):
    def test_a_thread_that_works_for_a_scheduler_finds_it(self):
        self.assertIs(self.scheduler, self.run_(lambda: (yield RunInThread(Scheduler.current))))

        def working():
            running_for.set(self.scheduler)
            return Scheduler.current()

        self.assertIs(self.scheduler, elsewhere(working))

    def test_another_is_told_what_to_do(self):
        with self.assertRaisesRegex(RuntimeError, "hand it over"):
            elsewhere(Scheduler.current)

    def test_a_thread_starts_coroutines_and_signals(self):
        def working():
            scheduler = Scheduler.current()
            scheduler.add(lambda: (yield Sleep(1)))
            return scheduler.signal("name", "value")

        waiter = self.start(lambda: (yield WaitForSignal("name")))
        self.loop.settle()
        self.assertEqual(1, self.run_(lambda: (yield RunInThread(working))))
        self.scheduler.run()
        self.assertEqual("value", waiter.result())


class RunningLoopTests(CoreCase):
    def test_what_ends_it_is_refused_in_code_of_another_loop(self):
        other = Scheduler()
        self.addCleanup(other.shutdown)
        other.add(lambda: (yield Sleep(0)))

        def nested():
            for act in (other.run, other.shutdown):
                with self.assertRaisesRegex(RuntimeError, "in code that another loop runs"):
                    act()
            yield

        self.run_(nested)
        other.run()
        self.assertEqual(0, other.statistics()["coroutines"])

    def test_what_ends_it_is_refused_in_a_thread(self):
        waiter = self.start(lambda: (yield Sleep(1)))
        for act in (self.scheduler.run, self.scheduler.shutdown):
            with (
                self.assertLogs("cogen.core"),
                self.assertRaisesRegex(RuntimeError, "was called while the loop runs"),
            ):
                self.run_(lambda act=act: (yield RunInThread(act)))
        self.scheduler.run()
        self.assertIsNone(waiter.result())


class PostTests(CoreCase):
    def test_one_that_raises_does_not_stop_the_others(self):
        called, errors = [], []
        self.loop.set_exception_handler(lambda loop, context: errors.append(context["exception"]))

        def failing():
            raise KeyError("slip")

        def posting():
            self.scheduler.post(failing)
            self.scheduler.post(partial(called.append, 1))

        elsewhere(posting)
        self.loop.settle()
        self.assertEqual([1], called)
        self.assertEqual(["KeyError('slip')"], [repr(error) for error in errors])

    def test_what_a_thread_posted_comes_before_what_the_loop_does_next(self):
        order = []
        self.loop.settle()
        self.start(lambda: (yield WaitForSignal("name")))
        self.loop.settle()
        elsewhere(self.scheduler.post, partial(order.append, "posted"))
        self.scheduler.signal("name")
        order.append("signalled")
        self.scheduler.run()
        self.assertEqual(["posted", "signalled"], order)

    def test_one_may_have_those_done_that_follow(self):
        order = []

        def first():
            self.scheduler.signal("name")
            order.append("first")

        def posting():
            self.scheduler.post(first)
            self.scheduler.post(partial(order.append, "second"))

        elsewhere(posting)
        with self.assertNoLogs("asyncio"):
            self.loop.settle()
        self.assertEqual(["second", "first"], order)

    def test_many_wake_the_loop_once(self):
        pokes = []
        poke = self.loop.call_soon_threadsafe
        self.loop.call_soon_threadsafe = lambda *args, **kwargs: (
            pokes.append(True),
            poke(*args, **kwargs),
        )
        called = []
        for number in range(3):
            elsewhere(self.scheduler.post, partial(called.append, number))
        self.loop.settle()
        self.assertEqual(([0, 1, 2], [True]), (called, pokes))

    def test_what_is_posted_does_not_see_the_context_of_who_posts(self):
        variable, seen = ContextVar("variable", default="none"), []

        def posting():
            variable.set("of the thread")
            self.scheduler.post(lambda: seen.append(variable.get()))

        elsewhere(posting)
        self.loop.settle()
        self.assertEqual(["none"], seen)

    def test_endless_posts_let_the_loop_go_on(self):
        rounds = []

        def again():
            if not stopped:
                rounds.append(True)
                self.scheduler.post(again)

        stopped = []
        self.scheduler.post(again)
        self.start(lambda: (yield Sleep(0)) or stopped.append(True))
        self.scheduler.run()
        self.assertTrue(rounds and stopped)


class ProgramTests(unittest.TestCase):
    """Programs of steps, each on the loop or in another thread."""

    @settings(max_examples=60, deadline=None)
    @given(
        st.integers(0, 3),
        st.lists(
            st.tuples(
                st.sampled_from(["put", "get", "put_nowait", "get_nowait", "wait", "cancel"]),
                st.booleans(),
                st.booleans(),
            ),
            max_size=30,
        ),
    )
    def test_nothing_is_lost_doubled_or_reordered(self, maxsize, program):
        loop = FakeClockLoop()
        scheduler = Scheduler(loop)
        queue = Queue(maxsize)
        put, got, waiting = [], [], []

        def putting(item):
            with contextlib.suppress(OperationTimeout):
                yield queue.put(item, timeout=5)
                put.append(item)

        def taking():
            with contextlib.suppress(OperationTimeout):
                got.append((yield queue.get(timeout=5)))

        def put_nowait(item):
            with contextlib.suppress(Full):
                queue.put_nowait(item)
                put.append(item)

        def get_nowait():
            with contextlib.suppress(Empty):
                got.append(queue.get_nowait())

        for number, (step, away, settle) in enumerate(program):
            act = partial(elsewhere) if away else lambda function, *args: function(*args)
            if step == "put":
                waiting.append(act(scheduler.add, putting, (number,)))
            elif step == "get":
                waiting.append(act(scheduler.add, taking))
            elif step == "put_nowait":
                act(put_nowait, number)
            elif step == "get_nowait":
                act(get_nowait)
            elif step == "wait":
                loop.advance(3)
            elif waiting:
                act(waiting.pop(0).cancel)
            if settle:
                loop.settle()
        scheduler.run()
        while not queue.empty():
            got.append(queue.get_nowait())
        self.assertEqual(sorted(put), sorted(got))
        self.assertEqual(0, scheduler.statistics()["deadlines"])
        self.assertFalse(queue._getters or queue._putters)
        scheduler.shutdown()
        loop.close()


class CrowdTests(unittest.TestCase):
    """Threads and two loops at once, as fast as they can, for a fraction of a second."""

    SECONDS = 0.4

    def setUp(self):
        self.seed = random.randrange(10**9)
        self.random = random.Random(self.seed)
        self.loops = [LoopThread("uvloop"), LoopThread("asyncio")]
        for each in self.loops:
            each.__enter__()
            self.addCleanup(each.__exit__)
        self.deadline = time.monotonic() + self.SECONDS
        self.ended = []

    def run(self, result=None):
        with fast_switches():
            return super().run(result)

    def going(self):
        return time.monotonic() < self.deadline

    def threads(self, *functions):
        threads = [threading.Thread(target=function) for function in functions]
        for thread in threads:
            thread.start()
        return threads

    def test_queues(self):
        queue, got = Queue(20), [[] for _ in range(6)]
        put = Counter()

        def producer(name):
            number = 0
            while self.going():
                try:
                    queue.put_nowait((name, number))
                except Full:
                    time.sleep(0)
                    continue
                number += 1
            put[name] = number

        def coroutine_producer(name):
            number = 0
            while self.going():
                try:
                    yield queue.put((name, number), timeout=0.001)
                except OperationTimeout:
                    continue
                number += 1
            put[name] = number

        def consumer(got, wait):
            while True:
                try:
                    got.append((yield queue.get(timeout=wait)))
                except OperationTimeout:
                    if over:
                        return
                except asyncio.CancelledError:
                    pass

        def thread_consumer(got):
            while not over:
                try:
                    got.append(queue.get_nowait())
                except Empty:
                    time.sleep(0)

        over = []
        consumers = [
            self.loops[number % 2].start(consumer, got[number], 0.001 * number)
            for number in range(4)
        ]

        def canceller():
            while self.going():
                self.random.choice(consumers).cancel()
                time.sleep(0.0005)

        coroutines = [
            each.scheduler.add(coroutine_producer, (f"coroutine {number}",))
            for number, each in enumerate(self.loops)
        ]
        producers = self.threads(
            partial(producer, "thread 0"), partial(producer, "thread 1"), canceller
        )
        takers = self.threads(partial(thread_consumer, got[4]), partial(thread_consumer, got[5]))
        for thread in producers:
            thread.join()
        for coroutine in coroutines:
            end_of(coroutine)
        deadline = time.monotonic() + 10
        while sum(map(len, got)) < put.total() and time.monotonic() < deadline:
            time.sleep(0.001)
        over.append(True)
        for thread in takers:
            thread.join()
        for coroutine in consumers:
            end_of(coroutine)
        message = f"seed {self.seed}"
        items = [item for each in got for item in each]
        expected = {(name, number) for name, count in put.items() for number in range(count)}
        self.assertGreater(min(put.values()), 0, message)
        self.assertEqual(len(expected), len(items), message)
        self.assertEqual(expected, set(items), message)
        for each in got:
            for name in put:
                numbers = [number for producer, number in each if producer == name]
                self.assertEqual(sorted(numbers), numbers, message)
        self.assertTrue(queue.empty())
        self.assertFalse(queue._getters or queue._putters or queue._away._waiting, message)

    def test_messages(self):
        pubsub, published = PublishSubscribeQueue(), Counter()
        got = [[] for _ in range(6)]

        def publisher(name):
            while self.going():
                pubsub.publish_nowait((name, published[name]))
                published[name] += 1
                time.sleep(0.0001)

        def coroutine_publisher(name):
            while self.going():
                yield pubsub.publish((name, published[name]))
                published[name] += 1
                yield Sleep(0.0001)

        def reader(got, wait):
            yield pubsub.subscribe()
            while True:
                try:
                    messages = yield pubsub.fetch(timeout=wait)
                except OperationTimeout:
                    continue
                except asyncio.CancelledError:
                    continue
                if messages[-1] == "end":
                    got += messages[:-1]
                    return
                got += messages

        readers = [
            self.loops[number % 2].start(reader, got[number], 0.0003 * number or None)
            for number in range(6)
        ]

        def canceller():
            while self.going():
                self.random.choice(readers[2:]).cancel()
                time.sleep(0.0005)

        coroutines = [
            each.scheduler.add(coroutine_publisher, (f"coroutine {number}",))
            for number, each in enumerate(self.loops)
        ]
        threads = self.threads(
            partial(publisher, "thread 0"), partial(publisher, "thread 1"), canceller
        )
        for thread in threads:
            thread.join()
        for coroutine in coroutines:
            end_of(coroutine)
        pubsub.publish_nowait("end")
        for each in readers:
            end_of(each)
        message = f"seed {self.seed}"
        self.assertGreater(min(published.values()), 0, message)
        self.assertEqual(published.total(), len(got[0]), message)
        for each in got:
            self.assertEqual(got[0], each, message)
        for name in published:
            numbers = [number for publisher, number in got[0] if publisher == name]
            self.assertEqual(list(range(published[name])), numbers, message)
        for each in self.loops:
            each.idle()
        self.assertEqual({}, pubsub._parts, message)

    def test_signals_and_coroutines(self):
        scheduler = self.loops[0].scheduler
        heard, counted, started = [], [], []

        def waiting():
            while (value := (yield WaitForSignal("name"))) is not None:
                heard.append(value)

        def signaller(name):
            while self.going():
                counted.append(scheduler.signal("name", name))
                time.sleep(0)

        def starter():
            while self.going():
                started.append(scheduler.add(lambda: (yield)))
                time.sleep(0)

        waiters = [self.loops[0].start(waiting) for _ in range(3)]
        threads = self.threads(partial(signaller, "a"), partial(signaller, "b"), starter)
        for thread in threads:
            thread.join()
        self.loops[0].idle()
        scheduler.signal("name", None)
        for each in waiters + started:
            end_of(each)
        # One that begins to wait at that moment hears it without being counted.
        self.assertGreaterEqual(len(heard), sum(counted))
        self.assertGreater(sum(counted), 0)
        self.assertEqual({"a", "b"}, set(heard))
        self.assertEqual(0, scheduler.statistics()["coroutines"])
