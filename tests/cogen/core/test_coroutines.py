import asyncio
import contextvars
import gc
import traceback
import weakref

from cogen.core.coroutines import coro, coroutine
from cogen.core.events import AddCoro, Join, OperationTimeout, Signal, Sleep
from cogen.core.locks import Condition
from cogen.core.ordered import LifoQueue
from cogen.core.queue import Queue
from cogen.core.threads import RunInThread
from tests.cogen.core.support import CoreCase

variable = contextvars.ContextVar("variable", default="unset")


@coro
def nap(seconds, value):
    yield Sleep(seconds)
    return value


@coro
def fail(error):
    yield Sleep(1)
    raise error


class CoroutineTests(CoreCase):
    def test_a_generator_a_plain_function_and_an_async_def_are_coroutines(self):
        def generator():
            yield Sleep(1)
            return "generator"

        async def native():
            await asyncio.sleep(1)
            return "native"

        self.assertEqual("generator", self.run_(generator))
        self.assertEqual("plain", self.run_(lambda: "plain"))
        self.assertEqual("native", self.run_(native))
        self.assertIs(coro, coroutine)

    def test_a_bare_yield_lets_the_others_run(self):
        order = []

        def counting(name):
            for number in range(3):
                order.append(f"{name}{number}")
                yield

        self.start(counting, "a")
        self.start(counting, "b")
        self.scheduler.run()
        self.assertEqual(["a0", "b0", "a1", "b1", "a2", "b2"], order)

    def test_yielding_a_coroutine_calls_it(self):
        def caller():
            first = yield nap(1, "one")
            second = yield nap(1, "two")
            return first, second

        self.assertEqual(("one", "two"), self.run_(caller))

    def test_calls_may_be_deep(self):
        @coro
        def deep(left):
            if not left:
                yield Sleep(1)
                return 0
            return 1 + (yield deep(left - 1))

        self.assertEqual(5000, self.run_(lambda: (yield deep(5000))))

    def test_exceptions_arrive_at_the_yield(self):
        def caller():
            try:
                yield fail(KeyError("k"))
            except KeyError as error:
                return error.args

        self.assertEqual(("k",), self.run_(caller))

    def test_what_nobody_catches_is_the_outcome_and_is_logged(self):
        lost = self.assertRaisesRegex(ValueError, "lost")
        with self.assertLogs("cogen.core.coroutines", "ERROR") as logged, lost:
            self.run_(lambda: (_ for _ in [fail(ValueError("lost"))]))
        self.assertIn("died of ValueError('lost')", logged.output[0])

    def test_whatever_is_raised_is_the_outcome(self):
        def called(error):
            raise error

        class Own(BaseException):
            """No Exception."""

        for error in (GeneratorExit("x"), Own("x"), BaseExceptionGroup("x", [KeyboardInterrupt()])):
            for died in (lambda: fail(error), lambda: coro(called)(error)):  # noqa: B023
                with self.subTest(error=error):

                    def joins(died=died):
                        joined = yield AddCoro(died)
                        yield Join(joined)

                    def calls(died=died):
                        yield died()

                    for function in (joins, calls):
                        with self.assertRaises(type(error)), self.assertLogs("cogen.core"):
                            self.run_(function)
                    self.assert_nothing_is_left()

    def test_what_ends_the_program_is_the_outcome_too_and_goes_on(self):
        def called(error):
            raise error

        for error in (SystemExit(3), KeyboardInterrupt()):
            for function in (fail.__wrapped__, called):
                with self.subTest(error=error), self.assertNoLogs("cogen.core"):
                    coroutine = self.start(function, error)
                    with self.assertRaises(type(error)):
                        self.loop.advance(1)
                    self.loop.advance(1)
                    with self.assertRaises(type(error)):
                        coroutine.result()
                    self.assert_nothing_is_left()

    def test_an_awaitable_may_be_yielded(self):
        async def fetched(value):
            await asyncio.sleep(5)
            return value

        def caller():
            one = yield fetched(1)
            two = yield asyncio.ensure_future(fetched(2))
            return one + two

        self.assertEqual(3, self.run_(caller))

    def test_what_an_awaitable_raises_arrives_at_the_yield(self):
        async def failing():
            raise LookupError("no")

        def caller():
            try:
                yield failing()
            except LookupError as error:
                return str(error)

        self.assertEqual("no", self.run_(caller))

    def test_asyncio_code_may_await_operations_and_coroutines(self):
        queue = Queue()

        async def native():
            await Sleep(1)
            await queue.put("item")
            return await queue.get(), await nap(1, "napped")

        self.assertEqual(("item", "napped"), self.loop.run_until_complete(native()))
        self.assert_nothing_is_left()

    def test_a_cancelled_task_undoes_what_it_awaits(self):
        queue = Queue()

        async def native():
            task = asyncio.ensure_future(_get(queue))
            await asyncio.sleep(1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            queue.put_nowait("kept")
            return len(queue)

        self.assertEqual(1, self.loop.run_until_complete(native()))

    def test_contexts_stay_apart_and_right_across_yields(self):
        seen = []

        def own(value):
            variable.set(value)
            yield Sleep(1)
            seen.append(variable.get())

        variable.set("outside")
        self.start(own, "one")
        self.start(own, "two")
        self.scheduler.run()
        self.assertEqual((["one", "two"], "outside"), (seen, variable.get()))

    def test_callbacks_are_called_at_the_end_or_at_once_after_it(self):
        ended = []
        coroutine = self.start(nap, 1, "x")
        coroutine.add_done_callback(ended.append)
        self.assertEqual([], ended)
        self.scheduler.run()
        coroutine.add_done_callback(ended.append)
        self.assertEqual([coroutine, coroutine], ended)

    def test_an_ended_coroutine_is_freed_without_the_collector(self):
        gc.disable()
        self.addCleanup(gc.enable)
        for function in (lambda: nap(1, "x"), lambda: _timing_out()):
            held = _Held()
            coroutine = self.start(coro(lambda held, f=function: (yield f())), held)
            freed = weakref.ref(held)
            self.scheduler.run()
            del coroutine, held
            self.assertIsNone(freed())


class _Held:
    """An argument that lives as long as the coroutine."""


class CancelTests(CoreCase):
    def test_a_waiting_coroutine_is_cancelled_at_its_yield(self):
        cleaned = []

        def waiting():
            try:
                yield Sleep(100)
            finally:
                cleaned.append(True)

        coroutine = self.start(waiting)
        self.loop.settle()
        coroutine.cancel()
        self.scheduler.run()
        self.assertEqual([True], cleaned)
        self.assertLess(self.loop.time(), 1050)
        with self.assertRaises(asyncio.CancelledError):
            coroutine.result()
        self.assert_nothing_is_left()

    def test_one_whose_outcome_is_on_its_way_gets_it_first(self):
        queue = Queue()
        got = []

        def taking():
            got.append((yield queue.get()))
            got.append((yield queue.get()))

        coroutine = self.start(taking)
        self.loop.settle()
        queue.put_nowait("one")
        coroutine.cancel()
        self.scheduler.run()
        queue.put_nowait("two")
        self.assertEqual((["one"], 1), (got, len(queue)))

    def test_an_async_def_and_one_not_begun_are_cancelled_too(self):
        async def native():
            await asyncio.sleep(100)

        for function in (native, lambda: (yield Sleep(100))):
            for settle in (True, False):
                coroutine = self.start(function)
                if settle:
                    self.loop.settle()
                coroutine.cancel()
                self.scheduler.run()
                with self.assertRaises(asyncio.CancelledError):
                    coroutine.result()

    def test_an_undone_await_is_not_resumed_by_a_future_that_has_just_ended(self):
        future = self.loop.create_future()
        coroutine = self.start(lambda: (yield future))
        self.loop.settle()
        future.set_result("too late")
        coroutine.cancel()
        self.loop.settle()
        self.assertTrue(coroutine.done)
        self.assert_nothing_is_left()

    def test_a_coroutine_may_refuse_to_be_cancelled(self):
        def stubborn():
            try:
                yield Sleep(100)
            except asyncio.CancelledError:
                yield Sleep(1)
            return "stayed"

        coroutine = self.start(stubborn)
        self.loop.settle()
        coroutine.cancel()
        self.scheduler.run()
        self.assertEqual("stayed", coroutine.result())

    def test_what_it_yields_when_it_was_cancelled_is_not_left_unawaited(self):
        async def fetched():
            raise AssertionError("it is not to run")

        def cancelling():
            coroutine.cancel()
            yield fetched()  # Python warns, and that is an error, where it is just dropped

        coroutine = self.start(cancelling)
        self.loop.settle()
        with self.assertRaises(asyncio.CancelledError):
            coroutine.result()

    def test_it_is_running_from_its_start_to_its_end(self):
        self.assertFalse(nap(1, "x").running)
        coroutine = self.start(nap, 1, "x")
        self.assertTrue(coroutine.running)
        self.scheduler.run()
        self.assertFalse(coroutine.running)

    def test_to_cancel_what_has_ended_changes_nothing(self):
        coroutine = self.start(nap, 1, "x")
        self.scheduler.run()
        coroutine.cancel()
        self.assertEqual("x", coroutine.result())


class SlipTests(CoreCase):
    """The slips that are certain in a framework of generators, each with its remedy."""

    def slip(self, error, words, function):
        with self.assertLogs("cogen.core.coroutines"), self.assertRaisesRegex(error, words):
            self.run_(function)

    def test_yielding_what_is_no_operation(self):
        def slip():
            yield "text"

        self.slip(TypeError, "yielded 'text', which is no operation", slip)

    def test_yielding_a_generator_that_is_not_decorated(self):
        def plain():
            yield Sleep(1)

        def slip():
            yield plain()

        self.slip(TypeError, "decorate its function with @coro", slip)

    def test_yielding_a_function_or_several_operations(self):
        def function():
            yield nap

        def several():
            yield [Sleep(0), Sleep(0)]

        self.slip(TypeError, "no operation: call it, and yield what it returns", function)
        self.slip(TypeError, "no operation: several at once are a TaskGroup", several)

    def test_starting_an_undecorated_call_instead_of_a_function(self):
        def plain():
            yield

        async def native():
            pass

        for function in (plain, native):
            words = f"{function.__name__}.. is a call already: hand over the function itself"
            with self.assertRaisesRegex(TypeError, words):
                self.scheduler.add(function())

    def test_joining_what_is_no_coroutine(self):
        def slip():
            yield Join(nap)

        self.slip(TypeError, "(?i)coroutine", slip)

    def test_running_a_result_in_a_thread(self):
        def slip():
            yield RunInThread(None)

        self.slip(TypeError, "RunInThread: None is no function", slip)

    def test_waiting_for_a_condition_that_is_no_function(self):
        def slip():
            yield Condition().wait_for(True)

        self.slip(TypeError, "wait_for: True is no function: write lambda", slip)

    def test_a_queue_whose_size_is_no_number(self):
        for kind in (Queue, LifoQueue):
            with self.assertRaisesRegex(TypeError, r"\bint\b"):
                kind("a")

    def test_a_signal_to_fewer_than_none(self):
        with self.assertRaisesRegex(ValueError, "Signal: recipients must be 0 or more, not -1"):
            Signal("name", recipients=-1)

    def test_starting_a_call_instead_of_a_function(self):
        with self.assertRaisesRegex(TypeError, "hand over the function itself, nap"):
            self.scheduler.add(nap(1, "x"))

        def slip():
            yield AddCoro(nap(1, "x"))

        self.slip(TypeError, "hand over the function itself", slip)

    def test_using_a_call_twice(self):
        def slip():
            call = nap(1, "x")
            yield call
            yield call

        self.slip(RuntimeError, "called once and yielded twice", slip)

    def test_asking_for_a_result_too_early(self):
        coroutine = self.start(nap, 1, "x")
        with self.assertRaisesRegex(RuntimeError, "yield Join"):
            coroutine.result()

    def test_the_slip_can_be_caught_where_it_was_made(self):
        def slip():
            try:
                yield 5
            except TypeError:
                return "caught"

        self.assertEqual("caught", self.run_(slip))


class JoinTests(CoreCase):
    def test_the_traceback_does_not_grow_with_each_who_joins(self):
        def frames():
            with self.assertRaises(ValueError) as caught:
                coroutine.result()
            return len(list(traceback.walk_tb(caught.exception.__traceback__)))

        coroutine = self.start(fail, ValueError("v"))
        with self.assertLogs("cogen.core.coroutines"):
            self.scheduler.run()
        first = frames()
        self.assertEqual([first] * 5, [frames() for _ in range(5)])

    def test_join_gives_the_result_or_raises(self):
        def joining():
            added = yield AddCoro(nap, (3, "x"))
            failing = yield AddCoro(fail, (ValueError("v"),))
            try:
                yield Join(failing)
            except ValueError as error:
                return (yield Join(added)), (yield Join(added)), str(error)

        self.assertEqual(("x", "x", "v"), self.run_(joining))

    def test_a_join_that_times_out_leaves_the_coroutine_running(self):
        def joining():
            added = yield AddCoro(nap, (3, "x"))
            try:
                yield Join(added, timeout=1)
            except OperationTimeout:
                assert not added.joiners
                return (yield Join(added))

        self.assertEqual("x", self.run_(joining))


async def _get(queue):
    return await queue.get()


@coro
def _timing_out():
    try:
        yield Queue().get(timeout=1)
    except OperationTimeout:
        return None
