"""WSGI is served from a program of one's own, beside its other coroutines, and ends with them."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from benchmarks.harness.server import PATIENCE, Client
from cogen.core.coroutines import coro
from cogen.core.events import Join, Signal, Sleep, WaitForSignal
from cogen.core.schedulers import Scheduler
from cogen.core.threads import RunInThread
from cogen.web.embedding import ListenError, WSGIServer, serve
from cogen.web.life import Life, register, take_lives
from cogen.web.options import OptionError
from tests.cogen.web.support import LOOPS, Records

PLAIN = [("Content-Type", "text/plain")]

PROGRAM = """
import logging
from cogen.core.events import Sleep
from cogen.core.schedulers import Scheduler
from cogen.web.embedding import serve

logging.basicConfig(level=logging.INFO)


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    try:
        yield b"data: 1\\n\\n"
        yield environ["cogen.call"](Sleep)(3600)
        yield b"data: goodbye\\n\\n"
    finally:
        print("the answer ended", flush=True)


def beside():
    try:
        yield Sleep(3600)
    finally:
        print("beside ended", flush=True)


scheduler = Scheduler()
scheduler.add(serve, [application], {"port": 0})
scheduler.add(beside)
scheduler.run()
"""


def client_of(address):
    if isinstance(address, str):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE)
        sock.connect(address)
        return Client(sock)
    return Client(socket.create_connection(address[:2], PATIENCE))


def asked(address, path="/"):
    with client_of(address) as client:
        return client.get(path).body


class EmbeddingTests(unittest.TestCase):
    def setUp(self):
        take_lives()
        self.addCleanup(take_lives)
        self.scheduler = Scheduler()
        self.addCleanup(self.scheduler.shutdown)
        self.records = Records()
        self.records.__enter__()
        self.addCleanup(self.records.__exit__)

    def make(self, application, scheduler=None, **options):
        server = WSGIServer(("127.0.0.1", 0), application, scheduler, **options)
        self.addCleanup(server.close)
        return server

    def test_a_request_and_a_coroutine_of_the_program_hear_each_other(self):
        for threads in ("0", "auto"):
            with self.subTest(threads=threads):
                self.hear_each_other(threads)

    def hear_each_other(self, threads):
        heard = []

        def application(environ, start_response):
            start_response("200 OK", PLAIN)
            yield environ["cogen.core"].events.Signal("asked", environ["PATH_INFO"])
            yield environ["cogen.core"].events.WaitForSignal("answer")
            yield environ["cogen.wsgi"].result

        def beside():
            heard.append((yield WaitForSignal("asked")))
            yield Sleep(0.01)
            yield Signal("answer", b"42")

        def leads():
            heard.append((yield RunInThread(asked, server.addresses[0], "/question")))
            server.stop()

        server = self.make(application, threads=threads)
        for function in (server.serve, beside, leads):
            self.scheduler.add(function)
        self.scheduler.run()
        self.assertEqual(["/question", b"42"], heard)
        self.assertEqual(0, self.scheduler.statistics()["coroutines"])

    def test_its_end_leaves_the_coroutines_of_the_program_alone(self):
        ended = []

        def beside(serving):
            yield Join(serving)
            yield Sleep(0.01)
            ended.append(True)

        server = self.make(lambda *_: [])
        serving = self.scheduler.add(server.serve)
        self.scheduler.add(beside, [serving])
        self.scheduler.add(lambda: server.stop())
        self.scheduler.run()
        self.assertEqual([True], ended)

    def test_two_servers_on_one_scheduler(self):
        def application(name):
            def waits(environ, start_response):
                environ["cogen.wait"](Sleep(0.05))
                start_response("200 OK", PLAIN)
                return [name]

            return waits

        servers = [self.make(application(name), threads=0) for name in (b"one", b"two")]

        def leads():
            for server in (*servers, *servers):
                bodies.append((yield RunInThread(asked, server.addresses[0])))
            self.scheduler.stop()

        bodies = []
        for server in servers:
            self.scheduler.add(server.serve)
        self.scheduler.add(leads)
        self.scheduler.run()
        self.assertEqual([b"one", b"two", b"one", b"two"], bodies)

    def test_the_application_is_told_of_start_and_stop(self):
        said = []

        def hook(name):
            async def called(*args):
                said.append(name)

            return called

        life = Life(start=hook("start"), stopping=hook("stopping"), stop=hook("stop"))
        server = self.make(register(lambda *_: [], life))
        self.scheduler.add(server.serve)

        def stops():
            yield Sleep(0.01)
            self.scheduler.stop()

        self.scheduler.add(stops)
        self.scheduler.run()
        self.assertEqual(["start", "stopping", "stop"], said)

    def test_a_unix_socket_whose_path_goes_with_it(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "socket")

            def application(environ, start_response):
                start_response("200 OK", PLAIN)
                return [b"hello"]

            def leads():
                while not os.path.exists(path):
                    yield Sleep(0.01)
                heard.append((yield RunInThread(asked, path)))
                self.scheduler.stop()

            heard = []
            self.scheduler.add(serve, [application], {"unix_socket": path})
            self.scheduler.add(leads)
            self.scheduler.run()
            self.assertEqual([b"hello"], heard)
            self.assertFalse(os.path.exists(path))

    def test_it_is_awaited_in_a_program_of_asyncio(self):
        async def main():
            server = self.make(lambda *_: [])
            serving = asyncio.ensure_future(self.awaits(server))
            await asyncio.sleep(0.01)
            serving.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await serving
            await asyncio.wait_for(Scheduler.current().wait_idle(), PATIENCE)

        asyncio.run(main())

    async def awaits(self, server):
        await server.serve()

    def test_what_cannot_be_served_is_said_at_once(self):
        server = self.make(lambda *_: [])
        with self.assertRaisesRegex(ListenError, "cannot listen on 127.0.0.1:"):
            WSGIServer(server.addresses[0], lambda *_: [])
        for wrong, options in (
            ("is threads meant", {"thread": 3}),
            ("workers = 2", {"workers": 2}),
            ("port = 'http'", {"port": "http"}),
        ):
            with self.assertRaisesRegex(OptionError, wrong):
                self.make(lambda *_: [], **options)
        with self.assertRaisesRegex(TypeError, "is no WSGI application"):
            self.make("app")
        other = Scheduler(proactor="asyncio")
        self.addCleanup(other.shutdown)
        added = other.add(coro(self.make(lambda *_: [], self.scheduler).serve))
        other.run()
        with self.assertRaisesRegex(RuntimeError, "made for another scheduler"):
            added.result()

    def test_an_error_of_serve_is_raised_where_it_is_waited_for(self):
        def leads():
            yield serve(lambda *_: [], port="http")

        leading = self.scheduler.add(leads)
        self.scheduler.run()
        with self.assertRaises(OptionError):
            leading.result()

    def test_serving_for_ever_is_no_deadlock(self):
        for proactor in LOOPS:
            scheduler = Scheduler(proactor=proactor)
            self.addCleanup(scheduler.shutdown)
            server = self.make(lambda *_: [], scheduler)
            scheduler.add(server.serve)
            scheduler.add(lambda: (yield WaitForSignal("never")))
            scheduler.loop.call_later(0.5, scheduler.stop)
            scheduler.run()


class ProcessTests(unittest.TestCase):
    def test_a_signal_ends_the_answers_the_server_and_what_is_beside_it(self):
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            self.addCleanup(process.kill)
            line = process.stderr.readline()
            port = int(line.split("serving on http://127.0.0.1:")[1].split("/")[0])
            with client_of(("127.0.0.1", port)) as client:
                client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                client.head()
                self.assertEqual(b"data: 1\n\n", client.chunk())
                process.send_signal(signal.SIGTERM)
                self.assertEqual(b"data: goodbye\n\n", client.chunk())
                self.assertEqual(b"", client.chunk())
            out, _ = process.communicate(timeout=30)
            self.assertEqual({"beside ended", "the answer ended"}, set(out.splitlines()))
            self.assertEqual(0, process.returncode)
