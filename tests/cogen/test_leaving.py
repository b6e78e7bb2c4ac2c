"""Every operation of the table, left in every way, by every kind of code: nothing is left behind,
and nothing was taken that was not handed over."""

import asyncio
import importlib
import pkgutil
import unittest

import cogen.core
from cogen.core.deadlines import DeadlinePassed
from cogen.core.events import Operation, OperationTimeout
from cogen.testing.memory import MemoryServer
from cogen.web import wait
from cogen.web.options import Options
from tests.cogen.operations import ELSEWHERE, MODULES_ELSEWHERE, NEVER_PARK, OPERATIONS
from tests.cogen.ways import GET, SECONDS, enclosed
from tests.cogen.web.support import RecordedTestCase
from tests.support.cycles import assert_no_cycles

# Ways to be left: what encloses the wait in a generator and in straight-line code, and what it
# raises. The others are acts of the test.
ENDS = {
    "its result": None,
    "its timeout": OperationTimeout,
    "a deadline": DeadlinePassed,
    "the failure of a group": ExceptionGroup,
    "a cancellation": asyncio.CancelledError,
    "the client's leaving": None,
    "the server's stop": None,
}
BY_COROUTINES = [*ENDS][:5]
BY_REQUESTS = [*ENDS][:4] + [*ENDS][5:]


class LeavingCase(RecordedTestCase):
    """`way` is how the wait ends; what came of it is in `outcomes`."""

    def setUp(self):
        super().setUp()
        self.records.addFilter(lambda record: False)
        self.outcomes = []

    def open(self, threads="0"):
        self.server = MemoryServer(self.application, Options(threads=threads, shutdown_timeout=1.0))
        self.addCleanup(self.server.close)
        self.scheduler, self.loop = self.server.scheduler, self.server.loop
        self.shared = self.server.server.shared

    def waited(self):
        """The operation, for the code that waits."""
        return self.case.operation(SECONDS if self.way == "its timeout" else None)

    # Kinds of code.

    def generator(self):
        try:
            with enclosed(self.way):
                self.outcomes.append((yield self.waited()))
        except BaseException as error:  # noqa: BLE001 (it is looked at)
            self.outcomes.append(type(error))

    async def native(self):
        try:
            with enclosed(self.way):
                self.outcomes.append(await self.waited())
        except BaseException as error:  # noqa: BLE001 (it is looked at)
            self.outcomes.append(type(error))

    def yielding(self, environ, start_response):
        start_response("200 OK", [])
        with enclosed(self.way):
            yield environ["cogen.call"](self.waited)()
            if environ["cogen.wsgi"].exception is not None:
                self.outcomes.append(environ["cogen.wsgi"].exception[0])
            else:
                self.outcomes.append(environ["cogen.wsgi"].result)
            environ["cogen.wsgi"].ended()

    def straight(self, environ, start_response):
        start_response("200 OK", [])
        try:
            with enclosed(self.way):
                self.outcomes.append(wait(self.waited))
        except Exception as error:  # noqa: BLE001 (it is looked at)
            self.outcomes.append(type(error))
        return []

    # Acts.

    def coroutine(self, function):
        coroutine = self.scheduler.add(function)
        self.loop.settle()
        self.assertEqual([], self.outcomes)
        self.act(coroutine.cancel)

    def request(self):
        transport = self.server.connect()
        transport.protocol.data_received(GET)
        self.loop.settle()
        self.assertEqual([], self.outcomes)
        self.act(transport.close)
        transport.close()
        self.loop.settle()

    def act(self, leave):
        """End the wait in its way."""
        if self.way == "its result":
            self.case.finish()
            self.loop.settle()
        elif self.way == "the server's stop":
            self.loop.run_until_complete(self.server.server.stop())
            self.case.stopped = True
        elif self.way in ("a cancellation", "the client's leaving"):
            leave()
            self.loop.settle()
        else:
            self.loop.advance(SECONDS + 0.1)

    # What is seen.

    def check(self, run):
        self.outcomes.clear()
        self.case = self.make(self.scheduler)
        self.loop.settle()
        run()
        self.check_outcome()
        self.assertEqual(0, self.case.held())
        if self.way != "its result":
            self.case.check_untouched()
        self.loop.settle()
        del self.case
        self.check_nothing_is_left()

    def check_outcome(self):
        expected = ENDS[self.way]
        if self.way == "its result":
            [outcome] = self.outcomes
            if isinstance(self.make.result, type):
                self.assertIsInstance(outcome, self.make.result)
            else:
                self.assertEqual(self.make.result, outcome)
            del outcome
            self.outcomes.clear()
        elif expected is not None:
            self.assertEqual([expected], self.outcomes)

    def check_nothing_is_left(self):
        counts = self.shared.statistics()
        for name in ("coroutines", "ready", "deadlines", "signal_waiters", "exchanges"):
            self.assertEqual(0, counts[name], name)
        self.assertEqual({}, self.scheduler.scopes)


def generate(name, make):
    """Those of an operation: each kind of code, in each way, and what only the collector frees."""

    def test(kind, threads, ways):
        def method(self):
            self.make = make
            self.application = getattr(self, kind)
            for way in ways:
                if (name, way) == ("Sleeping", "its timeout"):
                    continue  # that is its result
                with self.subTest(way):
                    self.way = way
                    self.open(threads)
                    if kind in ("generator", "native"):
                        run = lambda: self.coroutine(getattr(self, kind))  # noqa: E731
                    else:
                        run = self.request
                    if way == "the server's stop" or make.in_cycles:
                        self.check(run)
                    else:
                        assert_no_cycles(self, lambda: self.check(run))  # noqa: B023
                    self.server.close()

        return method

    kinds = {
        "a generator": ("generator", "0", BY_COROUTINES),
        "an async def": ("native", "0", BY_COROUTINES),
        "a request that yields": ("yielding", "0", BY_REQUESTS),
        "a request that waits": ("straight", "0", BY_REQUESTS),
        "a request that yields in threads": ("yielding", "4", BY_REQUESTS),
        "a request that waits in threads": ("straight", "4", BY_REQUESTS),
    }
    for words, of in kinds.items():
        method = test(*of)
        method.__name__ = f"test_{name}_in_{words.replace(' ', '_')}"
        setattr(LeavingTests, method.__name__, method)


class LeavingTests(LeavingCase):
    pass


for _name, _make in OPERATIONS.items():
    generate(_name, _make)


class TableTests(unittest.TestCase):
    def test_every_operation_is_in_the_table(self):
        for module in pkgutil.iter_modules(cogen.core.__path__):
            importlib.import_module(f"cogen.core.{module.name}")
        covered = {each for case in OPERATIONS.values() for each in case.covers}
        for operation in self.subclasses(Operation):
            package, _, module = operation.__module__.rpartition(".")
            if package != "cogen.core" or module in MODULES_ELSEWHERE:
                continue
            if operation not in covered and operation.__name__ not in (*NEVER_PARK, *ELSEWHERE):
                self.fail(f"{module}.{operation.__name__} is not in tests/cogen/operations.py")

    def subclasses(self, cls):
        for each in cls.__subclasses__():
            yield each
            yield from self.subclasses(each)
