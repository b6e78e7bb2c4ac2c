import asyncio
import contextlib

from cogen.core.coroutines import coro
from cogen.core.deadlines import Deadline
from cogen.core.events import (
    Await,
    Join,
    Operation,
    OperationTimeout,
    Owned,
    Signal,
    Sleep,
    WaitForSignal,
)
from cogen.core.pubsub import PublishSubscribeQueue
from cogen.core.queue import Queue
from cogen.core.threads import RunInThread
from tests.cogen.core.support import CoreCase


class SleepTests(CoreCase):
    def test_it_resumes_after_its_seconds(self):
        began = self.loop.time()
        self.run_(lambda: (yield Sleep(10)))
        self.assertEqual(10, round(self.loop.time() - began))

    def test_many_end_in_the_order_of_their_deadlines(self):
        order = []

        def sleeping(seconds):
            yield Sleep(seconds)
            order.append(seconds)

        for seconds in (3, 1, 2, 0, 1.5):
            self.start(sleeping, seconds)
        self.scheduler.run()
        self.assertEqual([0, 1, 1.5, 2, 3], order)

    def test_a_negative_time_is_refused(self):
        for seconds in (-1, float("nan")):
            with self.assertRaisesRegex(ValueError, "Sleep: timeout must be 0 or more"):
                Sleep(seconds)
        with self.assertRaises(TypeError):
            Sleep(None)


class SignalTests(CoreCase):
    def test_all_that_wait_are_resumed_with_the_value(self):
        def waiting():
            return (yield WaitForSignal("news"))

        waiters = [self.start(waiting) for _ in range(3)]
        self.loop.settle()
        self.assertEqual(3, self.run_(lambda: (yield Signal("news", "value"))))
        self.assertEqual(["value"] * 3, [waiter.result() for waiter in waiters])

    def test_a_signal_without_waiters_is_gone(self):
        def late():
            sent = yield Signal("news")
            try:
                yield WaitForSignal("news", timeout=1)
            except OperationTimeout:
                return sent

        self.assertEqual(0, self.run_(late))
        self.assert_nothing_is_left()

    def test_a_signal_waits_for_its_recipients(self):
        def waiting(seconds):
            yield Sleep(seconds)
            return (yield WaitForSignal("news"))

        waiters = [self.start(waiting, seconds) for seconds in (0, 1, 2)]
        begun = self.loop.time()
        self.assertEqual(3, self.run_(lambda: (yield Signal("news", "value", recipients=3))))
        self.assertLess(self.loop.time(), begun + 4)
        self.assertEqual(["value"] * 3, [each.result() for each in waiters])
        self.assert_nothing_is_left()

    def test_a_signal_with_enough_recipients_waits_for_nobody(self):
        waiters = [self.start(lambda: (yield WaitForSignal("news"))) for _ in range(3)]
        self.loop.settle()
        self.assertEqual(3, self.run_(lambda: (yield Signal("news", "value", recipients=2))))
        self.assertEqual(["value"] * 3, [each.result() for each in waiters])

    def test_a_signal_that_is_left_is_not_sent(self):
        def sending():
            with self.assertRaises(OperationTimeout):
                yield Signal("news", recipients=2, timeout=1)

        def late():
            yield Sleep(2)
            with self.assertRaises(OperationTimeout):
                yield WaitForSignal("news", timeout=1)

        cancelled = self.start(lambda: (yield Signal("news", recipients=1)))
        self.loop.settle()
        self.assertEqual(1, self.scheduler.statistics()["signal_waiters"])
        cancelled.cancel()
        self.start(late)
        self.run_(sending)
        self.scheduler.run()
        self.assert_nothing_is_left()

    def test_signals_that_wait_are_sent_in_their_order(self):
        first = self.start(lambda: (yield Signal("news", "first", recipients=1)))
        second = self.start(lambda: (yield Signal("news", "second", recipients=1)))
        both = self.start(lambda: (yield Signal("news", "both", recipients=2)))
        self.loop.settle()
        heard = [self.start(lambda: (yield WaitForSignal("news"))) for _ in range(4)]
        self.loop.settle()
        self.assertEqual([1, 1, 2], [each.result() for each in (first, second, both)])
        self.assertEqual(["first", "second", "both", "both"], [each.result() for each in heard])

    def test_names_are_apart(self):
        def waiting(name):
            return (yield WaitForSignal(name))

        one, two = self.start(waiting, ("a", 1)), self.start(waiting, ("a", 2))
        self.loop.settle()
        self.run_(lambda: (yield Signal(("a", 1))))
        self.assertEqual((True, False), (one.done, two.done))


