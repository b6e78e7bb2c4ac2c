"""Coroutines that start, call, wait for and cancel each other at random: each is in one of the
states that coroutines.py tells of, after every turn."""

import asyncio
import unittest

from hypothesis import given, settings
from hypothesis import strategies as st

from cogen.core.coroutines import coro
from cogen.core.events import Join, OperationTimeout, Sleep, WaitForSignal
from cogen.core.schedulers import Scheduler
from cogen.testing.clock import FakeClockLoop
from tests.cogen.states import check_coroutine
from tests.cogen.web.support import Records

ACTS = st.sampled_from(
    ["go on", "sleep", "signal", "wait", "call", "raise", "await", "join", "cancel", "end"]
)
BODY = st.lists(ACTS, max_size=5)


class Program:
    """Coroutines whose bodies are lists of acts; `others` are those that were started."""

    def __init__(self, scheduler, bodies):
        self.scheduler = scheduler
        self.bodies = bodies
        self.others = []

    def start(self, number):
        self.others.append(self.scheduler.add(self.body, (number,)))

    @coro
    def body(self, number, depth=0):
        for act in self.bodies[number % len(self.bodies)]:
            other = self.others[number % len(self.others)]
            try:
                if act == "go on":
                    yield
                elif act == "sleep":
                    yield Sleep(1)
                elif act == "signal":
                    self.scheduler.signal("name")
                elif act == "wait":
                    yield WaitForSignal("name", timeout=2)
                elif act == "call" and depth < 3:
                    yield self.body(number + 1, depth + 1)
                elif act == "await":
                    yield self.soon()
                elif act == "join":
                    yield Join(other, timeout=1)
                elif act == "cancel":
                    other.cancel()
                elif act == "raise":
                    raise ValueError("expected")
                elif act == "end":
                    return
            except (OperationTimeout, ValueError) as error:
                if number % 2:
                    raise ValueError("expected") from error

    def soon(self):
        """A future that has its result in the next turn."""
        future = self.scheduler.loop.create_future()
        self.scheduler.loop.call_soon(lambda: future.done() or future.set_result(None))
        return future

    def check(self):
        return {check_coroutine(each) for each in self.others}


class StatesTests(unittest.TestCase):
    @settings(max_examples=200, deadline=None)
    @given(st.lists(BODY, min_size=1, max_size=4), st.booleans())
    def test_a_coroutine_is_in_one_of_its_states_after_every_turn(self, bodies, with_tasks):
        loop = FakeClockLoop()
        scheduler = Scheduler(loop)
        program = Program(scheduler, bodies)
        with Records("cogen.core"):
            for number in range(2 * len(bodies)):
                program.start(number)
            if with_tasks:
                program.others.append(scheduler.add(lambda: asyncio.sleep(1)))
            program.check()
            for _ in range(30):
                loop.run_until_complete(asyncio.sleep(0))
                program.check()
            for _ in range(20):
                loop.advance(1)
                program.check()
            scheduler.shutdown()
        program.check()
        loop.close()
        self.assertEqual({"done"}, {check_coroutine(each) for each in program.others})

    def test_all_states_are_come_through(self):
        loop = FakeClockLoop()
        self.addCleanup(loop.close)
        program = Program(Scheduler(loop), [["wait", "go on"]])
        self.addCleanup(program.scheduler.shutdown)
        program.others.append(program.scheduler.add(lambda: asyncio.sleep(1)))
        seen = {check_coroutine(program.body(0))}
        program.start(0)
        seen |= program.check()
        loop.settle()
        seen |= program.check()
        program.scheduler.signal("name")
        seen |= program.check()
        loop.advance(5)
        seen |= program.check()
        self.assertEqual({"made", "to begin", "ready", "parked", "a task", "done"}, seen)

    def test_what_is_in_none_of_them_is_told(self):
        coroutine = Program(None, [[]]).body(0)
        coroutine.done = True
        with self.assertRaisesRegex(AssertionError, "is in no state"):
            check_coroutine(coroutine)
