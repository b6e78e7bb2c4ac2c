"""The nginx of docs/who.md in front of the chat of that page, and somebody who signs people in."""

import http.server
import json
import threading
import unittest
import urllib.error
import urllib.request
from configparser import RawConfigParser

from benchmarks.harness.chat import ChatServer
from tests.docs.pages import DOCS, blocks
from tests.support.nginx import NginxServer
from tests.support.programs import needs

PAGE = DOCS / "who.md"


class Guard(http.server.BaseHTTPRequestHandler):
    """Knows a user by a cookie, as oauth2-proxy does."""

    def do_GET(self):
        user = self.headers.get("Cookie", "").partition("user=")[2].partition(";")[0]
        self.send_response(200 if user else 401)
        if user:
            self.send_header("Remote-User", user)
            self.send_header("Remote-Name", user.title())
        self.end_headers()

    def log_message(self, format, *args):
        """Nothing."""


class Proxy(NginxServer):
    """As the page has it, at free ports."""

    def __init__(self, chat, guard):
        super().__init__()
        self.ports = {":8080": f":{chat}", ":9000": f":{guard}"}

    @property
    def http(self):
        [block] = blocks(PAGE, "nginx")
        text = block.text.replace("listen 80;", f"listen 127.0.0.1:{self.port};")
        for written, port in self.ports.items():
            text = text.replace(written, port)
        return text


@needs("nginx")
class HostTests(unittest.TestCase):
    def setUp(self):
        ini = RawConfigParser()
        [block] = [block for block in blocks(PAGE, "ini") if block.name == "host.ini"]
        ini.read_string(block.text)
        app = {name: value for name, value in ini["app:main"].items() if name != "use"}
        trusted = ini["server:main"]["trusted_proxies"]
        chat = self.enterContext(ChatServer(app=app, server={"trusted_proxies": trusted}))
        guard = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guard)
        thread = threading.Thread(target=guard.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(guard.server_close)
        self.addCleanup(guard.shutdown)
        self.url = self.enterContext(Proxy(chat.port, guard.server_port)).url

    def ask(self, path, body=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, body, named)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    def test_two_people_talk_and_nobody_is_another(self):
        ann, bob = {"Cookie": "user=ann"}, {"Cookie": "user=bob"}
        self.assertEqual({"nick": "Ann"}, self.ask("chat/nick", **ann))
        self.assertEqual({"nick": "Bob"}, self.ask("chat/nick", Remote_User="ann", **bob))
        body = json.dumps({"text": "hello"}).encode()
        self.ask("chat/push", body, Content_Type="application/json", Remote_User="ann", **bob)
        [message] = self.ask("chat/history/lobby", **ann)["messages"]
        self.assertEqual(("Bob", "hello"), (message["nick"], message["text"]))
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.ask("chat/history/lobby", Remote_User="ann")
        self.assertEqual(401, caught.exception.code)
        caught.exception.close()
