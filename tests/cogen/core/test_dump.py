"""Every coroutine is told with its stack, its age, whose it is and what it waits for."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import threading
import time
import unittest

from cogen.core.corolets import corolet, wait
from cogen.core.coroutines import coro
from cogen.core.dump import Dump
from cogen.core.events import Sleep, WaitForSignal
from cogen.core.groups import TaskGroup
from cogen.core.queue import Queue
from cogen.core.schedulers import Scheduler
from cogen.core.threads import RunInThread
from tests.cogen.core.support import LoopThread, end_of

PROGRAM = """
import sys
from cogen.core.events import Sleep
from cogen.core.schedulers import Scheduler


def waits():
    print("waits", flush=True)
    yield Sleep(3600)


scheduler = Scheduler()
scheduler.add(waits)
scheduler.run()
"""


class DumpTests(unittest.TestCase):
    def setUp(self):
        self.thread = LoopThread()
        self.thread.__enter__()
        self.addCleanup(self.thread.__exit__)
        self.queue = Queue()

    def told(self, *functions, names=None):
        """What is told of the coroutines of these functions."""
        for function in functions:
            self.thread.start(function)
        text = Dump(self.thread.scheduler, names=names).text()
        self.assertRegex(text, r"^\d+ threads?\nthread ")
        return text.partition(" there\n")[2]

    def get(self):
        yield self.queue.get()  # inner

    def outer(self):
        yield from self.get()  # delegates

    def calls(self):
        yield coro(self.outer)()  # calls

    def test_its_stack_is_that_of_all_that_it_called(self):
        text = self.told(self.calls)
        self.assertRegex(
            text,
            r"^coroutine DumpTests\.calls waits for <Get <Queue 0/no limit>>, for \d\.\d s "
            r"at .*test_dump\.py:\d+ in DumpTests\.get\n",
        )
        self.assertLess(text.index("# calls"), text.index("# delegates"))
        self.assertLess(text.index("# delegates"), text.index("# inner"))

    def test_that_of_an_async_def_too(self):
        async def awaits():
            await inner()  # awaits

        async def inner():
            await self.queue.get()  # waits

        text = self.told(awaits)
        self.assertIn("awaits waits for <Get <Queue 0/no limit>>", text)
        self.assertLess(text.index("# awaits"), text.index("# waits"))

    def test_what_asyncio_waits_for_is_told_as_that(self):
        async def awaits():
            await asyncio.sleep(3600)

        self.assertRegex(self.told(awaits), r"awaits is in asyncio, for .* in .*awaits\n")

    def test_and_that_of_straight_line_code(self):
        @corolet
        def straight():
            deeper()  # straight

        def deeper():
            wait(WaitForSignal("never"))  # deeper

        text = self.told(straight)
        self.assertLess(text.index("# straight"), text.index("# deeper"))
        self.assertIn("waits for <WaitForSignal 'never'>", text)

    def test_it_is_told_whose_it_is(self):
        def leads():
            with TaskGroup() as group:
                group.start(self.get)
                yield group.join()

        text = self.told(leads)
        self.assertIn("coroutine DumpTests.get of DumpTests.", text)
        group = TaskGroup(self.thread.scheduler)
        self.thread.call(group.start, self.get)
        self.assertIn("DumpTests.get of the server", self.told(names={group: "the server"}))
        self.thread.call(group.cancel)

    def test_ten_thousand_are_one_line_and_the_loop_goes_on_meanwhile(self):
        self.thread.call(lambda: [self.thread.scheduler.add(self.get) for _ in range(10_000)])
        self.thread.idle()
        text = self.told()
        self.assertRegex(
            text,
            r"^10,000 coroutine DumpTests\.get wait for queue\.Get like <Get <Queue 0/no limit>>, "
            r"the oldest for \d+\.\d s at ",
        )
        self.assertEqual(1, text.count("# inner"))

    def test_one_that_asks_while_it_is_told_hears_nothing(self):
        dump, texts, gate = Dump(self.thread.scheduler), [], threading.Event()
        self.addCleanup(gate.set)
        self.thread.scheduler.loop.call_soon_threadsafe(gate.wait)
        first = threading.Thread(target=lambda: texts.append(dump.text()))
        first.start()
        while not dump.tells:
            time.sleep(0.001)
        self.assertEqual("", dump.text())
        gate.set()
        first.join()
        self.assertIn("0 coroutines are there", texts[0])

    def test_on_the_loop_it_would_wait_for_itself(self):
        dump = Dump(self.thread.scheduler)

        def asks():
            with self.assertRaisesRegex(RuntimeError, r"yield RunInThread\(dump\.text\)"):
                dump.text()
            return (yield RunInThread(dump.text))

        asking = self.thread.scheduler.add(asks)
        self.assertIn("asks waits for <RunInThread", end_of(asking))

    def test_a_loop_that_does_not_run_is_told_as_that(self):
        scheduler = Scheduler()
        self.addCleanup(scheduler.shutdown)
        scheduler.add(self.get)
        self.assertIn("the loop does not run", Dump(scheduler).text())

    def test_one_that_is_ready_is_told_as_that(self):
        def spins():
            while not self.queue:
                yield
            yield Sleep(0)

        text = self.told()
        self.thread.scheduler.add(spins)
        while "is ready to go on" not in text:
            text = self.told()
        self.queue.put_nowait(1)


@contextlib.contextmanager
def killed(process):
    """At the end of the block, whatever it raises: else `with process` would wait for ever."""
    try:
        yield
    finally:
        process.kill()


class ProgramTests(unittest.TestCase):
    def test_sigusr2_tells_the_log(self):
        command = [sys.executable, "-c", PROGRAM]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, text=True, **pipes) as process, killed(process):
            self.assertEqual("waits\n", process.stdout.readline())
            process.send_signal(signal.SIGUSR2)
            lines = []
            while not lines or "1 coroutine is there" not in lines[-1]:
                lines.append(process.stderr.readline())
            self.assertRegex(
                process.stderr.readline(), r"coroutine waits waits for <Sleep within 3600 s>, for "
            )
            self.assertNotIn("in Thread.start", "".join(lines))  # of the one that tells
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
            self.assertEqual(0, process.returncode)
