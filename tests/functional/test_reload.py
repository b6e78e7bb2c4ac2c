"""The chat with its default log goes on over reloads: processes, signals, pushes and polls."""

import http.client
import json
import signal
import sqlite3
import threading
import time
import unittest

from benchmarks.harness.chat import ChatServer

ROOM = "lobby"
PATIENCE = 30.0


# A filter that is started after the chat.
LATE = """
import asyncio, pathlib
import cogen.web.processes.process
from cogen.web.life import Life, register

cogen.web.processes.process.RETIRE_GRACE = 60.0  # whatever the machine has to do

def factory(global_conf, folder):
    folder = pathlib.Path(folder)

    async def start(environ):
        if (folder / 'fail').exists():
            raise SystemExit('the log is open: it does not start')
        if (folder / 'wait').exists():
            print('the log is open: it waits', flush=True)
        while (folder / 'wait').exists():
            await asyncio.sleep(0.01)

    return lambda application: register(application, Life(start=start), blocks=False)
"""


class Visitor(threading.Thread):
    """Somebody who asks all the time, on a connection that is kept until the server closes it.

    `failures`: what was refused or broken. With `keep=False` each request has a connection.
    """

    def __init__(self, crowd, number, keep=True):
        super().__init__()
        self.crowd = crowd
        self.number = number
        self.keep = keep
        self.cookies = {}
        self.connection = None

    def run(self):
        try:
            while not self.crowd.over.is_set():
                self.turn()
        except (OSError, http.client.HTTPException, AssertionError, ValueError) as error:
            self.crowd.failures.append(f"{self}: {error!r}")
        finally:
            if self.connection is not None:
                self.connection.close()

    def turn(self):
        raise NotImplementedError

    def ask(self, method, path, body=None, **headers):
        if self.connection is None:
            port = self.crowd.server.port
            self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{key}={value}" for key, value in self.cookies.items())
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        content = answer.read()
        assert answer.status == 200, f"{answer.status} {content!r}"
        if not self.keep or answer.headers.get("Connection") == "close":
            self.connection.close()
            self.connection = None
        return content


class Pusher(Visitor):
    """Says 0, 1, 2 ..., each when the one before is answered; `said` is what was answered."""

    def __init__(self, crowd, number, keep=True):
        super().__init__(crowd, number, keep)
        self.said = {}

    def turn(self):
        text = f"{self.number} {len(self.said)}"
        if self.number % 2:
            seq = int(self.ask("POST", f"/chat/push/{ROOM}", text, Content_Type="text/plain"))
        else:
            body = json.dumps({"text": text, "nonce": text.replace(" ", "-")})
            path, kind = f"/chat/push/{ROOM}", "application/json"
            seq = json.loads(self.ask("POST", path, body, Content_Type=kind))["seq"]
        self.said[text] = seq
        self.crowd.over.wait(0.005)


class Follower(Visitor):
    """Polls, and goes on from its cursor; `seen` is what came, in order."""

    def __init__(self, crowd, number, keep=True):
        super().__init__(crowd, number, keep)
        self.cursor = ""
        self.seen = []

    def turn(self):
        since = f"&since={self.cursor}" if self.cursor else ""
        path = f"/chat/pull/{ROOM}?client=f{self.number}{since}"
        news = json.loads(self.ask("GET", path, Accept="application/json"))
        assert "gap" not in news, news
        self.cursor = news.get("cursor", self.cursor)
        self.seen += [(message["seq"], message["text"]) for message in news["messages"]]


class Crowd:
    """A context manager: pushers and followers of a server, until its end."""

    def __init__(self, server, pushers=4, followers=3):
        self.server = server
        self.failures = []
        self.over = threading.Event()
        self.pushers = [Pusher(self, number, keep=number != 1) for number in range(pushers)]
        self.followers = [Follower(self, number) for number in range(followers)]

    def __enter__(self):
        for each in self.followers + self.pushers:
            each.start()
        self.go_on(20)
        return self

    def __exit__(self, *exc):
        self.over.set()
        for each in self.pushers + self.followers:
            each.join()

    @property
    def count(self):
        return sum(len(each.said) for each in self.pushers)

    def go_on(self, pushes):
        """Return when so many more were answered."""
        wanted, deadline = self.count + pushes, time.monotonic() + PATIENCE
        while self.count < wanted and not self.failures:
            assert time.monotonic() < deadline, f"{self.count} pushes:\n{self.server.log}"
            time.sleep(0.01)

    def check(self, test):
        """Nothing was refused, lost or doubled; everybody saw all that came, in order."""
        test.assertEqual(self.failures, [], self.server.log)
        said = {text: seq for each in self.pushers for text, seq in each.said.items()}
        stored = self.stored()
        test.assertEqual(list(range(1, len(stored) + 1)), [seq for seq, _ in stored])
        test.assertEqual(len(stored), len({text for _, text in stored}))
        test.assertEqual({}, {text: seq for text, seq in said.items() if (seq, text) not in stored})
        for each in self.pushers:
            own = [text for _, text in stored if text.startswith(f"{each.number} ")]
            test.assertEqual([f"{each.number} {n}" for n in range(len(own))], own)
        for follower in self.followers:
            first = follower.seen[0][0]
            test.assertEqual(follower.seen, stored[first - 1 : first - 1 + len(follower.seen)])

    def stored(self):
        db = sqlite3.connect(f"file:{self.server.folder}/chat.db?mode=ro", uri=True)
        try:
            return db.execute("select seq, text from messages order by seq").fetchall()
        finally:
            db.close()


