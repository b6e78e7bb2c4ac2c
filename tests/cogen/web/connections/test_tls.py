"""TLS: requests over it, and certificates that are renewed while it runs."""

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest
from pathlib import Path

from benchmarks.harness.certificates import certificate_files
from benchmarks.harness.commands import CommandServer
from benchmarks.harness.server import Client, ServerThread, eventually
from cogen.web.connections.tls import Certificate
from cogen.web.options import OptionError, Options
from tests.cogen.web.support import LOOPS, Records, echo


class TLSTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.certificate, self.key = certificate_files(folder.name)
        self.context = ssl.create_default_context(cafile=self.certificate)

    def wrapped(self, server):
        sock = socket.create_connection(server.address, 20)
        return Client(self.context.wrap_socket(sock, server_hostname="localhost"))

    def test_requests_over_tls(self):
        for proactor in ("uvloop", "asyncio"):
            with (
                self.subTest(proactor=proactor),
                Records() as records,
                ServerThread(echo, proactor, certificate=self.certificate, key=self.key) as server,
            ):
                with self.wrapped(server) as client:
                    self.assertIn(client.sock.version(), ("TLSv1.2", "TLSv1.3"))
                    self.assertEqual(client.get("/a").json["wsgi.url_scheme"], "https")
                    large = b"x" * 300_000
                    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n")
                    client.send(large)
                    self.assertEqual(len(client.response().json["body"]), 300_000)
                    client.send(b"nonsense\r\n\r\n")
                    self.assertEqual(client.response().status, 400)
                # Who speaks plainly is not answered in a way that breaks the next.
                server.exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                with self.wrapped(server) as client:
                    self.assertEqual(client.get("/b").status, 200)
            self.assertIn("it speaks HTTP, and https:// is served here", records.text)


