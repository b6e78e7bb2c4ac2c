"""From a thread to a loop and back: results, exceptions, timeouts, and a loop that is gone."""

import asyncio
import contextlib
import threading
import unittest
from concurrent import futures
from contextvars import ContextVar

from cogen.core.coroutines import coro
from cogen.core.events import OperationTimeout, Sleep, WaitForSignal
from cogen.core.portal import Portal, background
from cogen.core.queue import Empty, Queue
from cogen.core.schedulers import Scheduler
from cogen.core.threads import RunInThread
from tests.cogen.core.support import LoopThread, elsewhere
from tests.cogen.web.support import LOOPS, Records
from tests.support.cycles import assert_no_cycles

variable = ContextVar("variable", default="unset")


@coro
def doubled(number):
    yield Sleep(0.001)
    return 2 * number


def bare(number):
    return (yield doubled(number))


async def halved(number):
    await asyncio.sleep(0.001)
    return number // 2


class PortalTests(unittest.TestCase):
    proactor = "asyncio"

    def setUp(self):
        self.thread = self.enterContext(LoopThread(self.proactor))
        self.portal = Portal(self.thread.scheduler)

    def idle(self):
        self.thread.idle()
        counts = {"coroutines": 0, "ready": 0, "deadlines": 0, "signal_waiters": 0}
        self.assertEqual(counts, self.thread.call(self.thread.scheduler.statistics))

    def test_whatever_can_be_waited_for(self):
        call = self.portal.call
        self.assertEqual(
            [4, 6, 10, 4, 2, 4, "THREAD", None],
            [
                call(doubled, 2),
                call(doubled(3)),
                call(bare, 5),
                call(halved, number=8),
                call(halved(4)),
                call(len, "four"),
                call(RunInThread, str.upper, "thread"),
                call(Sleep(0)),
            ],
        )
        self.assertEqual([1, 2], call(lambda: asyncio.gather(halved(2), halved(4))))
        self.assertIs(self.thread.scheduler.loop, call(asyncio.get_running_loop))
        self.idle()

    def test_what_is_raised_there_is_raised_here_and_not_logged(self):
        @coro
        def fails():
            yield Sleep(0.001)
            raise KeyError("lost")

        with Records() as records:
            with self.assertRaisesRegex(KeyError, "lost"):
                self.portal.call(fails)
            with self.assertRaises(ValueError):
                self.portal.call(int, "no number")
            with self.assertRaisesRegex(TypeError, "42 is no operation, coroutine"):
                self.portal.call(42)
        self.assertEqual("", records.text)
        self.idle()

    def test_both_sides_wait_for_a_queue(self):
        queue, seen = Queue(1), []

        def eats():
            while (item := (yield queue.get())) is not None:
                seen.append(item)

        eater = self.thread.start(eats)
        for number in range(100):
            self.portal.call(queue.put, number)
        self.portal.call(queue.put, None)
        self.portal.call(eater)
        self.assertEqual(list(range(100)), seen)
        self.thread.start(lambda: (yield queue.put("from the loop")))
        self.assertEqual("from the loop", self.portal.call(queue.get, timeout=10))

        def feeds():
            for number in range(100):
                yield queue.put(number)

        self.thread.start(feeds)
        self.assertEqual(list(range(100)), [self.portal.call(queue.get) for _ in range(100)])
        self.idle()

    def test_a_timeout_undoes_what_is_waited_for(self):
        queue = Queue()
        with self.assertRaisesRegex(OperationTimeout, "<Join Queue.get>"):
            self.portal.call(queue.get, timeout=0.001)
        queue.put_nowait("item")
        self.assertEqual("item", self.portal.call(queue.get, timeout=10))
        self.idle()

    def test_within_no_time_it_takes_what_is_there(self):
        queue = Queue()
        for number in range(50):
            queue.put_nowait(number)
        taken = [self.portal.call(queue.get, timeout=0) for _ in range(50)]
        self.assertEqual(list(range(50)), taken)
        with self.assertRaises(OperationTimeout):
            self.portal.call(queue.get, timeout=0)
        self.idle()

    def test_what_comes_as_the_time_is_up_is_not_lost(self):
        queue, taken = Queue(), []

        def takes():
            for _ in range(50):
                with contextlib.suppress(OperationTimeout):
                    taken.append(self.portal.call(queue.get, timeout=0.0002))

        threads = [threading.Thread(target=takes) for _ in range(4)]
        for thread in threads:
            thread.start()
        put = 0
        while any(thread.is_alive() for thread in threads):
            queue.put_nowait(put)
            put += 1
            self.thread.idle()
        for thread in threads:
            thread.join()
        with contextlib.suppress(Empty):
            while True:
                taken.append(queue.get_nowait())
        self.assertEqual(list(range(put)), sorted(taken))

    def test_what_an_async_def_has_as_the_time_is_up_is_not_lost(self):
        queue, scheduler = Queue(), self.thread.scheduler

        async def awaits():
            return await queue.get()

        def gives():
            queue.put_nowait("item")
            for coroutine in list(scheduler.coroutines):
                coroutine.cancel()

        for what in (queue.get, awaits):
            with self.subTest(what.__qualname__):
                pool = self.enterContext(futures.ThreadPoolExecutor(1))
                taken = pool.submit(self.portal.call, what)
                while not self.thread.call(lambda: queue._getters):
                    pass
                self.thread.call(gives)
                self.assertEqual("item", taken.result(10))
        self.idle()

    def test_it_is_cancelled_and_cleaned_up_when_the_time_is_up(self):
        ended = []

        @coro
        def slow():
            try:
                yield WaitForSignal("never")
            finally:
                yield Sleep(0.001)
                ended.append("finally")

        with self.assertRaises(OperationTimeout):
            self.portal.call(slow, timeout=0.001)
        self.assertEqual(["finally"], ended)
        self.idle()

    def test_it_runs_in_a_copy_of_the_threads_context(self):
        token = variable.set("of the thread")
        self.addCleanup(variable.reset, token)
        self.assertEqual("of the thread", self.portal.call(variable.get))
        self.portal.call(variable.set, "changed")
        self.assertEqual("of the thread", variable.get())

    def test_in_the_thread_of_its_loop_it_says_to_yield(self):
        with self.assertRaisesRegex(RuntimeError, "own loop, which would wait for itself: `yield`"):
            self.portal.call(lambda: self.portal.call(doubled, 2))

    def test_a_thread_that_works_for_a_scheduler_has_its_portal(self):
        call = RunInThread(lambda: Portal().call(halved, 6))
        self.assertEqual(3, self.portal.call(call))

    def test_a_timeout_has_to_be_one(self):
        with self.assertRaisesRegex(ValueError, "must be 0 or more seconds, not -1"):
            self.portal.call(doubled, 2, timeout=-1)

    def test_no_way_out_leaves_a_cycle(self):
        def fails():
            raise ValueError("raised")

        def run():
            for what in (fails, WaitForSignal("never")):
                with contextlib.suppress(OperationTimeout, ValueError):
                    self.portal.call(what, timeout=0.0)
            self.thread.idle()

        assert_no_cycles(self, run)


