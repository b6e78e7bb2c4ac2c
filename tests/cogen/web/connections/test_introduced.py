"""Connections that begin with a header of the PROXY protocol, over TCP, Unix sockets and TLS."""

import ssl
import tempfile

from benchmarks.harness.certificates import certificate_files
from cogen.web.connections.proxies import Proxies
from cogen.web.options import OptionError, Options
from tests.cogen.web.support import LOOPS, ServedTestCase, echo

HEADER = b"PROXY TCP4 192.0.2.7 10.0.0.1 4321 443\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class IntroducedTest(ServedTestCase):
    options = {"proxy_protocol": True, "trusted_proxies": "127.0.0.1"}

    def test_the_client_is_whom_the_header_names(self):
        for proactor in LOOPS:
            server = self.serve(echo, proactor=proactor)
            with self.subTest(proactor), server.connect() as client:
                client.send(HEADER + GET)
                told = client.response().json
                self.assertEqual(("192.0.2.7", "4321"), (told["REMOTE_ADDR"], told["REMOTE_PORT"]))
                self.assertEqual("192.0.2.7", client.get().json["REMOTE_ADDR"])

    def test_a_header_may_come_byte_by_byte(self):
        with self.serve(echo).connect() as client:
            for byte in HEADER + GET:
                client.send(bytes((byte,)))
            self.assertEqual("192.0.2.7", client.response().json["REMOTE_ADDR"])

    def test_a_proxy_that_speaks_for_itself_is_the_client(self):
        with self.serve(echo).connect() as client:
            client.send(b"PROXY UNKNOWN\r\n" + GET)
            self.assertEqual("127.0.0.1", client.response().json["REMOTE_ADDR"])

    def test_what_requests_say_of_their_client_does_not_count(self):
        forged = GET.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n")
        server = self.serve(echo)
        for header in (b"PROXY UNKNOWN\r\n", b"PROXY TCP4 127.0.0.1 10.0.0.1 1 2\r\n"):
            with self.subTest(header), server.connect() as client:
                client.send(header + forged)
                self.assertEqual("127.0.0.1", client.response().json["REMOTE_ADDR"])

    def test_the_limit_of_an_address_is_that_of_the_client(self):
        server = self.serve(echo, max_connections_per_address=1)
        other = HEADER.replace(b"192.0.2.7", b"192.0.2.8")
        with server.connect() as first, server.connect() as second, server.connect() as third:
            first.send(HEADER + GET)
            self.assertEqual(200, first.response().status)
            second.send(HEADER + GET)
            self.assertEqual(503, second.response().status)
            third.send(other + GET)
            self.assertEqual(200, third.response().status)
        server.settled(connections=0, deadlines=0)

    def test_a_connection_without_one_is_closed(self):
        self.assertEqual(b"", self.serve(echo).exchange(GET))
        self.assertIn("it does not begin with a PROXY header", self.records.text)

    def test_a_stranger_may_tell_nothing(self):
        server = self.serve(echo, trusted_proxies="192.0.2.1")
        with server.connect() as client:
            self.assertEqual(b"", client.rest())
        self.assertIn("none of trusted_proxies", self.records.text)

    def test_one_whose_header_does_not_come_is_closed(self):
        server = self.serve(echo, header_timeout=0.1)
        with server.connect() as client:
            client.send(HEADER[:10])
            self.assertEqual(b"", client.rest())
        self.assertIn("no PROXY header came", self.records.text)

    def test_one_that_waits_is_cut_at_the_stop(self):
        server = self.serve(echo)
        with server.connect() as client:
            client.send(HEADER[:10])
            server.call(lambda: None)
            server.stop()
            self.assertEqual(b"", client.rest())

    def test_it_comes_before_the_handshake(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        certificate, key = certificate_files(folder)
        server = self.serve(echo, certificate=certificate, key=key)
        context = ssl.create_default_context(cafile=certificate)
        for header, address in ((HEADER, "192.0.2.7"), (b"PROXY UNKNOWN\r\n", "127.0.0.1")):
            with self.subTest(header), server.connect() as client:
                client.send(header)
                secured = context.wrap_socket(client.sock, server_hostname="localhost")
                with secured, secured.makefile("rb") as file:
                    secured.sendall(GET)
                    self.assertTrue(file.readline().startswith(b"HTTP/1.1 200 "))
                    rest = iter(file.readline, b"\r\n")
                    length = next(each for each in rest if each.startswith(b"Content-Length: "))
                    list(rest)
                    body = file.read(int(length.partition(b" ")[2]))
                self.assertIn(f'"REMOTE_ADDR": "{address}"'.encode(), body)
        server.settled(connections=0, handshakes=0)

    def test_one_that_does_not_come_before_the_handshake_is_told(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        certificate, key = certificate_files(folder)
        server = self.serve(echo, certificate=certificate, key=key, header_timeout=0.1)
        with server.connect() as client:
            client.send(HEADER[:10])
            self.assertEqual(b"", client.rest())
        server.settled(handshakes=0)
        self.assertIn("no PROXY header came in time", self.records.text)

    def test_without_proxies_it_is_refused_at_the_start(self):
        with self.assertRaisesRegex(OptionError, "nobody could connect"):
            Proxies.of(Options(proxy_protocol=True))
