"""The chat below what people put around it: it works, and its code runs on the loop."""

import asyncio
import os
import socket
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import sentry_sdk
from paste.deploy import loadapp
from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware
from sentry_sdk.transport import Transport
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from benchmarks.harness.chat import BIN, ChatServer, free_port
from benchmarks.harness.server import Client, ServerThread, eventually
from chatapp.config.middleware import make_app
from cogen.web.life import expect_lives, take_lives
from tests.docs.pages import ROOT, blocks
from tests.support.probe import SITE, Probe
from tests.support.talk import talk

GUIDE = {block.name: block.text for block in blocks(ROOT / "docs/middleware.md")}
OURS = {"chatapp", "pylons", "beaker", "webob", "routes", "mako"}
PATIENCE = 20

# The shop of the guide, with a view that blocks until it is told to go on.
SHOP = """\
from tests.support.gate import Gate

gate = Gate()

def shop(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/blocks':
        gate.wait()
    elif path == '/reached':
        gate.reached(int(environ['QUERY_STRING']))
    elif path == '/opens':
        gate.open()
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [path.encode()]

def make_shop(global_conf):
    return shop
"""


class ProcessTests(unittest.TestCase):
    """Inis of the guide, by `paster serve`."""

    def serve(self, name, *arguments):
        server = ChatServer()
        server.ini.write_text(GUIDE[name])
        server.arguments = [f"port={server.port}", *arguments]
        server.cwd = server.folder
        for module, text in {"shop.py": SHOP, "sitecustomize.py": SITE}.items():
            (server.folder / module).write_text(text)
        server.environment["PYTHONPATH"] = f"{server.folder}{os.pathsep}{ROOT}"
        self.enterContext(server)
        return server

    def ran_in_threads(self, server):
        lines = server.log.splitlines()
        return {line.split()[0] for line in lines if line.endswith(" runs in a thread")}

    def test_it_works_behind_the_filters_of_a_pipeline(self):
        server = self.serve("filters.ini")
        self.assertEqual(["one", "two"], asyncio.run(talk(f"{server.url}chat-app")))
        self.assertIn('"POST /chat-app/chat/push/lobby HTTP/1.1" 200', server.log)
        seen = self.ran_in_threads(server)
        self.assertIn("paste", seen)
        self.assertEqual(set(), seen & OURS)

    def test_two_are_quick_beside_an_application_that_blocks_in_ten_threads(self):
        server = self.serve("beside.ini", "metrics_path=/metrics")
        clients = [self.enterContext(_connect(server.port)) for _ in range(10)]
        for client in clients:
            client.send(b"GET /blocks HTTP/1.1\r\nHost: test\r\n\r\n")
        self.assertEqual("/reached", _text(f"{server.url}reached?10"))

        async def both():
            return await asyncio.gather(*(talk(server.url + at) for at in ("chat-app", "staff")))

        self.assertEqual([["one", "two"]] * 2, asyncio.run(both()))
        self.assertEqual("/quick", _text(f"{server.url}quick"))
        self.assertEqual("/opens", _text(f"{server.url}opens"))
        self.assertEqual([b"/blocks"] * 10, [client.response().body for client in clients])
        figures = _text(f"{server.url}metrics")
        self.assertEqual(1, figures.count("# TYPE chat_messages_total counter"))
        for application in (1, 2):
            self.assertIn(f'\nchat_messages_total{{application="{application}"}} 2.0\n', figures)
        seen = self.ran_in_threads(server)
        self.assertIn("shop", seen)
        self.assertEqual(set(), seen & OURS)


def _connect(port):
    return Client(socket.create_connection(("127.0.0.1", port), PATIENCE))


def _text(url):
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return answer.read().decode()


def _quick(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"quick"]


