"""The pipe: what cogen 0.2's tests say of it, and every way in which it ends."""

import asyncio

from cogen.core.coroutines import coro
from cogen.core.events import AddCoro, OperationTimeout, Signal, Sleep, WaitForSignal
from cogen.core.pipe import Iterate, IterationStopped, chunk, end_sentinel, sentinel
from tests.cogen.core.support import CoreCase
from tests.support.cycles import assert_no_cycles


@coro
def three():
    for number in (1, 2, 3):
        assert (yield chunk(number)) is None


class PipeTests(CoreCase):
    def collected(self, *args, **kwargs):
        @coro
        def consumer():
            values, got = (yield Iterate(*args, **kwargs)), []
            while (value := (yield values)) is not sentinel:
                got.append(value)
            return got

        got = self.run_(consumer)
        self.assert_nothing_is_left()
        return got

    def test_one_that_has_ended_is_not_kept_until_its_consumer_ends(self):
        @coro
        def consumer():
            for ends in range(3):
                values = yield Iterate(three)
                for _ in range(ends):
                    yield values
                if ends == 2:
                    while (yield values) is not sentinel:
                        pass
                values.stop()
                yield Sleep(1)
            return coroutine._callbacks

        coroutine = self.start(consumer)
        self.loop.advance(5)
        self.assertEqual([], coroutine.result())

    def test_the_order_of_0_2(self):
        said = []

        @coro
        def producer():
            said.append("started")
            for number in (1, 2, 3):
                assert not (yield chunk(number))
            yield WaitForSignal("signal")
            said.append("signal")
            assert not (yield chunk(None))
            assert not (yield chunk(sentinel))
            yield WaitForSignal("never")
            said.append("never")

        @coro
        def signals():
            yield Signal("signal")

        @coro
        def consumer():
            values = yield Iterate(producer)
            while True:
                value = yield values
                if value is sentinel:
                    said.append("end")
                    break
                said.append(value)
                if value == 3:
                    yield AddCoro(signals)

        self.run_(consumer)
        self.assertEqual(["started", 1, 2, 3, "signal", None, "end"], said)
        self.assert_nothing_is_left()

    def test_stop_in_the_order_of_0_2(self):
        said = []

        @coro
        def producer():
            try:
                said.append("started")
                yield chunk(1)
                yield WaitForSignal("never")
            except IterationStopped:
                said.append("raised")

        @coro
        def consumer():
            values = yield Iterate(producer)
            while (value := (yield values)) is not sentinel:
                said.append(value)
                assert (yield values.stop()) is sentinel
            said.append("end")

        self.run_(consumer)
        self.loop.settle()
        self.assertEqual(["started", 1, "end", "raised"], said)
        self.assert_nothing_is_left()

    def test_the_producer_runs_while_the_consumer_waits(self):
        said = []

        @coro
        def producer():
            for number in range(3):
                said.append(f"make {number}")
                yield chunk(number)

        @coro
        def consumer():
            values = yield Iterate(producer)
            said.append("begin")
            while (value := (yield values)) is not sentinel:
                said.append(f"take {value}")
                yield Sleep(1)

        self.run_(consumer)
        pairs = [f"{what} {number}" for number in range(3) for what in ("make", "take")]
        self.assertEqual(["begin", *pairs], said)

    def test_arguments_and_a_sentinel_of_ones_own(self):
        @coro
        def producer(first, second):
            yield chunk(first)
            yield chunk(second)

        @coro
        def consumer():
            values = yield Iterate(producer, (1,), {"second": 2}, sentinel="over")
            return [(yield values), (yield values), (yield values), (yield values)]

        self.assertEqual([1, 2, "over", "over"], self.run_(consumer))
        self.assertIs(sentinel, end_sentinel)

    def test_every_kind_of_source(self):
        async def native():
            for number in (1, 2, 3):
                await asyncio.sleep(0)
                await chunk(number)

        async def generator():
            for number in (1, 2, 3):
                yield number

        def nested():
            yield chunk(1)
            yield two_more()

        @coro
        def two_more():
            yield chunk(2)
            yield chunk(3)

        sources = {
            "a coroutine": three,
            "a plain generator function": nested,
            "an async def": native,
            "an async generator function": generator,
            "an async generator": generator(),
            "a list": [1, 2, 3],
            "an iterator": iter((1, 2, 3)),
            "a function that gives an iterator": lambda: iter((1, 2, 3)),
        }
        for name, source in sources.items():
            with self.subTest(name):
                self.assertEqual([1, 2, 3], self.collected(source))

    def test_asyncio_code_iterates_too(self):
        async def consumer():
            return [value async for value in await Iterate(three)]

        self.assertEqual([1, 2, 3], self.run_(consumer))
        self.assert_nothing_is_left()

    def test_what_the_producer_raises_is_raised_where_it_is_iterated(self):
        @coro
        def producer():
            yield chunk(1)
            raise ValueError("a slip")

        @coro
        def consumer():
            values = yield Iterate(producer)
            yield values
            try:
                yield values
            except ValueError as error:
                return str(error), (yield values)

        with self.assertNoLogs("cogen"):
            self.assertEqual(("a slip", sentinel), self.run_(consumer))

    def test_the_producer_ends_with_the_consumer(self):
        ended = []

        async def generator():
            try:
                while True:
                    yield 1
            finally:
                ended.append("generator")

        @coro
        def producer():
            try:
                while True:
                    yield chunk(1)
            finally:
                ended.append("coroutine")

        @coro
        def consumer(source):
            yield (yield Iterate(source))

        for source in (producer, generator):
            self.run_(consumer, source)
            self.assert_nothing_is_left()
        self.assertEqual(["coroutine", "generator"], ended)

    def test_a_value_that_came_when_nobody_waited_is_the_next(self):
        @coro
        def producer():
            yield Sleep(2)
            yield chunk("late")

        @coro
        def impatient(values):
            yield values

        @coro
        def consumer():
            values = yield Iterate(producer)
            waiting = yield AddCoro(impatient, (values,))
            yield Sleep(1)
            waiting.cancel()
            yield Sleep(5)
            return (yield values), (yield values)

        self.assertEqual(("late", sentinel), self.run_(consumer))
        self.assert_nothing_is_left()

    def test_one_that_was_never_asked_leaves_nothing(self):
        self.run_(lambda: (yield Iterate(three)))
        self.assert_nothing_is_left()

    def test_slips_say_what_to_do(self):
        with self.assertLogs(), self.assertRaisesRegex(RuntimeError, "use Iterate"):
            self.run_(lambda: (yield chunk(1)))
        with self.assertRaisesRegex(TypeError, "3 is neither a coroutine function"):
            Iterate(3)

    def test_what_a_pipe_raises_is_freed_at_once(self):
        @coro
        def failing():
            yield chunk(1)
            raise ValueError("a slip")

        @coro
        def consumer():
            values = yield Iterate(failing)
            try:
                while True:
                    yield values
            except (ValueError, OperationTimeout):
                return

        def stopping():
            values = yield Iterate(three)
            yield values
            yield values.stop()

        assert_no_cycles(self, lambda: self.run_(consumer))
        assert_no_cycles(self, lambda: (self.run_(stopping), self.loop.settle()))
