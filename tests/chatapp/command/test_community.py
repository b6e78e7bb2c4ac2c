"""The verbs of who is in charge: what they do to those who are there, at once, on every log."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from benchmarks.harness.chat import BIN, ChatServer
from chatapp.bots import ChatClient, ChatError
from tests.chatapp.command.program import ServedByCommand, run
from tests.support.cluster import Cluster

PATIENCE = 15.0  # seconds


class Visit:
    """Somebody who polls, while commands are run."""

    def __init__(self, url, nick, rooms=("lobby",)):
        self.client = ChatClient(url, nick=nick, rooms=rooms)

    async def __aenter__(self):
        await self.client.join(0.0)
        await self.client.send("hello", self.client.rooms[0])
        await self.poll()
        self.held = asyncio.create_task(self.poll())
        await asyncio.sleep(0.3)
        return self

    async def poll(self):
        """What the next poll with news says; an error in its place."""
        while True:
            try:
                answer = await self.client.poll()
            except ChatError as error:
                return error
            if answer.get("messages"):
                return answer["messages"]

    async def told(self):
        return await asyncio.wait_for(self.held, PATIENCE)

    async def __aexit__(self, *exc):
        self.held.cancel()
        with contextlib.suppress(ChatError):
            await self.client.__aexit__(*exc)


class CommunityCases:
    """`self.url`, of whichever worker; `self.command` with which chat is meant."""

    @classmethod
    def tearDownClass(cls):
        cls.doClassCleanups()  # nose knows no class cleanups

    def command(self, *arguments):
        status, said, error = run(*arguments, *self.where)
        self.assertEqual((0, ""), (status, error))
        return said

    async def run_(self, *arguments):
        return await asyncio.to_thread(self.command, *arguments)

    async def test_a_ban_ends_a_held_poll(self):
        async with Visit(self.urls[-1], "ann") as ann:
            await self.run_("ban", "ann", "--reason", "spam")
            told = await ann.told()
            self.assertEqual((403, "You are banned: spam"), (told.status, told.line))
            await self.run_("unban", "ann", "--reason", "promised")
            [deed] = (await self.run_("deeds", "--limit", "1")).splitlines()
            self.assertIn("\tunban\tann\t", deed)
            self.assertTrue(deed.endswith("\tpromised"), deed)

    async def test_a_message_is_removed_before_who_reads(self):
        async with Visit(self.urls[-1], "bob", ["tea"]) as bob:
            await self.run_("remove", "tea", "1", "--reason", "rude")
            [removal] = await bob.told()
            self.assertEqual(("removal", 1), (removal["kind"], removal["about"]))
            self.assertNotIn("hello", await self.run_("export", "-", "--room", "tea"))

    async def test_who_is_muted_and_whose_room_is_closed_says_nothing(self):
        async with Visit(self.urls[-1], "cat", ["den"]) as cat:
            for act, undo, line in (
                (
                    ("mute", "cat", "--seconds", "60"),
                    ("unmute", "cat", "--reason", "sorry"),
                    "You are muted until",
                ),
                (
                    ("close", "den", "--reason", "x"),
                    ("reopen", "den", "--reason", "day"),
                    "This room is closed: x",
                ),
            ):
                await self.run_(*act)
                muted = "\tcat\t" in await self.run_("standings")
                self.assertEqual(act[0] == "mute", muted)
                self.assertIn(line, await self.said(cat, refused=True))
                await self.run_(*undo)
                self.assertEqual("", await self.said(cat, refused=False))

    async def said(self, visit, refused):
        """The line that refuses a message, or '', at once or, of several workers, before long."""
        tries = 1 if len(self.urls) == 1 else 100
        for _ in range(tries):
            line = ""
            try:
                await visit.client.send("more", "den")
            except ChatError as error:
                self.assertEqual(403, error.status)
                line = error.line
            if bool(line) == refused:
                break
            await asyncio.sleep(PATIENCE / 100)
        return line

    async def test_a_role_is_given(self):
        async with Visit(self.urls[0], "dan"):
            given = await self.run_("role", "dan", "keeper", "--reason", "helps")
            self.assertEqual("dan is keeper\n", given)
            [deed] = (await self.run_("deeds", "--limit", "1")).splitlines()
            self.assertTrue(deed.endswith("\tkeeper\thelps"), deed)

    async def test_several_commands_at_once(self):
        async with Visit(self.urls[0], "eve", ["hall"]):
            said = await asyncio.gather(*[
                self.run_("rename", "hall", f"Hall {n}", "--reason", "x") for n in range(6)
            ])  # fmt: skip
            # What each prints is how the room is called by then.
            self.assertLessEqual(set(said), {f"hall is called Hall {n}\n" for n in range(6)})
            deeds = await self.run_("deeds", "--limit", "6")
            self.assertEqual(6, deeds.count("\trename\t"))


class SQLiteTests(CommunityCases, unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(ServedByCommand())
        cls.urls = [cls.server.url]
        cls.where = ("--data", cls.server.folder / "data")


class MemoryTests(CommunityCases, unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        app = {"chat.log": "memory:", "chat.data": folder}
        cls.server = cls.enterClassContext(ChatServer(app=app))
        cls.urls = [cls.server.url]
        cls.where = ("--ini", cls.server.ini)


class RedisTests(CommunityCases, unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster())
        cls.urls = [host.url for host in cls.cluster.hosts]
        cls.where = ("--ini", cls.cluster.hosts[0].ini)


class AskingTests(unittest.TestCase):
    """Whom a command asks."""

    def test_where_no_server_runs_the_log_is_opened(self):
        with ServedByCommand() as server:
            where = ("--data", server.folder / "data")
            self.assertEqual((0, "", ""), run("rooms", *where))
            server.stop()
            self.assertFalse((server.folder / "data/control.sock").exists())
            self.assertEqual((0, "", ""), run("rooms", *where))
            server.start()
            server.logged("serving on", 2)

    def test_a_server_that_was_killed_leaves_a_socket_that_holds_up_nobody(self):
        with ServedByCommand() as server:
            where = ("--data", server.folder / "data")
            self.assertEqual((0, "", ""), run("rooms", *where))
            server.kill()
            self.assertTrue((server.folder / "data/control.sock").exists())
            self.assertEqual((0, "", ""), run("rooms", *where))
            server.start()
            server.logged("serving on", 2)
            self.assertEqual((0, "", ""), run("rooms", *where))
            self.assertNotIn("cannot reach", server.log)

    def test_commands_go_on_over_reloads(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        app = {"chat.log": f"sqlite:///{folder}/chat.db", "chat.data": folder}
        with ChatServer(app=app) as server:
            over, failed, count = threading.Event(), [], [0]

            def commands():
                while not over.is_set():
                    done = run("rename", "lobby", f"Lobby {count[0]}", "--ini", server.ini)
                    count[0] += 1
                    if done[0]:
                        failed.append(done)

            threads = [threading.Thread(target=commands) for _ in range(2)]
            for thread in threads:
                thread.start()
            for number in (1, 2):
                server.signal(signal.SIGHUP)
                server.logged("a new process serves", number)
            over.set()
            for thread in threads:
                thread.join()
            self.assertEqual([], failed)
            self.assertGreater(count[0], 2)
            self.assertEqual((0, ""), run("rooms", "--ini", server.ini)[::2])

    def test_a_second_server_of_one_folder_says_that_commands_do_not_reach_it(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        app = {"chat.log": "memory:", "chat.data": folder}
        with ChatServer(app=app), ChatServer(app=app) as second:
            second.logged("commands cannot reach this chat: ")
            self.assertRegex(second.log, r"control\.sock: Address already in use")
            second.logged("serving on")  # before it is stopped

    def test_a_chat_is_not_asked_for_another_one_that_has_its_folder(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        apps = [{"chat.log": f"sqlite:///{folder}/{name}.db", "chat.data": folder} for name in "ab"]
        with ChatServer(app=apps[0]) as first, ChatServer(app=apps[1]) as second:
            second.logged("commands cannot reach this chat: ")
            status, _, told = run("rename", "lobby", "Hall", "--ini", second.ini)
            self.assertEqual(1, status)
            self.assertIn(f"whose log is {folder}/a.db, and not {folder}/b.db", told)
            self.assertEqual((0, "", ""), run("rooms", "--ini", first.ini))
            second.logged("serving on")


class LineTests(unittest.TestCase):
    """What cannot be done is told in a line."""

    def refused(self, pattern, *arguments):
        status, said, error = run(*arguments)
        self.assertEqual((1, ""), (status, said), error)
        self.assertRegex(error, rf"\Achatapp: .*{pattern}.*\n\Z")

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def ini(self, log):
        path = self.folder / "chat.ini"
        path.write_text(
            f"[app:main]\nuse = egg:ChatApp\nchat.log = {log}\nchat.data = {self.folder}\n"
        )
        return path

    def test_where_no_chat_is(self):
        self.refused(r"there is no chat: .*chat\.db is not there", "rooms", "--data", self.folder)
        self.refused(r"cannot be asked: .*control\.sock", "rooms", "--ini", self.ini("memory:"))
        self.refused(r"No such file", "rooms", "--ini", self.folder / "no.ini")
        self.refused("redis://127.0.0.1:1", "rooms", "--ini", self.ini("redis://127.0.0.1:1"))

    def test_what_is_not_there_and_what_cannot_be(self):
        with ServedByCommand() as server:
            where = ("--data", server.folder / "data")
            self.refused("no room called x", "close", "x", *where)
            self.refused("nobody who was here is called x", "ban", "x", *where)
            self.refused("no such message", "remove", "lobby", "9", *where)
            self.refused("A title is", "rename", "lobby", "", *where)
            self.refused("more than 65536 bytes", "rename", "lobby", "x" * 70_000, *where)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_another_user_is_told_to_be_who_serves(self):
        with ServedByCommand() as server:
            data = server.folder / "data"
            for mode in (0o700, 0o755):
                server.folder.chmod(mode)
                done = subprocess.run(
                    [BIN / "python", "-c",
                     "import os, sys\n"
                     "from chatapp.command.verbs import run\n"
                     "import importlib.metadata\n"
                     "importlib.metadata.version('ChatApp')  # what that user cannot read\n"
                     "os.setuid(65534)\n"
                     "run(sys.argv[1:])\n", "rooms", "--data", data],
                    capture_output=True, text=True, timeout=60, check=False,
                )  # fmt: skip
                self.assertEqual(1, done.returncode)
                line = (
                    rf"\Achatapp: {re.escape(str(data))}/control\.sock: Permission denied: .*\n\Z"
                )
                self.assertRegex(done.stderr, line)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_the_log_of_another_user_is_not_opened_by_root(self):
        (self.folder / "chat.db").touch()
        os.chown(self.folder / "chat.db", 65534, 65534)
        self.refused("belongs to another user, and no chat runs", "rooms", "--data", self.folder)
