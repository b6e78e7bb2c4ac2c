"""The access log, /metrics and /healthz over a socket."""

from __future__ import annotations

import json
import logging
import unittest
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from cogen.core.events import WaitForSignal
from cogen.web.life import Life
from tests.cogen.web.support import Records, ServerThread, eventually

Environ = dict[str, Any]
Start = Callable[..., Any]


def application(environ: Environ, start_response: Start) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/fail":
        raise ValueError("expected")
    if environ["PATH_INFO"] == "/wait":
        environ["cogen.wait"](WaitForSignal("never"))
    if environ["PATH_INFO"] == "/user":
        environ["REMOTE_USER"] = "ann b"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


class AccessLogTest(unittest.TestCase):
    def lines(self, form: str, *exchanges: bytes, expected: int) -> list[str]:
        with (
            Records("cogen.web"),
            Records("cogen.access", logging.INFO) as records,
            ServerThread(application, access_log=form) as server,
        ):
            for raw in exchanges:
                server.exchange(raw)
            eventually(lambda: len(records.records), expected)
        return records.text.splitlines()

    def test_common(self) -> None:
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

    def test_combined_quotes_what_strangers_send(self) -> None:
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

    def test_json(self) -> None:
        (line,) = self.lines("json", b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", expected=1)
        entry = json.loads(line)
        self.assertEqual(entry["status"], 200)
        self.assertEqual((entry["method"], entry["target"], entry["host"]), ("GET", "/a", "x"))
        self.assertEqual((entry["address"], entry["bytes"]), ("127.0.0.1", 5))
        self.assertLess(entry["seconds"], 5)


class Rooms:
    """A collector of an application."""

    def collect(self) -> Iterator[Any]:
        yield GaugeMetricFamily("rooms", "Rooms open", 3)


class MetricsTest(unittest.TestCase):
    def test_the_server_and_the_application_are_measured(self) -> None:
        with (
            Records(),
            ServerThread(
                application,
                lives=[Life(metrics=lambda: [Rooms()])],
                metrics_path="/metrics",
                health_path="/healthz",
            ) as server,
        ):
            server.get("/a")
            server.get("/fail")
            server.exchange(b"nonsense\r\n\r\n")
            server.settled(connections=0)
            response = server.get("/metrics")
            self.assertIn("text/plain", response.headers["content-type"])
            samples = {
                (sample.name, *sample.labels.values()): sample.value
                for family in text_string_to_metric_families(response.body.decode())
                for sample in family.samples
            }
            self.assertEqual(samples["cogen_requests_total",], 3)
            self.assertEqual(samples["cogen_responses_total", "200"], 1)
            self.assertEqual(samples["cogen_responses_total", "500"], 1)
            self.assertEqual(samples["cogen_refusals_total", "400"], 1)
            self.assertEqual(samples["cogen_connections",], 1)
            self.assertEqual(samples["cogen_exchanges",], 1)
            self.assertEqual(samples["cogen_sent_bytes_total",], 5)
            self.assertEqual(samples["cogen_request_seconds_count",], 2)
            self.assertEqual(samples["rooms",], 3)
            self.assertGreater(samples["process_resident_memory_bytes",], 1 << 20)
            self.assertEqual(server.get("/healthz").body, b"ok\n")
            self.assertEqual(server.get("/healthz/").body, b"hello")

    def test_the_paths_are_the_applications_unless_asked_for(self) -> None:
        with ServerThread(application) as server:
            for path in ("/metrics", "/healthz"):
                self.assertEqual(server.get(path).body, b"hello")
