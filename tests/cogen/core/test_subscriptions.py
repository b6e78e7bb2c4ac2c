import asyncio
import contextlib
import gc
from datetime import timedelta

from cogen.core.events import OperationTimeout, Sleep
from cogen.core.pubsub import PublishSubscribeQueue
from cogen.core.queue import Full
from cogen.core.subscriptions import SlowSubscriber, SubscriptionEnded, TakenOver
from tests.cogen.core.support import CoreCase, LoopThread, elsewhere, end_of
from tests.support.cycles import assert_no_cycles

NOTHING = {"subscribers": 0, "fetchers": 0, "messages": 0}


class SubscriptionCase(CoreCase):
    def setUp(self):
        super().setUp()
        self.news = PublishSubscribeQueue(keep=5)
        self.addCleanup(self.assert_nothing_is_left)

    def publish(self, *messages):
        for message in messages:
            self.news.publish_nowait(message)

    def counts(self):
        return self.news.statistics()["subscribers"], self.news.statistics()["fetchers"]

    def subscribe(self, **options):
        """Where a loop runs, as a key needs it."""

        def subscribing():
            yield
            self.news.subscription(**options)

        with self.assertLogs("cogen.core.coroutines"):
            self.run_(subscribing)

    def fetched(self, items, **options):
        return self.run_(lambda: (yield items.fetch(**options)))

    @contextlib.contextmanager
    def failing(self, error, words):
        """A coroutine in it fails so."""
        with self.assertLogs("cogen.core.coroutines"), self.assertRaisesRegex(error, words):
            yield

    def assert_raised(self, error, words, coroutine):
        self.loop.settle()
        with self.assertRaisesRegex(error, words):
            coroutine.result()


