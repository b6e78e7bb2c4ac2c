"""A trace of one coroutine: each step is told, and it does what it does without."""

import asyncio
import io

from cogen.core.alike import Groups
from cogen.core.coroutines import coro, debug_coro, debug_coroutine
from cogen.core.dump import Coroutines
from cogen.core.events import OperationTimeout, Sleep, WaitForSignal
from cogen.core.queue import Queue
from tests.cogen.core.support import CoreCase


class TracingTests(CoreCase):
    def setUp(self):
        super().setUp()
        self.output = io.StringIO()

    def lines(self):
        """What was told, without where that is."""
        lines = [line.split(" at /")[0] for line in self.output.getvalue().splitlines()]
        return [line.partition("<locals>.")[2] for line in lines]

    def test_each_step_of_a_generator_is_told(self):
        queue = Queue()

        def waits():
            first = yield queue.get()
            try:
                yield queue.get(timeout=5)
            except OperationTimeout:
                return first, "late"

        waiting = self.start(debug_coroutine(waits, self.output))
        self.loop.settle()
        queue.put_nowait("one")
        self.scheduler.run()
        self.assertEqual(("one", "late"), waiting.result())
        self.assertEqual(
            [
                "waits: begins",
                "waits: yields <Get <Queue 0/no limit>>",
                "waits: goes on with 'one'",
                "waits: yields <Get <Queue 0/no limit>>",
                "waits: gets OperationTimeout(<Get <Queue 0/no limit>>) raised",
                "waits: returns ('one', 'late')",
            ],
            self.lines(),
        )
        self.assertRegex(self.output.getvalue(), r"test_tracing\.py:\d+ in .*waits\n")

    def test_of_an_async_def_too(self):
        async def waits():
            await asyncio.sleep(1)
            raise ValueError("on purpose")

        @coro
        def leads():
            try:
                yield debug_coro(waits, self.output)()
            except ValueError as error:
                return str(error)

        self.assertEqual("on purpose", self.run_(leads))
        told = self.lines()
        self.assertEqual("waits: begins", told[0])
        self.assertIn("waits: yields <Future pending", told[1])
        self.assertEqual("waits: dies of ValueError('on purpose')", told[-1])

    def test_of_a_plain_function_its_value(self):
        self.assertEqual(5, self.run_(debug_coroutine(lambda: 5, self.output)))
        self.assertEqual(["<lambda>: returns 5"], self.lines())

    def test_of_one_that_runs_from_then_on(self):
        def waits(queue):
            yield queue.get()
            return (yield queue.get())

        queue = Queue()
        waiting = self.start(waits, queue)
        self.loop.settle()
        self.assertIs(waiting, debug_coroutine(waiting, self.output))
        groups = Groups()
        Coroutines(self.scheduler, {}).add(groups, waiting, {}, 0.0)
        self.assertIn("yield queue.get()", "".join(groups))
        for item in "ab":
            queue.put_nowait(item)
        self.scheduler.run()
        self.assertEqual("b", waiting.result())
        self.assertEqual("waits: goes on with 'a'", self.lines()[0])
        self.assertEqual("waits: returns 'b'", self.lines()[-1])

    def test_of_one_that_is_cancelled(self):
        ended = []

        @debug_coroutine
        def waits():
            try:
                yield WaitForSignal("never")
            finally:
                yield Sleep(1)
                ended.append(True)

        with self.assertLogs("cogen.core.tracing") as logged:
            waiting = self.start(waits)
            self.loop.settle()
            waiting.cancel()
            self.scheduler.run()
        self.assertEqual([True], ended)
        self.assertIn("gets CancelledError() raised", logged.output[2])

    def test_one_that_cannot_be_traced_any_more(self):
        async def waits():
            await asyncio.sleep(1)

        for function in (waits, lambda: None):
            late = self.start(function)
            self.loop.settle()
            with self.assertRaisesRegex(RuntimeError, "cannot be traced any more"):
                debug_coroutine(late)
        self.scheduler.run()
