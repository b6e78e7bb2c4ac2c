"""The benchmark of ordinary work on our own servers: few requests, nothing about speed."""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from benchmarks import procfs
from benchmarks.keep import DOCS, between
from benchmarks.ordinary.beside import beside
from benchmarks.ordinary.criteria import judge
from benchmarks.ordinary.held import HELD, held
from benchmarks.ordinary.load import asked
from benchmarks.ordinary.peers import PEERS, THREADED, cogen
from benchmarks.ordinary.report import markdown
from benchmarks.ordinary.turns import in_turns
from benchmarks.ordinary.works import WORKS, check, file_to_send
from benchmarks.servers import ROOT, Server, cores
from benchmarks.targets import Target

WHERE, _ = cores()
OURS = [peer for peer in PEERS if peer.ours]
DEMO = Target("demo", "another", cogen(application="wsgiref.simple_server:demo_app"))


def few(port, work, ready):
    return asked(port, work, 4, ready=ready)


def turns_of(targets, works):
    with contextlib.ExitStack() as stack:
        stack.enter_context(file_to_send())
        servers = [stack.enter_context(Server(target, WHERE)) for target in targets]
        return list(in_turns(servers, works, 2, lambda text: None, few))


class TurnTests(unittest.TestCase):
    def test_ours_do_every_kind_of_work_in_both_modes(self):
        works = [dataclasses.replace(work, connections=2) for work in WORKS]
        turns = turns_of(OURS, works)
        self.assertEqual([], [turn for turn in turns if turn.error or turn.failed])
        self.assertEqual(2 * len(OURS) * len(WORKS), len(turns))
        for turn in turns:
            self.assertGreater(turn.cpu_us, 0)
            self.assertGreater(turn.rate, 0)

    def test_peers_that_are_installed_do_it_too(self):
        for peer in PEERS:
            if peer.ours or peer.missing():
                continue
            with self.subTest(peer.name), file_to_send(), Server(peer, WHERE) as server:
                for work in WORKS:
                    check(server.port, work)

    def test_a_server_that_answers_something_else_has_one_turn_with_its_error(self):
        (turn,) = turns_of([DEMO], WORKS[:1])
        self.assertIn("hello world: answered 200 ", turn.error)

    def test_each_client_asks_until_the_time_is_over(self):
        with Server(OURS[0], WHERE) as server:
            for name in ("hello", "new"):
                (work,) = (work for work in WORKS if work.name == name)
                done = asked(server.port, work, seconds=0.2)
                self.assertGreater(done.answered, 0)
                self.assertEqual(0, done.failed)


class PartTests(unittest.TestCase):
    def test_a_fast_view_is_measured_at_rest_and_beside_views_that_block(self):
        with Server(OURS[0], WHERE) as server:
            measured = beside(server, 1, seconds=1)
        self.assertGreater(measured.idle_ms, 0)
        self.assertGreater(measured.busy_ms, 0)

    def test_requests_are_held_in_both_modes_and_ways(self):
        for target, wait, _ in HELD:
            measured = held(target, wait, 40, WHERE)
            self.assertEqual(
                (target.name, wait, 40), (measured.mode, measured.wait, measured.count)
            )

    def test_the_time_of_threads_that_have_ended_counts(self):
        before = procfs.cpu_nanoseconds([os.getpid()])
        thread = threading.Thread(target=self.work)
        thread.start()
        thread.join()
        self.assertGreaterEqual(procfs.cpu_nanoseconds([os.getpid()]) - before, 50_000_000)

    def work(self):
        while time.thread_time() < 0.05:
            pass


