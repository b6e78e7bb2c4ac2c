"""Reloads, those that succeed and those that fail, with real processes and signals."""

import os
import resource
import signal
import unittest

from benchmarks.harness.commands import (
    FAILS,
    HOLDS,
    STARTS_WHEN_TOLD,
    TALKS,
    UNWILLING,
    CommandServer,
    Load,
)
from benchmarks.harness.server import eventually
from benchmarks.procfs import is_running


class ReloadTest(unittest.TestCase):
    def check(self, workers):
        with CommandServer(workers=workers) as server:
            with Load(server) as load:
                eventually(lambda: load.answers["one"] > 50, True)
                server.write("two")
                server.signal(signal.SIGHUP)
                eventually(lambda: load.answers["two"] > 200, True)
            self.assertEqual(load.failures, [])
            eventually(lambda: len(server.children()), workers)
            self.assertEqual({server.get()[0] for _ in range(8)}, {"two"})
            # And again: the supervisor is there by now.
            server.write("three")
            server.signal(signal.SIGHUP)
            eventually(lambda: server.get()[0], "three")
            self.assertEqual(server.stop(), 0)

    def test_a_single_process_under_load(self):
        self.check(1)

    def test_workers_under_load(self):
        self.check(2)

    def test_code_that_does_not_import_changes_nothing(self):
        for workers in (1, 2):
            with self.subTest(workers=workers), CommandServer(workers=workers) as server:
                (server.folder / "app.py").write_text("raise ValueError('not yet')")
                server.signal(signal.SIGHUP)
                server.logged("did not start")
                self.assertEqual(server.get()[0], "one")
                self.assertEqual(server.stop(), 0)

    def test_a_stop_does_not_wait_for_one_that_does_not_come_to_its_end(self):
        for workers in (1, 2):
            with self.subTest(workers=workers), CommandServer(workers=workers) as server:
                server.write("two", STARTS_WHEN_TOLD)
                with server.connect() as held:
                    held.send(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
                    server.get()
                    server.signal(signal.SIGHUP)
                    server.logged("starting")
                    pids = server.children()
                    server.signal(signal.SIGTERM)
                    self.assertEqual(held.response().status, 200)
                self.assertEqual(server.ended(), 0)
                self.assertEqual([pid for pid in pids if is_running(pid)], [])
                self.assertNotIn("did not start", server.log)

    def test_one_that_took_a_place_meanwhile_is_replaced_too(self):
        with CommandServer(workers=2) as server:
            (before, _) = server.children()
            server.write("two", STARTS_WHEN_TOLD)
            server.signal(signal.SIGHUP)
            server.logged("starting")
            os.kill(before, signal.SIGKILL)
            server.logged("starting", 2)
            (server.folder / "go").touch()
            eventually(lambda: len(server.children()), 2)
            self.assertEqual({server.get()[0] for _ in range(8)}, {"two"})
            self.assertEqual(server.stop(), 0)

    def test_a_process_that_cannot_be_run_changes_nothing(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                server = CommandServer(workers=workers)
                python = server.own_python()
                with server:
                    python.rename(python.with_name("away"))
                    server.write("two")
                    server.signal(signal.SIGHUP)
                    server.logged(f"did not start: {python}: No such file")
                    self.assertEqual(server.get()[0], "one")
                    python.with_name("away").rename(python)
                    server.signal(signal.SIGHUP)
                    eventually(lambda server=server: server.get()[0], "two")
                    self.assertEqual(server.stop(), 0)

    def test_a_lack_of_file_descriptors_changes_nothing(self):
        for workers, proactor in ((1, "uvloop"), (1, "asyncio"), (2, "any")):
            with (
                self.subTest(workers=workers, proactor=proactor),
                CommandServer(workers=workers, proactor=proactor) as server,
            ):
                pid = server.process.pid
                limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
                server.signal(signal.SIGHUP)
                server.logged("Too many open files")
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
                self.assertEqual(server.get()[0], "one")
                server.write("two")
                server.signal(signal.SIGHUP)
                eventually(lambda server=server: server.get()[0], "two")
                self.assertEqual(server.stop(), 0)

    def test_one_that_hangs_is_ended_and_what_was_asked_meanwhile_follows(self):
        for workers in (1, 2):
            with (
                self.subTest(workers=workers),
                CommandServer(workers=workers, reload_timeout=3) as server,
            ):
                before = server.children()
                server.write("two", STARTS_WHEN_TOLD)
                server.signal(signal.SIGHUP)
                server.logged("starting")
                server.signal(signal.SIGHUP)
                server.logged("did not serve within reload_timeout = 3 seconds")
                self.assertEqual(server.get()[0], "one")
                server.logged("starting", 2)
                self.assertTrue(all(map(is_running, before)))
                self.assertEqual(server.stop(), 0)

    def test_one_that_is_asked_for_during_the_start_follows_it(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                server = CommandServer(workers=workers)
                server.write("one", STARTS_WHEN_TOLD)
                server.start()
                server.logged("starting")
                server.signal(signal.SIGHUP)
                server.write("two")
                (server.folder / "go").touch()
                server.address = server.wait_until_up()
                eventually(lambda server=server: server.get()[0], "two")
                self.assertEqual(server.stop(), 0)
                server.__exit__()

    def test_applications_hand_over_before_the_new_ones_start(self):
        with CommandServer() as server:
            server.stop()
            (server.folder / "log").unlink()
            server.write("one", TALKS)
            server.start()
            server.wait_until_up()
            for version, before in (("two", "one"), ("three", "two")):
                server.write(version, TALKS)
                server.signal(signal.SIGHUP)
                server.logged(f"stopping {before}")
            self.assertEqual(server.stop(), 0)
            said = [line.split()[:2] for line in server.log.splitlines() if line[0] in "sht"]
            self.assertEqual(
                [each for each in said if each[0] in ("start", "hand_over", "stopping")],
                [
                    ["start", "one"], ["hand_over", "one"], ["start", "two"], ["stopping", "one"],
                    ["hand_over", "two"], ["start", "three"], ["stopping", "two"],
                    ["stopping", "three"],
                ],
            )  # fmt: skip
            # What others may still ask for something goes last.
            self.assertEqual([each for each in said if each[0] == "stop"][-1], ["stop", "three"])

    def test_applications_take_back_what_a_process_that_does_not_serve_left(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                server = CommandServer(workers=workers)
                server.write("one", TALKS)
                with server:
                    for count in (1, 2):
                        server.write("two", TALKS + FAILS)
                        server.signal(signal.SIGHUP)
                        server.logged("take_back one", count * workers)
                        self.assertEqual(server.log.count("hand_over one"), count * workers)
                    self.assertIn("it ended with status", server.log)
                    self.assertEqual(server.get()[0], "one")
                    self.assertEqual(server.stop(), 0)

    def test_one_that_cannot_take_back_keeps_no_other_from_it_and_serves_on(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                server = CommandServer(workers=workers)
                server.write("one", UNWILLING.format(hook="take_back") + TALKS)
                with server:
                    server.write("two", TALKS + FAILS)
                    server.signal(signal.SIGHUP)
                    server.logged("the reload is given up")
                    server.logged("take_back one", workers)
                    said = "could not take back what it had handed over: ValueError: unwilling"
                    self.assertEqual(server.log.count(said), workers)
                    self.assertEqual(server.get()[0], "one")
                    self.assertEqual(server.stop(), 0)

    def test_one_that_does_not_hand_over_serves_on(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                server = CommandServer(workers=workers)
                server.write("one", UNWILLING.format(hook="hand_over") + TALKS)
                with server:
                    server.write("two", TALKS)
                    server.signal(signal.SIGHUP)
                    server.logged("take_back one", workers)
                    said = "one process can have was not handed over: ValueError: unwilling"
                    server.logged(said)
                    self.assertEqual(server.get()[0], "one")
                    self.assertEqual(server.stop(), 0)

    def test_a_stop_does_not_wait_for_idle_connections_of_processes_before(self):
        patient = "from cogen.web.processes import process\nprocess.RETIRE_GRACE = 3600\n"
        server = CommandServer(shutdown_timeout=3600)
        server.write("one", patient)
        with server, server.connect() as first:
            first.get()
            server.write("two", patient)
            server.signal(signal.SIGHUP)
            eventually(lambda: server.get()[0], "two")
            with server.connect() as second:
                second.get()
                server.write("three", patient)
                server.signal(signal.SIGHUP)
                eventually(lambda: server.get()[0], "three")
                self.assertEqual(server.stop(), 0)
                self.assertEqual((first.rest(), second.rest()), (b"", b""))

    def test_a_request_that_is_stuck_in_a_thread_keeps_no_new_process_from_serving(self):
        server = CommandServer(shutdown_timeout=1)
        server.write("one", HOLDS)
        with server, server.connect() as stuck:
            stuck.send(b"GET /holds HTTP/1.1\r\nHost: a\r\n\r\n")
            server.logged("held")
            server.write("two")
            server.signal(signal.SIGHUP)
            eventually(lambda: server.get()[0], "two")
            # The one before lets go of it when its time is up.
            self.assertEqual(stuck.rest(), b"")
            self.assertEqual(server.stop(), 0)

    def test_a_worker_that_is_stuck_keeps_no_new_one_from_starting(self):
        impatient = "from cogen.web.processes import supervisor"
        server = CommandServer(
            before=f"{impatient}; supervisor._HAND_OVER_SECONDS = 0.2",
            workers=2,
            threads=0,
            shutdown_timeout=1,
        )
        server.write("one", HOLDS)
        with server, server.connect() as stuck:
            pids = server.children()
            stuck.send(b"GET /holds HTTP/1.1\r\nHost: a\r\n\r\n")
            server.logged("held")
            server.write("two")
            server.signal(signal.SIGHUP)
            server.logged("does not answer")
            eventually(lambda: {server.get()[0] for _ in range(4)}, {"two"})
            # It would never end by itself.
            eventually(lambda: [pid for pid in pids if is_running(pid)], [])
            self.assertEqual(server.stop(), 0)
