"""Requests for another host than those that `allowed_hosts` says are refused with 421."""

import socket
import ssl
import tempfile
import unittest

from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.harness.certificates import certificate_files
from benchmarks.harness.commands import CommandServer
from benchmarks.harness.server import Client, ServerThread
from cogen.web.connections.hosts import Hosts
from cogen.web.connections.proxies import Proxies
from cogen.web.http.errors import HTTPError
from cogen.web.http.request import is_host
from cogen.web.options import OptionError
from tests.cogen.web.support import Records, echo


def allows(hosts, host, peer="127.0.0.1"):
    try:
        hosts.check(host, peer)
    except HTTPError as error:
        return error.status != 421
    return True


class HostsTest(unittest.TestCase):
    def test_by_default_those_that_no_stranger_can_have_lead_here(self):
        hosts = Hosts("", None)
        for host in (
            "localhost", "LocalHost:8080", "localhost.", "chat.localhost", "127.0.0.1:80",
            "127.0.0.1:", "[::1]:8080", "192.168.1.7", "chat", "my_service:80", None,
        ):  # fmt: skip
            self.assertTrue(allows(hosts, host), host)
        for host in (
            "evil.example", "evil.example.", "evil.example:80", "localhost.evil.example",
            "1.2.3.4.evil.example", "evil%2eexample", "[v1.evil]", ".", "a.b",
        ):  # fmt: skip
            self.assertFalse(allows(hosts, host), host)

    def test_those_that_are_named_and_no_others(self):
        hosts = Hosts("Chat.example, *.wide.example 10.0.0.1 [::1]", None)
        for host in (
            "chat.example", "CHAT.example.:80", "a.wide.example", "a.b.WIDE.example",
            "10.0.0.1:8080", "[::1]:80", None,
        ):  # fmt: skip
            self.assertTrue(allows(hosts, host), host)
        for host in (
            "wide.example", "evilwide.example", "a.chat.example", "localhost", "10.0.0.2",
            "example", "chat.example.evil",
        ):  # fmt: skip
            self.assertFalse(allows(hosts, host), host)

    def test_what_was_allowed_to_one_allows_nothing_to_another(self):
        hosts = Hosts("", Proxies("10.0.0.1", "X-Forwarded-For"))
        self.assertTrue(allows(hosts, "evil.example", "10.0.0.1"))
        self.assertFalse(allows(hosts, "evil.example", "127.0.0.1"))
        self.assertTrue(allows(hosts, "localhost"))
        self.assertFalse(allows(hosts, "evil.example", "127.0.0.1"))

    def test_a_proxy_has_the_last_word_only_where_nothing_is_named(self):
        hosts = Hosts("chat.example", Proxies("10.0.0.1", "X-Forwarded-For"))
        self.assertFalse(allows(hosts, "evil.example", "10.0.0.1"))

    def test_what_is_no_host_is_told(self):
        for option in ("http://chat.example", "chat.example:80", "*.", "a*b", "chat.*", "::1"):
            with self.subTest(option), self.assertRaisesRegex(OptionError, "^allowed_hosts: "):
                Hosts(option, None)

    def test_only_a_loopback_address_has_a_default(self):
        for address, checked in (
            ("127.0.0.1", True), ("127.0.0.9", True), ("::1", True), ("::ffff:127.0.0.1", True),
            ("0.0.0.0", False), ("::", False),
        ):  # fmt: skip
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            with self.subTest(address), socket.socket(family) as sock:
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                sock.bind((address, 0))
                self.assertEqual(Hosts("", None).at(sock) is not None, checked)
                self.assertIsNotNone(Hosts("chat.example", None).at(sock))
                self.assertIsNone(Hosts("chat.example *", None).at(sock))

    @given(st.from_regex(rb"[A-Za-z0-9.\-_%:\[\]]{1,30}", fullmatch=True).filter(is_host))
    @example(b"xn--80ak6aa92e.example")
    def test_a_name_with_a_dot_is_refused_whatever_it_is(self, host):
        name = host.decode().rpartition(":")[0] if host[-1:].isdigit() else host.decode()
        labels = [each for each in name.split(".") if each]
        if len(labels) > 1 and labels[-1][0].isalpha() and "[" not in name:
            local = labels[-1].lower() == "localhost"
            self.assertEqual(allows(Hosts("", None), host.decode()), local)