class HoldingTests(SubscriptionCase):
    def test_those_that_were_left_are_not_kept_until_who_fetches_ends(self):
        def fetching():
            self.publish("news")
            for leave in ("close", "end", "__del__"):
                items = self.news.subscription(last=1)
                yield items.fetch()
                getattr(items, leave)()
            return coroutine._callbacks

        coroutine = self.start(fetching)
        self.loop.settle()
        self.assertEqual([], coroutine.result())

    def test_it_gets_what_is_published_from_its_beginning_to_the_end_of_its_block(self):
        def reading():
            self.publish("before")
            with self.news.subscription() as items:
                self.publish("a", "b")
                both = yield items.fetch()
                self.publish("c")
                return both, (yield items.fetch())

        self.assertEqual((("a", "b"), ("c",)), self.run_(reading))
        self.assertEqual((0, 0), self.counts())

    def test_it_waits_for_the_next_message(self):
        def reading():
            with self.news.subscription() as items:
                return (yield items.fetch())

        readers = [self.start(reading) for _ in range(3)]
        self.loop.settle()
        self.assertEqual((3, 3), self.counts())
        self.assertEqual(3, self.news.publish_nowait("a"))
        self.scheduler.run()
        self.assertEqual([("a",)] * 3, [each.result() for each in readers])
        self.assertEqual((0, 0), self.counts())

    def test_it_ends_with_a_block_that_is_left_in_any_way(self):
        def reading(way):
            with self.news.subscription() as items:
                if way == "error":
                    raise KeyError(way)
                yield items.fetch(timeout=1)

        for way, error in (
            ("error", KeyError),
            ("timeout", OperationTimeout),
            ("cancel", asyncio.CancelledError),
        ):
            with self.subTest(way):
                with self.assertLogs("cogen.core.coroutines") as logged:
                    coroutine = self.start(reading, way)
                    self.loop.settle()
                    if way == "cancel":
                        self.assertEqual((1, 1), self.counts())
                        coroutine.cancel()
                        logged.records.append("none")
                    self.loop.advance(2)
                with self.assertRaises(error):
                    coroutine.result()
                self.assertEqual((0, 0), self.counts())

    def test_without_a_block_it_ends_with_the_coroutine_that_fetches(self):
        held = []

        def reading():
            held.append(self.news.subscription())
            yield held[0].fetch(most=1)

        self.start(reading)
        self.loop.settle()
        self.assertEqual((1, 1), self.counts())
        self.publish("a")
        self.loop.settle()
        self.assertEqual((0, 0), self.counts())
        with self.failing(SubscriptionEnded, "subscribe anew"):
            self.fetched(held[0])

    def test_it_ends_when_nothing_refers_to_it(self):
        items = self.news.subscription()
        self.assertEqual(1, self.news.publish_nowait("a"))
        del items
        self.assertEqual((0, 0), self.counts())

    def test_a_finalizer_waits_for_no_lock(self):
        items = [self.news.subscription()]
        with self.news._lock:
            elsewhere(items.clear)  # would wait for ever
        self.assertEqual((0, 0), self.counts())

    def test_closing_it_twice_or_after_its_end_changes_nothing(self):
        with self.news.subscription() as items:
            items.close()
            items.end()
            items.close()
        self.assertEqual((0, 0), self.counts())
        self.assertEqual("<Subscription: ended>", repr(items))

    def test_who_waits_for_it_is_told_that_it_was_closed(self):
        items = self.news.subscription()
        with self.assertLogs("cogen.core.coroutines"):
            waiting = self.start(lambda: (yield items.fetch()))
            self.loop.settle()
            items.close()
            self.assert_raised(SubscriptionEnded, "while it was waited for", waiting)

    def test_a_second_one_that_waits_for_it_is_refused(self):
        items = self.news.subscription()
        first = self.start(lambda: (yield items.fetch()))
        self.loop.settle()
        with self.failing(RuntimeError, "waits for this subscription already"):
            self.fetched(items)
        self.publish("a")
        self.scheduler.run()
        self.assertEqual(("a",), first.result())

    def test_so_many_at_most_are_fetched_and_the_others_stay(self):
        with self.news.subscription() as items:
            self.publish(1, 2, 3)
            self.assertEqual((1, 2), self.fetched(items, most=2))
            self.assertEqual((3,), self.fetched(items, most=2))
        with self.assertRaisesRegex(ValueError, "most must be 1 or more"):
            items.fetch(most=0)

    def test_a_fetch_that_is_left_takes_nothing(self):
        with self.news.subscription() as items:

            def reading():
                try:
                    yield items.fetch(timeout=1)
                except OperationTimeout:
                    yield Sleep(1)
                    return (yield items.fetch())

            coroutine = self.start(reading)
            self.loop.advance(1.5)
            self.publish("a")
            self.scheduler.run()
            self.assertEqual(("a",), coroutine.result())

    def test_async_for_gives_message_after_message_until_it_is_closed(self):
        got = []

        async def reading():
            with self.news.subscription() as items:
                got.append(items)
                async for message in items:
                    got.append(message)

        coroutine = self.start(reading)
        self.loop.settle()
        self.publish("a", "b")
        self.loop.settle()
        self.assertEqual(["a", "b"], got[1:])
        got[0].close()
        self.scheduler.run()
        self.assertIsNone(coroutine.result())

    def test_nothing_is_left_in_cycles(self):
        def reading(bound):
            with self.news.subscription(last=1, bound=bound) as items:
                while True:
                    yield items.fetch(timeout=0.1)

        def unblocked():
            items = self.news.subscription()
            while True:
                yield items.fetch(timeout=0.1)

        def closed():
            items = self.news.subscription()
            items.close()
            yield items.fetch()

        async def awaiting():
            with self.news.subscription() as items:
                async for _ in items:
                    return

        def run():
            with self.assertLogs("cogen.core.coroutines"):
                for function, *args in ((reading, 1), (reading, 3), (unblocked,), (awaiting,)):
                    self.start(function, *args)
                self.start(closed)
                self.loop.settle()
                self.publish("a", "b", "c")
                self.loop.advance(1)

        gc.collect()
        self.publish("kept")
        assert_no_cycles(self, run)


