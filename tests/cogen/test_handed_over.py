"""What is taken for code that leaves its wait at that moment: every kind of code, of what it waits
for, and of ways to leave. An item is handed over or stays where it is; it is never lost."""

import asyncio
import functools

from greenlet import GreenletExit

from cogen.core.corolets import corolet, wait
from cogen.core.coroutines import coro
from cogen.core.deadlines import DeadlinePassed
from cogen.core.events import Await, OperationTimeout, Owned, Sleep
from cogen.core.queue import Queue
from cogen.core.shields import Shield
from cogen.testing.memory import MemoryServer
from cogen.web import wait as wait_in_view
from cogen.web.http.errors import ServerStopping
from cogen.web.options import Options
from tests.cogen.ways import GET, SECONDS, enclosed
from tests.cogen.web.support import RecordedTestCase

# Ways to be left, and what they raise.
WAYS = {
    "its timeout": OperationTimeout,
    "a deadline": DeadlinePassed,
    "the failure of a group": ExceptionGroup,
    "a cancellation": asyncio.CancelledError,
    "the client's leaving": GreenletExit,
    "the server's stop": ServerStopping,
}
BY_TIME = [*WAYS][:3]


async def take(queue):
    return await queue.get()


async def take_in_a_coroutine(queue):
    return await taken(queue)


async def take_by_operations(queue):
    return await Await(take(queue))


async def take_cleaning_up(queue):
    try:
        return await queue.get()
    finally:
        await Shield(Sleep(0.01))


@coro
def taken(queue):
    return (yield queue.get())


@coro
def taken_natively(queue):
    return (yield take(queue))


TAKERS = (
    take,
    take_in_a_coroutine,
    take_by_operations,
    take_cleaning_up,
    taken,
    taken_natively,
)


class HandedOverTests(RecordedTestCase):
    """`way` is how the wait ends, `taker` what is waited for; `outcome` what came at the end."""

    def setUp(self):
        super().setUp()
        self.records.addFilter(lambda record: False)

    def open(self, threads="0"):
        options = Options(threads=threads, shutdown_timeout=1.0)
        self.server = MemoryServer(self.application, options)
        self.scheduler, self.loop = self.server.scheduler, self.server.loop

    def application(self, environ, start_response):
        return self.view(environ, start_response)

    def waited(self):
        """What is waited for, once."""
        made = self.taker(self.queue)
        if self.way != "its timeout":
            return made
        return Owned(self.running(made), SECONDS) if self.is_coroutine else Await(made, SECONDS)

    @property
    def is_coroutine(self):
        return self.taker in (taken, taken_natively)

    def running(self, coroutine):
        coroutine.start(self.scheduler)
        return coroutine

    # Kinds of code.

    def generator(self):
        try:
            with enclosed(self.way):
                self.items.append((yield self.waited()))
                yield Sleep(100)
        except BaseException as error:  # noqa: BLE001 (it is looked at)
            self.outcome = type(error)

    async def native(self):
        try:
            with enclosed(self.way):
                self.items.append(await self.waited())
                await Sleep(100)
        except BaseException as error:  # noqa: BLE001 (it is looked at)
            self.outcome = type(error)

    @corolet
    def straight(self):
        try:
            with enclosed(self.way):
                self.items.append(wait(self.waited))
                wait(Sleep, 100)
        except BaseException as error:  # noqa: BLE001 (it is looked at)
            self.outcome = type(error)

    def yielding(self, environ, start_response):
        start_response("200 OK", [])
        environ["cogen.stopping"].raises()
        with enclosed(self.way):
            for function in (self.waited, functools.partial(Sleep, 100)):
                yield environ["cogen.call"](function)()
                if environ["cogen.wsgi"].exception is not None:
                    self.outcome = environ["cogen.wsgi"].exception[0]
                    break
                self.items.append(environ["cogen.wsgi"].result)
            environ["cogen.wsgi"].ended()

    def waiting(self, environ, start_response):
        start_response("200 OK", [])
        environ["cogen.stopping"].raises()
        try:
            with enclosed(self.way):
                self.items.append(wait_in_view(self.waited))
                wait_in_view(Sleep, 100)
        except BaseException as error:  # noqa: BLE001 (it is looked at)
            self.outcome = type(error)
        return []

    # Acts.

    def turns(self, count):
        """Let the loop go round so often."""
        for _ in range(count):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()

    def leave_as_it_comes(self, leave, apart):
        """The item comes `apart` turns of the loop before it is left, less than 0: after that."""
        put = functools.partial(self.queue.put_nowait, "item")
        if self.way in BY_TIME:
            for _ in range(-apart):
                put = functools.partial(self.loop.call_soon, put)
            self.loop.call_later(SECONDS, put)
            self.loop.advance(SECONDS + 0.1)
            return
        if self.way == "the server's stop":
            leave = functools.partial(self.loop.create_task, self.server.server.stop())
        for each in (put, leave) if apart >= 0 else (leave, put):
            each()
            self.turns(abs(apart))
        self.loop.advance(0.5)

    def check(self, begin, apart):
        self.queue, self.items, self.outcome = Queue(), [], None
        leave = begin()
        self.loop.settle()
        self.assertIsNone(self.outcome)
        self.leave_as_it_comes(leave, apart)
        kept = [self.queue.get_nowait() for _ in range(len(self.queue))]
        self.assertEqual(["item"], self.items + kept)
        if self.items and self.way == "its timeout":
            self.assertIsNone(self.outcome, "its time was not up: it has its item")
        else:
            self.assertIs(WAYS[self.way], self.outcome)
        self.server.close()
        self.assertEqual({}, self.scheduler.scopes)

    def coroutine(self, function):
        return self.scheduler.add(function).cancel

    def request(self):
        transport = self.server.connect()
        transport.protocol.data_received(GET)
        return transport.close

    # What is left of whom.

    def check_all(self, begin, ways, threads="0"):
        for way in ways:
            for taker in TAKERS:
                for apart in self.aparts(way):
                    with self.subTest(way, taker=taker.__name__, apart=apart):
                        self.way, self.taker = way, taker
                        self.open(threads)
                        try:
                            self.check(begin, apart)
                        finally:
                            self.server.close()

    def aparts(self, way):
        return range(-4, 1) if way in BY_TIME else range(-4, 9)

    def test_a_generator(self):
        self.check_all(lambda: self.coroutine(self.generator), [*WAYS][:4])

    def test_an_async_def(self):
        self.check_all(lambda: self.coroutine(self.native), [*WAYS][:4])

    def test_a_corolet(self):
        self.check_all(lambda: self.coroutine(lambda: (yield self.straight())), [*WAYS][:4])

    def test_a_request_that_yields(self):
        self.view = self.yielding
        # Once its client is gone it is closed, and gets nothing any more.
        self.check_all(self.request, [*BY_TIME, "the server's stop"])

    def test_a_request_that_waits(self):
        self.view = self.waiting
        self.check_all(self.request, [*BY_TIME, *[*WAYS][4:]])

    def test_a_request_that_yields_in_threads(self):
        self.view = self.yielding
        self.check_all(self.request, [*BY_TIME, "the server's stop"], "4")

    def test_a_request_that_waits_in_threads(self):
        self.view = self.waiting
        self.check_all(self.request, [*BY_TIME, *[*WAYS][4:]], "4")
