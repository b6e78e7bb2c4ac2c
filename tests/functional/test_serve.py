"""`paster serve`, as users run it: start, stop, wrong options, a thousand connections."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.harness.chat import ROOT, ChatServer, free_port
from benchmarks.harness.server import eventually


def paster(*arguments, cwd=ROOT):
    environment = {**os.environ, "PYTHONWARNINGS": "ignore:pkg_resources:UserWarning"}
    program = Path(sys.executable).with_name("paster")
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=30, cwd=cwd, env=environment
    )


class StartTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def fails(self, server="", app="", *arguments):
        ini = self.folder / "test.ini"
        ini.write_text(
            f"[server:main]\nuse = egg:ChatApp#http\nport = {free_port()}\n{server}\n"
            f"[app:main]\nuse = egg:ChatApp\nchat.data = %(here)s\n{app or 'chat.log = memory:'}\n"
        )
        run = paster("serve", str(ini), *arguments)
        self.assertNotEqual(0, run.returncode)
        said = (run.stdout + run.stderr).splitlines()
        lines = [line for line in said if not line.startswith("Starting")]
        self.assertEqual(1, len(lines), said)
        self.assertRegex(lines[0], "^(cogen|chatapp): ")
        return lines[0]

    def test_an_unknown_option_is_named(self):
        self.assertIn("unknown server option 'hots'", self.fails("hots = 127.0.0.1"))
        line = self.fails(app="chat.pol_timeout = 3")
        self.assertIn("unknown option 'chat.pol_timeout': is chat.poll_timeout meant?", line)

    def test_a_bad_value_is_named(self):
        self.assertIn("backlog = 'many'", self.fails("backlog = many"))
        self.assertIn("proactor = 'twisted'", self.fails("proactor = twisted"))
        self.assertIn("chat.history = '0'", self.fails(app="chat.history = 0"))
        self.assertIn("session.secure = 'maybe'", self.fails(app="session.secure = maybe"))
        self.assertIn("certificate = '/nope'", self.fails("certificate = /nope"))
        for name, forms in (
            ("trusted_proxies", "an address, a network, `unix` or `*`"),
            ("allowed_hosts", "a host without a port, `*.NAME` or `*`"),
        ):
            self.assertIn(f"{name}: 'a/b' is not {forms}", self.fails(f"{name} = a/b"))
        self.assertIn("port = 'x'", self.fails("", "", "http_port=x"))
        self.assertIn("backlog = 'many'", self.fails("", "", "backlog=many"))

    def test_a_variable_of_the_command_line_that_names_nothing_is_named(self):
        self.assertIn("'prot' of the command line", self.fails("", "", "prot=5080"))
        self.assertIn("'chat.lgo' of the command line", self.fails("", "", "chat.lgo=memory:"))

    def test_a_port_in_use_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            line = self.fails("", "", f"http_port={port}")
        self.assertIn(f"cannot listen on 127.0.0.1:{port}: Address already in use", line)

    def test_a_log_that_cannot_be_opened_is_named(self):
        (self.folder / "chat.db").mkdir()
        line = self.fails(app="chat.log = sqlite:///%(here)s/chat.db")
        self.assertIn("chat.db", line)


OUR_SERVER = "[server:main]\nuse = egg:cogen#http\nport = 0\n"
MODULE = """\
from paste.deploy.converters import asbool

def make(global_conf, **options):
    if asbool(options.get("flag")):
        raise LookupError("of its own")