class CommandTests(unittest.TestCase):
    def run_it(self, *arguments, **environment):
        command = [sys.executable, "-m", "benchmarks.ordinary", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip

    def test_it_measures_and_writes(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.run_it(
                "--targets", "cogen,cogen-loop", "--works", "hello", "--parts", "turns",
                "--rounds", "1", "--out", folder,
            )  # fmt: skip
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            report = json.loads(Path(folder, "ordinary.json").read_text())
            self.run_it("--targets", "cogen", "--parts", "counted", "--out", folder, PATH="")
            table = Path(folder, "ordinary-table.md").read_text()
        targets = sorted(turn["target"] for turn in report["turns"])
        self.assertEqual(["cogen", "cogen-loop"], targets)
        self.assertIn("| cogen-serve --threads 0 |", table, "an earlier part stays")
        self.assertIn("instructions: valgrind not found", table)
        self.assertIn("CPU per hello world, default options : on the loop", done.stdout)

    def test_a_server_that_is_not_there_is_named(self):
        done = self.run_it("--targets", "apache")
        self.assertEqual(1, done.returncode)
        self.assertIn("there is no apache; there are: cogen, cogen-loop,", done.stderr)

    def test_without_valgrind_it_says_that_instructions_are_left_out(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.run_it("--parts", "counted", "--out", folder, PATH="")
            table = Path(folder, "ordinary-table.md").read_text()
        self.assertEqual(1, done.returncode)
        self.assertIn("instructions: valgrind not found", table)


def report(cpu=(), beside=(), held=(), counted=(), left_out=()):
    """Of a run; `cpu`: (target, work, µs)."""
    return {
        "machine": {
            "date": "2026-11-27", "cores": 2, "one_core_for_both": False, "system": "Linux 6.18",
            "python": "3.11.7", "versions": {"granian": "2.8.9"},
        },
        "generator": "wrk", "rounds": 5, "load": (0.1, 1.2), "left_out": list(left_out),
        "turns": [
            {"target": target, "work": work, "cpu_us": us, "rate": 1e6 / us, "failed": 0}
            for target, work, us in cpu
        ],
        "beside": list(beside), "held": list(held), "counted": list(counted),
    }  # fmt: skip


class FigureTests(unittest.TestCase):
    def values(self, **parts):
        return [verdict.value for verdict in judge(report(**parts))]

    def test_cpu_is_judged_by_the_best_of_the_peers_in_the_same_run(self):
        cpu = [
            ("cogen", "hello", 60.0), ("cogen-loop", "hello", 40.0), ("waitress", "hello", 240.0),
            ("gthread", "hello", 600.0), ("granian", "hello", 50.0), ("cogen", "upload", 5000.0),
            ("gthread", "upload", 10_000.0),
        ]  # fmt: skip
        self.assertEqual([0.25, 0.8, 1.5, 0.5, None, None, None], self.values(cpu=cpu))

    def test_the_others_are_a_difference_and_a_ratio(self):
        values = self.values(
            beside=[{"target": "cogen", "idle_ms": 1.0, "busy_ms": 3.5}],
            held=[
                {"mode": "loop", "wait": "yielded", "count": 10, "kib": 5.0},
                {"mode": "threads", "wait": "yielded", "count": 10, "kib": 6.0},
                {"mode": "threads", "wait": "waited", "count": 10, "kib": 60.0},
            ],
        )
        self.assertEqual([2.5, 1.2], values[-2:])

    def test_a_machine_that_is_slow_at_rest_shows_nothing_of_views_that_block(self):
        values = self.values(beside=[{"target": "cogen", "idle_ms": 130.0, "busy_ms": 20.0}])
        self.assertIsNone(values[-2])

    def test_the_table_has_medians_and_what_they_are_of_ours(self):
        cpu = [("cogen", "hello", us) for us in (90.0, 50.0, 10.0)] + [("bjoern", "hello", 20.0)]
        counted = [
            {"target": "cogen", "work": "hello", "instructions": 80_000.0, "error": ""},
            {"target": "granian", "work": "hello", "instructions": None, "error": "it ended"},
        ]
        text = markdown(report(cpu=cpu, counted=counted, left_out=["hypercorn: not found"]))
        self.assertIn("| cogen-serve | 50.0 (1.00) |", text)
        self.assertIn("| bjoern | 20.0 (0.40) |", text)
        self.assertIn("| cogen-serve | 80.0 (1.00) |", text)
        self.assertNotIn("| granian |", text)
        self.assertIn("Left out: hypercorn: not found.", text)

    def test_the_page_has_a_place_for_the_tables(self):
        page = (DOCS / "performance.md").read_text()
        self.assertIn("\n| new |\n", between(page, "ordinary", "| new |\n"))

    def test_those_that_are_named_are_there(self):
        self.assertLessEqual(set(THREADED), {peer.name for peer in PEERS})
