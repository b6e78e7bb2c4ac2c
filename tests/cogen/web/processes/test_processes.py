"""Stop and workers, with real processes and signals."""

import ast
import contextlib
import os
import signal
import unittest

from benchmarks.harness.commands import FAILS, STARTS_WHEN_TOLD, TALKS, CommandServer, Load
from benchmarks.harness.server import eventually
from benchmarks.procfs import is_running


class StopTest(unittest.TestCase):
    def test_held_requests_are_answered_first(self):
        with CommandServer() as server, server.connect() as held, server.connect() as idle:
            idle.get()
            held.send(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
            server.get()
            server.signal(signal.SIGTERM)
            response = held.response()
            self.assertEqual((response.status, response.headers["connection"]), (200, "close"))
            self.assertEqual(idle.rest(), b"")
            self.assertEqual(server.ended(), 0)

    def test_nobody_is_let_in_any_more_while_the_last_are_answered(self):
        def connects(server):
            try:
                server.connect().close()
            except ConnectionRefusedError:
                return False
            return True

        for workers in (1, 2):
            with self.subTest(workers=workers), CommandServer(workers=workers) as server:
                with server.connect() as slow:
                    slow.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
                    server.get()
                    server.signal(signal.SIGTERM)
                    eventually(lambda server=server: connects(server), False)
                    slow.send(b"12345")
                    self.assertEqual(slow.response().status, 200)
                self.assertEqual(server.ended(), 0)

    def test_what_does_not_end_is_cut_at_the_deadline(self):
        with CommandServer(shutdown_timeout=0.2) as server, server.connect() as slow:
            slow.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
            server.get()
            self.assertEqual(server.stop(), 0)
            self.assertIn("1 connections were cut", server.log)

    def test_the_first_process_of_a_container_ends_by_signals_before_it_serves(self):
        loading = "print('loading', flush=True)\nimport time; time.sleep(60)"
        for number, code, said in (
            (signal.SIGTERM, loading, "loading"),
            (signal.SIGINT, loading, "loading"),
            (signal.SIGTERM, STARTS_WHEN_TOLD, "starting"),
        ):
            with self.subTest(number, said=said):
                server = CommandServer(before="import os; os.getpid = lambda: 1")
                server.write("one", code)
                server.start()
                server.logged(said)
                server.signal(number)
                self.assertEqual(server.ended(), 128 + number)
                self.assertNotIn("Traceback", server.log)
                server.__exit__()

    def test_interrupt_stops_too(self):
        with CommandServer() as server:
            server.signal(signal.SIGINT)
            self.assertEqual(server.ended(), 0)

    def test_the_last_line_is_that_it_has_stopped(self):
        for workers in (1, 2):
            with self.subTest(workers=workers), CommandServer(workers=workers) as server:
                with server.connect() as held:
                    held.send(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
                    server.get()
                    self.assertEqual(server.stop(), 0)
                self.assertIn("stopping; being answered: 1 request\n", server.log)
                self.assertTrue(server.log.endswith("cogen.web.serving: stopped\n"), server.log)
                self.assertEqual(1, server.log.count("stopped"), server.log)


class WorkersTest(unittest.TestCase):
    def test_one_that_is_killed_is_replaced_and_loses_only_its_own(self):
        with CommandServer(workers=2) as server:
            pids = server.children()
            self.assertEqual(len(pids), 2)
            with server.connect() as held:
                holder = int(held.get().body.split()[1])
                held.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
                (other,) = set(pids) - {holder}
                os.kill(other, signal.SIGKILL)
                self.assertEqual(held.response().status, 200)
            server.logged("took its place")
            eventually(lambda: len(server.children()), 2)
            self.assertNotIn(other, server.children())
            seen = {server.get()[1] for _ in range(5)}
            self.assertTrue(seen <= set(server.children()), seen)
            self.assertEqual(server.stop(), 0)

    def test_one_that_is_killed_under_load_breaks_no_request_but_its_own(self):
        clients = 6
        with CommandServer(workers=2) as server:
            with Load(server, clients) as load:
                eventually(lambda: load.answers["one"] > 100, True)
                os.kill(server.children()[0], signal.SIGKILL)
                server.logged("took its place")
                before = load.answers["one"]
                eventually(lambda: load.answers["one"] > before + 300, True)
            # A client is on one connection at a time: no more can have been the worker's.
            self.assertLessEqual(len(load.failures), clients)
            self.assertNotIn("ConnectionRefusedError", "".join(load.failures))
            self.assertEqual(server.stop(), 0)

    def test_one_that_cannot_be_replaced_is_tried_again_until_it_can(self):
        server = CommandServer(workers=2)
        python = server.own_python()
        with server:
            python.rename(python.with_name("away"))
            pids = server.children()
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            server.logged("nothing takes the place of worker", 3)
            self.assertIn("another try follows in", server.log)
            python.with_name("away").rename(python)
            server.logged("took its place", 2)
            eventually(lambda: len(server.children()), 2)
            self.assertEqual(server.get()[0], "one")
            self.assertEqual(server.stop(), 0)

    def test_one_that_hangs_while_it_takes_a_place_is_ended_and_tried_again(self):
        with CommandServer(workers=2, reload_timeout=3) as server:
            server.write("two", STARTS_WHEN_TOLD)
            os.kill(server.children()[0], signal.SIGKILL)
            server.logged("nothing takes the place of worker")
            server.logged("starting", 2)
            (server.folder / "go").touch()
            server.logged("took its place")
            self.assertEqual(server.stop(), 0)

    def test_a_reload_is_the_supervisors(self):
        with CommandServer(workers=2) as server:
            pids = server.children()
            for pid in pids:
                os.kill(pid, signal.SIGHUP)
            server.logged(f"asked of process {server.process.pid}, which supervises")
            for _ in range(4):
                self.assertEqual(server.get()[0], "one")
            self.assertEqual(server.children(), pids)
            self.assertEqual(server.stop(), 0)
            self.assertNotIn("ended with status", server.log)

    def test_they_ask_each_other(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                server = CommandServer(workers=workers)
                server.write("one", TALKS)
                with server:
                    for version in ("one", "two"):
                        server.write(version, TALKS)
                        if version != "one":
                            server.signal(signal.SIGHUP)
                            eventually(lambda server=server: server.get()[0], version)
                            eventually(lambda server=server: len(server.children()), workers)
                        pids = server.children() or [server.process.pid]
                        with server.connect() as client:
                            said = ast.literal_eval(client.get("/ask_all").body.decode())
                            self.assertEqual(list(said), list(range(1, workers + 1)))
                            self.assertCountEqual(
                                said.values(), [["you", version, pid] for pid in pids]
                            )
                            said = ast.literal_eval(client.get("/ask_current").body.decode())
                            self.assertEqual(said[:2], ["you", version])
                            self.assertIn(said[2], pids)
                    self.assertEqual(server.stop(), 0)

    def test_a_process_that_is_replaced_asks_the_one_that_serves_now(self):
        server = CommandServer()
        server.write("one", TALKS)
        with server, server.connect() as old, server.connect() as other:
            for client in (old, other):
                client.get()
            server.write("two", TALKS + STARTS_WHEN_TOLD)
            server.signal(signal.SIGHUP)
            server.logged("starting")
            # It has handed over: what is asked now waits for who comes to serve.
            old.send(b"GET /ask_current HTTP/1.1\r\nHost: a\r\n\r\n")
            server.get()
            (server.folder / "go").touch()
            said = ast.literal_eval(old.response().body.decode())
            self.assertEqual(said[:2], ["you", "two"])
            (pid,) = server.children()
            self.assertEqual(said[2], pid)
            # The second answers a request that came before.
            self.assertEqual(
                ast.literal_eval(other.get("/ask_all").body.decode()), {1: ["you", "two", pid]}
            )
            self.assertEqual(server.stop(), 0)

    def test_they_end_with_their_supervisor(self):
        with CommandServer(workers=2) as server:
            pids = server.children()
            server.process.kill()
            for pid in pids:
                eventually(lambda pid=pid: is_running(pid), False)

    def test_ones_that_have_not_started_end_with_it_too(self):
        with CommandServer(workers=2) as server:
            (pid,) = self.starting(server)
            server.process.kill()
            eventually(lambda: is_running(pid), False)

    def test_a_stop_while_they_start_returns_when_they_have_ended(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), CommandServer(workers=2) as server:
                pids = self.starting(server)
                server.signal(number)
                self.assertEqual(server.ended(), 0)
                self.assertFalse([pid for pid in pids if is_running(pid)])
                self.assertEqual(1, server.log.count("serving on"), server.log)  # the time before
                self.assertNotIn("Traceback", server.log)

    def starting(self, server):
        """Start it anew, with an application that does not come to serve: its first worker."""
        server.write("two", STARTS_WHEN_TOLD)
        server.stop()
        server.start()
        server.logged("starting")
        return server.children()

    def test_code_that_does_not_import_ends_the_start(self):
        with self.assertRaisesRegex(AssertionError, "there is no module 'nothing'"):
            CommandServer("nothing:application", workers=2).__enter__()

    def test_an_option_that_only_shows_to_be_bad_when_it_is_used_is_one_line(self):
        for option, value in (("certificate", "/nowhere"), ("allowed_hosts", "http://a.example")):
            with self.subTest(option):
                server = CommandServer(workers=2, **{option: value})
                server.start()
                self.assertEqual(2, server.ended())
                self.assertRegex(server.log, rf"\Acogen-serve: {option}[^\n]*\n\Z")
                server.__exit__()

    def test_what_the_application_raises_is_told_with_its_own_frames(self):
        server = CommandServer()
        (server.folder / "app.py").write_text("def make():\n    return {}['x']\nmake()\n")
        with self.assertRaises(AssertionError) as caught:
            server.__enter__()
        said = str(caught.exception)
        self.assertIn('app.py", line 2, in make', said)
        self.assertIn("KeyError: 'x'\ncogen-serve: app:application: it raised KeyError", said)
        self.assertEqual(2, said.count("  File "), said)

    def test_what_a_start_lacks_is_not_taken_for_the_address(self):
        server = CommandServer()
        fails = FAILS.replace("raise SystemExit(", "os.stat(")
        server.write("one", f"from cogen.web.life import Life, register\n{fails}")
        server.start()
        self.assertEqual(1, server.ended())
        self.assertIn("FileNotFoundError: [Errno 2] No such file", server.log)
        self.assertNotIn("cannot listen", server.log)
        server.__exit__()

    def test_one_that_does_not_start_has_the_time_to_say_why(self):
        server = CommandServer(workers=2)
        (server.folder / "app.py").write_text(
            "import atexit, sys, time\n"
            "def last_words():\n"
            "    time.sleep(0.3)\n"
            "    sys.stderr.write('the disk is full')\n"
            "atexit.register(last_words)\n"
            "raise SystemExit(1)\n"
        )
        with self.assertRaisesRegex(
            AssertionError, r"the disk is full[\s\S]*did not start"
        ) as caught:
            server.__enter__()
        self.assertNotIn("ResourceWarning", str(caught.exception))


class LogFileTest(unittest.TestCase):
    def test_files_that_were_moved_away_are_let_go_of_by_all_processes(self):
        for workers in (1, 2):
            server = CommandServer(workers=workers, log_file="log", access_log_file="access")
            with self.subTest(workers=workers), server:
                access = server.folder / "access"
                server.get("/before")
                eventually(lambda access=access: access.read_text().count("/before"), 1)
                for name in ("log", "access"):
                    (server.folder / name).rename(server.folder / f"{name}.1")
                server.signal(signal.SIGUSR1)
                pids = [server.process.pid, *server.children()]
                for pid in pids:
                    eventually(lambda pid=pid: _moved_files(pid), [])
                server.get("/after")
                eventually(lambda access=access: "/after" in access.read_text(), True)
                lines = access.with_name("access.1").read_text() + access.read_text()
                self.assertEqual(1, lines.count("/before"))
                if workers > 1:
                    _, *children = map(str, pids)
                    self.assertRegex(lines, rf'"-" "-" \d\.\d{{6}} ({"|".join(children)})\n')
                    log = (server.folder / "log.1").read_text()
                    self.assertRegex(log, rf" INFO +{pids[0]} cogen\.web\.connections\.listen: ")
                self.assertEqual(0, server.stop())

    def test_one_that_cannot_be_written_ends_the_start_with_one_line(self):
        with self.assertRaisesRegex(
            AssertionError, "cogen-serve: the log cannot be written to .*/no/log: No such file"
        ):
            CommandServer(log_file="no/log").__enter__()


def _moved_files(pid):
    """Those that the process has open under the names to which they were moved."""
    folder, found = f"/proc/{pid}/fd", []
    for fd in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
            found.append((int(fd), os.readlink(f"{folder}/{fd}")))
    # Standard output and error stay where the shell has them.
    return [path for fd, path in found if path.endswith(".1") and fd > 2]