class InProcessTests(unittest.TestCase):
    """Each mounting alone, with threads for what stands around the chat."""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        take_lives()
        expect_lives()

    def chat(self):
        return make_app({}, **{"chat.data": self.folder, "chat.log": "memory:"})

    def load(self, text):
        """What an ini has whose chat is [app:main] with `text` behind it."""
        ini = Path(self.folder, "chat.ini")
        app = f"[app:main]\nuse = egg:ChatApp\nchat.data = {self.folder}\nchat.log = memory:\n"
        ini.write_text(f"{app}{text}")
        return loadapp(f"config:{ini}")

    def check(self, application, package, at=""):
        """Two clients talk; code of `package` runs in threads meanwhile, but none of the chat."""
        server = ServerThread(application, lives=take_lives(), threads="auto")
        with Probe() as probe, server:
            self.assertEqual(
                ["one", "two"], asyncio.run(talk(f"http://127.0.0.1:{server.port}{at}"))
            )
            self.assertEqual(404, server.get(f"{at}/nowhere").status)
        self.assertIn(package, probe.packages)
        self.assertEqual(set(), probe.packages & OURS)

    def test_translogger_as_a_filter(self):
        filters = "filter-with = log\n[filter:log]\nuse = egg:Paste#translogger\n"
        self.check(self.load(f"{filters}setup_console_handler = false"), "paste")

    def test_a_prefix(self):
        filters = "filter-with = at\n[filter:at]\nuse = egg:PasteDeploy#prefix\nprefix = /chat-app"
        self.check(self.load(filters), "paste", "/chat-app")

    def test_werkzeugs_dispatcher(self):
        self.check(
            DispatcherMiddleware(_quick, {"/chat-app": self.chat()}), "werkzeug", "/chat-app"
        )

    def test_werkzeugs_proxy_fix(self):
        self.check(ProxyFix(self.chat()), "werkzeug")

    def test_sentry(self):
        sent = []

        class Kept(Transport):
            def capture_envelope(self, envelope):
                sent.append(envelope)

        # Its other integrations patch Python's logging for good.
        sentry_sdk.init(
            dsn="http://key@127.0.0.1/1",
            traces_sample_rate=1.0,
            transport=Kept,
            default_integrations=False,
        )
        self.addCleanup(sentry_sdk.get_global_scope().set_client, None)
        self.check(SentryWsgiMiddleware(self.chat()), "sentry_sdk")
        self.assertTrue(sent)

    def test_all_in_one_as_the_guide_has_it(self):
        names = {"__name__": "mounted"}
        conf = {"chat.data": self.folder, "chat.log": "memory:"}
        code = GUIDE["mounted.py"].replace("from shop import shop", "")
        code = code.replace("make_app({})", f"make_app({{}}, **{conf})")
        exec(compile(code, "mounted.py", "exec"), names | {"shop": _quick}, names)
        self.check(names["application"], "sentry_sdk", "/chat-app")


class GunicornTests(unittest.TestCase):
    def test_one_line_at_the_start_and_a_501_tell_what_is_needed(self):
        """`gunicorn --paste production.ini`"""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "production.ini").write_text(
            "[app:main]\nuse = egg:ChatApp\nchat.data = %(here)s/data\n"
        )
        port = free_port()
        command = [BIN / "gunicorn", "--paste", "production.ini", "--bind", f"127.0.0.1:{port}"]
        with open(folder / "log", "w") as log:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, "HOME": str(folder), "PYTHONWARNINGS": "ignore"},
                stdout=log,
                stderr=log,
            )
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.terminate)
        eventually(lambda: "Booting worker" in (folder / "log").read_text(), True)
        url = f"http://127.0.0.1:{port}/"
        self.assertIn("<title>Chat</title>", _text(url))
        said = (folder / "log").read_text()
        self.assertEqual(1, said.count("the chat needs cogen's server"), said)
        for path, body in (("chat/push", b"hello"), ("chat/pull", None)):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(url + path, body, PATIENCE)
            with caught.exception as answer:
                self.assertEqual(501, answer.code)
                self.assertIn("use = egg:ChatApp#http", answer.read().decode())
        self.assertNotIn("Traceback", (folder / "log").read_text())
