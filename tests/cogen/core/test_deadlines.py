"""Deadlines over blocks of waits."""

import asyncio
import sys
from unittest import mock

from cogen.core import deadlines
from cogen.core.corolets import corolet, wait
from cogen.core.coroutines import coro
from cogen.core.deadlines import Deadline, DeadlinePassed
from cogen.core.events import AddCoro, Join, OperationTimeout, Sleep
from cogen.core.groups import TaskGroup
from cogen.core.queue import Queue
from cogen.core.schedulers import Scheduler
from tests.cogen.core.support import CoreCase, elsewhere
from tests.support.cycles import assert_no_cycles


class DeadlineTests(CoreCase):
    def setUp(self):
        super().setUp()
        self.begun = self.loop.time()

    def passed(self):
        return round(self.loop.time() - self.begun, 1)

    def nothing_is_left(self):
        self.assert_nothing_is_left()
        self.assertEqual({}, self.scheduler.scopes)

    # Generators.

    def test_a_block_that_ends_in_time_notices_nothing(self):
        def program():
            with Deadline(3) as deadline:
                yield Sleep(1)
                yield Sleep(1)
                left = round(deadline.left, 1)
            yield Sleep(5)
            return left, deadline.passed

        self.assertEqual((1, False), self.run_(program))
        self.nothing_is_left()

    def test_what_is_waited_for_is_undone_when_the_time_is_up(self):
        queue = Queue()

        def program():
            with self.assertRaises(DeadlinePassed) as caught, Deadline(3) as deadline:
                while True:
                    with self.assertRaises(OperationTimeout):
                        yield queue.get(timeout=1)
            self.assertIs(deadline, caught.exception.deadline)
            self.assertTrue(deadline.passed)
            queue.put_nowait("kept")
            return self.passed(), queue.get_nowait()

        self.assertEqual((3, "kept"), self.run_(program))
        self.nothing_is_left()

    def test_a_wait_that_begins_after_the_end_raises_at_once(self):
        queue = Queue()
        queue.put_nowait("kept")

        def program():
            with Deadline(1):
                with self.assertRaises(DeadlinePassed):
                    yield Sleep(5)
                for wait in (lambda: Sleep(5), queue.get, lambda: coro(wait_a_little)(), other):
                    with self.assertRaises(DeadlinePassed):
                        yield wait()
                with self.assertRaises(DeadlinePassed):
                    yield
            yield
            return self.passed(), len(queue)

        def wait_a_little():
            yield Sleep(0)

        async def other():
            await Sleep(0)

        self.assertEqual((1, 1), self.run_(program))
        self.nothing_is_left()

    def test_a_deadline_of_0_lets_no_wait_begin(self):
        def program():
            with self.assertRaises(DeadlinePassed), Deadline(0):
                yield Sleep(0)

        self.run_(program)
        self.nothing_is_left()

    def test_code_that_does_not_wait_goes_on(self):
        def program():
            with Deadline(0):
                pass
            return "done"
            yield

        self.assertEqual("done", self.run_(program))

    def test_nested_ones_tell_whose_time_was_up(self):
        def program(first, second):
            try:
                with Deadline(first) as outer:
                    try:
                        with Deadline(second) as inner:
                            yield Sleep(10)
                    except DeadlinePassed as error:
                        self.assertIs(inner, error.deadline)
                        return "inner", self.passed()
            except DeadlinePassed as error:
                self.assertIs(outer, error.deadline)
                return "outer", self.passed()

        def outer_first():
            with Deadline(1) as outer:
                with self.assertRaises(DeadlinePassed) as caught, Deadline(2):
                    yield Sleep(10)
                return caught.exception.deadline is outer

        self.assertEqual(("inner", 1), self.run_(program, 2, 1))
        self.assertTrue(self.run_(outer_first))
        self.nothing_is_left()

    def test_it_is_for_what_the_block_calls(self):
        @coro
        def called():
            yield Sleep(10)

        def program():
            with self.assertRaises(DeadlinePassed), Deadline(1):
                yield called()
            return self.passed()

        self.assertEqual(1, self.run_(program))

    def test_it_is_not_for_who_is_started_in_the_block(self):
        def started():
            yield Sleep(3)
            return "slept"

        def program():
            with Deadline(1):
                one = yield AddCoro(started)
            return (yield Join(one))

        self.assertEqual("slept", self.run_(program))

    def test_it_is_extended_and_reset(self):
        def extended():
            with self.assertRaises(DeadlinePassed), Deadline(1) as deadline:
                deadline.extend(2)
                yield Sleep(10)
            return self.passed()

        def reset():
            with self.assertRaises(DeadlinePassed), Deadline(2) as deadline:
                for _ in range(3):
                    yield Sleep(1.5)
                    deadline.reset()
                yield Sleep(10)
            return self.passed()

        def sooner():
            with self.assertRaises(DeadlinePassed), Deadline(100) as deadline:
                deadline.reset(1)
                yield Sleep(10)
            return self.passed()

        self.assertEqual(3, self.run_(extended))
        self.begun = self.loop.time()
        self.assertEqual(6.5, self.run_(reset))
        self.begun = self.loop.time()
        self.assertEqual(1, self.run_(sooner))
        self.nothing_is_left()

    # `async def`.

    def test_an_async_def_has_it_at_the_end_of_the_block(self):
        async def program(wait):
            with self.assertRaises(DeadlinePassed) as caught, Deadline(2) as deadline:
                try:
                    await wait()
                except asyncio.CancelledError:
                    inside = self.passed()
                    raise
            self.assertIs(deadline, caught.exception.deadline)
            await asyncio.sleep(1)
            return inside, self.passed()

        for make in (lambda: Sleep(10), lambda: asyncio.sleep(10), Queue().get):
            self.begun = self.loop.time()
            self.assertEqual((2, 3), self.run_(program, make))
            self.nothing_is_left()

    def test_a_wait_of_an_async_def_after_the_end_raises_at_once(self):
        async def program():
            with self.assertRaises(DeadlinePassed), Deadline(0):
                await Sleep(10)
            await asyncio.sleep(1)
            return self.passed()

        self.assertEqual(1, self.run_(program))
        self.nothing_is_left()

    def test_an_async_def_that_is_cancelled_is_cancelled(self):
        async def program():
            with Deadline(5):
                await asyncio.sleep(10)

        coroutine = self.start(program)
        self.loop.advance(1)
        coroutine.cancel()
        self.loop.settle()
        with self.assertRaises(asyncio.CancelledError):
            coroutine.result()
        self.nothing_is_left()

    def test_it_nests_with_those_of_asyncio(self):
        async def program(ours, theirs):
            try:
                with Deadline(ours):
                    async with asyncio.timeout(theirs):
                        await Sleep(10)
            except (DeadlinePassed, TimeoutError) as error:
                return type(error), self.passed()

        self.assertEqual((DeadlinePassed, 1), self.run_(program, 1, 2))
        self.begun = self.loop.time()
        self.assertEqual((TimeoutError, 1), self.run_(program, 2, 1))
        self.nothing_is_left()

    def test_a_program_of_asyncio_has_it_too(self):
        async def main():
            with self.assertRaises(DeadlinePassed), Deadline(0.01):
                await asyncio.sleep(10)
            with self.assertRaises(ExceptionGroup):
                async with TaskGroup() as group:
                    group.start(failing)
                    await asyncio.sleep(10)
            return dict(Scheduler.current().scopes)

        async def failing():
            raise ValueError

        self.assertEqual({}, asyncio.run(main()))

    def test_a_corolet_has_it_as_a_generator(self):
        @corolet
        def program():
            with self.assertRaises(DeadlinePassed), Deadline(2):
                wait(Sleep(1))
                wait(asyncio.sleep, 10)
            with self.assertRaises(ExceptionGroup), TaskGroup() as group:
                group.start(failing)
                wait(Queue().get)
            return self.passed()

        def failing():
            yield Sleep(1)
            raise ValueError

        self.assertEqual(3, self.run_(lambda: (yield program())))
        self.nothing_is_left()

    # Groups.

    def test_a_group_ends_with_the_deadline_of_its_join(self):
        ended = []

        def member():
            try:
                yield Sleep(100)
            finally:
                ended.append(self.passed())

        def generator():
            with self.assertRaises(DeadlinePassed), Deadline(1), TaskGroup() as group:
                group.start(member)
                yield group.join()
            yield

        async def native():
            with self.assertRaises(DeadlinePassed), Deadline(1):
                async with TaskGroup() as group:
                    group.start(member)

        for program in (generator, native):
            with self.subTest(program.__name__):
                self.begun = self.loop.time()
                ended.clear()
                self.run_(program)
                self.assertEqual([1], ended)
                self.nothing_is_left()

    # Slips.

    def test_what_makes_no_sense_is_refused(self):
        for seconds in (-1, float("nan")):
            with self.assertRaisesRegex(ValueError, "0 or more seconds"):
                Deadline(seconds)
        deadline = Deadline(1)
        with self.assertRaisesRegex(RuntimeError, "no code of a coroutine"):
            deadline.__enter__()
        with self.assertRaisesRegex(RuntimeError, "not in use"):
            deadline.extend(1)

    def test_it_cannot_be_put_off_when_it_is_up_or_left(self):
        def program():
            with Deadline(0) as deadline:
                with self.assertRaises(DeadlinePassed):
                    yield Sleep(1)
                with self.assertRaisesRegex(RuntimeError, "cannot be put off any more"):
                    deadline.extend(1)
            with self.assertRaisesRegex(RuntimeError, "not in use"):
                deadline.reset()
            with Deadline(1) as deadline, self.assertRaisesRegex(ValueError, "0 or more"):
                deadline.extend(-1)

        self.run_(program)

    def test_one_in_use_is_not_entered_again(self):
        deadline = Deadline(5)

        def one():
            with deadline:
                yield Sleep(2)

        def two():
            yield Sleep(1)
            with self.assertRaisesRegex(RuntimeError, "is in use"), deadline:
                pass

        first = self.start(one)
        self.run_(two)
        self.loop.advance(3)
        first.result()

    def test_it_is_left_by_who_entered_it_and_in_order(self):
        deadline = Deadline(5)

        def entering():
            deadline.__enter__()
            yield Sleep(2)

        def leaving():
            yield Sleep(1)
            with self.assertRaisesRegex(RuntimeError, "by another than who has entered it"):
                deadline.__exit__(None, None, None)

        def crossing():
            with Deadline(1) as inner:
                outer, inner_exit = Deadline(2).__enter__(), inner.__exit__
                with self.assertRaisesRegex(RuntimeError, "before what was entered within it"):
                    inner_exit(None, None, None)
                outer.__exit__(None, None, None)
                inner.__enter__()
            yield

        self.start(entering)
        self.run_(leaving)
        self.run_(crossing)
        self.loop.advance(3)
        self.nothing_is_left()


