"""What a proxy says of the client counts if it is trusted, and only that part of it."""

import unittest

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness.server import ServerThread
from cogen.web.connections.proxies import Proxies
from cogen.web.options import OptionError, Options
from tests.cogen.web.support import echo

ALL_X = "X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Forwarded-Prefix"


def applied(trusted, remote="10.0.0.1", sets="", **headers):
    environ = {
        "REMOTE_ADDR": remote,
        "REMOTE_PORT": "50000",
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "inner",
        "SCRIPT_NAME": "",
    }
    environ.update({f"HTTP_{name}": value for name, value in headers.items()})
    Proxies(trusted, sets or ("Forwarded" if "FORWARDED" in headers else ALL_X)).apply(environ)
    return environ


class XForwardedTest(unittest.TestCase):
    def test_the_client_of_a_trusted_proxy(self):
        environ = applied(
            "10.0.0.0/8",
            X_FORWARDED_FOR="198.51.100.7",
            X_FORWARDED_PROTO="https",
            X_FORWARDED_HOST="example.com:8443",
            X_FORWARDED_PREFIX="/app/",
        )
        self.assertEqual(environ["REMOTE_ADDR"], "198.51.100.7")
        self.assertEqual(environ["wsgi.url_scheme"], "https")
        self.assertEqual(environ["HTTP_HOST"], "example.com:8443")
        self.assertEqual(environ["SCRIPT_NAME"], "/app")

    def test_others_are_not_believed(self):
        for remote in ("192.0.2.1", "::1", ""):
            with self.subTest(remote=remote):
                environ = applied(
                    "10.0.0.0/8", remote, X_FORWARDED_FOR="1.2.3.4", X_FORWARDED_PROTO="https"
                )
                self.assertEqual(environ["REMOTE_ADDR"], remote)
                self.assertEqual(environ["wsgi.url_scheme"], "http")

    def test_the_last_hop_that_is_not_trusted_is_the_client(self):
        for chain, client in (
            ("6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
            ("6.6.6.6, 198.51.100.7", "198.51.100.7"),
            ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("198.51.100.7:1234", "198.51.100.7"),
            ("[2001:db8::1]:1234", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("unknown, 10.0.0.2", "10.0.0.2"),
            (f"fe80::1%{60 * 'x'}, 10.0.0.2", "10.0.0.2"),
            ("garbage", "10.0.0.1"),
            ("", "10.0.0.1"),
        ):
            with self.subTest(chain=chain):
                environ = applied("10.0.0.0/8", X_FORWARDED_FOR=chain)
                self.assertEqual(environ["REMOTE_ADDR"], client)

    def test_the_scheme_is_that_of_the_hop(self):
        environ = applied(
            "10.0.0.0/8",
            X_FORWARDED_FOR="6.6.6.6, 198.51.100.7, 10.0.0.2",
            X_FORWARDED_PROTO="http, https, http",
        )
        self.assertEqual(environ["wsgi.url_scheme"], "https")

    def test_nonsense_is_ignored(self):
        environ = applied(
            "10.0.0.1",
            X_FORWARDED_FOR="1.2.3.4",
            X_FORWARDED_PROTO="javascript",
            X_FORWARDED_HOST="a b",
            X_FORWARDED_PREFIX="http://evil/",
        )
        self.assertEqual(environ["wsgi.url_scheme"], "http")
        self.assertEqual(environ["HTTP_HOST"], "inner")
        self.assertEqual(environ["SCRIPT_NAME"], "")

    def test_unix_sockets_and_everybody(self):
        self.assertEqual(applied("unix", "", X_FORWARDED_FOR="1.2.3.4")["REMOTE_ADDR"], "1.2.3.4")
        self.assertEqual(
            applied("*", "9.9.9.9", X_FORWARDED_FOR="1.2.3.4")["REMOTE_ADDR"], "1.2.3.4"
        )
        environ = applied("10.0.0.1", "::ffff:10.0.0.1", X_FORWARDED_FOR="1.2.3.4")
        self.assertEqual(environ["REMOTE_ADDR"], "1.2.3.4")

    def test_each_of_very_many_clients_is_told_from_the_proxy(self):
        proxies = Proxies("10.0.0.0/8", ALL_X)
        for _ in range(2):
            for number in range(3000):
                client = f"198.51.{number // 250}.{number % 250}"
                chain = f"{client}, 10.1.{number // 250}.{number % 250}"
                environ = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": chain}
                proxies.apply(environ)
                self.assertEqual(client, environ["REMOTE_ADDR"])

    def test_a_bad_option_is_named(self):
        with self.assertRaisesRegex(OptionError, "trusted_proxies: 'proxy.local'"):
            Proxies("10.0.0.1, proxy.local", ALL_X)


class HeadersTest(unittest.TestCase):
    """A proxy passes on what it does not set: that is a stranger's."""

    STRANGERS = {
        "FORWARDED": "for=6.6.6.6;proto=https;host=evil.example",
        "X_FORWARDED_HOST": "evil.example",
        "X_FORWARDED_PREFIX": "/evil",
    }

    def test_what_the_proxy_does_not_set_is_dropped(self):
        default = Options().proxy_headers
        environ = applied(
            "10.0.0.1", sets=default, X_FORWARDED_FOR="198.51.100.7", **self.STRANGERS
        )
        self.assertEqual(environ["REMOTE_ADDR"], "198.51.100.7")
        self.assertEqual(
            (environ["wsgi.url_scheme"], environ["HTTP_HOST"], environ["SCRIPT_NAME"]),
            ("http", "inner", ""),
        )
        for name in self.STRANGERS:
            self.assertNotIn(f"HTTP_{name}", environ)

    def test_one_that_sets_forwarded_passes_on_the_others(self):
        environ = applied(
            "10.0.0.1",
            sets="forwarded",
            FORWARDED="for=198.51.100.7",
            X_FORWARDED_FOR="6.6.6.6",
            X_FORWARDED_HOST="evil.example",
        )
        self.assertEqual(environ["REMOTE_ADDR"], "198.51.100.7")
        self.assertEqual(environ["HTTP_HOST"], "inner")
        self.assertNotIn("HTTP_X_FORWARDED_FOR", environ)

    def test_who_is_not_trusted_keeps_them_as_they_are(self):
        environ = applied("10.0.0.1", "192.0.2.1", sets="Forwarded", X_FORWARDED_FOR="6.6.6.6")
        self.assertEqual(environ["HTTP_X_FORWARDED_FOR"], "6.6.6.6")

    def test_what_is_no_such_header_and_both_kinds_are_refused(self):
        for sets, words in (
            ("X-Real-IP", "'x-real-ip' is not known"),
            (f"{ALL_X} Forwarded", "one kind"),
        ):
            with self.assertRaisesRegex(OptionError, words):
                Proxies("*", sets)


class ForwardedTest(unittest.TestCase):
    def test_the_hop_before_the_trusted_ones(self):
        environ = applied(
            "10.0.0.0/8",
            FORWARDED='for=6.6.6.6;proto=http, For="[2001:db8::1]:47011";Proto=https;'
            'host="example.com:8443";by=10.0.0.1, for=10.0.0.2',
        )
        self.assertEqual((environ["REMOTE_ADDR"], environ["REMOTE_PORT"]), ("2001:db8::1", "47011"))
        self.assertEqual(environ["wsgi.url_scheme"], "https")
        self.assertEqual(environ["HTTP_HOST"], "example.com:8443")

    def test_it_comes_instead_of_the_older_headers(self):
        environ = applied("10.0.0.1", FORWARDED="for=1.2.3.4", X_FORWARDED_FOR="5.6.7.8")
        self.assertEqual(environ["REMOTE_ADDR"], "1.2.3.4")

    def test_hidden_and_malformed_hops_tell_nothing(self):
        for text in ("for=_hidden", "for=unknown", "for", 'for="1.2.3.4', "=;,", "for=1.2.3.4 x"):
            with self.subTest(text=text):
                self.assertEqual(applied("10.0.0.1", FORWARDED=text)["REMOTE_ADDR"], "10.0.0.1")

    @given(st.text(st.characters(max_codepoint=255)), st.text(st.sampled_from('fors=;,"\\1.2 :[]')))
    def test_nothing_a_client_sends_raises(self, forwarded, more):
        applied("10.0.0.1", FORWARDED=forwarded + more)
        applied(
            "10.0.0.1", X_FORWARDED_FOR=more, X_FORWARDED_HOST=forwarded, X_FORWARDED_PREFIX=more
        )


class ServedTest(unittest.TestCase):
    def test_over_a_socket(self):
        with ServerThread(echo, trusted_proxies="127.0.0.0/8") as server:
            seen = server.get("/a", "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n").json
            self.assertEqual((seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]), ("1.2.3.4", "https"))
            with server.connect() as client:
                # The second request of a connection is judged by its own headers.
                self.assertEqual(client.get("/").json["REMOTE_ADDR"], "127.0.0.1")
                seen = client.get("/", "X-Forwarded-For: 5.6.7.8\r\n").json
                self.assertEqual(seen["REMOTE_ADDR"], "5.6.7.8")
                self.assertEqual(client.get("/").json["REMOTE_ADDR"], "127.0.0.1")
