"""What kept its name since cogen 0.2 and would mean something else works, or is told by name."""

import copy
import pickle
import tempfile
from datetime import UTC, datetime, timedelta

from beaker.session import Session

from cogen.core.coroutines import coro
from cogen.core.events import AddCoro, OperationTimeout, Signal, Sleep, WaitForSignal
from cogen.core.pubsub import PublishSubscribeQueue
from cogen.core.queue import Empty, Full, Queue
from tests.cogen.core.support import CoreCase


class SlipCase(CoreCase):
    def slip(self, error, words, function):
        with self.assertLogs("cogen.core.coroutines"), self.assertRaisesRegex(error, words):
            self.run_(function)


class QueueSlipTests(SlipCase):
    def test_a_get_that_does_not_block_raises_empty_at_the_yield(self):
        queue = Queue()

        def getting():
            operation = queue.get(False)
            try:
                yield operation
            except Empty:
                queue.put_nowait("a")
            return (yield queue.get(False)), (yield queue.get(block=False))

        with self.assertRaises(Empty), self.assertLogs("cogen.core.coroutines"):
            self.run_(getting)
        self.assert_nothing_is_left()

    def test_a_get_that_does_not_block_takes_what_is_there(self):
        queue = Queue()
        queue.put_nowait("a")
        self.assertEqual("a", self.run_(lambda: (yield queue.get(False))))
        queue.put_nowait("b")
        self.assertEqual("b", self.run_(lambda: (yield queue.get(True, timeout=1))))

    def test_a_put_that_does_not_block_raises_full_at_the_yield(self):
        queue = Queue(1)

        def putting():
            yield queue.put("a", False)
            try:
                yield queue.put("b", False)
            except Full:
                return queue.queue

        self.assertEqual(["a"], self.run_(putting))
        self.assertEqual(1, queue.qsize())

    def test_seconds_in_the_place_of_block_are_told(self):
        queue = Queue()
        with self.assertRaisesRegex(TypeError, "not 10: seconds are timeout=10"):
            queue.get(10)
        with self.assertRaisesRegex(TypeError, r"not 0\.5: seconds are timeout=0\.5"):
            queue.put("a", 0.5)

    def test_yielding_what_get_nowait_returned_is_told(self):
        queue = Queue()
        queue.put_nowait("a")

        def slip():
            yield queue.get_nowait()

        self.slip(TypeError, r"yielded 'a'.*after get_nowait\(\), needs no yield", slip)

    def test_what_the_other_calls_without_waiting_return_may_be_yielded(self):
        queue = Queue()

        def old():
            yield queue.put_nowait("a")
            item = yield queue.get()
            yield queue.task_done()
            yield queue.join()
            return item

        self.assertEqual("a", self.run_(old))

    def test_what_is_held_is_a_copy_without_that_which_is_on_its_way(self):
        queue = Queue()
        for item in "abc":
            queue.put_nowait(item)
        held = queue.queue
        held.clear()
        self.assertEqual(["a", "b", "c"], queue.queue)
        self.assertEqual([], Queue().queue)

    def test_a_queue_is_neither_pickled_nor_copied(self):
        for queue in (Queue(), PublishSubscribeQueue()):
            for act in (pickle.dumps, copy.copy, copy.deepcopy):
                with self.assertRaisesRegex(TypeError, "in the session .* only its key"):
                    act(queue)

    def test_a_session_that_is_stored_does_not_take_one(self):
        """As the chat of cogen 0.2 did: `session['client'] = Client()`, which has a queue."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        session = Session({}, use_cookies=False, type="file", data_dir=folder)
        session["client"] = {"messages": Queue(10)}
        with self.assertRaisesRegex(TypeError, "in the session .* only its key"):
            session.save()


class TimeSlipTests(SlipCase):
    def test_a_timedelta_is_a_timeout_and_a_time_to_sleep(self):
        def sleeping():
            begin = self.loop.time()
            yield Sleep(timedelta(minutes=2))
            return self.loop.time() - begin

        self.assertAlmostEqual(120, self.run_(sleeping))

        def waiting():
            begin = self.loop.time()
            try:
                yield WaitForSignal("never", timeout=timedelta(milliseconds=1500))
            except OperationTimeout:
                return self.loop.time() - begin

        self.assertAlmostEqual(1.5, self.run_(waiting))

    def test_a_datetime_is_a_moment_with_a_zone_or_without(self):
        for zone in (None, UTC):
            moment = datetime.now(zone) + timedelta(seconds=60)
            self.assertAlmostEqual(60, Sleep(moment).timeout, delta=1)
            self.assertEqual(0, Sleep(moment - timedelta(days=1)).timeout)
        self.assertAlmostEqual(60, Queue().get(timeout=moment).timeout, delta=1)

    def test_what_is_no_time_is_told(self):
        for wrong in ("10", True, [1]):
            with self.assertRaisesRegex(TypeError, "timeout is seconds, a timedelta or a datetime"):
                WaitForSignal("a", timeout=wrong)
        for wrong in (-2, timedelta(seconds=-1), float("nan")):
            with self.assertRaisesRegex(ValueError, "0 or more seconds"):
                WaitForSignal("a", timeout=wrong)


class LanguageSlipTests(SlipCase):
    def test_stop_iteration_with_a_value_names_the_return_to_write(self):
        def old():
            yield
            raise StopIteration(2)

        self.slip(RuntimeError, "in .*old, .*PEP 479.* write `return 2`", old)

    def test_it_is_told_to_who_called_the_coroutine(self):
        @coro
        def generator():
            yield
            raise StopIteration(5)

        @coro
        def plain():
            raise StopIteration(5)

        def calling(callee):
            try:
                yield callee()
            except RuntimeError as error:
                return str(error)

        for callee in (generator, plain):
            self.assertRegex(self.run_(calling, callee), "write `return 5`")

    def test_a_plain_function_that_is_started_may_not_raise_it_either(self):
        def plain():
            raise StopIteration

        self.slip(RuntimeError, "write `return`", plain)

    def test_a_next_that_found_nothing_is_told_as_well(self):
        def slip():
            yield
            next(iter(()))

        self.slip(RuntimeError, r"give next\(\) a default", slip)

    def test_other_errors_are_left_alone(self):
        def failing():
            yield
            raise RuntimeError("mine") from StopIteration()

        self.slip(RuntimeError, "^mine$", failing)

        def mistaken():
            yield
            dict(1, 2, 3)

        self.slip(TypeError, "^dict expected at most 1 argument, got 3$", mistaken)

    def test_keywords_that_are_gone_are_told_with_the_remedy(self):
        def nothing():
            yield

        calls = {
            "prio": [
                lambda: Sleep(1, prio=1),
                lambda: AddCoro(nothing, prio=1),
                lambda: Signal("a", prio=1),
                lambda: Queue().get(prio=1),
                lambda: PublishSubscribeQueue().publish(1, prio=1),
            ],
            "weak_timeout": [lambda: WaitForSignal("a", timeout=1, weak_timeout=False)],
        }
        for keyword, functions in calls.items():
            for function in functions:

                def slip(function=function):
                    yield function()

                self.slip(TypeError, f"{keyword}= is gone: .*; leave it out", slip)