class UvloopPortalTests(PortalTests):
    proactor = "uvloop"


class EndTests(unittest.TestCase):
    def test_a_shutdown_cancels_who_waits(self):
        with LoopThread() as thread:
            portal = Portal(thread.scheduler)
            pool = self.enterContext(futures.ThreadPoolExecutor())
            waiting = pool.submit(portal.call, WaitForSignal("never"))
            while not thread.call(lambda: thread.scheduler.signals):
                pass
        with self.assertRaisesRegex(futures.CancelledError, "was cancelled on the loop"):
            waiting.result(10)
        with self.assertRaisesRegex(RuntimeError, "the loop is closed"):
            portal.call(doubled, 2)

    def test_a_loop_that_is_closed_under_it_is_told(self):
        loop = asyncio.new_event_loop()
        pool = self.enterContext(futures.ThreadPoolExecutor())
        waiting = pool.submit(Portal(Scheduler(loop)).call, WaitForSignal("never"))
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()
        with self.assertRaisesRegex(RuntimeError, "the loop was closed while a thread waited"):
            waiting.result(10)

    def test_where_no_scheduler_is_there_is_none(self):
        with self.assertRaisesRegex(RuntimeError, "works for no scheduler"):
            elsewhere(Portal)


class ProgramTests(unittest.TestCase):
    def test_a_program_without_a_server_runs_beside_a_thread(self):
        for proactor in LOOPS:
            with self.subTest(proactor):
                scheduler = Scheduler(proactor=proactor)
                self.addCleanup(scheduler.shutdown)
                portal, queue, seen = Portal(scheduler), Queue(1), []

                def feeds(portal=portal, queue=queue):
                    for item in ("one", "two", None):
                        portal.call(queue.put, item)

                def eats(queue=queue, seen=seen):
                    while (item := (yield queue.get())) is not None:
                        seen.append(item)

                scheduler.add(eats)
                thread = threading.Thread(target=feeds)
                thread.start()
                scheduler.run()
                thread.join(10)
                self.assertEqual(["one", "two"], seen)


class BackgroundTests(unittest.TestCase):
    def test_a_program_of_threads_has_a_loop_for_as_long_as_it_wants(self):
        ended = []

        def endless():
            try:
                yield WaitForSignal("never")
            finally:
                ended.append("finally")

        for proactor in LOOPS:
            with self.subTest(proactor), background(proactor) as portal:
                self.assertEqual(4, portal.call(doubled, 2))
                portal.scheduler.add(endless)
                portal.call(Sleep, 0)
            self.assertEqual("finally", ended.pop())
            self.assertTrue(portal.scheduler.loop.is_closed())
