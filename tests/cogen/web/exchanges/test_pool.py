"""The pool of threads: when it grows and shrinks, what it outlives."""

import threading
import unittest

from greenlet import GreenletExit

from benchmarks.harness.server import PATIENCE, eventually
from cogen.core.schedulers import Scheduler
from cogen.testing.clock import FakeClockLoop
from cogen.web.exchanges import pool
from cogen.web.exchanges.pool import Pool
from cogen.web.exchanges.poolthread import PoolThread
from tests.cogen.web.support import Records


class Work:
    """A job that blocks until it is `released`."""

    def __init__(self, error=None):
        self.begun = threading.Event()
        self.released = threading.Event()
        self.settled = False
        self.error = error
        self.thread = None

    def work(self):
        self.thread = threading.current_thread()
        self.begun.set()
        assert self.released.wait(PATIENCE)
        if self.error is not None:
            raise self.error

    def settle(self):
        self.settled = True


class PoolTest(unittest.TestCase):
    def make(self, least, most):
        self.loop = FakeClockLoop()
        self.addCleanup(self.loop.close)
        made = Pool(Scheduler(self.loop), least, most)
        made.start()
        self.jobs = []

        def stop():
            for job in self.jobs:
                job.released.set()
            # The clock of the loop does not wait for threads.
            eventually(lambda: self.loop.settle() or made._running, 0)
            self.loop.run_until_complete(made.stop(PATIENCE))

        self.addCleanup(stop)
        return made

    def run_jobs(self, made, count):
        jobs = [Work() for _ in range(count)]
        self.run_all(made, jobs)
        return jobs

    def run_all(self, made, jobs):
        """Hand over `jobs`, which block; returns when all threads that can be are at work."""
        self.jobs += jobs
        for job in jobs:
            made.run(job)
        self.look(made, 0)
        for _ in range(pool._LOOKS + 1):
            self.look(made)

    def look(self, made, seconds=pool._LOOK):
        """Let `seconds` pass, and the threads begin what they were given."""
        self.loop.advance(seconds)
        eventually(lambda: made._begun == made._given, True)

    def counts(self, made):
        held = made.statistics()
        return held["threads"], held["threads_busy"], held["threads_waiting"]

    def test_jobs_that_are_done_at_once_are_done_in_a_row_by_one_thread(self):
        made = self.make(4, 4)
        jobs = [Work() for _ in range(20)]
        for job in jobs:
            job.released.set()
            made.run(job)
        self.assertEqual(self.counts(made), (4, 0, 20))
        self.loop.settle()
        eventually(lambda: self.loop.settle() or all(job.settled for job in jobs), True)
        self.assertEqual(len({job.thread for job in jobs}), 1)

    def test_jobs_wait_for_no_other_that_blocks(self):
        made = self.make(4, 4)
        jobs = [Work() for _ in range(4)]
        self.jobs += jobs
        for job in jobs:
            made.run(job)
        self.look(made, 0)
        self.assertEqual(self.counts(made), (4, 1, 3))
        for _ in range(pool._LOOKS + 1):
            self.look(made)
        self.assertEqual(self.counts(made), (4, 4, 0))

    def test_where_jobs_block_the_next_wake_a_thread_at_once_for_a_while(self):
        made = self.make(5, 5)
        self.run_jobs(made, 2)
        for at_work in (3, 4):
            job = Work()
            self.jobs.append(job)
            made.run(job)
            self.assertEqual(self.counts(made), (5, at_work, 0))
        self.loop.advance(pool._AT_ONCE)
        self.jobs.append(Work())
        made.run(self.jobs[-1])
        self.assertEqual(self.counts(made), (5, 4, 1))

    def test_a_thread_that_has_not_begun_its_job_does_not_count_as_blocked(self):
        made = self.make(2, 2)
        made._given += 1  # to one that waits for the interpreter
        jobs = [Work() for _ in range(2)]
        self.jobs += jobs
        for job in jobs:
            made.run(job)
        self.loop.settle()
        self.assertTrue(jobs[0].begun.wait(PATIENCE))
        self.loop.advance(10 * pool._LOOK)
        self.assertEqual(self.counts(made), (2, 1, 1))

    def test_one_more_thread_starts_when_a_job_has_waited_a_moment(self):
        made = self.make(2, 4)
        jobs = self.run_jobs(made, 3)
        self.assertEqual(self.counts(made), (2, 2, 1))
        self.loop.advance(pool._WAIT / 2)
        self.assertEqual(self.counts(made), (2, 2, 1))
        self.loop.advance(pool._WAIT)
        self.assertTrue(jobs[2].begun.wait(PATIENCE))
        self.assertEqual(self.counts(made), (3, 3, 0))

    def test_one_whose_jobs_are_done_in_time_does_not_grow(self):
        made = self.make(1, 4)
        jobs = self.run_jobs(made, 2)
        jobs[0].released.set()
        self.assertTrue(jobs[1].begun.wait(PATIENCE))
        self.loop.advance(1)
        self.assertEqual(self.counts(made), (1, 1, 0))

    def test_at_the_most_jobs_wait_and_that_is_told_once_a_minute(self):
        made = self.make(1, 2)
        with Records() as records:
            jobs = self.run_jobs(made, 5)
            self.loop.advance(30)
            self.assertEqual(self.counts(made), (2, 2, 3))
            self.assertEqual(records.text.count("all 2 threads of the application are busy"), 1)
            self.assertIn("3 requests wait", records.text)
            self.loop.advance(31)
            self.assertEqual(records.text.count("all 2 threads"), 2)
        for job in jobs:
            job.released.set()
        for job in jobs:
            self.assertTrue(job.begun.wait(PATIENCE))

    def test_a_fixed_pool_never_grows(self):
        made = self.make(2, 2)
        self.run_jobs(made, 9)
        self.loop.advance(60)
        self.assertEqual(self.counts(made), (2, 2, 7))

    def test_threads_without_work_end_but_for_the_least(self):
        self.addCleanup(setattr, pool, "_IDLE", pool._IDLE)
        pool._IDLE = 0.01
        made = self.make(1, 5)
        jobs = self.run_jobs(made, 5)
        self.loop.advance(1)
        self.assertEqual(self.counts(made), (5, 5, 0))
        for job in jobs:
            job.released.set()
        eventually(lambda: made.statistics()["threads"], 1)
        (again,) = self.run_jobs(made, 1)
        self.assertTrue(again.begun.wait(PATIENCE))

    def test_the_thread_that_became_free_last_works_first(self):
        made = self.make(3, 3)
        first, second = self.run_jobs(made, 2)
        for job in (first, second):
            self.assertTrue(job.begun.wait(PATIENCE))
            job.released.set()
        eventually(lambda: len(made._idle), 3)
        last = made._idle[-1]
        (third,) = self.run_jobs(made, 1)
        self.assertTrue(third.begun.wait(PATIENCE))
        self.assertIs(third.thread, last)

    def test_it_outlives_its_jobs_whatever_they_raise(self):
        made = self.make(1, 1)
        with Records() as records:
            for error in (ValueError("x"), GreenletExit(), KeyboardInterrupt(), SystemExit(3)):
                job = Work(error)
                job.released.set()
                made.run(job)
                eventually(lambda: self.loop.settle() or job.settled, True)  # noqa: B023
        self.assertEqual(records.text.count("a job of a thread failed"), 4)
        self.assertEqual(self.counts(made), (1, 0, 0))

    def test_a_thread_that_is_lent_counts_again_when_another_has_ended_its_job(self):
        made = self.make(1, 1)
        taken, back = threading.Event(), threading.Event()

        class Lends(Work):
            def work(self):
                with made.lent():
                    self.begun.set()
                    assert taken.wait(PATIENCE)
                back.set()
                super().work()

        lends, second, third = Lends(), Work(), Work()
        self.jobs += [lends, second, third]
        for job in self.jobs:
            made.run(job)
        self.loop.settle()
        self.assertTrue(lends.begun.wait(PATIENCE))
        self.loop.advance(60)
        self.assertTrue(second.begun.wait(PATIENCE))
        self.assertEqual(self.counts(made), (2, 2, 1))
        self.assertFalse(made.grows)
        taken.set()
        eventually(lambda: len(made._returning), 1)
        self.assertFalse(back.is_set() or third.begun.is_set())
        second.released.set()
        self.assertTrue(back.wait(PATIENCE))
        self.assertFalse(third.begun.is_set())
        lends.released.set()
        self.assertTrue(third.begun.wait(PATIENCE))

    def test_a_thread_that_cannot_be_started_is_told_and_tried_again(self):
        made = self.make(1, 3)
        jobs = self.run_jobs(made, 2)
        start = PoolThread.start

        def fail(thread):
            raise RuntimeError("can't start new thread")

        self.addCleanup(setattr, PoolThread, "start", start)
        PoolThread.start = fail
        with Records() as records:
            self.loop.advance(pool._WAIT)
        self.assertIn("can't start new thread", records.text)
        self.assertFalse(made.grows)
        PoolThread.start = start
        self.loop.advance(1)
        self.assertTrue(jobs[1].begun.wait(PATIENCE))
        self.assertTrue(made.grows)

    def test_a_stop_counts_what_does_not_return(self):
        made = self.make(2, 2)
        jobs = self.run_jobs(made, 3)
        jobs[0].released.set()
        self.assertTrue(jobs[2].begun.wait(PATIENCE))
        self.assertEqual(self.loop.run_until_complete(made.stop(1.0)), 2)

    def test_a_post_after_the_loop_was_closed_is_refused(self):
        loop = FakeClockLoop()
        made = Pool(Scheduler(loop), 1, 1)
        loop.close()
        with Records() as records:
            self.assertFalse(made.post(lambda: None))
        self.assertIn("after the server had stopped", records.text)