class BoundTests(SubscriptionCase):
    def test_it_begins_with_the_last_messages(self):
        self.publish(*range(8))
        for last, expected in ((3, (5, 6, 7)), (5, (3, 4, 5, 6, 7))):
            with self.news.subscription(last=last) as items:
                self.publish("x")
                self.assertEqual((*expected, "x")[-last - 1 :], self.fetched(items)[-last - 1 :])
            self.news = PublishSubscribeQueue(keep=5)
            self.publish(*range(8))

    def test_a_queue_keeps_no_more_than_it_was_asked_to(self):
        self.publish(*range(100))
        self.assertEqual({**NOTHING, "messages": 5}, self.news.statistics())
        news = PublishSubscribeQueue()
        for number in range(100):
            news.publish_nowait(number)
        self.assertEqual(NOTHING, news.statistics())

    def test_a_slow_one_is_ended_with_an_error_that_says_why(self):
        with self.news.subscription(bound=3) as items:
            self.publish(*range(4))
            self.assertEqual({**NOTHING, "subscribers": 1, "messages": 4}, self.news.statistics())
            for _ in range(2):
                with self.failing(SlowSubscriber, "ended: 3 messages waited"):
                    self.fetched(items)
        self.assertEqual((0, 0), self.counts())

    def test_the_oldest_are_lost_and_counted(self):
        with self.news.subscription(bound=3, overflow="oldest") as items:
            self.publish(*range(10))
            self.assertEqual((7, 8, 9), self.fetched(items))
            self.assertEqual(7, items.lost)
            self.publish("a")
            self.assertEqual(("a",), self.fetched(items))
            self.assertEqual(0, items.lost)

    def test_publishers_wait_for_a_slow_one_that_they_shall_wait_for(self):
        def publishing(message):
            return (yield self.news.publish(message))

        with self.news.subscription(bound=2, overflow="wait") as items:
            publishers = [self.start(publishing, number) for number in range(4)]
            self.loop.settle()
            self.assertEqual([True, True, False, False], [each.done for each in publishers])
            with self.assertRaisesRegex(Full, "publishers wait for it: yield publish"):
                self.news.publish_nowait("x")
            self.assertEqual((0,), self.fetched(items, most=1))
            self.loop.settle()
            self.assertEqual([True, True, True, False], [each.done for each in publishers])
            self.assertEqual((1, 2), self.fetched(items))
            self.assertEqual((3,), self.fetched(items))
            self.assertEqual([1, 1, 1, 1], [each.result() for each in publishers])

    def test_a_publisher_that_gives_up_has_published_nothing(self):
        with self.news.subscription(bound=1, overflow="wait") as items:
            self.publish("a")
            with self.failing(OperationTimeout, ""):
                self.run_(lambda: (yield self.news.publish("b", timeout=1)))
            self.assertEqual(("a",), self.fetched(items))
            with self.failing(OperationTimeout, ""):
                self.fetched(items, timeout=1)

    def test_publishers_go_on_when_the_slow_one_ends(self):
        items = self.news.subscription(bound=1, overflow="wait")
        self.publish("a")
        publisher = self.start(lambda: (yield self.news.publish("b")))
        self.loop.settle()
        self.assertFalse(publisher.done)
        items.close()
        self.scheduler.run()
        self.assertEqual(0, publisher.result())

    def test_a_message_for_which_one_has_no_room_reaches_nobody(self):
        with (
            self.news.subscription() as quick,
            self.news.subscription(bound=1, overflow="wait") as slow,
        ):
            self.publish("a")
            with self.assertRaises(Full):
                self.publish("b")
            self.assertEqual(("a",), self.fetched(quick))
            self.assertEqual(("a",), self.fetched(slow))

    def test_what_makes_no_sense_is_refused(self):
        for words, options in (
            ("keep=5 is for a subscription with a key", {"keep": 5}),
            ("overflow must be one of end, oldest, wait, not 'newest'", {"overflow": "newest"}),
            ("bound must be 1 or more", {"bound": 0}),
            (r"last=6, but the queue keeps 5 messages: .*\(keep=6\)", {"last": 6}),
            ("last=-1", {"last": -1}),
            ("last=5 is more than bound=4", {"last": 5, "bound": 4}),
            ("'wait' has no key", {"key": "a", "overflow": "wait"}),
            ("keep must be 0 or more seconds, not -1", {"key": "a", "keep": -1}),
        ):
            with self.subTest(words), self.assertRaisesRegex(ValueError, words):
                self.subscribe(**options)
        with self.assertRaisesRegex(ValueError, "keep must be 0 or more"):
            PublishSubscribeQueue(keep=-1)
        self.assertEqual((0, 0), self.counts())


