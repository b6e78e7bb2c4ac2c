"""Where the server listens and what the command says when it cannot, with real processes."""

import fcntl
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from benchmarks.harness.commands import CommandServer
from benchmarks.harness.server import Client
from cogen.web.connections.listen import UnixPath


class AddressTest(unittest.TestCase):
    def test_ipv6(self):
        with CommandServer(host="::1") as server:
            self.assertTrue(server.address.startswith("http://[::1]:"), server.address)
            self.assertEqual(server.get()[0], "one")

    def test_every_address(self):
        with CommandServer(host="::") as server:
            server.address = server.address.replace("[::]", "127.0.0.1")
            self.assertEqual(server.get()[0], "one")

    def test_a_name(self):
        with CommandServer(host="localhost") as server:
            self.assertTrue(server.address.startswith("http://127.0.0.1:"), server.address)

    def test_an_address_in_use_is_said_in_one_line(self):
        with CommandServer() as server:
            port = int(server.address.rstrip("/").rpartition(":")[2])
            second = CommandServer(port=port)
            with self.assertRaises(AssertionError):
                second.__enter__()
            self.assertEqual(second.process.returncode, 1)
            expected = f"cogen-serve: cannot listen on 127.0.0.1:{port}: Address already in use\n"
            self.assertEqual(_last_log(second), expected)


def _last_log(server):
    """What a server that did not start has said."""
    server.folder.mkdir()
    server.write("one")
    server.start()
    server.process.wait()
    try:
        return server.log
    finally:
        server.__exit__()


class UnixSocketTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "socket"

    def test_it_has_its_mode_and_goes_with_the_server(self):
        with CommandServer(unix_socket=self.path, unix_mode="600") as server:
            self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
            self.assertEqual(server.get()[0], "one")
            self.assertEqual(server.stop(), 0)
        self.assertEqual([], os.listdir(self.path.parent))

    def test_a_lock_that_was_removed_since_it_was_opened_is_none(self):
        first, second = UnixPath(str(self.path)), UnixPath(str(self.path))
        first.listen(0o600, 1).close()

        def removed_before(lock, how):
            if first._lock is not None:
                first.remove()
            flock(lock, how)

        flock = fcntl.flock
        with mock.patch("cogen.web.connections.listen.fcntl.flock", removed_before):
            second.listen(0o600, 1).close()
        with self.assertRaisesRegex(OSError, "another server listens there"):
            UnixPath(str(self.path)).listen(0o600, 1)
        second.remove()
        self.assertEqual([], os.listdir(self.path.parent))

    def test_it_survives_a_reload(self):
        with CommandServer(unix_socket=self.path) as server:
            server.write("two")
            server.signal(signal.SIGHUP)
            server.logged("a new process serves")
            self.assertEqual(server.get()[0], "two")
            self.assertEqual(server.stop(), 0)
        self.assertFalse(self.path.exists())

    def test_what_a_dead_server_left_is_replaced(self):
        with CommandServer(unix_socket=self.path) as server:
            server.process.kill()
            server.process.wait()
        self.assertTrue(self.path.exists())
        with CommandServer(unix_socket=self.path) as server:
            self.assertEqual(server.get()[0], "one")

    def test_a_live_path_is_refused(self):
        with CommandServer(unix_socket=self.path) as server:
            with self.assertRaises(AssertionError):
                CommandServer(unix_socket=self.path).__enter__()
            self.assertEqual(server.get()[0], "one")
            second = CommandServer(unix_socket=self.path)
            second.start()
            second.process.wait()
            self.assertIn(f"cannot listen on {self.path}: another server", second.log)
            second.__exit__()

    def test_a_path_that_is_too_long_is_refused_with_that_reason(self):
        server = CommandServer(unix_socket=f"{self.path}{'a' * 120}")
        server.start()
        self.assertEqual(server.process.wait(), 1)
        self.assertIn("AF_UNIX path too long", server.log)
        server.__exit__()

    def test_a_file_is_not_touched(self):
        self.path.write_text("precious")
        server = CommandServer(unix_socket=self.path)
        server.start()
        self.assertEqual(server.process.wait(), 1)
        self.assertIn("there is a file that is no socket", server.log)
        server.__exit__()
        self.assertEqual(self.path.read_text(), "precious")
        self.assertEqual(["socket"], os.listdir(self.path.parent))

    def test_the_client_has_no_address(self):
        with CommandServer(unix_socket=self.path) as server, server.connect() as client:
            self.assertEqual(client.get().status, 200)


