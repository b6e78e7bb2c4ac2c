"""The garbage collector runs when there is little to look at, or much more to find than before."""

import gc
import unittest
import weakref

from cogen.testing.clock import FakeClockLoop
from cogen.web.observers.collector import Collector
from cogen.web.options import Options


class Ring:
    """Garbage that only the collector finds."""

    def __init__(self):
        self.itself = self


class CollectorTests(unittest.TestCase):
    def setUp(self):
        self.loop = FakeClockLoop()
        self.addCleanup(self.loop.close)
        gc.collect()
        self.addCleanup(gc.unfreeze)
        self.addCleanup(gc.set_threshold, *gc.get_threshold())
        self.blocks = 1000
        self.told = []

    def started(self, **options):
        collector = Collector(self.loop, Options(**options), self.told.append, lambda: self.blocks)
        collector.start()
        return collector

    def test_what_was_there_at_the_start_is_left_out(self):
        self.started(gc_freeze=True)
        self.assertGreater(gc.get_freeze_count(), 1000)

    def test_the_young_are_looked_at_after_so_many_requests(self):
        collector = self.started(gc_threshold=1_000_000)
        ring = weakref.ref(Ring())
        for _ in range(127):
            collector.began({})
        self.assertIsNotNone(ring())
        collector.began({})
        self.assertIsNone(ring())

    def test_from_an_application_that_leaves_no_garbage_most_are_put_with_what_lasts(self):
        collector = self.started(gc_threshold=1_000_000)
        for _ in range(128):
            collector.began({})
        ring = weakref.ref(Ring())
        for _ in range(15 * 128):
            collector.began({})
        self.assertIsNotNone(ring())
        late = weakref.ref(Ring())
        for _ in range(128):
            collector.began({})
        self.assertIsNone(late())

    def test_what_was_put_aside_is_looked_at_when_all_is(self):
        collector = self.started()
        ring = weakref.ref(Ring())
        gc.freeze()
        gc.collect()
        self.assertIsNotNone(ring())
        collector.collect()
        self.assertIsNone(ring())

    def test_from_one_that_leaves_some_all_are_looked_at(self):
        collector = self.started(gc_threshold=1_000_000)
        for _ in range(20):
            rings = [weakref.ref(Ring()) for _ in range(128)]
            for _ in rings:
                collector.began({})
            self.assertEqual({None}, {ring() for ring in rings})

    def test_what_lasts_may_be_left_in_the_collections(self):
        before = gc.get_freeze_count()
        collector = self.started(gc_freeze=False, gc_threshold=1_000_000)
        for _ in range(20):
            ring = weakref.ref(Ring())
            for _ in range(128):
                collector.began({})
            self.assertIsNone(ring())
        self.assertEqual(before, gc.get_freeze_count())

    def test_those_that_last_are_not_looked_at_again_until_the_process_has_grown(self):
        collector = self.started()
        ring = Ring()
        gone = weakref.ref(ring)
        for _ in range(128):
            collector.began({})
        del ring
        for _ in range(100 * 128):
            collector.began({})
        self.loop.advance(10)
        self.assertIsNotNone(gone())
        self.blocks = 1501
        self.loop.advance(1.1)
        self.assertIsNone(gone())

    def test_where_none_was_found_it_may_grow_more_until_the_next_time(self):
        self.started(gc_threshold=1_000_000)
        self.blocks = 2000
        self.loop.advance(1.1)
        ring = Ring()
        gone = weakref.ref(ring)
        gc.freeze()
        del ring
        self.blocks = 6000
        self.loop.advance(100)
        self.assertIsNotNone(gone())
        self.blocks = 6001
        self.loop.advance(1.1)
        self.assertIsNone(gone())

    def test_where_much_was_found_it_may_not(self):
        self.started(gc_threshold=1_000_000)
        for _ in range(1000):
            Ring()
        gc.freeze()
        self.blocks = 2000
        self.loop.advance(1.1)
        gone = weakref.ref(Ring())
        self.blocks = 3001
        self.loop.advance(100)
        self.assertIsNone(gone())

    def test_without_a_count_of_blocks_python_s_own_rule_has_to_do(self):
        before = gc.get_threshold()
        self.blocks = 0
        self.started()
        self.assertEqual(before, gc.get_threshold())

    def test_python_s_own_rule_is_an_option(self):
        before = gc.get_threshold()
        collector = self.started(gc_threshold=0)
        self.assertEqual(before, gc.get_threshold())
        ring = weakref.ref(Ring())
        for _ in range(128):
            collector.began({})
        self.assertIsNotNone(ring())
