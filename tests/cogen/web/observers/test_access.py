"""The access log over a socket."""

import json
import logging
import unittest

from benchmarks.harness.server import ServerThread, eventually
from cogen.core.events import WaitForSignal
from tests.cogen.web.support import Records


def application(environ, start_response):
    if environ["PATH_INFO"] == "/fail":
        raise ValueError("expected")
    if environ["PATH_INFO"] == "/wait":
        environ["cogen.wait"](WaitForSignal("never"))
    if environ["PATH_INFO"] == "/user":
        environ["REMOTE_USER"] = "ann b"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


class AccessLogTest(unittest.TestCase):
    def lines(self, form, *exchanges, expected):
        with (
            Records("cogen.web"),
            Records("cogen.access", logging.INFO) as records,
            ServerThread(application, access_log=form) as server,
        ):
            for raw in exchanges:
                server.exchange(raw)
            eventually(lambda: len(records.records), expected)
        return records.text.splitlines()

    def test_common(self):
        lines = self.lines(
            "common",
            b"GET /a?b HTTP/1.1\r\nHost: x\r\n\r\nGET /user HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /fail HTTP/1.1\r\nHost: x\r\n\r\n",
            b"nonsense\r\n\r\n",
            b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n",
            expected=5,
        )
        when = r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]"
        for line, pattern in zip(
            lines,
            (
                rf'127\.0\.0\.1 - - {when} "GET /a\?b HTTP/1.1" 200 5',
                rf'127\.0\.0\.1 - ann\\x20b {when} "GET /user HTTP/1.1" 200 5',
                rf'127\.0\.0\.1 - - {when} "GET /fail HTTP/1.1" 500 -',
                rf'127\.0\.0\.1 - - {when} "-" 400 -',
                rf'127\.0\.0\.1 - - {when} "GET /wait HTTP/1.1" 499 -',
            ),
            strict=True,
        ):
            seconds = "-" if '"-"' in pattern else r"[0-4]\.\d{6}"
            self.assertRegex(line, f"^{pattern} {seconds}$")

    def test_combined_quotes_what_strangers_send(self):
        (line,) = self.lines(
            "combined",
            b'GET /"\\ HTTP/1.1\r\nHost: x\r\nReferer: http://a/"b\r\nUser-Agent: \xff\t"x\r\n\r\n',
            expected=1,
        )
        end = line[line.index('"') :]
        self.assertEqual(
            end,
            r'"GET /\x22\x5c HTTP/1.1" 200 5 "http://a/\x22b" "\xff\x09\x22x"' + end[-9:],
        )
        self.assertRegex(end[-9:], r"^ [0-4]\.\d{6}$")

    def test_json(self):
        (line,) = self.lines("json", b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", expected=1)
        entry = json.loads(line)
        self.assertEqual(entry["status"], 200)
        self.assertEqual((entry["method"], entry["target"], entry["host"]), ("GET", "/a", "x"))
        self.assertEqual((entry["address"], entry["bytes"]), ("127.0.0.1", 5))
        self.assertLess(entry["seconds"], 5)
