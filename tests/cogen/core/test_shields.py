"""Waits for clean-up, which are not broken off."""

import asyncio

from cogen.core.corolets import corolet, wait
from cogen.core.coroutines import coro
from cogen.core.deadlines import Deadline, DeadlinePassed
from cogen.core.events import OperationTimeout, Sleep
from cogen.core.groups import TaskGroup
from cogen.core.queue import Queue
from cogen.core.shields import Shield
from tests.cogen.core.support import CoreCase


class ShieldTests(CoreCase):
    def setUp(self):
        super().setUp()
        self.seen = []

    @coro
    def saved(self):
        yield Sleep(2)
        self.seen.append("saved")
        return "receipt"

    async def native(self):
        await asyncio.sleep(2)
        self.seen.append("saved")
        return "receipt"

    def cases(self):
        return {
            "an operation": lambda: Sleep(2),
            "a coroutine": self.saved,
            "an async def": self.native,
        }

    def test_a_block_that_ends_with_it_is_ended_by_no_deadline_later(self):
        async def with_deadline(make):
            with Deadline(1):
                await Shield(make())

        async def with_asyncio(make):
            async with asyncio.timeout(1):
                await Shield(make())

        async def program(block, make):
            await block(make)
            await asyncio.sleep(1)
            await Sleep(1)
            self.seen.append("goes on")

        for name, make in self.cases().items():
            for block in (with_deadline, with_asyncio):
                with self.subTest(name, block=block.__name__):
                    self.seen.clear()
                    coroutine = self.start(program, block, make)
                    self.loop.advance(5)
                    self.assertIsNone(coroutine.error)
                    self.assertEqual("goes on", self.seen[-1])

    def test_a_deadline_does_not_take_the_place_of_a_cancellation_before_it(self):
        def generator(make):
            with Deadline(2):
                try:
                    yield Sleep(9)
                finally:
                    yield make()

        def calling(make):
            with Deadline(2):
                yield coro(generator)(make)

        @corolet
        def straight(make):
            with Deadline(2):
                try:
                    wait(Sleep(9))
                finally:
                    wait(make())

        async def native(make):
            with Deadline(2):
                try:
                    await Sleep(9)
                finally:
                    await make()

        async def ends_with_it(make):
            with Deadline(2):
                await Shield(Sleep(3))
            await Sleep(3)

        programs = (generator, calling, straight, native, ends_with_it)
        for make in (lambda: Shield(Sleep(3)), lambda: Sleep(3)):
            for program in programs:
                with self.subTest(program.__name__):
                    coroutine = self.start(program, make)
                    self.loop.advance(1)
                    coroutine.cancel()
                    self.loop.advance(9)
                    self.assertIsInstance(coroutine.error, asyncio.CancelledError)

    def test_a_deadline_that_begins_in_clean_up_is_its_own(self):
        def generator():
            with Deadline(20):
                try:
                    yield Sleep(9)
                finally:
                    with self.assertRaises(DeadlinePassed) as caught, Deadline(2) as deadline:
                        yield Sleep(9)
                    self.assertIs(deadline, caught.exception.deadline)
                    self.seen.append("cleaned up")

        coroutine = self.start(generator)
        self.loop.advance(1)
        coroutine.cancel()
        self.loop.advance(9)
        self.assertEqual(["cleaned up"], self.seen)
        self.assertIsInstance(coroutine.error, asyncio.CancelledError)

    def test_its_outcome_is_that_of_what_it_waits_for(self):
        def fails():
            yield Sleep(1)
            raise ValueError("failed")

        def program():
            queue = Queue()
            queue.put_nowait("item")
            with self.assertRaisesRegex(ValueError, "failed"):
                yield Shield(coro(fails)())
            found = []
            for each in (queue.get(), self.saved(), self.native()):
                found.append((yield Shield(each)))
            return found

        self.assertEqual(["item", "receipt", "receipt"], self.run_(program))
        self.assert_nothing_is_left()

    def test_a_cancellation_comes_at_the_next_wait(self):
        def generator(make):
            self.seen.append((yield Shield(make())))
            self.seen.append("goes on")
            yield Sleep(1)
            self.seen.append("never")

        async def native(make):
            self.seen.append(await Shield(make()))
            self.seen.append("goes on")
            await asyncio.sleep(1)
            self.seen.append("never")

        for name, make in self.cases().items():
            for program in (generator, native):
                with self.subTest(name, program=program.__name__):
                    self.seen.clear()
                    coroutine = self.start(program, make)
                    self.loop.advance(1)
                    coroutine.cancel()
                    self.loop.settle()
                    coroutine.cancel()
                    self.loop.settle()
                    self.assertFalse(coroutine.done)
                    self.loop.advance(1.1)
                    self.assertTrue(coroutine.done)
                    self.assertEqual("goes on", self.seen[-1])
                    with self.assertRaises(asyncio.CancelledError):
                        coroutine.result()
                    self.assert_nothing_is_left()

    def test_a_cancellation_waits_for_several_in_a_row(self):
        def generator():
            yield Shield(Sleep(2))
            yield Shield(Sleep(2))
            self.seen.append(self.loop.time() - begun)
            yield Sleep(1)
            self.seen.append("never")

        async def native():
            await Shield(Sleep(2))
            await Shield(Sleep(2))
            self.seen.append(self.loop.time() - begun)
            await Sleep(1)
            self.seen.append("never")

        for program in (generator, native):
            with self.subTest(program.__name__):
                self.seen.clear()
                begun = self.loop.time()
                coroutine = self.start(program)
                self.loop.advance(1)
                coroutine.cancel()
                self.loop.advance(9)
                self.assertEqual([4], self.seen)
                self.assertIsInstance(coroutine.error, asyncio.CancelledError)

    def test_what_it_waits_for_is_cancelled(self):
        async def native(awaited):
            await Shield(awaited)

        def generator(awaited):
            yield Shield(awaited)

        for program in (generator, native):
            with self.subTest(program.__name__):
                task = self.loop.create_task(asyncio.sleep(9))
                coroutine = self.start(program, task)
                self.loop.settle()
                task.cancel()
                self.loop.settle()
                self.assertTrue(coroutine.done)
                self.assertIsInstance(coroutine.error, asyncio.CancelledError)
                self.assert_nothing_is_left()

    def test_a_deadline_is_raised_at_the_next_wait(self):
        def generator(make):
            with self.assertRaises(DeadlinePassed), Deadline(1):
                self.seen.append((yield Shield(make())))
                self.seen.append("goes on")
                yield Sleep(1)

        async def native(make):
            with self.assertRaises(DeadlinePassed), Deadline(1):
                self.seen.append(await Shield(make()))
                self.seen.append("goes on")
                await asyncio.sleep(1)

        for name, make in self.cases().items():
            for program in (generator, native):
                with self.subTest(name, program=program.__name__):
                    self.seen.clear()
                    begun = self.loop.time()
                    self.run_(program, make)
                    self.assertEqual("goes on", self.seen[-1])
                    self.assertGreaterEqual(self.loop.time(), begun + 2)
                    self.assert_nothing_is_left()

    def test_it_waits_in_a_block_whose_time_is_up(self):
        def program():
            with Deadline(1):
                try:
                    yield Sleep(5)
                except DeadlinePassed:
                    return (yield Shield(self.saved()))

        self.assertEqual("receipt", self.run_(program))

    def test_its_own_timeout_undoes_it(self):
        def program(make):
            with self.assertRaises(OperationTimeout):
                yield Shield(make(), timeout=1)
            return self.loop.time()

        for name, make in self.cases().items():
            with self.subTest(name):
                begun = self.loop.time()
                self.assertEqual(begun + 1, self.run_(program, make))
                self.loop.advance(3)
                self.assertEqual([], self.seen)
                self.assert_nothing_is_left()

    def test_what_comes_as_its_timeout_is_over_is_not_lost(self):
        def generator(make):
            self.seen.append((yield Shield(make(), timeout=1)))

        async def native(make):
            self.seen.append(await Shield(make(), timeout=1))

        async def take(queue):
            return await queue.get()

        for program in (generator, native):
            for first in (True, False):
                for taker in (take, Queue.get):
                    with self.subTest(program.__name__, first=first, taker=taker.__name__):
                        self.seen.clear()
                        queue = Queue()
                        if first:
                            self.loop.call_later(1, queue.put_nowait, "item")
                        coroutine = self.start(program, lambda: taker(queue))  # noqa: B023
                        self.loop.settle()
                        if not first:
                            self.loop.call_later(1, queue.put_nowait, "item")
                        self.loop.advance(2)
                        self.assertTrue(coroutine.done)
                        kept = [queue.get_nowait() for _ in range(len(queue))]
                        self.assertEqual(["item"], self.seen + kept)
                        self.assertEqual(bool(kept), coroutine.error is not None)
                        self.assert_nothing_is_left()

    def test_a_timeout_leaves_a_shield_within_it(self):
        def program():
            with self.assertRaises(OperationTimeout):
                yield Shield(Shield(Sleep(5)), timeout=1)
            return self.loop.time()

        begun = self.loop.time()
        self.assertEqual(begun + 1, self.run_(program))

    def test_who_leaves_a_group_waits_for_its_end(self):
        def member():
            try:
                yield Sleep(100)
            finally:
                yield Sleep(2)
                self.seen.append("member ended")

        def program():
            group = TaskGroup()
            group.start(member)
            try:
                yield group.join()
            finally:
                yield Shield(group.join(), timeout=5)
                self.seen.append("program ended")

        coroutine = self.start(program)
        self.loop.advance(1)
        coroutine.cancel()
        self.loop.settle()
        coroutine.cancel()
        self.loop.advance(3)
        self.assertEqual(["member ended", "program ended"], self.seen)
        self.assert_nothing_is_left()
