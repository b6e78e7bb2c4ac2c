"""Whole sites, with databases whose connections belong to threads, for twenty clients at once."""

import contextlib
import os
import subprocess
import sys
import tempfile
import unittest
from urllib.parse import urlencode

from benchmarks.harness.commands import ROOT, CommandServer
from benchmarks.harness.server import eventually

CLIENTS = 20
# A third blocks, a third waits, the others ask on meanwhile.
BLOCK, WAIT, ASK = range(7), range(7, 14), range(14, CLIENTS)
NAMES = [f"client{number}" for number in range(CLIENTS)]


class SiteTest(unittest.TestCase):
    """`cogen-serve` with its default options, and connections of twenty clients."""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.environment = {"SITE_FOLDER": self.folder, "PYTHONWARNINGS": "ignore"}
        self.prepare()
        self.server = CommandServer(
            f"tests.frameworks.sites.{self.module}:application", self.environment
        )
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.stack = self.enterContext(contextlib.ExitStack())
        self.clients = [self.stack.enter_context(self.server.connect()) for _ in NAMES]

    def prepare(self):
        """Before the server starts."""

    def ask(self, clients, request):
        """What they get who ask all at once."""
        self.send(clients, request)
        return self.responses(clients)

    def send(self, clients, request):
        for number in clients:
            self.clients[number].send(request(number))

    def responses(self, clients):
        found = [self.clients[number].response() for number in clients]
        self.assertEqual([each.status for each in found], [200] * len(found), self.server.log)
        return found

    def get(self, path):
        with self.server.connect() as client:
            return client.get(path).body

    def database_files(self):
        """How often the server has the database open."""
        opened = f"/proc/{self.server.process.pid}/fd"
        names = []
        for number in os.listdir(opened):
            with contextlib.suppress(FileNotFoundError):
                names.append(os.readlink(f"{opened}/{number}"))
        return sum(name.startswith(self.folder) for name in names)

    def hold(self, request):
        """Some block and some wait until others have had their answers; those of each kind."""
        self.send(BLOCK, lambda number: request("blocks", number))
        self.send(WAIT, lambda number: request("waits", number))
        self.assertEqual(self.get(f"/reached/{len(BLOCK)}"), b"reached")
        eventually(lambda: self.get("/waiting"), b"%d" % len(WAIT))
        asked = [self.ask(ASK, lambda number: request("notes", number)) for _ in range(3)]
        self.assertEqual(self.get("/tell"), b"%d" % len(WAIT))
        waited = self.responses(WAIT)
        self.assertEqual(self.get("/opens"), b"open")
        return [self.responses(BLOCK), waited, *asked]

    def check_exports(self, request):
        """Rows of a streamed answer are whole, and each answer's are made in one place."""

        def export(number):
            # Many small blocks, and such that are written on as the client reads.
            return request(f"/export?row={number % 2 * 70_000}", number)

        for response in self.ask(range(CLIENTS), export):
            rows = [row.rstrip().split(",") for row in response.body.decode().splitlines()]
            self.assertEqual(
                sorted((author, text) for author, text, *_ in rows),
                sorted((name, f"{number} of {name}") for name in NAMES for number in range(3)),
            )
            self.assertEqual(len({tuple(place) for _, _, *place in rows}), 1, rows)

    def leave(self, request):
        """All leave in the middle of an answer."""
        self.send(range(CLIENTS), lambda number: request("/export?row=70000", number))
        for client in self.clients:
            client.head()
            client.reset()


def get(path, headers=""):
    return f"GET {path} HTTP/1.1\r\nHost: test\r\n{headers}\r\n".encode()


def post(path, headers="", **form):
    body = urlencode(form)
    return (
        f"POST {path} HTTP/1.1\r\nHost: test\r\n{headers}Content-Length: {len(body)}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
    ).encode()