class ReloadTests(unittest.TestCase):
    APP = {"chat.push_rate": 0, "chat.poll_timeout": 2}

    def hang_up(self, server, said, count):
        server.signal(signal.SIGHUP)
        server.logged(said, count)

    def test_nothing_is_refused_lost_or_doubled(self):
        server = self.watched()
        with Crowd(server) as crowd:
            kept = [Pusher(crowd, number) for number in (10, 11, 12)]
            for count in (1, 2, 3):
                for each in kept:
                    each.turn()
                self.hang_up(server, "a new process serves", count)
                # The old process answers on connections that it has, and lets go of them.
                for each in kept:
                    self.assertIsNotNone(each.connection)
                    each.turn()
                    self.assertIsNone(each.connection)
                crowd.go_on(50)
        crowd.pushers += kept
        crowd.check(self)
        server.stop()
        self.assertNotIn("ERROR", server.log)
        self.assertFalse((server.folder / "chat.db-wal").exists())

    def test_a_process_that_does_not_start_changes_nothing(self):
        server = self.watched()
        with Crowd(server) as crowd:
            ini = server.ini.read_text()
            server.ini.write_text(ini.replace("[app:main]", "[app:main]\nunknown = 1"))
            self.hang_up(server, "the reload is given up", 1)
            crowd.go_on(20)
            server.ini.write_text(ini)
            # It ends when the log was handed over to it.
            (server.folder / "fail").touch()
            for count in (2, 3):
                self.hang_up(server, "the reload is given up", count)
                crowd.go_on(20)
            (server.folder / "fail").unlink()
            self.hang_up(server, "a new process serves", 1)
            crowd.go_on(20)
        crowd.check(self)
        self.assertEqual(server.log.count("the log is open: it does not start"), 2)

    def test_pushes_wait_while_no_process_has_the_log(self):
        server = self.watched()
        with Crowd(server) as crowd:
            (server.folder / "wait").touch()
            self.hang_up(server, "the log is open: it waits", 1)
            self.check_that_pushes_wait(crowd)
            (server.folder / "wait").unlink()
            server.logged("a new process serves")
            crowd.go_on(20)
        crowd.check(self)

    def test_pushes_wait_until_the_process_that_has_the_log_is_given_up(self):
        # The time is counted from before the process is there, and that takes as long as it takes:
        # where it has not come to open the log within the shortest, there is a longer one.
        opened = any(map(self.gives_up_while_the_log_is_open, (4, 12, 28)))
        self.assertTrue(opened, "no process came to open the log within 28 seconds")

    def gives_up_while_the_log_is_open(self, seconds):
        """False if the process was given up before it opened the log."""
        waits, given_up = "the log is open: it waits", f"reload_timeout = {seconds} seconds"
        server = self.watched(reload_timeout=seconds)
        with Crowd(server) as crowd:
            (server.folder / "wait").touch()
            server.signal(signal.SIGHUP)
            while waits not in server.log and given_up not in server.log:
                time.sleep(0.01)
            if opened := waits in server.log:
                self.check_that_pushes_wait(crowd)
            server.logged(f"did not serve within {given_up}")
            crowd.go_on(20)
        crowd.check(self)
        return opened

    def check_that_pushes_wait(self, crowd):
        """What was answered late was stored before: at most one answer of each."""
        answered = [len(each.said) for each in crowd.pushers]
        for each, before in zip(crowd.pushers, answered, strict=True):
            self.assertLessEqual(len(each.said), before + 1)

    def test_a_stop_while_no_process_has_the_log_loses_nothing(self):
        server = self.watched()
        crowd = Crowd(server, followers=1)
        with crowd:
            (server.folder / "wait").touch()
            self.hang_up(server, "the log is open: it waits", 1)
            server.stop()
        crowd.failures = [each for each in crowd.failures if "AssertionError" in each]
        crowd.check(self)
        self.assertNotIn("ERROR", server.log)

    def watched(self, **options):
        """A chat whose start goes on, once its log is open, as files tell it."""
        server = ChatServer({**self.APP, "filter-with": "late"}, options)
        folder = server.folder
        (folder / "late.py").write_text(LATE)
        filter_section = f"[filter:late]\npaste.filter_factory = late:factory\nfolder = {folder}\n"
        server.ini.write_text(server.ini.read_text() + filter_section)
        server.environment["PYTHONPATH"] = str(folder)
        return self.enterContext(server)

    def test_a_stop_right_after_a_reload_loses_nothing(self):
        server = self.watched()
        crowd = Crowd(server, followers=1)
        with crowd:
            self.hang_up(server, "a new process serves", 1)
            server.stop()
        # That connections end is no failure of a server that stops.
        crowd.failures = [each for each in crowd.failures if "AssertionError" in each]
        crowd.check(self)