class KeyTests(SubscriptionCase):
    """A subscription by key outlives the request that holds it."""

    def request(self, key="ann", **options):
        """What one long poll does: its messages, and whether it went on."""
        with self.news.subscription(key=key, keep=30, **options) as items:
            try:
                return (yield items.fetch(timeout=5)), items.resumed
            except OperationTimeout:
                return (), items.resumed

    def poll(self, **options):
        coroutine = self.start(self.request, *options.values())
        self.loop.settle()
        return coroutine

    def end(self):
        self.loop.advance(40)
        self.assertEqual((0, 0), self.counts())

    def test_the_next_request_gets_what_came_meanwhile(self):
        first = self.poll()
        self.publish("a")
        self.loop.settle()
        self.publish("b", "c")
        self.loop.advance(20)
        self.publish("d")
        second = self.poll()
        self.assertEqual((("a",), False), first.result())
        self.assertEqual((("b", "c", "d"), True), second.result())
        self.end()

    def test_it_ends_when_nobody_comes_back(self):
        self.poll()
        self.publish("a", "b")
        self.loop.advance(29)
        self.assertEqual(1, self.counts()[0])
        self.loop.advance(2)
        self.assertEqual((0, 0), self.counts())
        late = self.poll()
        self.publish("c")
        self.loop.settle()
        self.assertEqual((("c",), False), late.result())
        self.end()

    def test_each_hold_begins_its_lease_anew(self):
        for _ in range(5):
            self.poll()
            self.loop.advance(5.1)  # its time is up, and it is left
            self.loop.advance(25)
            self.assertEqual(1, self.counts()[0])
        self.end()

    def test_one_that_is_held_has_no_lease(self):
        def holding():
            with self.news.subscription(key="ann", keep=1) as items:
                yield items.fetch()

        holder = self.start(holding)
        self.loop.advance(100)
        self.assertEqual((1, 1), self.counts())
        self.assertEqual(0, self.scheduler.statistics()["deadlines"])
        holder.cancel()
        self.end()

    def test_a_newer_one_takes_over_and_the_older_is_told(self):
        with self.assertLogs("cogen.core.coroutines"):
            older = self.poll()
            newer = self.poll()
            self.assert_raised(TakenOver, "'ann' has subscribed anew", older)
        self.publish("a")
        self.loop.settle()
        self.assertEqual((("a",), True), newer.result())
        self.end()

    def test_who_was_taken_over_and_did_not_wait_is_told_at_the_next_fetch(self):
        def holding():
            with self.news.subscription(key="ann") as items:
                yield Sleep(1)
                yield items.fetch()

        with self.assertLogs("cogen.core.coroutines"):
            older = self.start(holding)
            newer = self.poll()
            self.publish("a")
            self.loop.advance(2)
            self.assert_raised(TakenOver, "'ann' has subscribed anew", older)
        self.assertEqual((("a",), True), newer.result())
        self.end()

    def test_one_that_overflows_in_its_lease_says_so_to_who_comes_back(self):
        self.poll(key="ann")
        self.publish("a")
        self.loop.settle()

        def bounded():
            with self.news.subscription(key="ann", bound=2) as items:
                self.assertTrue(items.resumed)
            yield

        self.run_(bounded)
        self.publish(1, 2, 3)
        with self.assertLogs("cogen.core.coroutines"):
            self.assert_raised(SlowSubscriber, "2 messages waited", self.poll())
        self.assertEqual((0, 0), self.counts())
        again = self.poll()
        self.publish("b")
        self.loop.settle()
        self.assertEqual((("b",), False), again.result())
        self.end()

    def test_keys_are_apart(self):
        ann, bob = self.poll(key="ann"), self.poll(key="bob")
        self.publish("a")
        self.loop.settle()
        self.assertEqual([(("a",), False)] * 2, [ann.result(), bob.result()])
        self.assertEqual((2, 0), self.counts())
        self.end()

    def test_end_forgets_the_key_at_once(self):
        def leaving():
            with self.news.subscription(key="ann") as items:
                yield
                items.end()

        self.run_(leaving)
        self.assertEqual((0, 0), self.counts())

    def test_a_timedelta_is_a_lease_too(self):
        def holding():
            with self.news.subscription(key="ann", keep=timedelta(minutes=1)):
                yield

        self.run_(holding)
        self.loop.advance(58)
        self.assertEqual(1, self.counts()[0])
        self.loop.advance(2)
        self.assertEqual((0, 0), self.counts())

    def test_without_a_loop_a_key_is_refused(self):
        with self.assertRaisesRegex(RuntimeError, "no loop runs in this thread"):
            self.news.subscription(key="ann")
        self.assertEqual((0, 0), self.counts())

    def test_ten_thousand_leases_cost_one_timer_of_the_loop(self):
        def request(number):
            with self.news.subscription(key=number, keep=30):
                yield

        for number in range(10_000):
            self.start(request, number)
        self.loop.settle()
        self.assertEqual(10_000, self.counts()[0])
        self.assertEqual(1, len(self.scheduler.timers._lanes))
        self.end()


