"""The port forwarder that a newcomer writes."""

import os
import socket
import threading

from benchmarks.harness.chat import free_port
from tests.examples.support import ROOT, ExampleCase, code_of, lines_of_code


class ForwardTests(ExampleCase):
    def setUp(self):
        self.behind = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.behind.close)

    def through(self):
        program = self.start("forward.py", "127.0.0.1", str(self.behind.getsockname()[1]))
        client = self.connect()
        server, _ = self.behind.accept()
        server.settimeout(20)
        self.addCleanup(server.close)
        return program, client, server

    def test_it_is_short_and_stands_in_the_guide(self):
        self.assertIn(code_of("forward.py"), (ROOT / "docs/network.md").read_text())
        self.assertLessEqual(lines_of_code("forward.py"), 25)

    def test_what_one_sends_the_other_gets_and_half_closes_too(self):
        program, client, server = self.through()
        data = os.urandom(10 * 1024 * 1024)
        sending = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(1)))
        sending.start()
        received = bytearray()
        while block := server.recv(65536):
            received += block
        sending.join()
        self.assertEqual(data, bytes(received))
        server.sendall(b"thanks")
        server.close()
        self.assertEqual((b"thanks", b""), (client.recv(100), client.recv(100)))
        _, output = self.stop(program)
        self.assertIn("left open: []", output)

    def test_stopped_in_the_midst(self):
        program, client, server = self.through()
        client.sendall(b"x")
        self.assertEqual(b"x", server.recv(1))
        seconds, output = self.stop(program)
        self.assertLess(seconds, 1, output)
        self.assertEqual(b"", server.recv(1))
        self.assertIn("left open: []", output)

    def test_nobody_listens_there(self):
        self.behind.close()
        program = self.start("forward.py", "127.0.0.1", str(free_port()))
        self.assertEqual(b"", self.connect().recv(1))
        _, output = self.stop(program)
        self.assertIn("cannot connect to 127.0.0.1", output)
