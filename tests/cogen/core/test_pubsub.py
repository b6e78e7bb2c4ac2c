import unittest

from hypothesis import given, settings
from hypothesis import strategies as st

from cogen.core.pubsub import PublishSubscribeQueue
from cogen.core.schedulers import Scheduler
from cogen.testing.clock import FakeClockLoop
from tests.cogen.core.support import CoreCase


class PubSubTests(CoreCase):
    def setUp(self):
        super().setUp()
        self.pubsub = PublishSubscribeQueue()

    def subscriber(self, rounds=1):
        def subscribing():
            yield self.pubsub.subscribe()
            got = []
            for _ in range(rounds):
                got.append((yield self.pubsub.fetch()))
            return got

        coroutine = self.start(subscribing)
        self.loop.settle()
        return coroutine

    def test_who_has_unsubscribed_keeps_nothing_of_it(self):
        def subscribing():
            for _ in range(3):
                yield self.pubsub.subscribe()
                yield self.pubsub.unsubscribe()
            return coroutine._callbacks

        coroutine = self.start(subscribing)
        self.loop.settle()
        self.assertEqual([], coroutine.result())

    def test_each_subscriber_gets_what_was_published_after_it_subscribed(self):
        early = self.subscriber(2)
        self.assertEqual(1, self.run_(lambda: (yield self.pubsub.publish("a"))))
        late = self.subscriber()
        self.assertEqual(2, self.pubsub.publish_nowait("b"))
        self.scheduler.run()
        self.assertEqual([("a",), ("b",)], early.result())
        self.assertEqual([("b",)], late.result())

    def test_those_that_wait_get_the_very_same_tuple(self):
        subscribers = [self.subscriber() for _ in range(3)]
        self.pubsub.publish_nowait("a")
        self.scheduler.run()
        self.assertEqual(1, len({id(each.result()[0]) for each in subscribers}))

    def test_a_subscriber_that_was_busy_fetches_all_it_missed(self):
        def busy():
            yield self.pubsub.subscribe()
            yield self.loop.create_task(_sleep())
            return (yield self.pubsub.fetch())

        coroutine = self.start(busy)
        self.loop.settle()
        for message in "abc":
            self.pubsub.publish_nowait(message)
        self.assertEqual(3, self.pubsub.statistics()["messages"])
        self.scheduler.run()
        self.assertEqual(("a", "b", "c"), coroutine.result())
        counts = {"subscribers": 0, "fetchers": 0, "messages": 0}
        self.assertEqual(counts, self.pubsub.statistics())

    def test_a_coroutine_that_ends_is_unsubscribed(self):
        coroutine = self.subscriber()
        self.assertEqual(1, self.pubsub.statistics()["subscribers"])
        coroutine.cancel()
        self.loop.settle()
        self.assertEqual(0, self.pubsub.publish_nowait("nobody hears"))
        counts = {"subscribers": 0, "fetchers": 0, "messages": 0}
        self.assertEqual(counts, self.pubsub.statistics())

    def test_unsubscribing_stops_messages(self):
        def leaving():
            yield self.pubsub.subscribe()
            yield self.pubsub.unsubscribe()
            yield self.pubsub.fetch()

        with self.assertLogs("cogen.core"), self.assertRaisesRegex(LookupError, "subscribe()"):
            self.run_(leaving)

    def test_a_subscription_can_start_before_the_first_turn(self):
        def fetching():
            yield self.pubsub.subscribe()
            return (yield self.pubsub.fetch())

        coroutine = self.start(fetching)
        self.pubsub.subscribe_nowait(coroutine)
        self.pubsub.publish_nowait("early")
        self.scheduler.run()
        self.assertEqual(("early",), coroutine.result())

    def test_memory_is_bounded_by_the_slowest(self):
        def slow():
            yield self.pubsub.subscribe()
            yield self.loop.create_task(_sleep())

        self.start(slow)
        self.loop.settle()
        for number in range(1000):
            self.pubsub.publish_nowait(number)
        self.assertEqual(1000, self.pubsub.statistics()["messages"])
        self.scheduler.run()
        self.assertEqual(0, self.pubsub.statistics()["messages"])


class PubSubModelTests(unittest.TestCase):
    @settings(max_examples=200)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["publish", "publish", "subscribe", "fetch", "drop", "compact"]),
                st.integers(0, 5),
            ),
            max_size=60,
        )
    )
    def test_everyone_gets_everything_since_in_order_once(self, program):
        loop = FakeClockLoop()
        scheduler = Scheduler(loop)
        pubsub = PublishSubscribeQueue()
        expected, got, coroutines, asked = {}, {}, {}, {}

        def subscriber(key):
            yield pubsub.subscribe()
            while True:
                yield asked[key]
                asked[key] = loop.create_future()
                got[key] += yield pubsub.fetch()

        number = 0
        for step, key in program:
            if step == "publish":
                number += 1
                pubsub.publish_nowait(number)
                for messages in expected.values():
                    messages.append(number)
            elif step == "subscribe" and key not in coroutines:
                expected[key], got[key], asked[key] = [], [], loop.create_future()
                coroutines[key] = scheduler.add(subscriber, (key,))
            elif step == "fetch" and key in coroutines and not asked[key].done():
                asked[key].set_result(None)
            elif step == "drop" and key in coroutines:
                coroutines.pop(key).cancel()
                loop.settle()
                del expected[key]
            elif step == "compact":
                pubsub.compact()
            loop.settle()
            for each, messages in expected.items():
                self.assertEqual(messages[: len(got[each])], got[each])
            kept = max((len(m) - len(got[k]) for k, m in expected.items()), default=0)
            pubsub.compact()
            self.assertLessEqual(pubsub.statistics()["messages"], kept)
        for key in expected:
            if not asked[key].done():
                asked[key].set_result(None)
        pubsub.publish_nowait("last")
        loop.settle()
        for key, messages in expected.items():
            self.assertEqual(messages, [each for each in got[key] if each != "last"])
        scheduler.shutdown()
        loop.close()


async def _sleep():
    import asyncio

    await asyncio.sleep(10)