class ThreadTests(CoreCase):
    def test_a_thread_that_leaves_the_block_as_its_timer_runs_leaves_no_timer(self):
        for reading in (1, 2):  # of the clock, by the timer
            with self.subTest(reading):
                deadline = Deadline(10)

                def program(deadline=deadline):
                    deadline.__enter__()
                    deadline.extend(7)
                    yield Sleep(30)

                def time(deadline=deadline, left=[reading]):  # noqa: B006 (counts)
                    if sys._getframe(1).f_code.co_filename == deadlines.__file__:
                        left[0] -= 1
                        if not left[0]:
                            elsewhere(deadline.__exit__, None, None, None)
                    return type(self.loop).time(self.loop)

                self.start(program)
                self.loop.settle()
                with mock.patch.object(self.loop, "time", time):
                    self.loop.advance(11)
                self.assertEqual(1, len(self.scheduler.timers), "that of the Sleep")
                self.loop.advance(30)
                self.nothing_is_left()

    def nothing_is_left(self):
        self.assert_nothing_is_left()
        self.assertEqual({}, self.scheduler.scopes)


class CycleTests(CoreCase):
    def test_a_deadline_that_passes_leaves_nothing(self):
        def dying():
            with Deadline(1):
                yield Queue().get()

        def catching():
            try:
                with Deadline(1):
                    yield Queue().get()
            except DeadlinePassed:
                return

        async def native():
            try:
                with Deadline(1):
                    await Queue().get()
            except DeadlinePassed:
                return

        def joining():
            try:
                yield Join((yield AddCoro(dying)))
            except DeadlinePassed:
                return

        for function in (catching, native, joining):

            def run(function=function):
                self.scheduler.add(function)
                self.scheduler.run()

            with self.subTest(function.__name__):
                assert_no_cycles(self, run)
