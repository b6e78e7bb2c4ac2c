"""Subscriptions against a model of what each was promised, in random order."""

import unittest
from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cogen.core.pubsub import PublishSubscribeQueue
from cogen.core.queue import Full
from cogen.core.schedulers import Scheduler
from cogen.core.subscriptions import SlowSubscriber, TakenOver
from cogen.testing.clock import FakeClockLoop

KEEP, LEASE = 4, 10


class Promised:
    """What one subscription is to get."""

    def __init__(self, messages, bound, overflow):
        self.messages = deque(messages)
        self.bound = bound
        self.overflow = overflow
        self.lost = 0
        self.failed = False

    @property
    def full(self):
        return self.bound is not None and len(self.messages) >= self.bound

    def put(self, message):
        if self.failed:
            return
        if self.full and self.overflow == "end":
            self.failed = True
            self.messages.clear()
            return
        while self.full:
            self.messages.popleft()
            self.lost += 1
        self.messages.append(message)


class Subscriptions(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.loop = FakeClockLoop()
        self.scheduler = Scheduler(self.loop)
        self.news = PublishSubscribeQueue(keep=KEEP)
        self.number = 0
        self.kept = deque(maxlen=KEEP)
        self.held = []  # pairs: a subscription, and its key or None
        self.promised = {}  # id of one without a key, or key: Promised
        self.left = {}  # key: until when it is kept
        self.waiting = deque()  # publishers and their messages

    def run(self, function):
        """What the coroutine gave until all waits; None if it still waits, and is cancelled."""
        coroutine = self.scheduler.add(function)
        self.loop.settle()
        try:
            if not coroutine.done:
                coroutine.cancel()
                self.loop.settle()
                return None
            return coroutine.result()
        finally:
            del coroutine  # its error's traceback leads back to this frame

    def of(self, pair):
        return self.promised[id(pair[0]) if pair[1] is None else pair[1]]

    def put(self, message):
        self.kept.append(message)
        for each in self.promised.values():
            each.put(message)

    def room(self):
        return not any(each.overflow == "wait" and each.full for each in self.promised.values())

    def publish_those_that_wait(self):
        self.loop.settle()
        while self.waiting and self.room():
            coroutine, message = self.waiting.popleft()
            assert coroutine.done
            self.put(message)
        assert not any(coroutine.done for coroutine, _ in self.waiting)

    @rule()
    def publish(self):
        self.number += 1
        if self.room():
            assert self.news.publish_nowait(self.number) == len(self.promised)
            self.put(self.number)
        else:
            try:
                self.news.publish_nowait(self.number)
            except Full:
                return
            raise AssertionError("there was room")

    @rule()
    def publish_and_wait(self):
        self.number += 1
        number = self.number

        def publishing():
            yield self.news.publish(number)

        coroutine = self.scheduler.add(publishing)
        self.loop.settle()
        self.waiting.append((coroutine, number))
        self.publish_those_that_wait()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def give_up_publishing(self, data):
        pair = data.draw(st.sampled_from(list(self.waiting)))
        self.waiting.remove(pair)
        pair[0].cancel()
        self.loop.settle()

    @rule(
        bound=st.sampled_from([None, 1, 2, 5]),
        overflow=st.sampled_from(["end", "oldest", "wait"]),
        last=st.integers(0, KEEP),
    )
    def subscribe(self, bound, overflow, last):
        last = min(last, bound or KEEP)
        items = self.news.subscription(last=last, bound=bound, overflow=overflow)
        self.held.append((items, None))
        begin = list(self.kept)[len(self.kept) - last :] if last <= len(self.kept) else self.kept
        self.promised[id(items)] = Promised(begin, bound, overflow)

    @rule(
        key=st.sampled_from("abc"),
        bound=st.sampled_from([None, 1, 3]),
        overflow=st.sampled_from(["end", "oldest"]),
    )
    def subscribe_by_key(self, key, bound, overflow):
        made = []

        def subscribing():
            yield
            made.append(self.news.subscription(key=key, keep=LEASE, bound=bound, overflow=overflow))

        self.run(subscribing)
        [items] = made
        assert items.resumed == (key in self.promised)
        self.left.pop(key, None)
        older = [pair for pair in self.held if pair[1] == key]
        if items.resumed:
            self.promised[key].bound, self.promised[key].overflow = bound, overflow
        else:
            self.promised[key] = Promised([], bound, overflow)
        self.held = [pair for pair in self.held if pair[1] != key]
        self.held.append((items, key))
        for pair in older:
            self.fails(pair[0], TakenOver)
            pair[0].close()

    @precondition(lambda self: self.held)
    @rule(data=st.data(), most=st.sampled_from([None, 1, 2]))
    def fetch(self, data, most):
        # What is drawn is kept by hypothesis, and would be no garbage.
        pair = self.held[data.draw(st.integers(0, len(self.held) - 1))]
        items, promised = pair[0], self.of(pair)
        if promised.failed:
            self.fails(items, SlowSubscriber)
            return
        got = self.run_fetch(items, most)
        if not promised.messages:
            assert got is None
            return
        count = len(promised.messages) if most is None else min(most, len(promised.messages))
        assert got == tuple(promised.messages.popleft() for _ in range(count))
        assert items.lost == promised.lost
        promised.lost = 0
        self.publish_those_that_wait()

    def run_fetch(self, items, most=None):
        def fetching():
            return (yield items.fetch(most=most))

        items.__enter__()  # else it would end with the coroutine
        return self.run(fetching)

    def fails(self, items, error):
        def fetching():
            try:
                yield items.fetch()
            except error:
                return True

        items.__enter__()
        assert self.run(fetching) is True

    @precondition(lambda self: self.held)
    @rule(data=st.data(), way=st.sampled_from(["close", "end", "garbage"]))
    def leave(self, data, way):
        index = data.draw(st.integers(0, len(self.held) - 1))
        items, key = self.held.pop(index)
        if key is None or way == "end" or self.promised[key].failed:
            del self.promised[id(items) if key is None else key]
        else:
            self.left[key] = self.loop.time() + LEASE
        if way == "garbage":
            del items
        else:
            getattr(items, way)()
        self.publish_those_that_wait()

    @rule(seconds=st.sampled_from([1, 5, 11]))
    def let_time_pass(self, seconds):
        self.loop.advance(seconds)
        for until in list(self.left.values()):
            late = until + 0.05 + 0.01  # as timers are
            if until <= self.loop.time() <= late:
                self.loop.advance(late - self.loop.time())
        for key, until in list(self.left.items()):
            if until < self.loop.time():
                del self.left[key], self.promised[key]

    @invariant()
    def nothing_is_left_over(self):
        counts = self.news.statistics()
        assert counts["subscribers"] == len(self.promised)
        assert counts["fetchers"] == 0
        kept = sum(len(each.messages) for each in self.promised.values())
        assert counts["messages"] == len(self.kept) + kept
        assert self.scheduler.statistics()["deadlines"] == len(self.left)
        assert len(self.scheduler.coroutines) == len(self.waiting)

    def teardown(self):
        self.scheduler.shutdown()
        self.loop.close()


class SubscriptionStatesTest(Subscriptions.TestCase, unittest.TestCase):
    settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
