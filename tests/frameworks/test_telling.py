"""What is told of views in Flask and Django, on the loop and in threads: the line of their code."""

import signal
import unittest
from pathlib import Path

from benchmarks.harness.commands import CommandServer

APPLICATIONS = Path(__file__).parent / "applications"


class Telling:
    """`module` holds the application; `options` are the server's."""

    def setUp(self):
        where = f"tests.frameworks.applications.{self.module}:application"
        environment = {"PYTHONWARNINGS": "ignore"}
        self.server = CommandServer(where, environment, **self.options)
        self.enterContext(self.server)

    def ask(self, path):
        client = self.enterContext(self.server.connect())
        client.send(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        return client

    def line(self, mark):
        lines = (APPLICATIONS / f"{self.module}.py").read_text().splitlines()
        number = next(number for number, line in enumerate(lines, 1) if f"# {mark}" in line)
        return rf"at .*/{self.module}\.py:{number} in "

    def test_a_stall_is_named_within_a_second(self):
        clients = [self.ask("/blocks") for _ in range(self.blocking)]
        self.server.logged("WARNING cogen.web.observers.stalls")
        for client in clients:
            self.assertEqual(client.response().body, b"well")
        self.assertRegex(self.server.log, self.stall + self.line("blocks") + "blocks\n")

    def test_what_is_held_is_told_with_the_line_that_waits(self):
        for path in ("/held", "/waits"):
            with self.subTest(path):
                client = self.ask(path)
                if path == "/held":
                    client.head()
                before = self.server.log.count("coroutines are there")
                while f"GET {path} waits for <WaitFor" not in self.server.log:
                    self.server.signal(signal.SIGUSR2)
                    before += 1
                    self.server.logged("coroutines are there", before)
                line = self.line(path[1:])
                self.assertRegex(self.server.log, rf"GET {path} waits for <WaitForSignal .* {line}")


class OnLoop(Telling):
    options = {"threads": 0}
    blocking = 1
    stall = r"the event loop is held by\nGET /blocks runs, for 0\.[5-9] s "


class InThreads(Telling):
    options = {"threads": 2}
    blocking = 3
    stall = (
        r"requests wait for one, the first for 0\.[5-9] s\n"
        r"2 GET /blocks runs, the oldest for 0\.[5-9] s "
    )


class FlaskTest(OnLoop, unittest.TestCase):
    module = "flask_application"


class FlaskInThreadsTest(InThreads, unittest.TestCase):
    module = "flask_application"


class DjangoTest(OnLoop, unittest.TestCase):
    module = "django_application"


class DjangoInThreadsTest(InThreads, unittest.TestCase):
    module = "django_application"
