"""What is done to the machine under a chat that keeps its messages in SQLite: docs/faults.md."""

import contextlib
import http.client
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

from benchmarks.harness.chat import ChatServer
from tests.support.programs import needs

SECONDS = 30
FREED = "the limit is lifted"


class Visitor:
    """A client with a cookie and a cursor; `answered`: texts that were stored, by the answers."""

    def __init__(self, server):
        self.server = server
        self.cookie = ""
        self.cursor = None
        self.answered = []

    def ask(self, method, path, body=None):
        """Status and content."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=SECONDS)
        headers = {"Accept": "application/json", "Connection": "close"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, body and json.dumps(body), headers)
            answer = connection.getresponse()
            cookies = answer.headers.get_all("Set-Cookie") or []
            self.cookie = "; ".join(each.partition(";")[0] for each in cookies) or self.cookie
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def push(self, text, nonce=None):
        body = {"text": text} if nonce is None else {"text": text, "nonce": nonce}
        status, _ = self.ask("POST", "/chat/push", body)
        if status == 200:
            self.answered.append(text)
        return status

    def pull(self):
        since = "" if self.cursor is None else f"&since={self.cursor}"
        status, news = self.ask("GET", f"/chat/pull?client=tab{since}")
        assert status == 200, (status, news)
        self.cursor = news["cursor"]
        return news

    def texts(self):
        status, page = self.ask("GET", "/chat/history/lobby?limit=200")
        assert status == 200, (status, page)
        return [message["text"] for message in page["messages"]]


class FaultCase(unittest.TestCase):
    def served(self, server=None, **options):
        """A server that runs, and somebody who is there and has spoken."""
        server = server or ChatServer(app={"chat.push_rate": 0, **options})
        self.enterContext(server)
        visitor = Visitor(server)
        visitor.pull()
        self.assertEqual(200, visitor.push("before"))
        self.assertEqual(["before"], [each["text"] for each in visitor.pull()["messages"]])
        return server, visitor

    def check_kept(self, visitor):
        """All that was answered is there, once, and nothing that was refused."""
        self.assertEqual(visitor.answered, visitor.texts())

    @contextlib.contextmanager
    def limited(self, server, what, most):
        """The server may have no more of a resource."""
        before = resource.prlimit(server.process.pid, what)
        resource.prlimit(server.process.pid, what, (most, before[1]))
        try:
            yield
        finally:
            resource.prlimit(server.process.pid, what, before)

    def restarted(self, server):
        server.stop()
        server.start()


class DiskTests(FaultCase):
    def test_a_limit_of_file_size_refuses_pushes_and_loses_nothing(self):
        server, visitor = self.served()
        size = os.stat(server.folder / "chat.db-wal").st_size
        with self.limited(server, resource.RLIMIT_FSIZE, size):
            self.assertEqual([503, 503], [visitor.push("x" * 900) for _ in range(2)])
            self.assertEqual(["before"], visitor.texts())
        self.assertEqual(200, visitor.push("after"))
        self.assertEqual(["after"], [each["text"] for each in visitor.pull()["messages"]])
        self.check_kept(visitor)
        server.logged("the message log does not answer")
        self.restarted(server)
        self.check_kept(visitor)

    @needs("unshare")
    def test_a_full_disk_refuses_pushes_and_loses_nothing(self):
        server = SmallDisk()
        if not server.possible:
            raise unittest.SkipTest("this user cannot mount anything")
        server, visitor = self.served(server)
        statuses = [visitor.push(f"{n}" * 9000) for n in range(100, 160)]
        self.assertEqual({200, 503}, set(statuses))
        self.assertEqual(503, statuses[-1])
        server.logged("database or disk is full")
        self.check_kept(visitor)
        server.kill()
        server.start()
        self.check_kept(visitor)

    @needs("setpriv")
    def test_a_folder_that_may_not_be_written_ends_the_start_with_one_line(self):
        for mode, name in ((0o555, "kept"), (0o400, "kept/chat.db")):
            with self.subTest(name):
                server = Unprivileged(app={"chat.log": "sqlite:///%(here)s/kept/chat.db"})
                self.addCleanup(server.__exit__)
                (server.folder / "kept").mkdir()
                (server.folder / "kept/chat.db").touch()
                if name == "kept":
                    (server.folder / "kept/chat.db").unlink()
                (server.folder / name).chmod(mode)
                with contextlib.suppress(AssertionError):
                    server.start()
                self.assertNotEqual(0, server.process.wait(SECONDS), name)
                server.process = None
                (server.folder / "kept").chmod(0o755)
                self.assertNotIn("Traceback", server.log)
                self.assertRegex(server.log, r"chat\.db(\.lock)?: .*(ermission|readonly|unable)")

    def test_a_file_that_was_removed_refuses_pushes_and_a_restart_tells_of_the_gap(self):
        server, visitor = self.served()
        for file in server.folder.glob("chat.db*"):
            if not file.name.endswith(".lock"):
                file.unlink()
        self.assertEqual([503, 503], [visitor.push("gone") for _ in range(2)])
        server.logged("was removed while it is in use: nothing is stored until it is back")
        self.assertEqual(1, server.log.count("nothing is stored until"))
        self.restarted(server)
        self.assertEqual("recreated", visitor.pull()["gap"]["reason"])
        server.logged("is missing or empty, and has stored ")
        self.assertEqual(200, visitor.push("anew"))
        self.assertEqual(["anew"], visitor.texts())

    def test_a_write_ahead_log_that_was_cut_off_is_one_line_whatever_is_asked(self):
        for asked in ("push", "history"):
            with self.subTest(asked):
                server = self.enterContext(ChatServer())
                visitor = Visitor(server)
                self.assertEqual(200, visitor.push("before"))
                os.truncate(server.folder / "chat.db-wal", 0)
                history = "GET", "/chat/history/lobby"
                push = "POST", "/chat/push", {"text": "gone"}
                for each in (push, history) if asked == "push" else (history, push, history):
                    self.assertEqual(503, visitor.ask(*each)[0], each)
                lines = [line for line in server.log.splitlines() if "ERROR" in line]
                self.assertEqual(1, len(lines), server.log)
                self.assertIn("was cut off or overwritten while it is in use", lines[0])

    def test_a_reload_that_finds_no_database_leaves_the_old_process_and_refuses_pushes(self):
        server, visitor = self.served()
        database, aside = server.folder / "chat.db", server.folder / "aside"
        database.rename(aside)
        database.mkdir()
        server.signal(signal.SIGHUP)
        server.logged("the reload is given up")
        server.logged("the message log could not be taken back")
        self.assertEqual(503, visitor.push("refused"))
        database.rmdir()
        aside.rename(database)
        deadline = time.monotonic() + SECONDS
        while visitor.push("stored", "n1") != 200:
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(["before", "stored"], visitor.texts())
        self.assertNotIn("Traceback", server.log)

    def test_a_copy_put_in_its_place_is_told_as_a_gap(self):
        server, visitor = self.served()
        server.stop()
        shutil.copy(server.folder / "chat.db", server.folder / "copy.db")
        server.start()
        visitor.push("lost")
        visitor.pull()
        server.stop()
        shutil.copy(server.folder / "copy.db", server.folder / "chat.db")
        server.start()
        server.logged("went back in time")
        Visitor(server).push("another")
        news = visitor.pull()
        self.assertEqual("recreated", news["gap"]["reason"])
        self.assertEqual(["before", "another"], [each["text"] for each in news["messages"]])

    def test_a_message_that_is_damaged_is_a_gap_of_one(self):
        server, visitor = self.served()
        cursor = visitor.cursor
        for text in ("a", "b", "c"):
            visitor.push(text)
        server.stop()
        with contextlib.closing(sqlite3.connect(server.folder / "chat.db")) as database, database:
            database.execute("update messages set text = cast(x'ff' as text) where seq = 3")
        server.start()
        visitor.cursor = cursor
        news = visitor.pull()
        self.assertEqual(["a", "c"], [each["text"] for each in news["messages"]])
        gap = {"lost": 1, "reason": "damaged", "rooms": {"lobby": 1}, "exact": True}
        self.assertEqual(gap, news["gap"])
        _, page = visitor.ask("GET", "/chat/history/lobby")
        self.assertEqual([3], page["damaged"])
        server.logged("of room lobby message 3 is damaged, and lost")


class SmallDisk(ChatServer):
    """Its messages are on a disk of 300 KB that no other process sees."""

    def __init__(self):
        super().__init__(
            app={"chat.log": "sqlite:///%(here)s/small/chat.db", "chat.max_message": 100_000,
                 "chat.push_rate": 0},
        )  # fmt: skip
        (self.folder / "small").mkdir()

    def command(self):
        # What is on it has to outlive the server: a process holds it, and the server goes there.
        if not hasattr(self, "keeper"):
            self.keeper = self.keep()
        inside = ["nsenter", f"--target={self.keeper.pid}", "--user", "--mount"]
        return [*inside, "--preserve-credentials", *super().command()]

    def keep(self):
        mount = f"mount -t tmpfs -o size=300k none {self.folder}/small && echo && exec sleep 1000"
        keeper = subprocess.Popen(
            ["unshare", "-Urm", "sh", "-c", mount],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.possible_now = keeper.stdout.readline() == b"\n"
        keeper.stdout.close()
        return keeper

    @property
    def possible(self):
        if not hasattr(self, "keeper"):
            self.keeper = self.keep()
        if not self.possible_now:
            self.__exit__()
        return self.possible_now

    def __exit__(self, *exc):
        self.keeper.kill()
        self.keeper.wait()
        super().__exit__(*exc)


class Unprivileged(ChatServer):
    """The modes of files count, whoever runs the tests."""

    def command(self):
        rights = "-dac_override,-dac_read_search"
        if os.geteuid() != 0:
            return super().command()
        return ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}", *super().command()]


class ProcessTests(FaultCase):
    def test_one_that_is_frozen_goes_on_where_it_was(self):
        server, visitor = self.served()
        texts = []
        poll = threading.Thread(target=self.follow, args=(visitor, texts))
        poll.start()
        speaker = Visitor(server)
        server.signal(signal.SIGSTOP)
        pushing = threading.Thread(target=speaker.push, args=("frozen",))
        pushing.start()
        time.sleep(1)
        self.assertEqual([], texts + speaker.answered)
        server.signal(signal.SIGCONT)
        pushing.join(SECONDS)
        poll.join(SECONDS)
        self.assertEqual(["frozen"], speaker.answered)
        self.assertEqual(["frozen"], texts)

    def follow(self, visitor, texts):
        """Poll until there is a message."""
        while not texts:
            texts += [each["text"] for each in visitor.pull()["messages"]]

    def test_no_memory_left_ends_requests_and_not_the_server(self):
        server, visitor = self.served(**{"chat.max_message": 2_000_000})
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        size = next(int(line.split()[1]) for line in status.splitlines() if "VmSize" in line)
        # What fails is another allocation each time: of the socket, the body, its JSON, the answer.
        for room in range(0, 16 << 20, 1 << 20):
            with self.limited(server, resource.RLIMIT_AS, size * 1024 + room):
                for _ in range(20 if room == 0 else 3):
                    with contextlib.suppress(http.client.HTTPException, OSError):
                        visitor.push("x" * 1_500_000)
        server.logged("MemoryError")
        self.assertEqual(200, visitor.push(FREED))
        self.assertEqual(visitor.answered, [text for text in visitor.texts() if text])

    def test_no_descriptor_left_refuses_connections_and_loses_nothing(self):
        server, visitor = self.served()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=0.5)
        self.addCleanup(connection.close)
        refused = self.assertRaises((OSError, http.client.HTTPException))
        with self.limited(server, resource.RLIMIT_NOFILE, 3), refused:
            connection.request("GET", "/healthz")
            connection.getresponse()
        self.assertEqual(200, visitor.push(FREED))
        self.check_kept(visitor)


class StreamTests(FaultCase):
    def test_closed_streams_take_nothing_away_and_nothing_is_written_to_another_file(self):
        server, visitor = self.served(Closed("0<&- 1>&- 2>&-"))
        for number in range(5):
            self.assertEqual(200, visitor.push(f"{number}"))
        for descriptor in (0, 1, 2):
            target = os.readlink(f"/proc/{server.process.pid}/fd/{descriptor}")
            self.assertEqual("/dev/null", target)
        self.check_kept(visitor)
        self.restarted(server)
        self.check_kept(visitor)

    def test_streams_that_cannot_be_written_keep_nobody_from_speaking(self):
        for redirection in ("2>/dev/full", LEFT):
            with self.subTest(redirection):
                _, visitor = self.served(Closed(redirection))
                visitor.ask("GET", "/nowhere")
                self.assertEqual(400, visitor.push(""))
                self.assertEqual(200, visitor.push("after"))
                self.check_kept(visitor)


LEFT = "a pipe whose reader leaves after the first line"
_LEFT = """
import os, sys
reading, writing = os.pipe()
if os.fork():
    os.dup2(writing, 1)
    os.dup2(writing, 2)
    os.execv(sys.argv[1], sys.argv[1:])
os.read(reading, 1)
"""


class Closed(ChatServer):
    """Started by a shell that redirects its standard streams."""

    def __init__(self, redirection):
        super().__init__(app={"chat.push_rate": 0}, server={"access_log": "common"})
        self.redirection = redirection

    def command(self):
        if self.redirection == LEFT:
            return [sys.executable, "-c", _LEFT, *super().command()]
        return ["sh", "-c", f'exec "$@" {self.redirection}', "sh", *super().command()]
