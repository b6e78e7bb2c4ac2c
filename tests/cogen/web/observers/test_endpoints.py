"""/metrics, /healthz and /readyz over a socket, and the figures of several workers."""

import signal
import sys
import unittest
from unittest import mock

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.harness.commands import CommandServer
from benchmarks.harness.server import ServerThread, eventually
from cogen.core.events import Sleep
from cogen.core.schedulers import Scheduler
from cogen.web.life import Life
from cogen.web.options import OptionError, Options
from cogen.web.server import Server
from tests.cogen.web.support import Records

PATHS = {"metrics_path": "/metrics", "health_path": "/healthz", "ready_path": "/readyz"}


def application(environ, start_response):
    if environ["PATH_INFO"] == "/fail":
        raise ValueError("expected")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


class Rooms:
    """A collector of an application."""

    def collect(self):
        yield GaugeMetricFamily("rooms", "Rooms open", 3)


def samples(response):
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.body.decode())
        for sample in family.samples
    }


class LibraryTests(unittest.TestCase):
    def test_without_the_library_health_is_told_and_figures_are_refused_in_one_line(self):
        # Nothing of prometheus_client can be imported, as if it were not installed.
        hidden = {
            "prometheus_client": None,
            "cogen.web.observers.scrape": None,
            "cogen.web.observers.metrics": None,
        }
        with mock.patch.dict(sys.modules, hidden):
            del (
                sys.modules["cogen.web.observers.scrape"],
                sys.modules["cogen.web.observers.metrics"],
            )
            with ServerThread(application, health_path="/healthz") as server:
                self.assertEqual(b"ok\n", server.get("/healthz").body)
            scheduler = Scheduler()
            self.addCleanup(scheduler.shutdown)
            with self.assertRaises(OptionError) as caught:
                Server(application, scheduler, Options(metrics_path="/metrics"), ())
        self.assertEqual(
            "metrics_path = '/metrics' needs a library: pip install 'prometheus-client>=0.21,<1'",
            str(caught.exception),
        )


class MetricsTest(unittest.TestCase):
    def test_the_server_and_the_application_are_measured(self):
        lives = [Life(metrics=lambda: [Rooms()])]
        with Records(), ServerThread(application, lives=lives, threads="2", **PATHS) as server:
            server.get("/a")
            server.get("/fail")
            server.exchange(b"nonsense\r\n\r\n")
            server.settled(connections=0)
            response = server.get("/metrics")
            self.assertIn("text/plain", response.headers["content-type"])
            seen = samples(response)
        self.assertEqual(seen["cogen_requests_total",], 3)
        self.assertEqual(seen["cogen_responses_total", "200"], 1)
        self.assertEqual(seen["cogen_responses_total", "500"], 1)
        self.assertEqual(seen["cogen_refusals_total", "400"], 1)
        self.assertEqual(seen["cogen_connections",], 1)
        self.assertEqual(seen["cogen_exchanges",], 1)
        self.assertEqual(seen["cogen_sent_bytes_total",], 5)
        self.assertEqual(seen["cogen_request_seconds_count",], 2)
        self.assertEqual((seen["cogen_threads",], seen["cogen_threads_waiting",]), (2, 0))
        self.assertEqual(seen["rooms",], 3)
        self.assertGreater(seen["process_resident_memory_bytes",], 1 << 20)

    def test_the_paths_are_the_applications_unless_asked_for(self):
        with ServerThread(application) as server:
            for path in PATHS.values():
                self.assertEqual(server.get(path).body, b"hello")
        with ServerThread(application, **PATHS) as server:
            self.assertEqual(server.get("/healthz/").body, b"hello")

    def test_several_workers_are_in_one_scrape_each_with_its_number(self):
        with CommandServer(workers=2, **PATHS) as server:
            for _ in range(6):
                server.get()
            # Which of them is asked makes no difference.
            for _ in range(4):
                with server.connect() as client:
                    seen = samples(client.get("/metrics"))
                requests = [seen["cogen_requests_total", number] for number in ("1", "2")]
                self.assertGreaterEqual(sum(requests), 6)
                self.assertEqual(seen["cogen_connections", "1"] + seen["cogen_connections", "2"], 1)
                for number, count in zip(("1", "2"), requests, strict=True):
                    ended = seen["cogen_request_seconds_bucket", "+Inf", number]
                    self.assertLessEqual(ended, count)
                    self.assertGreater(seen["process_resident_memory_bytes", number], 1 << 20)
            with server.connect() as client:
                head = b"HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
                client.send(head)
                self.assertEqual(client.response("HEAD").status, 200)
            # After a reload they are the figures of the new ones.
            before = server.children()
            server.signal(signal.SIGHUP)
            eventually(lambda: set(server.children()).isdisjoint(before), True)
            with server.connect() as client:
                seen = samples(client.get("/metrics"))
            self.assertEqual({"1", "2"}, {key[-1] for key in seen if key[0] == "cogen_ready"})
            self.assertEqual(server.stop(), 0)


