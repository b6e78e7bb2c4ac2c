"""What programs and inis for cogen 0.2 serve by: cogen.web.wsgi, the filters, the entry points."""

import importlib
import signal
import subprocess
import sys
import textwrap
import time
import unittest
import urllib.request
from configparser import RawConfigParser
from pathlib import Path

from paste.deploy import loadapp

from benchmarks.harness.chat import free_port
from cogen.core.events import AddCoro, Join
from cogen.core.schedulers import Scheduler
from cogen.core.threads import RunInThread
from cogen.testing.memory import Browser, MemoryServer
from cogen.web import wsgi
from cogen.web.factory import server_factory
from cogen.web.filters import LazyStartResponseMiddleware, SynchronousInputMiddleware

ROOT = Path(__file__).parents[3]

# As examples/input-app.py of cogen 0.2.1 has it.
PROGRAM = """\
    from cogen.web import wsgi

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield environ["cogen.core"].events.Sleep(0.001)
        yield b"read " + environ["wsgi.input"].read()

    wsgi.server_factory({}, "127.0.0.1", %d)(wsgi.sync_input(application))
"""


class ProgramTests(unittest.TestCase):
    def test_a_program_serves_by_the_factory_until_it_is_stopped(self):
        port = free_port()
        program = textwrap.dedent(PROGRAM % port)
        process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
        try:
            request = urllib.request.Request(f"http://127.0.0.1:{port}/", data=b"me")
            with self.answer(request) as answer:
                self.assertEqual(b"read me", answer.read())
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=20)
        finally:
            process.kill()
            process.communicate()
        self.assertEqual(0, process.returncode, log)

    def answer(self, request):
        deadline = time.monotonic() + 20
        while True:
            try:
                return urllib.request.urlopen(request, timeout=20)
            except OSError:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)

    def test_an_option_that_is_gone_is_named(self):
        with self.assertRaisesRegex(SystemExit, "sockoper_timeout"):
            wsgi.server_factory({}, "127.0.0.1", 5000, sockoper_timeout="15")


class ServerTests(unittest.TestCase):
    """As examples/signal-wsgi-app.py of cogen 0.2.1 serves."""

    def plain(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [" ".join(environ[key] for key in KEYS).encode()]

    def wait(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield environ["cogen.core"].events.WaitForSignal("abc", timeout=20)
        yield environ["cogen.wsgi"].result.encode()

    def send(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield environ["cogen.core"].events.Signal("abc", environ["PATH_INFO"])
        yield b"%d" % environ["cogen.wsgi"].result

    def test_a_program_serves_applications_below_their_prefixes(self):
        apps = [("/", self.plain), ("/wait", self.wait), ("/send", self.send)]
        scheduler = Scheduler()
        server = wsgi.WSGIServer(
            ("127.0.0.1", 0), apps, scheduler, server_name="localhost", request_queue_size=64
        )
        self.url = f"http://127.0.0.1:{server.addresses[0][1]}"
        scheduler.add(server.serve)

        def asking():
            held = yield AddCoro(lambda: (yield RunInThread(self.get, "/wait")))
            told = b"0"
            while told == b"0":
                told = yield RunInThread(self.get, "/send/me")
            heard = yield Join(held)
            shown = yield RunInThread(self.get, "/a/b")
            scheduler.stop()
            return told, heard, shown

        asked = scheduler.add(asking)
        scheduler.run()
        self.assertEqual((b"1", b"/me", b"localhost  /a/b"), asked.result())
        scheduler.shutdown()

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            return answer.read()

    def test_a_path_below_no_prefix_is_not_found(self):
        dispatcher = wsgi.WSGIPathInfoDispatcher({"/a": self.plain, "/a/b": self.plain})
        server = MemoryServer(dispatcher)
        self.addCleanup(server.close)
        for path, status, body in (
            ("/a", 200, b"127.0.0.1 /a "),
            ("/a/b/c", 200, b"127.0.0.1 /a/b /c"),
            ("/ab", 404, b""),
        ):
            answer = Browser(server).ask("GET", path)
            self.assertEqual((status, body), (answer.status, answer.body))

    def test_options_that_are_gone_are_told_with_what_there_is(self):
        for name in ("sockoper_timeout", "sendfile_timeout", "sockaccept_greedy"):
            with self.assertRaisesRegex(TypeError, f"no {name}= any more: "):
                wsgi.WSGIServer(("127.0.0.1", 0), self.plain, **{name: None})


KEYS = ("SERVER_NAME", "SCRIPT_NAME", "PATH_INFO")


class FilterTests(unittest.TestCase):
    def application(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield environ["cogen.core"].events.Sleep(1)
        start_response("404 Not Found", [("Content-Type", "text/plain")], (None, None, None))
        yield environ["wsgi.input"].read()

    def test_an_application_does_without_them_what_it_did_with_them(self):
        for middleware in (SynchronousInputMiddleware, LazyStartResponseMiddleware):
            server = MemoryServer(middleware(self.application))
            held = Browser(server).begin("POST", "/", body=b"me")
            server.loop.advance(2)
            answer = held.look()
            self.assertEqual((404, b"me"), (answer.status, answer.body))
            server.close()

    def test_an_ini_has_them_and_the_server_by_the_names_of_before(self):
        parser = RawConfigParser()
        parser.read(ROOT / "packaging/cogen/setup.cfg")
        points = parser["options.entry_points"]
        found = {
            group: dict(line.split(" = ") for line in points[group].strip().splitlines())
            for group in ("paste.filter_app_factory", "paste.server_factory")
        }
        filters = found["paste.filter_app_factory"]
        self.assertEqual({"lazysr", "syncinput"}, set(filters))
        self.assertIs(server_factory, load(found["paste.server_factory"]["wsgi"]))
        for place in filters.values():
            self.assertIs(plain, load(place)(plain, {}))

    def test_pastedeploy_puts_them_around_an_application(self):
        uri = f"config:{Path(__file__).with_name('filters.ini')}"
        self.assertIs(plain, loadapp(uri))


def load(place):
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def plain(environ, start_response):
    start_response("200 OK", [])
    return []


def app_factory(global_conf):
    return plain
