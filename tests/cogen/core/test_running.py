"""A program's run: how it ends, and that all of its coroutines have ended then."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import threading
import time
import unittest

from cogen.core.coroutines import coro
from cogen.core.events import AddCoro, Join, Signal, Sleep, WaitForSignal
from cogen.core.queue import Queue
from cogen.core.schedulers import Scheduler
from tests.cogen.core.support import CoreCase

PROGRAM = """
import os, signal, sys
from cogen.core.events import Sleep
from cogen.core.schedulers import Scheduler

proactor, act = sys.argv[1:]
# Who has started the tests in the background may have it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)


def waits():
    try:
        print("waits", flush=True)
        yield Sleep(3600)
    finally:
        if act == "cleans up":
            yield Sleep(0.01)
        if act == "hangs":
            print("hangs", flush=True)
            yield Sleep(3600)
        print("ended", flush=True)


def busy():
    print("busy", flush=True)
    while True:
        pass
    yield


def custom(number, frame):
    os.write(1, b"custom\\n")  # it may be in the midst of a print
    scheduler.stop()


if act == "handles":
    signal.signal(signal.SIGTERM, custom)
before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
scheduler = Scheduler(proactor=proactor)
scheduler.add(busy if act == "busy" else waits)
ended_by = scheduler.run()
assert before == [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
print(ended_by.name if ended_by else ended_by, scheduler.statistics()["coroutines"], flush=True)
scheduler.shutdown()
"""


class SignalTests(unittest.TestCase):
    def program(self, act, *signals, last=None, proactor="uvloop"):
        """Run the program, send `signals`, each when it has printed a line, and then the `last`
        one until it ends; its lines, and the status it ended with."""
        command = [sys.executable, "-c", PROGRAM, proactor, act]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            try:
                lines = []
                for number in signals:
                    lines.append(process.stdout.readline().strip())
                    process.send_signal(number)
                if last is not None:
                    while process.poll() is None:
                        process.send_signal(last)
                        time.sleep(0.01)
                lines += process.communicate(timeout=30)[0].split("\n")[:-1]
            finally:
                process.kill()  # else the end of the block waits for it
            return lines, process.returncode

    def test_a_signal_cancels_all_and_run_returns_it(self):
        for proactor in ("uvloop", "asyncio"):
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(proactor=proactor, number=number):
                    lines, status = self.program("cleans up", number, proactor=proactor)
                    self.assertEqual(["waits", "ended", f"{number.name} 0"], lines)
                    self.assertEqual(0, status)

    def test_a_second_one_does_what_it_does_by_default(self):
        lines, status = self.program("hangs", signal.SIGTERM, signal.SIGTERM)
        self.assertEqual((["waits", "hangs"], -signal.SIGTERM), (lines, status))
        lines, status = self.program("hangs", signal.SIGINT, signal.SIGINT)
        self.assertEqual(["waits", "hangs"], lines)
        self.assertIn(status, (1, 130, -signal.SIGINT))

    def test_a_signal_of_another_kind_is_the_first_of_its_own(self):
        lines, status = self.program("hangs", signal.SIGINT, signal.SIGTERM, last=signal.SIGTERM)
        self.assertEqual(["waits", "hangs"], lines)
        self.assertEqual(-signal.SIGTERM, status)

    def test_a_handler_of_the_programs_own_stays(self):
        lines, status = self.program("handles", signal.SIGTERM)
        self.assertEqual((["waits", "custom", "ended", "None 0"], 0), (lines, status))


class RunTests(CoreCase):
    def waiting(self, ended):
        try:
            yield WaitForSignal("never")
        finally:
            yield Sleep(1)
            ended.append(True)

    def test_a_coroutine_stops_it_and_every_finally_is_run(self):
        ended = []

        def stops():
            yield Sleep(1)
            self.scheduler.stop()
            yield Sleep(1000)
            ended.append("too late")

        for _ in range(3):
            self.start(self.waiting, ended)
        self.start(stops)
        self.assertIsNone(self.scheduler.run())
        self.assertEqual([True] * 3, ended)
        self.assert_nothing_is_left()

    def test_another_thread_stops_it(self):
        scheduler, ended = Scheduler(), []
        self.addCleanup(scheduler.shutdown)
        scheduler.add(self.waiting, [ended])
        thread = threading.Thread(target=scheduler.stop)

        def starts():
            thread.start()
            yield Sleep(3600)

        scheduler.add(starts)
        scheduler.run()
        thread.join()
        self.assertEqual([True], ended)

    def test_a_stop_where_nothing_runs_does_nothing(self):
        self.scheduler.stop()
        ended = self.start(lambda: (yield Sleep(1)))
        self.scheduler.run()
        self.scheduler.stop()
        self.assertTrue(ended.done)

    def test_it_may_run_again_after_a_stop(self):
        self.start(lambda: (yield Sleep(1000)))
        self.start(lambda: self.scheduler.stop())
        self.scheduler.run()
        again = self.start(
            lambda: (
                yield Sleep(
                    1,
                )
            )
        )
        self.scheduler.run()
        self.assertIsNone(again.result())

    def test_what_starts_during_the_stop_is_cancelled_too(self):
        def endless():
            yield Sleep(3600)

        def spawns():
            try:
                yield Sleep(3600)
            finally:
                self.scheduler.add(endless)

        self.start(spawns)
        self.start(lambda: self.scheduler.stop())
        began = self.loop.time()
        self.scheduler.run()
        self.assertLess(self.loop.time() - began, 1)

    def test_but_one_that_a_finally_waits_for_comes_to_its_end(self):
        said = []

        def goodbye():
            yield Sleep(5)
            said.append("goodbye")

        def spawns():
            try:
                yield Sleep(3600)
            finally:
                yield Join((yield AddCoro(goodbye)))

        self.start(spawns)
        self.start(lambda: self.scheduler.stop())
        self.scheduler.run()
        self.assertEqual(["goodbye"], said)

    def test_a_system_exit_ends_the_others_and_goes_on(self):
        ended = []

        def exits():
            yield Sleep(1)
            raise SystemExit(3)

        self.start(self.waiting, ended)
        self.start(exits)
        with self.assertRaises(SystemExit) as caught:
            self.scheduler.run()
        self.assertEqual(3, caught.exception.code)
        self.assertEqual([True], ended)
        self.assert_nothing_is_left()

    def test_many_may_wait_until_nothing_is_left(self):
        # The second took the place of the first, who waited for ever.
        order = []

        async def waits(name):
            await self.scheduler.wait_idle()
            order.append(name)

        async def all_of_them():
            await asyncio.gather(waits("one"), waits("two"), waits("three"))

        self.start(lambda: (yield Sleep(1)))
        self.loop.run_until_complete(all_of_them())
        self.assertEqual(["one", "two", "three"], order)

    def test_and_cancel_all_meanwhile(self):
        ended = []
        for _ in range(2):
            self.start(self.waiting, ended)
        self.loop.settle()

        async def cancel():
            await asyncio.gather(self.scheduler.cancel_all(), self.scheduler.cancel_all(5))

        def starts():
            cancelling.append(self.loop.create_task(cancel()))
            yield

        cancelling = []
        self.start(starts)
        self.scheduler.run()
        self.loop.run_until_complete(cancelling[0])
        self.assertEqual([True, True], ended)

    def test_errors_that_nobody_waits_for_come_to_on_error(self):
        heard = []
        self.scheduler.on_error = lambda coroutine, error: heard.append((coroutine.name, error))

        def fails():
            yield Sleep(1)
            raise ValueError("on purpose")

        @coro
        def waits_for_it():
            with contextlib.suppress(ValueError):
                yield fails_too()

        fails_too = coro(fails)
        self.start(fails)
        self.start(waits_for_it)
        self.scheduler.run()
        [(name, error)] = heard
        self.assertTrue(name.endswith("fails"))
        self.assertEqual("on purpose", str(error))

    def test_an_on_error_that_fails_is_logged(self):
        self.scheduler.on_error = lambda coroutine: None

        def fails():
            raise ValueError("on purpose")
            yield

        self.start(fails)
        with self.assertLogs("cogen.core") as logged:
            self.scheduler.run()
        self.assertIn("on_error failed: TypeError", logged.output[0])
        self.assertIn("on purpose", logged.output[0])  # nothing is lost


class ShownTests(CoreCase):
    def test_coroutines_that_wait_for_each_other_have_a_repr(self):
        coroutines = []

        def joins(other):
            yield Join(coroutines[other])

        coroutines += [self.start(joins, 1), self.start(joins, 0)]
        self.loop.settle()
        self.assertIn("waits for <Join ", repr(coroutines[0]))
        self.scheduler.shutdown()

    def test_and_one_that_waits_for_a_signal_with_its_own_name(self):
        names = []

        def waits():
            yield WaitForSignal(names)

        class Name:
            def __hash__(self):
                return 1

            def __repr__(self):
                return f"the name of {coroutine!r}"

        def waits_by(name):
            yield WaitForSignal(name)

        coroutine = self.start(waits_by, Name())
        self.loop.settle()
        self.assertIn("WaitForSignal the name of <Coroutine", repr(coroutine))
        self.start(lambda: (yield Signal("x")))

    def test_a_long_one_is_cut_and_one_that_fails_is_told_by_its_kind(self):
        class Bad:
            def __repr__(self):
                raise ValueError("on purpose")

        def waits(name):
            yield WaitForSignal(name)

        long, bad = self.start(waits, "x" * 10_000), self.start(waits, Bad())
        self.loop.settle()
        self.assertLess(len(repr(long)), 400)
        self.assertIn("<WaitForSignal>", repr(bad))

    def test_what_an_async_def_waits_for_is_told_and_asyncio_knows_its_name(self):
        queue = Queue()

        async def waits():
            await queue.get()

        waiting = self.start(waits)
        self.loop.settle()
        self.assertIn("waits for <Get", repr(waiting))
        [task] = asyncio.all_tasks(self.loop)
        self.assertEqual(waiting.name, task.get_name())
        self.assertEqual({}, {} if self.scheduler.awaiting else {"nobody": "awaits"})
        queue.put_nowait(1)
        self.scheduler.run()
        self.assertEqual({}, self.scheduler.awaiting)
