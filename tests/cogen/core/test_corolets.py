"""Straight-line code in a greenlet is a coroutine; `wait` below it gives what is waited for."""

import asyncio
import contextlib
import gc
from contextvars import ContextVar

from greenlet import getcurrent

from cogen.core.corolets import corolet, wait
from cogen.core.coroutines import coro
from cogen.core.events import AddCoro, Join, OperationTimeout, Sleep, WaitForSignal
from cogen.core.greenlets import Runners
from cogen.core.pubsub import PublishSubscribeQueue
from cogen.core.queue import Queue
from cogen.core.threads import RunInThread
from tests.cogen.core.support import CoreCase, elsewhere
from tests.support.cycles import assert_no_cycles

variable = ContextVar("variable", default="unset")


@coro
def doubled(number):
    yield Sleep(1)
    return 2 * number


async def halved(number):
    await asyncio.sleep(1)
    return number // 2


def deep(function, *args, **kwargs):
    return wait(function, *args, **kwargs) if args else deep(function, *kwargs.pop("args"))


class CoroletCase(CoreCase):
    def straight(self, function, *args):
        """What the corolet `function` gives."""
        return self.run_(lambda: (yield corolet(function)(*args)))


class WaitTests(CoroletCase):
    def test_whatever_can_be_waited_for(self):
        queue = Queue()
        queue.put_nowait("item")

        def straight():
            return [
                wait(Sleep(1)),
                wait(Sleep, 1),
                wait(queue.get),
                wait(doubled(2)),
                wait(doubled, 3),
                wait(halved(8)),
                wait(halved, number=4),
                wait(len, "four"),
                wait(RunInThread(str.upper, "thread")),
                wait(asyncio.gather, halved(2), halved(6)),
                wait(asyncio.create_task, halved(10)),
            ]

        self.assertEqual(
            [None, None, "item", 4, 6, 4, 2, 4, "THREAD", [1, 3], 5], self.straight(straight)
        )
        self.assert_nothing_is_left()

    def test_however_deep_below(self):
        self.assertEqual("THREAD", self.straight(deep, RunInThread, str.upper, "thread"))

    def test_what_is_raised_there_is_raised_here(self):
        @coro
        def fails():
            yield Sleep(1)
            raise KeyError("lost")

        def catches():
            with contextlib.suppress(KeyError):
                wait(fails)
            try:
                wait(Queue().get, timeout=1)
            except OperationTimeout as error:
                return str(error)

        self.assertIn("<Get <Queue 0/no limit>>", self.straight(catches))
        with self.assertRaises(KeyError):
            self.straight(lambda: wait(fails))

    def test_a_gather_whose_time_is_up_is_told_as_a_timeout(self):
        def straight():
            with self.assertRaises(OperationTimeout):
                wait(asyncio.gather, asyncio.sleep(60), asyncio.sleep(0), timeout=1)
            return "told"

        self.assertEqual("told", self.straight(straight))

    def test_a_timeout_undoes_what_is_waited_for(self):
        ended = []

        @coro
        def slow():
            try:
                yield WaitForSignal("never")
            finally:
                ended.append("coroutine")

        async def slow_too():
            try:
                await asyncio.sleep(100)
            finally:
                ended.append("awaitable")

        def straight():
            for what in (slow, slow(), slow_too, WaitForSignal("never")):
                with self.assertRaises(OperationTimeout):
                    wait(what, timeout=1)

        begun = self.loop.time()
        self.straight(straight)
        self.assertLess(self.loop.time() - begun, 10)
        self.assert_nothing_is_left()
        self.assertEqual(["coroutine", "coroutine", "awaitable"], ended)

    def test_one_that_runs_already_goes_on_behind_a_timeout(self):
        def straight():
            running = wait(AddCoro, doubled, (4,))
            with self.assertRaises(OperationTimeout):
                wait(running, timeout=0.5)
            return wait(running)

        self.assertEqual(8, self.straight(straight))

    def test_nonsense_is_told(self):
        def generates():
            yield

        def straight():
            with self.assertRaisesRegex(TypeError, "42 is no operation, coroutine, awaitable or"):
                wait(42)
            with self.assertRaisesRegex(TypeError, "decorate it with @coro"):
                wait(generates)
            with self.assertRaisesRegex(TypeError, r"called already: hand over the function"):
                wait(Sleep(1), 2)
            with self.assertRaisesRegex(TypeError, "<Sleep within 1 s> has a timeout of its own"):
                wait(Sleep, 1, timeout=2)
            with self.assertRaisesRegex(ValueError, "timeout must be 0 or more seconds, not -2"):
                wait(Queue().get, timeout=-2)

        self.straight(straight)