class TimeoutTests(CoreCase):
    def operations(self):
        never = self.start(lambda: (yield Sleep(10**6)))
        self.loop.settle()
        full = Queue(1)
        full.put_nowait("x")
        return {
            "get": Queue().get(timeout=2),
            "put": full.put("y", timeout=2),
            "queue join": full.join(timeout=2),
            "signal": WaitForSignal("never", timeout=2),
            "join": Join(never, timeout=2),
        }

    def test_every_waiting_operation_times_out_and_leaves_nothing(self):
        for name, operation in self.operations().items():
            with self.subTest(name):
                began = self.loop.time()

                def waiting(operation=operation):
                    try:
                        yield operation
                    except OperationTimeout as timeout:
                        return timeout.args

                self.assertEqual((operation,), self.result(waiting))
                self.assertAlmostEqual(2, self.loop.time() - began, places=2)
                self.assertEqual(1, len(self.scheduler.timers))  # that of the sleeper
                self.assertEqual(0, self.scheduler.statistics()["signal_waiters"])

    def result(self, function):
        coroutine = self.start(coro(function))
        self.loop.advance(2.1 - 0.1)
        return coroutine.result()

    def test_an_awaitable_and_a_fetch_time_out_too(self):
        pubsub = PublishSubscribeQueue()

        def waiting():
            yield pubsub.subscribe()
            try:
                yield pubsub.fetch(timeout=1)
            except OperationTimeout:
                assert pubsub.statistics()["fetchers"] == 0
                return "fetched nothing"

        self.assertEqual("fetched nothing", self.run_(waiting))

    def test_a_result_in_time_stops_the_clock(self):
        queue = Queue()

        def waiting():
            return (yield queue.get(timeout=5))

        coroutine = self.start(waiting)
        self.loop.advance(4)
        queue.put_nowait("in time")
        self.scheduler.run()
        self.assertEqual("in time", coroutine.result())
        self.assert_nothing_is_left()


