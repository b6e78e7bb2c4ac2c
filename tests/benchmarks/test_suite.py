"""Which parts a run has, by its clients, and whose instructions are counted."""

import shlex
import sys
import unittest
from pathlib import Path

from benchmarks import instructions
from benchmarks.__main__ import _chosen, _parser
from benchmarks.ordinary.__main__ import _parser as ordinary_parser
from benchmarks.suite import jobs
from benchmarks.targets import TARGETS, Site, Target
from tests.docs.pages import DOCS, blocks
from tests.docs.shell import steps


class CommandTests(unittest.TestCase):
    def test_what_the_guide_gives_make_bench_is_understood(self):
        commands = [s.command for b in blocks(DOCS / "performance.md", "sh") for s in steps(b)]
        self.assertGreater(len(commands), 2)
        for command in commands:
            what, _, arguments = command.partition("ARGS=")
            [words] = shlex.split(arguments, comments=True)[:1] or [""]
            if "bench-ordinary" in what:
                ordinary_parser().parse_args(shlex.split(words))
            else:
                _chosen(_parser().parse_args(shlex.split(words)).targets)


class JobTests(unittest.TestCase):
    def plans(self, *clients, quick=False):
        """By number of clients: the plan of the chat by itself."""
        chat = [target for target in TARGETS if target.name == "chat"]
        made = [job for count in clients for job in jobs(chat, count, 0, quick)]
        return {job.clients: job.plan for job in made if not job.in_turns}

    def test_a_push_by_itself_is_measured_where_the_crowd_is_small(self):
        for quick in (False, True):
            plans = self.plans(100, 10_000, quick=quick)
            self.assertGreaterEqual(plans[100].alone, 100)
            self.assertEqual(0, plans[10_000].alone)

    def test_idle_polls_and_another_get_are_measured_where_it_is_large(self):
        plans = self.plans(100, 10_000)
        self.assertEqual((0, 0), (plans[100].idle, plans[100].fair))
        self.assertTrue(plans[10_000].idle and plans[10_000].fair)

    def test_one_that_takes_longer_than_a_message_of_the_fixed_rate_has_no_such_part(self):
        plan = self.plans(50_000)[50_000]
        self.assertEqual((0, 0, 0), (plan.fixed, plan.idle, plan.fair))

    def test_the_closed_loop_is_one_run_of_all_in_turns(self):
        for clients in (100, 10_000):
            together, *alone = jobs(TARGETS, clients, 0, False)
            self.assertEqual(tuple(TARGETS), together.targets)
            self.assertTrue(together.in_turns and together.plan.closed)
            self.assertEqual([(target,) for target in TARGETS], [job.targets for job in alone])
            self.assertFalse([job for job in alone if job.in_turns or job.plan.closed])


class InstructionTests(unittest.TestCase):
    def test_only_the_server_is_counted(self):
        target = Target("x", "x", lambda site: [["engine"], [sys.executable, "-m", "server"]])
        engine, server = instructions._under_valgrind(target, "/log").commands(Site(Path(), 1, 2))
        self.assertEqual(["engine"], engine)
        self.assertEqual("valgrind", server[0])
        self.assertEqual([sys.executable, "-m", "server"], server[-3:])