"""


class IniTests(unittest.TestCase):
    """What the ini of any application says wrong."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        (self.folder / "site_of_test.py").write_text(MODULE)

    def fails(self, rest, server=OUR_SERVER):
        (self.folder / "site.ini").write_text(server + rest)
        with unittest.mock.patch.dict(os.environ, PYTHONPATH=f"{self.folder}:{ROOT}"):
            run = paster("serve", "site.ini", cwd=self.folder)
        self.assertEqual(1, run.returncode, run.stderr)
        return run.stderr

    def test_a_fault_of_it_is_one_line(self):
        made = "paste.app_factory = site_of_test"
        for rest, told in (
            ("", "No section 'main'"),
            ("[app:main]\n", "No loader given in section 'app:main'"),
            ("[app:main]\nuse = egg:nowhere\n", "No package metadata was found for nowhere"),
            ("[app:main]\nuse = fish:x\n", "URI scheme not known: 'fish'"),
            ("[app:main]\nuse = config:no.ini\n", "No such file or directory: '.*/no.ini'"),
            ("[app:main]\npaste.app_factory = nowhere:make\n", "No module named 'nowhere'"),
            (f"[app:main]\n{made}:no\n", "module 'site_of_test' has no attribute 'no'"),
            (f"[app:main]\n{made}:make\na = %(b)s\n", "option 'a' in section 'app:main'"),
            (f"[app:main]\n{made}:make\nflag = perhaps\n", "String is not true/false: 'perhaps'"),
        ):
            with self.subTest(rest):
                said = self.fails(rest)
                # Where Pylons is installed its command of paster says it before the server does.
                self.assertRegex(said, f"^(cogen: {self.folder}/)?site.ini: .*{told}")
                self.assertEqual(1, said.count("\n"), said)

    def test_what_the_application_raises_keeps_its_traceback(self):
        said = self.fails("[app:main]\npaste.app_factory = site_of_test:make\nflag = true\n")
        self.assertIn("Traceback", said)
        self.assertIn('raise LookupError("of its own")', said)


def shipped(name, option="port", *arguments):
    """A ChatServer of a copy of the ini that has that name."""
    server = ChatServer()
    server.ini.write_text((ROOT / name).read_text())
    server.arguments = [f"{option}={server.port}", *arguments]
    return server


class RunningTests(unittest.TestCase):
    def test_test_ini_serves_what_the_command_line_says(self):
        for option in ("port", "http_port"):
            with self.subTest(option), tempfile.TemporaryDirectory() as folder:
                log = Path(folder) / "other.db"
                arguments = [f"chat.log=sqlite:///{log}", "chat.title=Other"]
                server = shipped("test.ini", option, *arguments)
                with server, urllib.request.urlopen(server.url) as page:
                    self.assertIn(b"<title>Other</title>", page.read())
                    self.assertTrue(log.exists())

    def test_what_was_answered_is_there_when_the_server_was_killed(self):
        for name in ("test.ini", "development.ini"):
            with self.subTest(name), shipped(name) as server:
                push = urllib.request.Request(f"{server.url}chat/push", b"kept", method="POST")
                urllib.request.urlopen(push, timeout=10).close()
                server.kill()
                server.start()
                with urllib.request.urlopen(f"{server.url}chat/history/lobby") as history:
                    self.assertIn(b'"text":"kept"', history.read())

    def test_a_name_that_a_stranger_had_lead_here_reads_no_room(self):
        """DNS rebinding: to the browser this is the stranger's own site."""
        with ChatServer() as server:
            statuses = []
            for name in ("127.0.0.1", "localhost", "evil.example"):
                pull = urllib.request.Request(f"{server.url}chat/pull/room")
                pull.add_header("Host", f"{name}:{server.port}")
                pull.add_header("Origin", f"http://{name}:{server.port}")
                try:
                    with urllib.request.urlopen(pull, timeout=10) as answer:
                        statuses.append(answer.status)
                except urllib.error.HTTPError as error:
                    statuses.append(error.code)
                    self.assertIn(b"evil.example", error.read())
            self.assertEqual([200, 200, 421], statuses)

    def test_an_ini_without_loggers_is_not_mute(self):
        for with_file in (False, True):
            server = ChatServer(server={"access_log": "common"})
            ini = server.ini.read_text()
            server.ini.write_text(ini[: ini.index("[loggers]")])
            if with_file:
                server.arguments = ["--log-file", str(server.folder / "log")]
            with self.subTest(with_file=with_file), server:
                urllib.request.urlopen(f"{server.url}chat.css").close()
                eventually(lambda it=server: '"GET /chat.css HTTP/1.1" 200' in it.log, True)
                # Before the end, when a buffer is emptied.
                self.assertIn(f"Starting server in PID {server.process.pid}", server.log)
                self.assertIn(f"serving on {server.url}", server.log)

    def test_the_log_file_of_paster_has_the_lines_of_a_process_that_took_its_place(self):
        server = ChatServer()
        server.arguments = ["--log-file", server.folder / "file"]
        with server:
            self.reload(server.folder / "file", server.process.pid)
            server.stop()
            # What it says at the stop.
            self.assertIn("stopping; being answered", (server.folder / "file").read_text())
            self.assertEqual("", server.log)

    def test_a_daemon_reloads(self):
        for how in ("start", "--daemon"):
            with self.subTest(how):
                self.check_daemon(how)

    def check_daemon(self, how):
        server = ChatServer()
        self.addCleanup(server.__exit__)
        log, pid_file = server.folder / "file", server.folder / "pid"
        command = ["serve", server.ini, how, "--pid-file", pid_file, "--log-file", log]
        self.assertEqual(0, paster(*command, cwd=server.folder).returncode)
        eventually(lambda: log.exists() and "serving on" in log.read_text(), True)
        pid = int(pid_file.read_text())
        try:
            self.reload(log, pid)
        finally:
            stopped = paster("serve", "--stop-daemon", "--pid-file", pid_file)
        self.assertEqual(0, stopped.returncode)
        self.assertTrue(log.read_text().endswith(f"stopped\nRemoving PID file {pid_file}\n"))

    def reload(self, log, pid):
        os.kill(pid, signal.SIGHUP)
        said = re.compile("the reload is given up|a new process serves")
        eventually(lambda: bool(said.search(log.read_text())), True)
        self.assertNotIn("given up", log.read_text())

    def test_a_stop_answers_held_polls_and_the_next_start_goes_on(self):
        with ChatServer() as server:
            results = asyncio.run(_poll_through_a_stop(server))
        self.assertEqual(["before", "after"], results)

    def test_a_thousand_connections_each_get_twenty_messages(self):
        with ChatServer(app={"chat.log": "memory:", "chat.push_rate": 0}) as server:
            fan_out = _fan_out(server.port, clients=1000, messages=20)
            received = asyncio.run(asyncio.wait_for(fan_out, 240))
        expected = [f"{number}" for number in range(20)]
        self.assertEqual(1000, len(received))
        self.assertEqual([], [got for got in received if got != expected])