class CoroletTests(CoroletCase):
    def test_one_that_waits_for_nothing(self):
        self.assertEqual("here", self.straight(lambda: "here"))
        with self.assertRaises(ZeroDivisionError):
            self.straight(lambda: 1 / 0)

    def test_it_is_started_joined_yielded_and_awaited_as_any_coroutine(self):
        @corolet
        def add(a, b=0):
            """Adds."""
            wait(Sleep(1))
            return a + b

        async def awaits():
            return await add(1, b=3)

        def yields():
            started = yield AddCoro(add, (1,), {"b": 2})
            return (yield Join(started)), (yield add(2)), (yield awaits())

        self.assertEqual((3, 2, 4), self.run_(yields))
        self.assertEqual(("add", "Adds."), (add.__name__, add.__doc__))
        self.assertIn("add", add(1).name)

    def test_it_waits_for_another(self):
        @corolet
        def inner(number):
            wait(Sleep(1))
            return number + 1

        self.assertEqual(3, self.straight(lambda: wait(inner, wait(inner(1)))))

    def test_many_wait_at_once(self):
        @corolet
        def one(number):
            for _ in range(3):
                wait(Sleep(number % 7))
            return number

        started = [self.start(one, number) for number in range(100)]
        self.loop.advance(30)
        self.assertEqual(list(range(100)), [each.result() for each in started])

    def test_it_waits_beside_requests_that_do(self):
        """Where a server runs, each turn may run in another greenlet."""
        self.loop.call_soon(Runners, self.scheduler)
        self.loop.settle()
        self.test_many_wait_at_once()

        @corolet
        def seen():
            before = getcurrent().parent
            wait(Sleep(1))
            return before, getcurrent().parent

        first, second = self.start(seen), self.start(seen)
        self.loop.advance(5)
        self.assertTrue(first.done and second.done)

    def test_cancelled_it_ends_where_it_waits(self):
        ended = []

        def straight():
            try:
                wait(WaitForSignal("never"))
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise
            finally:
                wait(Sleep(1))
                ended.append("cleaned up")

        coroutine = self.start(corolet(straight))
        self.loop.settle()
        coroutine.cancel()
        self.loop.advance(2)
        self.assertEqual(["cancelled", "cleaned up"], ended)
        with self.assertRaises(asyncio.CancelledError):
            coroutine.result()
        self.assert_nothing_is_left()

    def test_what_it_waits_for_is_told(self):
        coroutine = self.start(corolet(lambda: wait(WaitForSignal("never"))))
        self.loop.settle()
        self.assertIn("waits for <WaitForSignal 'never'>", repr(coroutine))

    def test_a_subscription_is_its_own_and_ends_with_it(self):
        news = PublishSubscribeQueue()

        def straight():
            wait(news.subscribe)
            return wait(news.fetch)

        coroutine = self.start(corolet(straight))
        self.loop.settle()
        news.publish_nowait("extra")
        self.loop.settle()
        self.assertEqual(("extra",), coroutine.result())
        self.assertEqual(0, news.statistics()["subscribers"])

    def test_its_context_is_its_own(self):
        def straight(value):
            self.assertEqual("outer", variable.get())
            variable.set(value)
            wait(Sleep(1))
            return variable.get()

        token = variable.set("outer")
        self.addCleanup(variable.reset, token)
        first = self.start(corolet(straight), "first")
        second = self.start(corolet(straight), "second")
        self.loop.advance(2)
        self.assertEqual(["first", "second"], [first.result(), second.result()])
        self.assertEqual("outer", variable.get())

    def test_one_that_nobody_runs_any_more_runs_its_finally(self):
        ended = []

        def straight():
            try:
                wait(WaitForSignal("never"))
            finally:
                ended.append("finally")

        driven = corolet(straight)()._function()
        self.loop.call_soon(driven.send, None)
        self.loop.settle()
        del driven
        gc.collect()
        self.assertEqual(["finally"], ended)

    def test_no_way_out_leaves_a_cycle(self):
        def late():
            wait(Queue().get, timeout=1)

        def caught():
            with contextlib.suppress(OperationTimeout):
                late()

        def waits_for_both():
            yield corolet(caught)()
            with contextlib.suppress(OperationTimeout):
                yield corolet(late)()
            with contextlib.suppress(OperationTimeout):
                yield Join((yield AddCoro(corolet(late))))

        def run():
            self.run_(waits_for_both)
            self.start(corolet(late)).cancel()
            self.loop.advance(1)

        assert_no_cycles(self, run)


class MisuseTests(CoreCase):
    def said(self, function):
        with self.assertRaises(RuntimeError) as caught:
            function()
        return str(caught.exception)

    def test_in_a_generator_it_says_to_yield(self):
        def slips():
            wait(Sleep(1))
            yield

        self.assertIn("`yield` the operation", self.said(lambda: self.run_(slips)))

    def test_in_code_of_asyncio_it_says_to_await(self):
        async def slips():
            wait(Sleep(1))

        said = self.said(lambda: self.loop.run_until_complete(slips()))
        self.assertIn("`await` the operation", said)
        self.assertIn("`await` the operation", self.said(lambda: asyncio.run(slips())))

    def test_in_other_code_it_says_where_it_belongs(self):
        for said in (
            self.said(lambda: wait(Sleep(1))),
            self.said(lambda: elsewhere(wait, Sleep(1))),
            self.said(lambda: self.run_(lambda: (yield RunInThread(wait, Sleep(1))))),
        ):
            self.assertIn("outside of a request and of a corolet", said)
            self.assertIn("Portal.call", said)