class SystemdTest(unittest.TestCase):
    def test_sockets_are_taken_over_and_readiness_is_told(self):
        with (
            tempfile.TemporaryDirectory() as folder,
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
        ):
            manager.bind(f"{folder}/notify")
            manager.settimeout(20)
            listening = socket.create_server(("127.0.0.1", 0))
            port = listening.getsockname()[1]
            # systemd forks, sets LISTEN_PID to the pid of the child, and runs the command.
            script = (
                "import os, sys; os.dup2(int(sys.argv[1]), 3); os.set_inheritable(3, True);"
                "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1');"
                "os.execv(sys.executable, [sys.executable, '-B', '-m', 'cogen.web.command',"
                " 'app:application'])"
            )
            server = CommandServer()
            with listening:
                server.process = subprocess.Popen(
                    [sys.executable, "-c", script, str(listening.fileno())],
                    cwd=server.folder,
                    env={
                        **os.environ,
                        "PYTHONPATH": str(Path(__file__).parents[4]),
                        "NOTIFY_SOCKET": f"{folder}/notify",
                    },
                    pass_fds=[listening.fileno()],
                    stderr=subprocess.DEVNULL,
                )
            try:
                self.assertEqual(manager.recv(100), b"READY=1")
                with Client(socket.create_connection(("127.0.0.1", port), 20)) as client:
                    self.assertEqual(client.get().status, 200)
                server.signal(signal.SIGTERM)
                self.assertEqual(manager.recv(100), b"STOPPING=1")
                self.assertEqual(server.ended(), 0)
            finally:
                server.__exit__()


class CommandTest(unittest.TestCase):
    def test_what_is_wrong_is_said_in_one_line(self):
        for application, options, said in (
            ("nothing:app", {}, "nothing:app: there is no module 'nothing'"),
            ("app:nothing", {}, "app:nothing: app has no 'nothing'"),
            ("app:VERSION", {}, "app:VERSION: 'one' cannot be called"),
            ("app:application", {"port": "http"}, "port = 'http': not a whole number"),
            ("app:application", {"port": 99999}, "port = '99999': must be 65535 or less"),
            ("app:application", {"proactor": "x"}, "proactor = 'x': must be one of"),
            ("app:application", {"gc_freeze": "maybe"}, "gc_freeze = 'maybe': not a true or false"),
            ("app:application", {"unix_mode": "9"}, "unix_mode = '9': not an octal file mode"),
            ("app:application", {"trusted_proxies": "x"}, "trusted_proxies: 'x' is not an address"),
            ("app:application", {"host": "no.such.host.invalid"}, "cannot listen on no.such.host"),
        ):
            with self.subTest(said):
                server = CommandServer(application, **options)
                server.start()
                # Another try may find the host; the rest is wrong as it is written.
                self.assertEqual(server.process.wait(), 1 if "host" in options else 2)
                self.assertIn(f"cogen-serve: {said}", server.log)
                self.assertEqual(len(server.log.splitlines()), 1)
                server.__exit__()

    def test_every_option_is_a_flag(self):
        import dataclasses

        from cogen.web.settings.running import Running

        done = subprocess.run(
            [sys.executable, "-m", "cogen.web.command", "--help"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        for field in dataclasses.fields(Running):
            if field.name != "application":
                self.assertRegex(done.stdout, rf"--{field.name.replace('_', '-')}\s")
