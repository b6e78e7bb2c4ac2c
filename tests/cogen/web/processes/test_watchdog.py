"""A stop comes to its end in time, whatever the application does; with real processes."""

import fcntl
import os
import signal
import subprocess
import termios
import time
import unittest
from contextlib import ExitStack
from pathlib import Path

from benchmarks.harness.commands import CommandServer
from benchmarks.harness.server import eventually

BLOCKS = r"""
import asyncio, re, sqlite3, threading, time

ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"

answer = application

def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/sleep':
        print('blocked', flush=True)
        time.sleep(60)
    if path == '/moment':
        print('blocked', flush=True)
        time.sleep(1)
    if path == '/sqlite':
        print('blocked', flush=True)
        sqlite3.connect(':memory:').execute(ENDLESS).fetchall()
    if path == '/regex':
        print('blocked', flush=True)
        re.match('(a+)+$', 'a' * 60 + 'b')
    if path == '/executor':
        asyncio.get_running_loop().run_in_executor(None, time.sleep, 60)
        print('blocked', flush=True)
    if path == '/thread':
        threading.Thread(target=time.sleep, args=(60,)).start()
        print('blocked', flush=True)
    return answer(environ, start_response)
"""
TIMEOUT = 0.2
# Seconds above it that a process may take, and what a busy machine takes.
MARGIN = 1.0
BUSY = 5.0


def blocking(**options):
    server = CommandServer(**{"threads": 0, "shutdown_timeout": TIMEOUT, **options})
    server.write("one", BLOCKS)
    return server


def block(server, path):
    client = server.connect()
    client.send(b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % path.encode())
    server.logged("blocked")
    return client


class BlockedTests(unittest.TestCase):
    def each(self, paths, stop):
        """What the log of a server that is stopped while `path` blocks it says; all at once."""
        with ExitStack() as stack:
            servers = {}
            for path in paths:
                server = servers[path] = blocking(proactor=path.rpartition(" ")[0] or "any")
                server.start()
                stack.push(server)
            for path, server in servers.items():
                server.address = server.wait_until_up()
                stack.enter_context(block(server, path.rpartition(" ")[2]))
            for server in servers.values():
                stop(server)
            began = time.monotonic()
            self.status = {path: server.ended() for path, server in servers.items()}
            self.assertLess(time.monotonic() - began, TIMEOUT + MARGIN + BUSY)
            return {path: server.log for path, server in servers.items()}

    def test_a_stop_ends_in_time_and_says_what_was_left(self):
        paths = ("sleep", "asyncio sleep", "sqlite", "regex", "executor", "thread")
        logs = self.each(paths, lambda server: server.signal(signal.SIGTERM))
        self.assertEqual(dict.fromkeys(paths, 1), self.status)
        line = "did not stop within 0.95 s and ends at once; left:"
        for path, text in (
            ("sleep", r"MainThread at .*/app\.py:\d+ in application"),
            ("asyncio sleep", r"MainThread at .*/app\.py:\d+ in application"),
            ("sqlite", r"MainThread at .*/app\.py:\d+ in application"),
            ("executor", "_0$"),
            ("thread", r"Thread-1 \(sleep\)$"),
        ):
            with self.subTest(path):
                self.assertRegex(logs[path].strip(), f"{line} .*{text}")
                self.assertNotIn("Traceback", logs[path])
        # Code in C that keeps the interpreter's lock: nothing can write a line of its own.
        self.assertIn("app.py", logs["regex"][logs["regex"].index("Timeout") :])

    def test_a_second_interrupt_ends_it_at_once(self):
        def interrupt(server):
            server.signal(signal.SIGINT)
            server.signal(signal.SIGINT)

        paths = ("sleep", "sqlite", "executor")
        logs = self.each(paths, interrupt)
        self.assertEqual(dict.fromkeys(paths, 130), self.status)
        for path in paths:
            self.assertIn("was interrupted twice and ends at once; left:", logs[path])

    def test_a_thread_that_does_not_return_is_left(self):
        with blocking(threads="auto") as server, block(server, "sleep"):
            began = time.monotonic()
            self.assertEqual(0, server.stop())
            self.assertLess(time.monotonic() - began, TIMEOUT + MARGIN + BUSY)
            self.assertRegex(
                server.log, r"1 threads .* are left: cogen-\d at .*/app\.py:\d+ in app"
            )

    def test_a_system_without_a_thread_to_spare_keeps_no_signal_from_being_heard(self):
        without = (
            "import faulthandler\n"
            "def dump_traceback_later(*args, **options):\n"
            "    raise RuntimeError('unable to start watchdog thread')\n"
            "faulthandler.dump_traceback_later = dump_traceback_later\n"
        )
        for path, status in ((None, 0), ("sleep", 1)):
            with self.subTest(path=path), blocking(before=without) as server, ExitStack() as stack:
                if path is not None:
                    stack.enter_context(block(server, path))
                self.assertEqual(server.stop(), status)
                self.assertNotIn("Traceback", server.log)

    def test_the_deadline_counts_from_the_signal_on(self):
        with blocking(shutdown_timeout=1.2) as server, server.connect() as slow:
            slow.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
            server.get()
            with block(server, "moment"):
                self.assertEqual(0, server.stop())
            self.assertIn("1 connections were cut", server.log)

    def test_workers_end_in_time_with_their_supervisor(self):
        for numbers, status in (((signal.SIGTERM,), 0), ((signal.SIGINT, signal.SIGINT), 130)):
            with self.subTest(numbers), blocking(workers=2) as server, block(server, "sleep"):
                pids = server.children()
                began = time.monotonic()
                for number in numbers:
                    server.signal(number)
                self.assertEqual(status, server.ended())
                self.assertLess(time.monotonic() - began, TIMEOUT + MARGIN + BUSY)
                for pid in pids:
                    eventually(lambda pid=pid: Path(f"/proc/{pid}").exists(), False)


class InterruptTests(unittest.TestCase):
    def test_one_that_is_repeated_every_while_is_a_stop_like_any(self):
        """`paster serve --stop-daemon` does so."""
        with CommandServer() as server, server.connect() as held, server.connect() as slow:
            held.send(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
            slow.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
            server.get()
            for _ in range(3):
                server.signal(signal.SIGINT)
                time.sleep(1.0)
            self.assertEqual(200, held.response().status)
            slow.send(b"x")
            self.assertEqual(200, slow.response().status)
            self.assertEqual(0, server.ended())

    def test_a_second_one_from_the_terminal_ends_it_at_once(self):
        ours, theirs = os.openpty()
        self.addCleanup(os.close, ours)
        server = CommandServer()

        def on_terminal(*args, **options):
            def take():
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)

            return subprocess.Popen(
                *args, **options, stdin=theirs, start_new_session=True, preexec_fn=take
            )

        server.popen = on_terminal
        with server, server.connect() as slow:
            os.close(theirs)
            slow.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
            server.get()
            os.write(ours, b"\x03")
            server.logged("stopping")
            time.sleep(0.6)  # no slip of the finger
            self.assertIsNone(server.process.poll())
            os.write(ours, b"\x03")
            self.assertEqual(130, server.ended())
