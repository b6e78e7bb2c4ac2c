"""The chat behind nginx, as docs/deployment.md has it, and what operators ask of it."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.harness.chat import ROOT, ChatServer
from benchmarks.harness.commands import CommandServer
from benchmarks.harness.server import eventually
from tests.docs.pages import blocks
from tests.support.engine import RedisServer
from tests.support.nginx import Nginx
from tests.support.programs import needs
from tests.support.talk import talk

GUIDE = ROOT / "docs/deployment.md"
FIGURES = ROOT / "docs/settings.md"
NAMES = ["access.log", "chat.log"]


@needs("nginx")
class NginxTests(unittest.TestCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        os.chmod(folder, 0o755)
        self.path = f"{folder}/chat.sock"
        options = {
            "unix_socket": self.path,
            "unix_mode": "666",
            "trusted_proxies": "unix",
            "access_log": "json",
        }
        self.server = self.enterContext(ChatServer(server=options))

    def test_the_guides_configuration_passes_long_polls_on(self):
        with Nginx(self.path) as nginx:
            texts = asyncio.run(talk(f"http://127.0.0.1:{nginx.port}/"))
            lines = [json.loads(line[line.index("{") :]) for line in _access(self.server.log)]
        self.assertEqual(["one", "two"], texts)
        self.assertEqual({"127.0.0.1"}, {line["address"] for line in lines})

    def test_the_chats_own_pages_speak_whatever_nginx_makes_of_the_host(self):
        for host in ("$http_host", "$host", "$host:$server_port", "$server_name"):
            with Nginx(self.path, http_host=host.replace("$server_name", "localhost")) as nginx:
                for name in ("localhost", "LOCALHOST", "LocalHost"):
                    self.assertEqual(200, self.push(nginx, name, f"localhost:{nginx.port}"), host)
                for origin in ("evil.example", f"evil.example:{nginx.port}", "127.0.0.1"):
                    self.assertEqual(403, self.push(nginx, "localhost", origin), host)

    def push(self, nginx, name, origin):
        headers = {
            "Host": f"{name}:{nginx.port}",
            "Origin": f"http://{origin}",
            "Content-Type": "text/plain",
        }
        url = f"http://127.0.0.1:{nginx.port}/chat/push"
        request = urllib.request.Request(url, b"hi", headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code


class UnixSocketTests(unittest.TestCase):
    def test_the_guides_folder_lets_the_group_of_nginx_in_and_nobody_else(self):
        is_root = os.getuid() == 0
        above = Path(self.enterContext(tempfile.TemporaryDirectory()))
        above.chmod(0o755)
        # Numbers stand for users and groups that a machine may not have.
        owner, group = os.getuid(), 60_001 if is_root else os.getgid()
        [command] = re.findall(r"`(install -d [^`]*)`", GUIDE.read_text())
        for name, here in (("chat ", f"{owner} "), ("www-data", group), ("/run", above)):
            command = command.replace(name, str(here), 1)
        subprocess.run(command, shell=True, check=True)
        path = above / "chat/chat.sock"
        with ChatServer(server={"unix_socket": path}) as server:
            eventually(lambda: "serving on" in server.log, True)
            self.assertEqual((group, 0o660), (path.stat().st_gid, path.stat().st_mode & 0o777))
            self.connect(path)
            if is_root:
                with _as(60_002, group):
                    self.connect(path)
                with _as(60_002, 60_002), self.assertRaises(PermissionError):
                    self.connect(path)

    def connect(self, path):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


@contextlib.contextmanager
def _as(user, group):
    """This process is of `user` and `group`; for root."""
    groups, before = os.getgroups(), os.getegid()
    os.setgroups([])
    os.setegid(group)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(before)
        os.setgroups(groups)


def _access(log):
    return [line for line in log.splitlines() if "cogen.access" in line]


class OperatorTests(unittest.TestCase):
    def test_the_chat_tells_its_health_and_figures(self):
        options = {"health_path": "/healthz", "metrics_path": "/metrics"}
        with ChatServer(server=options) as server:
            asyncio.run(talk(server.url))
            self.assertEqual("ok\n", _text(server.url + "healthz"))
            figures = _text(server.url + "metrics")
        self.assertIn("\nchat_messages_total 2.0\n", figures)
        # Both have said that they leave.
        self.assertIn("\nchat_participants 0.0\n", figures)
        self.assertIn("\ncogen_connections 1.0\n", figures)

    def test_the_figures_are_those_of_the_guide(self):
        """Those of the chat on Redis, and of an application in threads, are all there are."""
        texts = []
        with RedisServer() as redis:
            app = {"chat.log": redis.url}
            with ChatServer(app=app, server={"metrics_path": "/metrics", "workers": 2}) as server:
                eventually(lambda: "serving on" in server.log, True)
                texts.append(_text(server.url + "metrics"))
        with CommandServer(metrics_path="/metrics") as server, server.connect() as client:
            texts.append(client.get("/metrics").body.decode())
        scraped = {row for text in texts for row in _figures(text)}
        guide = FIGURES.read_text()
        table = guide[guide.index("## Figures") :]
        rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*) \|$", table, re.MULTILINE)
        self.assertEqual(sorted(scraped), sorted(rows))

    def test_it_is_ready_once_its_log_was_reached_and_stays_so(self):
        redis = RedisServer()
        self.addCleanup(redis.close)
        paths = {"health_path": "/healthz", "ready_path": "/readyz"}
        with ChatServer(app={"chat.log": redis.url}, server=paths) as server:
            self.assertEqual("ok\n", _text(server.url + "healthz"))
            self.assertEqual(503, _status(server.url + "readyz"))
            redis.start()
            eventually(lambda: _status(server.url + "readyz"), 200)
            redis.kill()
            # Every process lacks it alike: to leave them all would help nobody.
            self.assertEqual("ok\n", _text(server.url + "readyz"))

    def test_files_of_the_log_that_the_guide_sets_up_can_be_moved_away(self):
        server = ChatServer(server={"access_log": "combined"})
        [logging] = [block for block in blocks(GUIDE, "ini") if "[loggers]" in block.text]
        folder = server.folder / "var"
        folder.mkdir()
        ini = server.ini.read_text()
        text = logging.text.replace("/var/log/chat", str(folder))
        server.ini.write_text(ini[: ini.index("[loggers]")] + text)
        with server:
            _text(server.url + "chat.css")
            access = folder / "access.log"
            eventually(lambda: access.read_text().count("/chat.css"), 1)
            for name in ("chat.log", "access.log"):
                (folder / name).rename(folder / f"{name}.1")
            server.process.send_signal(signal.SIGUSR1)
            # Nothing has to be said for it.
            eventually(lambda: sorted(path.name for path in folder.glob("*.log")), NAMES)
            _text(server.url + "chat.js")
            eventually(lambda: access.read_text().count("/chat.js"), 1)
            server.stop()
            self.assertIn("stopping", (folder / "chat.log").read_text())

    def test_they_are_no_business_of_the_public_by_default(self):
        with ChatServer() as server:
            for path in ("healthz", "metrics"):
                with self.assertRaises(urllib.error.HTTPError) as caught:
                    _text(server.url + path)
                self.assertEqual(404, caught.exception.code)
                caught.exception.close()


def _figures(text):
    """Name, kind and description of each figure that is ours."""
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    for name, what in re.findall(r"^# HELP (\w+) (.*)$", text, re.MULTILINE):
        if name.startswith(("cogen_", "chat_")):
            yield name, kinds[name], what


def _status(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def _text(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()
