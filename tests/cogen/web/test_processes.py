"""Stop, reload and workers, with real processes and signals."""

from __future__ import annotations

import os
import signal
import threading
import unittest
from collections import Counter

from tests.cogen.web.processes import CommandServer
from tests.cogen.web.support import eventually


class Load:
    """A context manager: clients that ask all the time, on new connections and on kept ones.

    `failures` are requests refused or broken. A kept connection is left when the server says so.
    """

    def __init__(self, server: CommandServer, clients: int = 6, rate: float = 500.0) -> None:
        self.server = server
        self.pause = clients / rate
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self.over = threading.Event()
        self.threads = [
            threading.Thread(target=self.ask, args=(number % 2 == 0,)) for number in range(clients)
        ]

    def __enter__(self) -> Load:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def ask(self, keep: bool) -> None:
        while not self.over.is_set():
            try:
                with self.server.connect() as client:
                    closes = False
                    while not closes and not self.over.wait(self.pause):
                        response = client.get()
                        closes = not keep or response.headers.get("connection") == "close"
                        self.answers[response.body.decode().split()[0]] += 1
            except (OSError, AssertionError) as error:
                self.failures.append(repr(error))


STARTS_WHEN_TOLD = """
import asyncio, pathlib
from cogen.web.life import Life, register

async def start(environ):
    print('starting', flush=True)
    while not pathlib.Path('go').exists():
        await asyncio.sleep(0.01)

register(application, Life(start=start))
"""


class StopTest(unittest.TestCase):
    def test_held_requests_are_answered_first(self) -> None:
        with CommandServer() as server, server.connect() as held, server.connect() as idle:
            idle.get()
            held.send(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
            server.get()
            server.signal(signal.SIGTERM)
            response = held.response()
            self.assertEqual((response.status, response.headers["connection"]), (200, "close"))
            self.assertEqual(idle.rest(), b"")
            self.assertEqual(server.ended(), 0)

    def test_what_does_not_end_is_cut_at_the_deadline(self) -> None:
        with CommandServer(shutdown_timeout=0.2) as server, server.connect() as slow:
            slow.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
            server.get()
            self.assertEqual(server.stop(), 0)
            self.assertIn("1 connections were cut", server.log)

    def test_interrupt_stops_too(self) -> None:
        with CommandServer() as server:
            server.signal(signal.SIGINT)
            self.assertEqual(server.ended(), 0)


class ReloadTest(unittest.TestCase):
    def check(self, workers: int) -> None:
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

    def test_a_single_process_under_load(self) -> None:
        self.check(1)

    def test_workers_under_load(self) -> None:
        self.check(2)

    def test_code_that_does_not_import_changes_nothing(self) -> None:
        for workers in (1, 2):
            with self.subTest(workers=workers), CommandServer(workers=workers) as server:
                (server.folder / "app.py").write_text("raise ValueError('not yet')")
                server.signal(signal.SIGHUP)
                server.logged("did not start")
                self.assertEqual(server.get()[0], "one")
                self.assertEqual(server.stop(), 0)

    def test_a_stop_does_not_wait_for_one_that_does_not_come_to_its_end(self) -> None:
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
                self.assertEqual([pid for pid in pids if _alive(pid)], [])
                self.assertNotIn("did not start", server.log)

    def test_one_that_took_a_place_meanwhile_is_replaced_too(self) -> None:
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


class WorkersTest(unittest.TestCase):
    def test_one_that_is_killed_is_replaced_and_loses_only_its_own(self) -> None:
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

    def test_one_that_is_killed_under_load_breaks_no_request_but_its_own(self) -> None:
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

    def test_they_end_with_their_supervisor(self) -> None:
        with CommandServer(workers=2) as server:
            pids = server.children()
            server.process.kill()
            for pid in pids:
                eventually(lambda pid=pid: _alive(pid), False)

    def test_ones_that_have_not_started_end_with_it_too(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number), CommandServer(workers=2) as server:
                server.write("two", STARTS_WHEN_TOLD)
                server.stop()
                server.start()
                server.logged("starting")
                (pid,) = server.children()
                server.process.send_signal(number)
                eventually(lambda pid=pid: _alive(pid), False)
                self.assertNotEqual(server.process.wait(20), 0)

    def test_code_that_does_not_import_ends_the_start(self) -> None:
        with self.assertRaisesRegex(AssertionError, "there is no module 'nothing'"):
            CommandServer("nothing:application", workers=2).__enter__()

    def test_one_that_does_not_start_has_the_time_to_say_why(self) -> None:
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


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().split()[2] != "Z"
    except FileNotFoundError:
        return False
