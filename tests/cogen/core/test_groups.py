"""Coroutines that have one owner and end together."""

import asyncio
import contextlib
import threading
import unittest
from unittest import mock

from cogen.core import groups
from cogen.core.coroutines import coro
from cogen.core.events import AddCoro, Join, OperationTimeout, Sleep, WaitForSignal
from cogen.core.groups import TaskGroup
from cogen.core.queue import Queue
from cogen.core.schedulers import Scheduler
from cogen.core.shields import Shield
from cogen.web.build import build
from tests.cogen.core.support import CoreCase, LoopThread, elsewhere
from tests.support.cycles import assert_no_cycles


class Members:
    """Coroutines that tell in `seen` what becomes of them."""

    def __init__(self):
        self.seen = []

    def sleeping(self, name, seconds=1):
        try:
            yield Sleep(seconds)
            self.seen.append(f"{name} slept")
        except asyncio.CancelledError:
            self.seen.append(f"{name} cancelled")
            raise
        finally:
            self.seen.append(f"{name} ended")

    def slow_to_end(self, name):
        try:
            yield Sleep(100)
        finally:
            yield Sleep(2)
            self.seen.append(f"{name} ended")

    def failing(self, message, seconds=1):
        yield Sleep(seconds)
        raise ValueError(message)

    def failing_to_end(self, message):
        try:
            yield Sleep(100)
        finally:
            raise KeyError(message)