class HandshakeTest(unittest.TestCase):
    """A connection has its place from the moment on at which it is accepted."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.certificate, self.key = certificate_files(folder.name)
        self.context = ssl.create_default_context(cafile=self.certificate)
        self.enterContext(Records())

    def serve(self, proactor, **options):
        files = {"certificate": self.certificate, "key": self.key}
        server = ServerThread(echo, proactor, **files, **options)
        server.__enter__()
        self.addCleanup(server.stop)
        return server

    def answers(self, server):
        try:
            sock = socket.create_connection(server.address, 20)
            with Client(self.context.wrap_socket(sock, server_hostname="localhost")) as client:
                return client.get().status == 200
        except (OSError, AssertionError):
            sock.close()
            return False

    def test_one_that_stalls_takes_a_place_and_gives_it_back(self):
        for proactor in LOOPS:
            for limit in ("max_connections", "max_connections_per_address"):
                with self.subTest(proactor=proactor, limit=limit):
                    server = self.serve(proactor, **{limit: 3})
                    stalled = [server.connect() for _ in range(3)]
                    server.settled(handshakes=3)
                    self.assertFalse(self.answers(server))
                    for client in stalled:
                        client.close()
                    server.settled(handshakes=0)
                    self.assertTrue(self.answers(server))
                    server.settled(connections=0, handshakes=0)
                    server.stop()

    def test_one_that_is_too_slow_is_ended(self):
        server = self.serve("any", header_timeout=0.1)
        with server.connect() as client:
            self.assertEqual(client.rest(), b"")
        server.settled(connections=0, handshakes=0)

    def test_a_stop_does_not_wait_for_them(self):
        server = self.serve("any", shutdown_timeout=0.1)
        with server.connect() as client:
            server.settled(handshakes=1)
            server.stop()
            self.assertEqual(client.rest(), b"")


class RenewalTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name, kind in (("one", "ec:prime256v1"), ("two", "rsa:2048"), ("live", "")):
            (self.folder / name).mkdir()
            if kind:
                certificate_files(f"{self.folder}/{name}", kind)
        self.files = {
            name: str(self.folder / "live" / file)
            for name, file in (("certificate", "cert.pem"), ("key", "key.pem"))
        }
        self.put("one")

    def put(self, name, *files):
        """Put the pair of that name, or only `files` of it, where the server reads it."""
        for file in files or ("cert.pem", "key.pem"):
            shutil.copyfile(self.folder / name / file, self.folder / "live" / file)

    def named(self, address, server_name="localhost"):
        """The name of the pair that is served there."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(address, 20) as sock,
            context.wrap_socket(sock, server_hostname=server_name) as client,
        ):
            served = ssl.DER_cert_to_PEM_cert(client.getpeercert(True) or b"")
        [name] = (
            name
            for name in ("one", "two")
            if (self.folder / name / "cert.pem").read_text() == served
        )
        return name

    def look(self, server, times=2):
        assert server.certificate is not None
        for _ in range(times):
            server.call(server.certificate.look)

    def test_new_connections_get_a_renewed_certificate_and_others_go_on(self):
        for proactor in LOOPS:
            self.put("one")
            with (
                self.subTest(proactor=proactor),
                Records(),
                ServerThread(echo, proactor, **self.files) as server,
            ):
                context = ssl.create_default_context(cafile=str(self.folder / "one/cert.pem"))
                sock = socket.create_connection(server.address, 20)
                with Client(context.wrap_socket(sock, server_hostname="localhost")) as held:
                    held.get("/")
                    self.assertEqual(self.named(server.address), "one")
                    # A key of another kind: both would be there if the live context took it.
                    self.put("two")
                    self.look(server)
                    for server_name in ("localhost", None):
                        self.assertEqual(self.named(server.address, server_name), "two")
                    self.put("one")
                    self.look(server)
                    self.assertEqual(self.named(server.address), "one")
                    self.assertEqual(held.get("/").status, 200)

    def test_a_pair_that_is_being_written_is_left_alone(self):
        with Records() as records, ServerThread(echo, **self.files) as server:
            self.put("two", "cert.pem")
            self.look(server, 1)
            self.put("two", "key.pem")
            self.look(server, 1)
            self.assertEqual(self.named(server.address), "one")
            self.look(server, 1)
            self.assertEqual(self.named(server.address), "two")
            self.assertIn("is served from now on", records.text)
            self.assertNotIn("served on", records.text)

    def test_a_pair_that_cannot_be_used_is_said_once_and_the_one_before_is_served(self):
        with Records() as records, ServerThread(echo, **self.files) as server:
            for spoil, said in (
                (lambda: self.put("two", "cert.pem"), "the key is another's"),
                (lambda: self.write("cert.pem", "nonsense"), "not a certificate and its key"),
                (lambda: self.write("cert.pem", ""), "not a certificate and its key"),
                (lambda: os.unlink(self.files["certificate"]), "cannot be read"),
            ):
                with self.subTest(said):
                    spoil()
                    self.look(server, 5)
                    self.assertEqual(self.named(server.address), "one")
                    self.assertIn(said, records.records[-1].getMessage())
            self.assertEqual(len(records.records), 4, records.text)
            self.put("two")
            self.look(server)
            self.assertEqual(self.named(server.address), "two")

    def write(self, file, text):
        (self.folder / "live" / file).write_text(text)

    def test_processes_look_for_renewals(self):
        for workers in (1, 2):
            self.put("one")
            server = CommandServer(
                before="from cogen.web.connections import tls; tls._LOOK_SECONDS = 0.05",
                workers=workers,
                **self.files,
            )
            with self.subTest(workers=workers), server:
                host, port = server.address.rstrip("/").rpartition("/")[2].split(":")
                address = (host, int(port))
                for name in ("two", "one"):
                    self.put(name)
                    eventually(lambda at=address: {self.named(at) for _ in range(4)}, {name})
                self.assertEqual(server.stop(), 0)


class FilesTest(unittest.TestCase):
    def test_files_that_cannot_be_used_are_named(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        certificate, key = certificate_files(folder)
        (Path(folder) / "other").mkdir()
        _, other = certificate_files(f"{folder}/other")
        (Path(folder) / "empty").touch()
        encrypted = f"{folder}/encrypted"
        subprocess.run(
            ["openssl", "pkey", "-in", key, "-out", encrypted, "-aes128", "-passout", "pass:1234"],
            check=True,
        )
        for options, said in (
            ({"certificate": "/nowhere"}, "certificate = '/nowhere': cannot be read"),
            ({"certificate": certificate, "key": "/nowhere"}, "key = '/nowhere': cannot be read"),
            ({"key": key}, "key is given without certificate"),
            ({"certificate": key, "key": key}, "not a certificate and its key in PEM"),
            ({"certificate": f"{folder}/empty"}, "not a certificate and its key in PEM"),
            ({"certificate": certificate}, "not a certificate and its key in PEM"),
            ({"certificate": certificate, "key": other}, "the key is another's"),
            ({"certificate": folder, "key": key}, "Is a directory"),
            ({"certificate": certificate, "key": encrypted}, "the key is encrypted"),
        ):
            with self.subTest(said), self.assertRaisesRegex(OptionError, said):
                Certificate.of(Options(**options))

    def test_they_end_the_start_with_one_line(self):
        server = CommandServer(certificate="/nowhere")
        server.start()
        self.assertEqual(server.process.wait(), 2)
        expected = "cogen-serve: certificate = '/nowhere': cannot be read\n"
        self.assertEqual(server.log, expected)
        server.__exit__()
