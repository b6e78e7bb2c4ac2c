"""What makes no sense as an option of the server ends the start, with one line that names it."""

import dataclasses
import unittest

from cogen.web.options import OptionError, Options, parse_options
from cogen.web.serving import check_options

# Any text can be the name of a host or of a file: listening shows whether it is one.
FOUND_BY_LISTENING = {"host", "unix_socket"}
PATHS = ("metrics", "/a b", "/a?b", "/a#b", "http://a/metrics")
TIMES = ("-1", "soon", "nan", "inf")
NONSENSE = {
    "port": ("-1", "65536", "http"),
    "unix_mode": ("rw", "99", "888"),
    "certificate": ("/nowhere", __file__),
    "key": ("/nowhere",),
    "backlog": ("0", "99999999999"),
    "trusted_proxies": ("proxy.example", "10.0.0.0/99"),
    "proxy_protocol": ("maybe", "", "true"),
    "proxy_headers": ("Foo", "X-Forwarded-For, Forwarded"),
    "allowed_hosts": ("a:80", "http://a"),
    "workers": ("0", "-1", "99999999"),
    "threads": ("-1", "many", "", "99999999"),
    "threads_max": ("0", "99999999"),
    "proactor": ("epoll", ""),
    "access_log": ("on", "/var/log/access.log"),
    "metrics_path": PATHS,
    "health_path": PATHS,
    "ready_path": PATHS,
    "dump_path": PATHS,
    "server_timing": ("maybe", ""),
    "stall_warning": TIMES,
    "slow_request": TIMES,
    "header_timeout": TIMES,
    "body_timeout": TIMES,
    "body_rate": ("-1", "1k"),
    "keep_alive_timeout": TIMES,
    "write_timeout": TIMES,
    "shutdown_timeout": TIMES,
    "reload_timeout": TIMES,
    "close_timeout": TIMES,
    "gc_freeze": ("maybe", ""),
    "gc_threshold": ("-1", "99999999999"),
    "max_request_line": ("0", "8k"),
    "max_header_bytes": ("0", "8k"),
    "max_headers": ("0", "-1"),
    "max_body": ("-1", "1G"),
    "spool_body": ("-1", "1M"),
    "spool_total": ("-1", "1G"),
    "max_requests": ("-1", "x"),
    "max_connections": ("-1", "99999999999"),
    "max_connections_per_address": ("-1", "x"),
}


class NonsenseTests(unittest.TestCase):
    def refused(self, **settings):
        with self.assertRaises(OptionError) as caught:
            check_options(parse_options(settings, Options))
        line = str(caught.exception)
        self.assertNotIn("\n", line)
        return line

    def test_each_option_refuses_what_makes_no_sense(self):
        names = {field.name for field in dataclasses.fields(Options)}
        self.assertEqual(names, NONSENSE.keys() | FOUND_BY_LISTENING)
        for name, values in NONSENSE.items():
            for value in values:
                with self.subTest(name, value=value):
                    self.assertIn(name, self.refused(**{name: value}))

    def test_two_endpoints_cannot_have_one_path(self):
        self.assertEqual(
            "health_path = '/x': metrics_path has that path already",
            self.refused(metrics_path="/x", health_path="/x"),
        )
        self.assertIn("ready_path", self.refused(health_path="/x", ready_path="/x"))