class AsyncioTests(CoreCase):
    def test_a_thread_gives_its_result_or_exception(self):
        def threads():
            ten = yield RunInThread(sum, [1, 2, 3, 4])
            try:
                yield RunInThread(int, "x")
            except ValueError:
                return ten

        self.assertEqual(10, self.run_(threads))

    def test_a_cancelled_await_cancels_what_it_awaits(self):
        future = self.loop.create_future()
        coroutine = self.start(lambda: (yield future))
        self.loop.settle()
        coroutine.cancel()
        self.loop.settle()
        self.assertTrue(future.cancelled())

    def test_a_future_that_is_cancelled_cancels_who_awaits_it(self):
        future = self.loop.create_future()

        def waiting():
            try:
                yield future
            except asyncio.CancelledError:
                return "cancelled"

        coroutine = self.start(waiting)
        self.loop.settle()
        future.cancel()
        self.scheduler.run()
        self.assertEqual("cancelled", coroutine.result())

    def test_who_leaves_an_async_def_goes_on_when_that_has_ended(self):
        async def awaited():
            try:
                await Sleep(9)
            finally:
                await Sleep(1)
                self.seen.append("inner")

        def generator():
            try:
                yield awaited()
            finally:
                self.seen.append("outer")

        async def native():
            try:
                await coro(generator)()
            finally:
                self.seen.append("native")

        for program, seen in (
            (generator, ["inner", "outer"]),
            (native, ["inner", "outer", "native"]),
        ):
            with self.subTest(program.__name__):
                self.seen = []
                coroutine = self.start(program)
                self.loop.advance(1)
                coroutine.cancel()
                self.loop.settle()
                self.assertEqual(([], False), (self.seen, coroutine.done))
                self.loop.advance(2)
                self.assertEqual(seen, self.seen)
                self.assertIsInstance(coroutine.error, asyncio.CancelledError)
                self.assert_nothing_is_left()

    def test_a_second_cancellation_ends_the_clean_up_of_an_async_def(self):
        async def awaited():
            try:
                await Sleep(9)
            finally:
                await Sleep(9)

        coroutine = self.start(lambda: (yield awaited()))
        for done in (False, False, True):
            self.loop.settle()
            self.assertEqual(done, coroutine.done)
            coroutine.cancel()
        self.assertIsInstance(coroutine.error, asyncio.CancelledError)
        self.assert_nothing_is_left()

    def test_a_cancellation_comes_behind_what_an_async_def_makes_of_it(self):
        async def fails():
            try:
                await Sleep(9)
            finally:
                raise ValueError("failed")

        async def refuses():
            with contextlib.suppress(asyncio.CancelledError):
                await Sleep(9)
            return "refused"

        def generator(awaited):
            try:
                self.seen.append((yield awaited()))
            except ValueError as error:
                self.seen.append(str(error))
            self.seen.append("goes on")
            yield Sleep(1)
            self.seen.append("never")

        for awaited, told in ((fails, "failed"), (refuses, "refused")):
            with self.subTest(awaited.__name__):
                self.seen = []
                coroutine = self.start(generator, awaited)
                self.loop.advance(1)
                coroutine.cancel()
                self.loop.advance(9)
                self.assertEqual([told, "goes on"], self.seen)
                self.assertIsInstance(coroutine.error, asyncio.CancelledError)
                self.assert_nothing_is_left()

    def test_a_cancellation_comes_before_a_time_that_is_up(self):
        async def awaited():
            try:
                await Sleep(9)
            finally:
                await Sleep(5)

        def generator(make):
            with Deadline(2):
                yield make()

        cases = {
            "an async def": awaited,
            "an async def with a timeout": lambda: Await(awaited(), 1),
            "a coroutine": lambda: Owned(self.start(awaited), 1),
        }
        for name, make in cases.items():
            for after in (0.5, 3):  # before the time of the block is up, and while that is left
                with self.subTest(name, after=after):
                    coroutine = self.start(generator, make)
                    self.loop.advance(after)
                    coroutine.cancel()
                    self.loop.advance(9)
                    self.assertIsInstance(coroutine.error, asyncio.CancelledError)
                    self.assert_nothing_is_left()

    def test_what_a_task_was_handed_as_it_was_cancelled_is_not_lost(self):
        queue, taken = Queue(), []

        async def taker():
            taken.append(await queue.get())
            taken.append(await queue.get())

        for begin in (self.loop.create_task, lambda made: self.start(lambda: made)):
            running = begin(taker())
            self.loop.settle()
            queue.put_nowait("item")
            running.cancel()
            self.loop.settle()
            # It went on to its next await, and was cancelled there.
            with self.assertRaises(asyncio.CancelledError):
                running.result()
            self.assertEqual((["item"], 0), (taken, len(queue)))
            taken.clear()
            self.assertEqual(0, self.scheduler.statistics()["ready"])

    def test_a_task_that_is_cancelled_by_two_hears_of_the_one_that_counts(self):
        queue, taken = Queue(), []

        async def taker():
            async with asyncio.timeout(5):
                taken.append(await queue.get())
            await Sleep(9)
            taken.append("never")

        running = self.loop.create_task(taker())
        self.loop.settle()
        # Both in the turn in which the item comes, and one of them is taken back.
        self.loop.call_later(5, queue.put_nowait, "item")
        self.loop.call_later(5, running.cancel)
        self.loop.advance(20)
        self.assertTrue(running.cancelled())
        self.assertEqual(["item"], taken)

    def test_a_cancellation_is_put_off_for_each_item_that_comes(self):
        queue, taken = Queue(), []

        async def taker():
            taken.append(await queue.get())
            self.loop.call_soon(queue.put_nowait, "second")
            taken.append(await queue.get())
            await Sleep(9)
            taken.append("never")

        running = self.loop.create_task(taker())
        self.loop.settle()
        queue.put_nowait("first")
        running.cancel()
        self.loop.advance(20)
        self.assertTrue(running.cancelled())
        self.assertEqual(["first", "second"], taken)

    def test_an_error_that_comes_as_a_task_is_cancelled_is_raised(self):
        async def taker():
            try:
                await Queue().get(timeout=1)
            except OperationTimeout:
                self.seen.append("timeout")
            await Sleep(1)
            self.seen.append("never")

        self.seen = []
        for begin in (self.loop.create_task, lambda made: self.start(lambda: made)):
            running = begin(taker())
            self.loop.settle()
            self.loop.call_later(1, running.cancel)
            self.loop.advance(5)
            with self.assertRaises(asyncio.CancelledError):
                running.result()
        self.assertEqual(["timeout"] * 2, self.seen)

    def test_a_cancellation_that_was_taken_back_cancels_nothing_later(self):
        queue = Queue()

        async def limited():
            async with asyncio.timeout(5):
                item = await queue.get()
            await Sleep(1)
            return item

        task = self.loop.create_task(limited())
        self.loop.settle()
        # The time is up in the turn in which the item comes.
        self.loop.call_later(5, queue.put_nowait, "item")
        self.loop.advance(10)
        self.assertEqual("item", task.result())


class OperationTests(CoreCase):
    def test_one_says_what_it_waits_for(self):
        self.assertEqual("<Sleep within 3 s>", repr(Sleep(3)))
        self.assertEqual("<WaitForSignal 'x'>", repr(WaitForSignal("x")))
        coroutine = self.start(lambda: (yield Sleep(3)))
        self.assertRegex(repr(coroutine), "ready")
        self.loop.settle()
        self.assertRegex(repr(coroutine), "waits for <Sleep within 3 s>")

    def test_one_that_parks_has_to_say_how_to_undo_it(self):
        class Careless(Operation):
            def run(self, waiter):
                from cogen.core.events import PARKED

                return PARKED

        coroutine = self.start(lambda: (yield Careless()))
        self.loop.settle()
        with self.assertRaisesRegex(NotImplementedError, "Careless parks without an undo"):
            coroutine.cancel()
        self.scheduler.ended(coroutine)