class GroupTests(CoreCase):
    def setUp(self):
        super().setUp()
        self.members = Members()
        self.seen = self.members.seen

    def messages(self, group):
        return [str(error) for error in group.exceptions]

    # A generator.

    def test_a_join_waits_for_all(self):
        def program():
            with TaskGroup() as group:
                group.start(self.members.sleeping, "a", 2)
                group.start(self.members.sleeping, "b", seconds=1)
                result = yield group.join()
            return result, self.loop.time()

        begun = self.loop.time()
        self.assertEqual((None, begun + 2), self.run_(program))
        self.assertEqual(["b slept", "b ended", "a slept", "a ended"], self.seen)
        self.assert_nothing_is_left()

    def test_a_join_of_nobody_is_over_at_once(self):
        def program():
            with TaskGroup() as group:
                return (yield group.join())

        self.assertIsNone(self.run_(program))

    def test_the_first_failure_cancels_the_others_and_is_raised_when_all_have_ended(self):
        def program():
            with TaskGroup() as group:
                group.start(self.members.failing, "first")
                group.start(self.members.sleeping, "b", 100)
                group.start(self.members.slow_to_end, "c")
                group.start(self.members.failing_to_end, "last")
                try:
                    yield group.join()
                except ExceptionGroup as failed:
                    self.assertEqual(0, len(group))
                    return self.messages(failed), str(failed), self.loop.time()

        begun = self.loop.time()
        with self.assertNoLogs():
            messages, told, ended = self.run_(program)
        self.assertEqual(["first", "'last'"], messages)
        self.assertIn("Members.failing, Members.failing_to_end", told)
        self.assertEqual(begun + 1 + 2, ended)
        self.assertEqual(["b cancelled", "b ended", "c ended"], self.seen)
        self.assert_nothing_is_left()

    def test_a_failure_is_raised_at_whatever_the_block_waits_for(self):
        queue = Queue()

        def program():
            try:
                with TaskGroup() as group:
                    group.start(self.members.failing, "first")
                    group.start(self.members.slow_to_end, "b")
                    yield queue.get()
            except ExceptionGroup as failed:
                queue.put_nowait("kept")
                return self.messages(failed), self.loop.time(), queue.get_nowait()

        begun = self.loop.time()
        with self.assertNoLogs():
            self.assertEqual((["first"], begun + 3, "kept"), self.run_(program))
        self.assert_nothing_is_left()

    def test_a_failure_is_raised_once(self):
        def program():
            with TaskGroup() as group:
                group.start(self.members.failing, "first")
                with self.assertRaises(ExceptionGroup):
                    yield Sleep(5)
                yield Sleep(1)
                yield group.join()
            return "goes on"

        self.assertEqual("goes on", self.run_(program))

    def test_a_block_that_is_left_ends_its_members(self):
        def program():
            with TaskGroup() as group:
                group.start(self.members.sleeping, "a", 100)
                yield Sleep(1)
            yield Sleep(1)

        self.run_(program)
        self.assertEqual(["a cancelled", "a ended"], self.seen)
        self.assert_nothing_is_left()

    def test_a_block_that_raises_ends_its_members_and_its_error_goes_on(self):
        def program():
            with TaskGroup() as group:
                group.start(self.members.sleeping, "a", 100)
                yield Sleep(1)
                raise LookupError("of the block")

        with self.assertLogs(), self.assertRaisesRegex(LookupError, "of the block"):
            self.run_(program)
        self.loop.settle()
        self.assertEqual(["a cancelled", "a ended"], self.seen)

    def test_a_failure_that_was_not_waited_for_is_raised_at_the_end_of_the_block(self):
        def program():
            with TaskGroup() as group:
                group.start(self.members.failing, "unheard", 0)
                done = self.loop.create_future()
                self.loop.call_later(5, done.set_result, None)
                yield Shield(done)

        with self.assertLogs(), self.assertRaises(ExceptionGroup) as caught:
            self.run_(program)
        self.assertEqual(["unheard"], self.messages(caught.exception))

    def test_a_failure_that_nobody_waits_for_is_logged(self):
        group = TaskGroup(self.scheduler)
        group.start(self.members.failing, "unheard")
        with self.assertLogs("cogen.core.coroutines") as logs:
            self.loop.advance(2)
        self.assertIn("died of ValueError('unheard')", logs.output[0])

    def test_leaving_a_join_cancels_the_members(self):
        def timeout(group):
            try:
                yield group.join(timeout=1)
            except OperationTimeout:
                return "timeout"

        def cancelled(group):
            with self.assertRaises(asyncio.CancelledError):
                yield group.join()
            return "cancelled"

        for leave in (timeout, cancelled):
            with self.subTest(leave.__name__):
                self.seen.clear()
                group = TaskGroup(self.scheduler)
                group.start(self.members.sleeping, "a", 100)
                left = self.start(leave, group)
                self.loop.settle()
                if leave is cancelled:
                    left.cancel()
                self.loop.advance(1.1)
                self.assertEqual(leave.__name__, left.result())
                self.assertEqual(["a cancelled", "a ended"], self.seen)
                self.assert_nothing_is_left()

    def test_a_failure_is_logged_if_who_joined_has_left_meanwhile(self):
        def program(group):
            with self.assertRaises(OperationTimeout):
                yield group.join(timeout=3)

        group = TaskGroup(self.scheduler)
        group.start(self.members.failing, "unheard", 2)
        group.start(self.members.slow_to_end, "b")
        self.start(program, group)
        with self.assertNoLogs():
            self.loop.advance(3.5)
        with self.assertLogs("cogen.core.groups") as logs:
            self.loop.advance(2)
        self.assertIn("died of ValueError('unheard')", logs.output[0])

    def test_who_left_a_join_waits_for_the_end_by_joining_again(self):
        def program():
            group = TaskGroup()
            group.start(self.members.slow_to_end, "a")
            try:
                yield group.join(timeout=1)
            except OperationTimeout:
                self.assertEqual([], self.seen)
                yield group.join()
                return list(self.seen)

        self.assertEqual(["a ended"], self.run_(program))

    def test_a_cancelled_group_cancels_each_once(self):
        def program():
            group = TaskGroup()
            group.start(self.members.slow_to_end, "a")
            yield Sleep(1)
            group.cancel()
            yield Sleep(1)
            group.cancel()
            yield group.join()

        self.run_(program)
        self.assertEqual(["a ended"], self.seen)

    def test_a_cancelled_member_is_no_failure(self):
        def program():
            with TaskGroup() as group:
                one = group.start(self.members.sleeping, "a", 100)
                group.start(self.members.sleeping, "b", 2)
                yield Sleep(1)
                one.cancel()
                yield group.join()

        self.run_(program)
        self.assertEqual(["a cancelled", "a ended", "b slept", "b ended"], self.seen)

    def test_what_is_no_exception_makes_a_base_exception_group(self):
        class Ends(BaseException):
            pass

        def ending():
            yield Sleep(1)
            raise Ends

        def program():
            with TaskGroup() as group:
                group.start(ending)
                try:
                    yield group.join()
                except BaseExceptionGroup as failed:
                    return failed.exceptions

        [error] = self.run_(program)
        self.assertIsInstance(error, Ends)

    def test_a_group_that_is_over_starts_nothing(self):
        def left():
            with TaskGroup() as group:
                yield
            return group

        def cancelled():
            group = TaskGroup()
            group.cancel()
            yield
            return group

        for function in (left, cancelled):
            group = self.run_(function)
            with self.assertRaisesRegex(RuntimeError, "is over and cannot start"):
                group.start(self.members.sleeping, "a")
        with self.assertRaisesRegex(TypeError, "is not a coroutine function"):
            TaskGroup(self.scheduler).start("no function")

    def test_a_member_knows_its_group(self):
        group = TaskGroup(self.scheduler)
        member = group.start(self.members.sleeping, "a")
        self.assertIs(group, member.group)
        self.assertEqual([member], list(group))
        self.assertEqual("<TaskGroup: open, 1 run: Members.sleeping>", repr(group))
        self.assertIsNone(self.start(self.members.sleeping, "b").group)

        def program():
            added = yield AddCoro(self.members.sleeping, ("c",), {"seconds": 2}, group=group)
            return added.group

        self.assertIs(group, self.run_(program))
        self.loop.advance(5)
        self.assertEqual("<TaskGroup: open, 0 run>", repr(group))

    def test_those_who_join_a_member_get_its_error_too(self):
        def program():
            with TaskGroup() as group:
                one = group.start(self.members.failing, "both")
                try:
                    yield Join(one)
                except ValueError as error:
                    joined = str(error)
                try:
                    yield group.join()
                except ExceptionGroup as failed:
                    return joined, self.messages(failed)

        self.assertEqual(("both", ["both"]), self.run_(program))

    def test_independent_members_fail_alone(self):
        group = TaskGroup(self.scheduler, independent=True)
        group.start(self.members.failing, "alone")
        group.start(self.members.sleeping, "b", 2)
        with self.assertLogs("cogen.core.coroutines"):
            self.loop.advance(1.5)
        self.assertFalse(group.over)
        self.loop.advance(1)
        self.assertEqual(["b slept", "b ended"], self.seen)

    # An `async def`.

    def test_async_with_waits_at_the_end_of_the_block(self):
        async def program():
            async with TaskGroup() as group:
                group.start(self.members.sleeping, "a", 2)
            return self.loop.time()

        begun = self.loop.time()
        self.assertEqual(begun + 2, self.run_(program))
        self.assertEqual(["a slept", "a ended"], self.seen)

    def test_async_with_raises_the_failures_when_all_have_ended(self):
        async def program():
            try:
                async with TaskGroup() as group:
                    group.start(self.members.failing, "first")
                    group.start(self.members.slow_to_end, "b")
            except ExceptionGroup as failed:
                return self.messages(failed)

        with self.assertNoLogs():
            self.assertEqual(["first"], self.run_(program))
        self.assertEqual(["b ended"], self.seen)

    def test_a_failure_ends_what_the_block_of_async_with_awaits(self):
        async def program(wait):
            try:
                async with TaskGroup() as group:
                    group.start(self.members.failing, "first")
                    group.start(self.members.slow_to_end, "b")
                    await wait()
            except ExceptionGroup as failed:
                await asyncio.sleep(1)
                return self.messages(failed), self.seen.pop()

        for wait in (lambda: Sleep(100), lambda: asyncio.sleep(100), Queue().get):
            self.assertEqual((["first"], "b ended"), self.run_(program, wait))
            self.assert_nothing_is_left()

    def test_a_plain_with_in_an_async_def_raises_the_failure_at_its_end(self):
        async def program():
            try:
                with TaskGroup() as group:
                    group.start(self.members.failing, "first")
                    await asyncio.sleep(100)
            except ExceptionGroup as failed:
                return self.messages(failed)

        self.assertEqual(["first"], self.run_(program))

    def test_async_with_that_raises_cancels_its_members_and_waits_for_them(self):
        async def program():
            try:
                async with TaskGroup() as group:
                    group.start(self.members.slow_to_end, "a")
                    await Sleep(1)
                    raise LookupError("of the block")
            except ExceptionGroup as failed:
                return self.messages(failed), list(self.seen)

        self.assertEqual((["of the block"], ["a ended"]), self.run_(program))

    def test_async_with_that_is_cancelled_cancels_its_members_and_waits_for_them(self):
        async def program():
            async with TaskGroup() as group:
                group.start(self.members.slow_to_end, "a")

        coroutine = self.start(program)
        self.loop.advance(1)
        coroutine.cancel()
        self.loop.advance(1)
        coroutine.cancel()
        self.loop.advance(3)
        self.assertEqual(["a ended"], self.seen)
        with self.assertRaises(asyncio.CancelledError):
            coroutine.result()
        self.assert_nothing_is_left()

    # Threads and other loops.

    def test_another_thread_starts_and_cancels(self):
        with LoopThread() as other:
            group = TaskGroup(other.scheduler)
            coroutine = group.start(coro(lambda: (yield WaitForSignal("never"))))
            other.idle()
            self.assertEqual(1, len(group))
            group.cancel()
            other.idle()
            self.assertTrue(coroutine.done)
            with self.assertRaisesRegex(RuntimeError, "is over"):
                elsewhere(group.start, self.members.sleeping, "a")

    @unittest.skipIf(build() == "compiled", "no subclass of a compiled class is interpreted")
    def test_another_thread_cancels_in_the_midst_of_a_start(self):
        group, seen = TaskGroup(self.scheduler), self.seen
        cancelling = threading.Thread(target=group.cancel)

        class Member:
            name = "a"

            def start(self, scheduler):
                cancelling.start()
                cancelling.join(0.05)  # it waits for the start, and cancels then
                seen.append("started")

            def cancel(self):
                seen.append("cancelled")

        with mock.patch.object(groups, "call", lambda *_: Member()):
            group.start(self.members.sleeping, "a")
        cancelling.join()
        self.assertEqual(["started", "cancelled"], seen)

    def test_a_group_is_joined_on_its_own_loop(self):
        other = Scheduler(proactor="asyncio")
        self.addCleanup(other.shutdown)
        group = TaskGroup(other)

        def joining():
            yield group.join()

        def entering():
            with group:
                yield

        for program in (joining, entering):
            with self.assertLogs(), self.assertRaisesRegex(RuntimeError, "runs on another loop"):
                self.run_(program)


class CycleTests(CoreCase):
    """A failure leaves nothing for the collector."""

    def check(self, function):
        def run():
            self.scheduler.add(function)
            self.scheduler.run()

        assert_no_cycles(self, run)

    def test_a_generator_catches_a_failure(self):
        def program():
            with TaskGroup() as group:
                group.start(Members().failing, "x")
                group.start(Members().sleeping, "y", 9)
                with contextlib.suppress(ExceptionGroup):
                    yield group.join()

        self.check(program)

    def test_a_generator_dies_of_a_failure_and_another_catches_it(self):
        def dying():
            with TaskGroup() as group:
                group.start(Members().failing, "x")
                yield group.join()

        def program():
            with contextlib.suppress(ExceptionGroup):
                yield Join((yield AddCoro(dying)))

        self.check(program)

    def test_an_async_def_catches_a_failure(self):
        async def program():
            with contextlib.suppress(ExceptionGroup):
                async with TaskGroup() as group:
                    group.start(Members().failing, "x")

        self.check(program)
