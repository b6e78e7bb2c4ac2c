"""Where nobody can go on is said who waits for what, and never where somebody can.

test_deadlock.py runs these in a process of their own: a thread, a task or a handler of a signal
that another test, or a library, has left in this one might wake somebody, so nothing would be said.
"""

import asyncio
import contextlib
import gc
import os
import signal
import threading
import time
import unittest

from cogen.core.deadlock import Deadlock
from cogen.core.events import Await, Join, OperationTimeout, Sleep, WaitForSignal
from cogen.core.groups import TaskGroup
from cogen.core.pubsub import PublishSubscribeQueue
from cogen.core.queue import Queue
from cogen.core.schedulers import Scheduler
from cogen.core.threads import RunInThread


class _Cases:
    proactor = ""

    def setUp(self):
        # What other tests have left of loops would be taken for something under way.
        gc.collect()
        self.scheduler = Scheduler(proactor=self.proactor)
        self.addCleanup(self.scheduler.shutdown)
        self.loop = self.scheduler.loop
        self.queue = Queue()
        self.got = []

    def get(self):
        self.got.append((yield self.queue.get()))

    def deadlocks(self):
        with self.assertRaises(Deadlock) as caught:
            self.scheduler.run()
        self.assertEqual(0, self.scheduler.statistics()["coroutines"])
        return caught.exception

    def goes_on(self):
        self.scheduler.run()
        self.assertEqual(["news"], self.got)

    # It is one.

    def test_each_coroutine_is_named_with_what_it_waits_for(self):
        news, ended = PublishSubscribeQueue(), []

        def fetches():
            yield news.subscribe()
            yield news.fetch()

        def cleans_up():
            try:
                yield WaitForSignal("never")
            finally:
                yield Sleep(0.01)
                ended.append(True)

        async def awaits():
            await self.queue.get()

        def leads():
            with TaskGroup() as group:
                group.start(self.get)
                yield group.join()

        waits = self.scheduler.add(cleans_up)
        for function in (fetches, awaits, leads):
            self.scheduler.add(function)
        self.scheduler.add(lambda: (yield Join(waits)))
        text = str(self.deadlocks())
        self.assertEqual("6 coroutines wait, and nothing is left to end that:", text.split("\n")[0])
        for each in ("fetches: waits for <Fetch", "cleans_up: waits for <WaitForSignal 'never'>",
                     "awaits: waits for <Get", "leads: waits for <JoinGroup",
                     "<lambda>: waits for <Join "):  # fmt: skip
            self.assertIn(each, text)
        self.assertEqual([True], ended)

    def test_of_many_some_are_named(self):
        for _ in range(100):
            self.scheduler.add(self.get)
        error = self.deadlocks()
        self.assertEqual(100, len(error.coroutines))
        self.assertIn("and 80 more", str(error))

    def test_it_is_one_when_what_was_under_way_is_over(self):
        self.loop.call_later(0.2, int)
        thread = threading.Thread(target=time.sleep, args=(0.2,))

        def in_thread():
            yield RunInThread(int)
            yield self.queue.get()

        thread.start()
        self.scheduler.add(in_thread)
        self.deadlocks()
        thread.join()

    def test_also_while_it_stops(self):
        def waits():
            try:
                yield WaitForSignal("never")
            finally:
                yield self.queue.get()

        self.scheduler.add(waits)
        with self.assertRaises(Deadlock):
            self.scheduler.run()
        self.queue.put_nowait("news")
        self.scheduler.run()

    # It is none.

    def test_a_deadline(self):
        def waits():
            with contextlib.suppress(OperationTimeout):
                yield self.queue.get(timeout=0.3)
            self.queue.put_nowait("news")

        self.scheduler.add(waits)
        self.scheduler.add(lambda: (yield from self.get()))
        self.scheduler.run()

    def test_a_thread_of_its_own(self):
        self.scheduler.add(self.get)
        threading.Timer(0.3, self.queue.put_nowait, ("news",)).start()
        self.goes_on()

    def test_run_in_thread(self):
        def works():
            yield RunInThread(time.sleep, 0.3)
            self.queue.put_nowait("news")

        self.scheduler.add(works)
        self.scheduler.add(self.get)
        self.goes_on()

    def test_a_thread_of_the_pool(self):
        def work():
            time.sleep(0.3)
            self.queue.put_nowait("news")

        self.loop.run_in_executor(None, work)
        self.scheduler.add(self.get)
        self.goes_on()

    def test_a_timer_of_the_loop(self):
        self.loop.call_later(0.3, self.queue.put_nowait, "news")
        self.scheduler.add(self.get)
        self.goes_on()

    def test_what_the_loop_calls_soon_again_and_again(self):
        end = self.loop.time() + 0.3

        def look():
            if self.loop.time() < end:
                time.sleep(0.001)
                self.loop.call_soon(look)
            else:
                self.queue.put_nowait("news")

        self.loop.call_soon(look)
        self.scheduler.add(self.get)
        self.goes_on()

    def test_a_future(self):
        future = self.loop.create_future()

        def waits():
            self.got.append((yield Await(future)))

        self.scheduler.add(waits)
        self.loop.call_later(0.3, future.set_result, "news")
        self.goes_on()

    def test_a_task_of_asyncio(self):
        async def works():
            await asyncio.sleep(0.3)
            self.queue.put_nowait("news")

        task = self.loop.create_task(works())
        self.scheduler.add(self.get)
        self.goes_on()
        self.assertTrue(task.done())

    def test_a_socket_or_a_pipe(self):
        reading, writing = os.pipe()

        def arrived():
            self.loop.remove_reader(reading)
            self.queue.put_nowait("news")

        self.loop.add_reader(reading, arrived)
        self.scheduler.add(self.get)
        pause = threading.Timer(0.3, os.write, (writing, b"x"))

        def alone():
            # The thread is not what it may wait for: it is gone when it is looked at.
            pause.start()
            yield

        self.scheduler.add(alone)
        self.goes_on()
        pause.join()
        for each in (reading, writing):
            os.close(each)

    def test_a_server_of_asyncio(self):
        class Told(asyncio.Protocol):
            def data_received(protocol, data):
                self.queue.put_nowait("news")
                server[0].close()

        server = []

        def listens():
            server.append((yield self.loop.create_server(Told, "127.0.0.1", 0)))
            self.loop.call_later(0.3, ask, server[0].sockets[0].getsockname())
            yield from self.get()

        def ask(address):
            transports.append(self.loop.create_task(self.connect(address)))

        transports = []
        self.scheduler.add(listens)
        self.goes_on()

    async def connect(self, address):
        transport, _ = await self.loop.create_connection(asyncio.Protocol, *address)
        transport.write(b"x")
        transport.close()

    def test_a_subprocess(self):
        def runs():
            process = yield asyncio.create_subprocess_exec("sleep", "0.3")
            yield process.wait()
            self.queue.put_nowait("news")

        self.scheduler.add(runs)
        self.scheduler.add(self.get)
        self.goes_on()

    def test_a_handler_of_a_signal(self):
        before = signal.signal(signal.SIGALRM, lambda *_: self.queue.put_nowait("news"))
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        self.scheduler.add(self.get)
        self.goes_on()

    def test_a_coroutine_of_another_loop(self):
        other = Scheduler(proactor="asyncio")
        self.addCleanup(other.shutdown)
        works = other.add(lambda: (yield Sleep(0.3)))

        def waits():
            yield Join(works)
            self.got.append("news")

        self.scheduler.add(waits)
        thread = threading.Thread(target=other.run)
        thread.start()
        self.goes_on()
        thread.join()


class UvloopTests(_Cases, unittest.TestCase):
    proactor = "uvloop"

    def test_what_the_program_keeps_from_the_collector_cannot_be_seen(self):
        self.loop.call_later(0.3, self.queue.put_nowait, "news")
        self.scheduler.add(self.get)
        self.addCleanup(gc.unfreeze)
        gc.freeze()
        self.goes_on()


class AsyncioTests(_Cases, unittest.TestCase):
    proactor = "asyncio"
