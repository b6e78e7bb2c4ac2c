"""What systemd's watchdog hears (WatchdogSec=) of a loop that turns, and of one that does not."""

import signal
import socket
import tempfile
import unittest
from pathlib import Path

from benchmarks.harness.commands import HOLDS, CommandServer
from benchmarks.harness.server import PATIENCE, eventually

# Seconds of the manager.
SECONDS = 1.0


class BeatsTest(unittest.TestCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="beats-"))
        path = str(Path(folder) / "notify")
        self.manager = self.enterContext(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.manager.bind(path)
        self.manager.settimeout(PATIENCE)
        self.environment = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": str(int(SECONDS * 1e6))}

    def server(self, **options):
        server = CommandServer(environment=self.environment, **{"threads": 0, **options})
        server.write("one", HOLDS)
        return server

    def hold(self, server):
        client = server.connect()
        self.addCleanup(client.close)
        client.send(b"GET /holds HTTP/1.1\r\nHost: a\r\n\r\n")
        server.logged("held")

    def heard(self, count):
        return [self.manager.recv(100) for _ in range(count)]

    def test_a_loop_that_turns_tells(self):
        with self.server() as server:
            self.assertEqual(self.heard(4), [b"READY=1", *[b"WATCHDOG=1"] * 3])
            server.signal(signal.SIGTERM)
            heard = self.manager.recv(100)
            while heard == b"WATCHDOG=1":
                heard = self.manager.recv(100)
            self.assertEqual(heard, b"STOPPING=1")
            self.assertEqual(server.ended(), 0)

    def test_one_that_is_held_does_not(self):
        with self.server() as server:
            self.heard(2)
            self.hold(server)
            self.manager.settimeout(2 * SECONDS)
            with self.assertRaises(TimeoutError):
                while self.manager.recv(100) == b"WATCHDOG=1":
                    pass

    def test_it_is_not_told_what_it_does_not_want_to_hear(self):
        for name, value in (("WATCHDOG_USEC", "0"), ("WATCHDOG_USEC", "x"), ("WATCHDOG_PID", "1")):
            environment = {**self.environment, name: value}
            with self.subTest(environment), CommandServer(environment=environment) as server:
                self.assertEqual(self.heard(1), [b"READY=1"])
                server.signal(signal.SIGTERM)
                self.assertEqual(self.heard(1), [b"STOPPING=1"])

    def test_a_worker_that_is_held_tells_where_and_is_replaced(self):
        with self.server(workers=2) as server:
            self.heard(2)
            before = server.children()
            self.hold(server)
            log = server.logged("took its place")
            self.assertRegex(log, r"process \d+ has given no sign for 1 s: it is killed")
            self.assertRegex(log, r"thread MainThread at .*app\.py:\d+ in application\n")
            eventually(lambda: len(set(server.children()) & set(before)), 1)
            eventually(lambda: len(server.children()), 2)
            server.get()
            self.assertEqual(self.manager.recv(100), b"WATCHDOG=1")
