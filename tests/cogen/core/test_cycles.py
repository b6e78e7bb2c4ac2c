"""What a coroutine catches, or dies of, is freed at once: the frames of its traceback lead to
nothing that leads back to it."""

import asyncio

from cogen.core.coroutines import coro
from cogen.core.events import AddCoro, Join, OperationTimeout, Sleep, WaitForSignal
from cogen.core.pubsub import PublishSubscribeQueue
from cogen.core.queue import Queue
from cogen.core.schedulers import SLICE
from cogen.core.threads import RunInThread
from tests.cogen.core.support import CoreCase
from tests.support.cycles import assert_no_cycles


def raising():
    raise ValueError("raised")


@coro
def failing():
    yield Sleep(1)
    raise ValueError("raised")


@coro
def late():
    yield Queue().get(timeout=1)


@coro
def fetching_in_vain():
    queue = PublishSubscribeQueue()
    yield queue.subscribe()
    yield queue.fetch(timeout=1)


@coro
def busy():
    for _ in range(2 * SLICE):
        yield Queue().put("x")
    raise ValueError("raised")


async def native_failing():
    await asyncio.sleep(1)
    raise ValueError("raised")


def failed():
    future = asyncio.get_running_loop().create_future()
    future.set_exception(ValueError("raised"))
    return future


class CycleTests(CoreCase):
    """A frame that runs the loop holds no coroutine: the frames of a traceback lead to it too."""

    def setUp(self):
        super().setUp()
        self.caught = []
        self.dead = self.scheduler.add(raising)
        self.dead.add_done_callback(lambda coroutine: None)
        with self.assertLogs("cogen.core.coroutines"):
            self.scheduler.run()
        # Name -> (what makes what is waited for, what that raises).
        self.cases = {
            "a queue that stays empty": (lambda: Queue().get(timeout=1), OperationTimeout),
            "a signal that does not come": (lambda: WaitForSignal("x", 1), OperationTimeout),
            "a subscription": (fetching_in_vain, OperationTimeout),
            "a fetch without a subscription": (PublishSubscribeQueue().fetch, LookupError),
            "a coroutine that raises": (failing, ValueError),
            "a coroutine that did not catch": (late, OperationTimeout),
            "a coroutine that has had its share": (busy, ValueError),
            "a coroutine that is dead": (lambda: Join(self.dead), ValueError),
            "a plain function that raises": (coro(raising), ValueError),
            "an awaitable that raises": (native_failing, ValueError),
            "an awaitable that has failed": (failed, ValueError),
            "a coroutine of an async def": (coro(native_failing), ValueError),
            "a thread": (lambda: RunInThread(raising), ValueError),
        }

    def check(self, name, *functions):
        def run():
            self.caught.clear()
            for function in functions:
                self.scheduler.add(function)
            self.scheduler.run()
            assert self.caught == [self.cases[name][1]]

        with self.subTest(name):
            assert_no_cycles(self, run)

    def test_a_generator_catches_it(self):
        for name, (make, error) in self.cases.items():

            def catching(make=make, error=error):
                try:
                    yield make()
                except error as raised:
                    self.caught.append(type(raised))

            self.check(name, catching)

    def test_a_generator_catches_it_and_goes_on(self):
        for name, (make, error) in self.cases.items():

            def catching(make=make, error=error):
                try:
                    yield make()
                except error as raised:
                    self.caught.append(type(raised))
                yield Sleep(1)

            self.check(name, catching)

    def test_an_async_def_catches_it(self):
        for name, (make, error) in self.cases.items():

            async def catching(make=make, error=error):
                try:
                    await make()
                except error as raised:
                    self.caught.append(type(raised))

            self.check(name, catching)

    def test_a_generator_dies_of_it_and_another_catches_it(self):
        for name, (make, error) in self.cases.items():

            def joining(make=make, error=error):
                try:
                    yield (yield AddCoro(lambda: (yield make())))
                except error as raised:
                    self.caught.append(type(raised))

            self.check(name, joining)

    def test_an_async_def_dies_of_it_and_another_catches_it(self):
        for name, (make, error) in self.cases.items():

            async def dying(make=make):
                await make()

            async def joining(error=error, dying=dying):
                try:
                    await Join(await AddCoro(dying))
                except error as raised:
                    self.caught.append(type(raised))

            self.check(name, joining)

    def test_a_coroutine_dies_of_it_and_its_result_is_asked_for(self):
        def ask(error):
            try:
                self.coroutine.result()
            except error:
                del self.coroutine

        for name, (make, error) in self.cases.items():

            def run(make=make, error=error):
                self.coroutine = self.scheduler.add(lambda: (yield make()))
                with self.assertLogs("cogen.core.coroutines"):
                    self.scheduler.run()
                ask(error)

            with self.subTest(name):
                assert_no_cycles(self, run)

    def test_a_coroutine_is_cancelled(self):
        def generator():
            yield Queue().get(timeout=1)

        async def native():
            await Queue().get(timeout=1)

        for function in (generator, native, lambda: (yield late()), lambda: (yield native())):

            def run(function=function):
                self.scheduler.add(function)
                self.loop.settle()
                self.loop.run_until_complete(self.scheduler.cancel_all())

            with self.subTest(function):
                assert_no_cycles(self, run)