class ServedTest(unittest.TestCase):
    threads = "0"

    def serve(self, **options):
        self.records = self.enterContext(Records())
        return self.enterContext(ServerThread(echo, threads=self.threads, **options))

    def asked(self, server, host, target="/", more=""):
        answer = server.exchange(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode())
        return int(answer.split()[1])

    def test_another_name_is_refused_before_the_application_is_asked(self):
        server = self.serve(metrics_path="/metrics", health_path="/healthz")
        for host in ("evil.example", "evil.example:80"):
            for target in ("/", "/metrics", "/healthz", "http://evil.example/"):
                self.assertEqual(self.asked(server, host, target), 421, (host, target))
        for host in ("localhost:80", "127.0.0.1", "[::1]", "chat.localhost", "test"):
            self.assertEqual(self.asked(server, host), 200, host)
        self.assertIn("refused with 421: This server is not for evil.example", self.records.text)
        server.settled(exchanges=0, connections=0)

    def test_the_host_of_the_target_counts(self):
        server = self.serve()
        self.assertEqual(self.asked(server, "localhost", "http://evil.example/"), 421)
        self.assertEqual(self.asked(server, "evil.example", "http://localhost/"), 200)

    def test_each_request_of_a_connection_is_judged(self):
        server = self.serve()
        with server.connect() as client:
            for _ in range(3):
                self.assertEqual(client.get().status, 200)
            client.send(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
            self.assertEqual(client.response().status, 421)
            self.assertEqual(client.rest(), b"")

    def test_the_body_of_one_that_is_refused_is_not_taken_for_a_request(self):
        server = self.serve()
        smuggled = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = server.exchange(
            b"POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: %d\r\n\r\n%b"
            % (len(smuggled), smuggled)
        )
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1)
        self.assertIn(b" 421 Misdirected Request\r\n", answer)

    def test_one_without_host_is_answered(self):
        self.assertIn(b" 200 OK\r\n", self.serve().exchange(b"GET / HTTP/1.0\r\n\r\n"))

    def test_behind_a_proxy_the_proxy_decides(self):
        server = self.serve(trusted_proxies="127.0.0.1")
        self.assertEqual(self.asked(server, "chat.example"), 200)

    def test_behind_a_proxy_what_is_named_counts_as_the_proxy_says_it(self):
        server = self.serve(
            trusted_proxies="127.0.0.1",
            proxy_headers="X-Forwarded-Host",
            allowed_hosts="chat.example",
        )
        said = "X-Forwarded-Host: {}\r\n".format
        self.assertEqual(self.asked(server, "inner", more=said("chat.example")), 200)
        self.assertEqual(self.asked(server, "chat.example", more=said("evil.example")), 421)
        self.assertEqual(self.asked(server, "evil.example"), 421)

    def test_over_tls(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        certificate, key = certificate_files(folder)
        server = self.serve(certificate=certificate, key=key)
        context = ssl.create_default_context(cafile=certificate)
        for host, status in (("localhost", 200), ("evil.example", 421)):
            sock = socket.create_connection(server.address, 20)
            with Client(context.wrap_socket(sock, server_hostname="localhost")) as client:
                client.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                self.assertEqual(client.response().status, status)


class ThreadedServedTest(ServedTest):
    threads = "2"


class ProgramTest(unittest.TestCase):
    LINE = "requests for any host are answered: allowed_hosts is not set"

    def status(self, server, host):
        with server.connect() as client:
            client.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            return client.response().status

    def test_several_workers(self):
        with CommandServer(workers=2) as server:
            for _ in range(6):
                self.assertEqual(self.status(server, "evil.example"), 421)
                self.assertEqual(self.status(server, "localhost"), 200)
            self.assertNotIn(self.LINE, server.log)

    def test_an_address_that_others_reach_takes_any_and_says_so_once(self):
        for workers in (1, 2):
            with self.subTest(workers), CommandServer(host="0.0.0.0", workers=workers) as server:
                self.assertEqual(self.status(server, "chat.example"), 200)
                self.assertEqual(server.logged(self.LINE).count(self.LINE), 1)
        with CommandServer(host="0.0.0.0", allowed_hosts="chat.example") as server:
            self.assertEqual(self.status(server, "evil.example"), 421)
            self.assertNotIn(self.LINE, server.log)

    def test_a_unix_socket_is_a_proxys(self):
        server = CommandServer()
        server.options["unix_socket"] = server.folder / "socket"
        with server:
            self.assertEqual(self.status(server, "chat.example"), 200)
            self.assertNotIn(self.LINE, server.log)