class Cogen02Tests(SubscriptionCase):
    """The keys and the late subscriber of cogen 0.2."""

    def test_a_key_is_subscribed_whoever_fetches(self):
        def program():
            yield self.news.subscribe("me")
            yield self.news.subscribe("me")
            yield self.news.publish(1, "me")
            first = yield self.news.fetch("me")
            yield self.news.publish(2)
            return first

        self.assertEqual((1,), self.run_(program))
        self.publish(3)
        self.assertEqual((2, 3), self.run_(lambda: (yield self.news.fetch("me", timeout=1))))
        with self.failing(OperationTimeout, ""):
            self.run_(lambda: (yield self.news.fetch("me", timeout=1)))
        self.run_(lambda: (yield self.news.unsubscribe("me")))
        with self.failing(LookupError, "'me'"):
            self.run_(lambda: (yield self.news.fetch("me")))

    def test_seconds_in_the_place_of_the_key_are_told(self):
        with self.failing(LookupError, "10 fetches without having subscribed"):
            self.run_(lambda: (yield self.news.fetch(10)))

    def test_a_late_subscriber_gets_everything_that_was_published(self):
        self.news = PublishSubscribeQueue(late=True)
        self.publish(*range(5))

        def late():
            yield self.news.subscribe()
            yield self.news.subscribe()
            got = [(yield self.news.fetch())]
            got.append((yield self.news.fetch()))
            return got

        coroutine = self.start(late)
        self.loop.settle()
        self.publish("next")
        self.scheduler.run()
        self.assertEqual([(0, 1, 2, 3, 4), ("next",)], coroutine.result())
        self.assertEqual({**NOTHING, "messages": 6}, self.news.statistics())
        self.assertEqual(6, self.news.compact())
        self.assertEqual(NOTHING, self.news.statistics())

    def test_late_ones_leave_in_every_way(self):
        self.news = PublishSubscribeQueue(late=True)

        def late(unsubscribe):
            yield self.news.subscribe()
            if unsubscribe:
                yield self.news.unsubscribe()
            yield self.news.fetch(timeout=1)

        with self.assertLogs("cogen.core.coroutines") as logged:
            coroutines = [self.start(late, each) for each in (False, True, False)]
            self.loop.settle()
            self.assertEqual((2, 2), self.counts())
            coroutines[0].cancel()
            self.loop.advance(2)
        self.assertEqual((0, 0), self.counts())
        self.assertEqual(2, len(logged.records))

    def test_compact_drops_what_all_have_fetched(self):
        self.news = PublishSubscribeQueue(late=True)
        self.publish(0, 1, 2)

        def program():
            yield self.news.subscribe("quick")
            yield self.news.subscribe("slow")
            yield self.news.fetch("quick")
            self.publish(3)
            yield self.news.fetch("slow")
            self.publish(4)
            yield self.news.fetch("slow")
            dropped = self.news.compact()
            yield self.news.subscribe("late")
            return dropped, (yield self.news.fetch("late"))

        self.assertEqual((3, (3, 4)), self.run_(program))

    def test_late_ones_get_the_last_where_a_number_is_kept(self):
        self.news = PublishSubscribeQueue(keep=2, late=True)
        self.publish(*range(5))

        def late():
            yield self.news.subscribe()
            return (yield self.news.fetch())

        self.assertEqual((3, 4), self.run_(late))
        self.assertEqual(0, self.news.compact())