class HealthTest(unittest.TestCase):
    def asked(self, server, path, method):
        with server.connect() as client:
            client.send(f"{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            return client.response(method)

    def test_it_is_well_while_it_serves_and_ready_when_all_applications_are(self):
        trouble = ["the log has not been reached yet"]
        lives = [Life(), Life(ready=lambda: ""), Life(ready=lambda: trouble[0])]
        with ServerThread(application, lives=lives, **PATHS) as server:
            # By OPTIONS HAProxy asks, unless it is told otherwise.
            for method in ("GET", "OPTIONS", "HEAD"):
                well = self.asked(server, "/healthz", method)
                ready = self.asked(server, "/readyz", method)
                self.assertEqual((well.status, ready.status), (200, 503))
                if method != "HEAD":
                    self.assertEqual(well.body, b"ok\n")
                    self.assertEqual(ready.body, b"the log has not been reached yet\n")
            trouble[0] = ""
            ready = self.asked(server, "/readyz", "OPTIONS")
            self.assertEqual((ready.status, ready.body), (200, b"ok\n"))
            self.assertEqual(ready.headers["allow"], "GET, HEAD, OPTIONS")
            self.assertEqual(ready.headers["cache-control"], "no-store")

    def test_neither_is_once_it_stops(self):
        with ServerThread(application, **PATHS) as server, server.connect() as client:
            client.get("/a")
            server.server.shared.stopping = True  # as long as it takes to answer what is held
            for path in ("/healthz", "/readyz"):
                response = self.asked(server, path, "GET")
                self.assertEqual((response.status, response.body), (503, b"stopping\n"))

    def test_another_method_is_told_those_that_are_taken(self):
        asking = "GET, HEAD, OPTIONS"
        with ServerThread(application, **PATHS) as server:
            for path, method, allowed in (
                ("/healthz", "DELETE", asking),
                ("/readyz", "POST", asking),
                ("/metrics", "OPTIONS", "GET, HEAD"),
                ("/metrics", "PUT", "GET, HEAD"),
            ):
                response = self.asked(server, path, method)
                self.assertEqual((response.status, response.body), (405, b"not this method\n"))
                self.assertEqual(response.headers["allow"], allowed)


class DumpTest(unittest.TestCase):
    def test_what_it_is_at_is_told_where_a_path_is_given(self):
        def waits():
            yield Sleep(3600)

        def starts(environ, start_response):
            environ["cogen.server_group"].start(waits)
            return application(environ, start_response)

        with Records(), ServerThread(starts, dump_path="/dump") as server:
            server.get("/")
            told = server.get("/dump")
            self.assertEqual(200, told.status)
            self.assertIn("text/plain", told.headers["content-type"])
            text = told.body.decode()
            self.assertIn(" threads\nthread ", text)
            self.assertIn("1 request is held\nGET /dump waits for <RunInThread ", text)
            self.assertRegex(text, r"\ncoroutine DumpTest\..*waits of the server waits for <Sleep ")
            with server.connect() as client:
                client.send(b"POST /dump HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
                self.assertEqual(405, client.response().status)

    def test_who_asks_while_it_is_told_hears_that(self):
        with Records(), ServerThread(application, dump_path="/dump") as server:
            with server.server.dump._turn:
                self.assertEqual(503, server.get("/dump").status)
            self.assertEqual(200, server.get("/dump").status)

    def test_it_is_off_by_default(self):
        with ServerThread(application) as server:
            self.assertEqual(b"hello", server.get("/dump").body)