async def _poll_through_a_stop(server):
    from chatapp.bots import ChatClient, Message

    seen = []

    async def follow(reader):
        async for event in reader.follow():
            if isinstance(event, Message):
                seen.append(event.text)
            if len(seen) == 2:
                return

    async with ChatClient(server.url) as reader, ChatClient(server.url) as writer:
        await reader.join()
        following = asyncio.create_task(follow(reader))
        await writer.send("before")
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        await writer.send("after")
        await asyncio.wait_for(following, 30)
    return seen


async def _fan_out(port, clients, messages):
    """Each client polls on its own connection until it has all; a speaker waits for nobody."""
    ready = asyncio.Semaphore(0)
    following = [asyncio.create_task(_follow(port, ready, messages)) for _ in range(clients)]
    for _ in range(clients):
        await ready.acquire()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in range(messages):
        body = f"{number}".encode()
        writer.write(
            b"POST /chat/push HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )
        await _answer(reader)
    received = await asyncio.gather(*following)
    writer.close()
    return received


async def _follow(port, ready, messages):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = []
    cookie = cursor = ""
    joined = False
    while len(received) < messages:
        since = f"&since={cursor}" if cursor else ""
        request = (
            f"GET /chat/pull?client=t{since} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n"
            f"{cookie}\r\n"
        )
        writer.write(request.encode())
        head, body = await _answer(reader)
        if not joined:
            token = re.search(rb"chat_token_\w+=[^;]+", head)[0].decode()
            cookie = f"Cookie: {token}\r\n"
            joined = True
            ready.release()
        news = json.loads(body)
        cursor = news["cursor"]
        received += [message["text"] for message in news["messages"]]
    writer.close()
    return received


async def _answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    return head, await reader.readexactly(length)