class OtherThreadTests(SubscriptionCase):
    def test_all_loops_get_all_messages_in_one_order(self):
        threads = 3
        with LoopThread() as first, LoopThread("asyncio") as second:

            def reading():
                with self.news.subscription(bound=None) as items:
                    got = []
                    while len(got) < threads * 100:
                        got += yield items.fetch(timeout=10)
                    return got

            readers = [each.start(reading) for each in (first, second, first)]

            def publishing(name):
                for number in range(100):
                    self.news.publish_nowait((name, number))

            publishers = [
                first.scheduler.add(lambda each=each: publishing(each)) for each in range(2)
            ]
            elsewhere(publishing, 2)
            for each in publishers:
                end_of(each)
            got = [end_of(each) for each in readers]
        self.assertEqual(got[0], got[1])
        self.assertEqual(got[0], got[2])
        for name in range(threads):
            self.assertEqual(list(range(100)), [number for who, number in got[0] if who == name])

    def test_a_publisher_waits_for_a_reader_on_another_loop(self):
        with LoopThread() as first, LoopThread() as second:
            items = self.news.subscription(bound=1, overflow="wait")

            def publishing():
                for number in range(50):
                    yield self.news.publish(number, timeout=10)

            def reading():
                got = []
                while len(got) < 50:
                    got += yield items.fetch(timeout=10)
                return got

            publisher, reader = first.start(publishing), second.start(reading)
            self.assertEqual(list(range(50)), end_of(reader))
            end_of(publisher)
        items.close()
        self.assertEqual((0, 0), self.counts())

    def test_a_key_goes_from_loop_to_loop(self):
        with LoopThread() as first, LoopThread() as second:

            def request():
                with self.news.subscription(key="ann", keep=30) as items:
                    return (yield items.fetch(timeout=10))

            one = first.start(request)
            self.publish("a")
            self.assertEqual(("a",), end_of(one))
            self.publish("b")
            two = second.start(request)
            self.assertEqual(("b",), end_of(two))
            self.assertEqual(0, first.call(lambda: len(first.scheduler.timers)))
            self.assertEqual(1, second.call(lambda: len(second.scheduler.timers)))
        self.assertEqual(1, self.counts()[0])
        self.news._mailboxes.find("ann").end()

    def test_plain_subscribers_and_subscriptions_get_the_same(self):
        def plain():
            yield self.news.subscribe()
            yield Sleep(100)
            return (yield self.news.fetch())

        coroutine = self.start(plain)
        self.loop.settle()
        with self.news.subscription() as items:
            self.publish("a", "b")
            self.assertEqual(("a", "b"), self.fetched(items))
            self.assertEqual(2, self.news.publish_nowait("c"))
        self.scheduler.run()
        self.assertEqual(("a", "b", "c"), coroutine.result())
        self.publish("d")

    def test_the_last_subscription_gives_the_quick_way_back(self):
        news = PublishSubscribeQueue()

        def plain():
            yield news.subscribe()
            while True:
                yield news.fetch()

        coroutine = self.start(plain)
        self.loop.settle()
        self.assertIsNotNone(news._only)
        with news.subscription():
            news.publish_nowait("a")
            self.assertIsNone(news._only)
        news.publish_nowait("b")
        self.assertIsNotNone(news._only)
        coroutine.cancel()
        self.loop.settle()