class DjangoTest(SiteTest):
    """Sessions, login and a model; each request opens a connection and closes it."""

    module = "django_site.wsgi"

    def prepare(self):
        environment = {**os.environ, **self.environment, "PYTHONPATH": str(ROOT)}
        environment["DJANGO_SETTINGS_MODULE"] = "tests.frameworks.sites.django_site.settings"
        migrate = [sys.executable, "-m", "django", "migrate", "--run-syncdb", "--verbosity=0"]
        subprocess.run(migrate, env=environment, check=True)

    def test_twenty_clients(self):
        self.enter()
        self.write()
        blocked, waited, *asked = self.hold(lambda view, number: self.request(f"/{view}", number))
        for clients, responses in [(BLOCK, blocked), (WAIT, waited), *((ASK, it) for it in asked)]:
            expected = [self.notes(NAMES[number]) for number in clients]
            self.assertEqual([response.json for response in responses], expected)
        self.assertEqual({each.headers["x-said"] for each in waited}, {"it rains"})
        self.assertEqual({each.headers["x-same"] for each in waited}, {"True"})
        eventually(self.database_files, 0)
        self.check_exports(self.request)
        self.leave(self.request)
        eventually(self.database_files, 0)
        self.assertNotIn("Traceback", self.server.log)

    def enter(self):
        self.cookies = [{} for _ in NAMES]
        self.keep(self.ask(range(CLIENTS), lambda number: get("/token")))
        for view in ("/register", "/enter"):
            entered = self.ask(
                range(CLIENTS),
                lambda number: self.request(view, number, name=NAMES[number], password="x"),  # noqa: B023
            )
            self.keep(entered)

    def keep(self, responses):
        for cookies, response in zip(self.cookies, responses, strict=True):
            for line in response.headers.get("set-cookie", "").splitlines():
                name, _, value = line.partition(";")[0].partition("=")
                cookies[name] = value

    def request(self, path, number, **form):
        cookies = self.cookies[number]
        headers = "Cookie: {}\r\n".format("; ".join(f"{key}={cookies[key]}" for key in cookies))
        if not form:
            return get(path, headers)
        return post(path, f"{headers}X-CSRFToken: {cookies['csrftoken']}\r\n", **form)

    def notes(self, name, count=3):
        notes = [f"{number} of {name}" for number in range(count)]
        return {"name": name, "written": count, "notes": notes}

    def write(self):
        for count in range(3):
            texts = [f"{count} of {name}" for name in NAMES]
            written = self.ask(
                range(CLIENTS),
                lambda number: self.request("/write", number, text=texts[number]),  # noqa: B023
            )
            expected = [self.notes(name, count + 1) for name in NAMES]
            self.assertEqual([response.json for response in written], expected)


class FlaskTest(SiteTest):
    """A scoped_session, which is the thread's, removed at the end of each request."""

    module = "flask_site"

    def test_twenty_clients(self):
        for count in range(3):
            texts = [f"{count} of {name}" for name in NAMES]
            written = self.ask(
                range(CLIENTS),
                lambda number: post(f"/write/{NAMES[number]}", text=texts[number]),  # noqa: B023
            )
            expected = [self.notes(name, count + 1) for name in NAMES]
            self.assertEqual([response.json for response in written], expected)
        held = self.hold(lambda view, number: get(f"/{view}/{NAMES[number]}"))
        blocked, waited, *asked = [[each.json for each in responses] for responses in held]
        self.assertEqual(blocked, [[NAMES[number], self.notes(NAMES[number])] for number in BLOCK])
        self.assertEqual(
            waited,
            [[NAMES[number], self.notes(NAMES[number]), "it rains", True] for number in WAIT],
        )
        self.assertEqual(asked, [[self.notes(NAMES[number]) for number in ASK]] * 3)
        eventually(lambda: self.get("/sessions"), b"0 False")
        self.check_exports(lambda path, number: get(path))
        self.leave(lambda path, number: get(path))
        eventually(lambda: self.get("/sessions"), b"0 False")
        self.assertNotIn("Traceback", self.server.log)

    def notes(self, name, count=3):
        return [f"{number} of {name}" for number in range(count)]
