"""`chatapp backup` while the chat runs, `chatapp restore` while it does not; clients are told."""

import asyncio
import subprocess
import unittest

from benchmarks.harness.chat import BIN, ChatServer
from chatapp.bots import ChatClient, Gap, Message
from tests.chatapp.command.program import ServedByCommand, run


async def first(client, *kinds):
    async for event in client.follow():
        if isinstance(event, kinds):
            return event


async def heard(client, count):
    """The first gaps and messages that it is told of from now on."""
    events = []
    async for event in client.follow():
        if isinstance(event, (Gap, Message)):
            events.append(event)
        if len(events) == count:
            return events


class CopyTests(unittest.TestCase):
    def test_a_client_is_told_of_the_gap_when_the_chat_goes_on_from_a_backup(self):
        with ServedByCommand() as server:
            data, copy = server.folder / "data", server.folder / "copy.db"
            asyncio.run(self.followed(server, data, copy))

    async def followed(self, server, data, copy):
        async with ChatClient(server.url) as reader, ChatClient(server.url) as writer:
            await reader.join()
            await writer.send("before")
            self.assertEqual("before", (await first(reader, Message)).text)
            self.assertEqual((0, "", ""), await self.command("backup", copy, "--data", data))
            await writer.send("after")
            self.assertEqual("after", (await first(reader, Message)).text)
            status, _, said = await self.command("restore", copy, "--data", data)
            by = f"in use by a server, process {server.process.pid}: stop that first"
            line = f"chatapp: {data}/chat.db is {by}\n"
            self.assertEqual((1, line), (status, said))
            await asyncio.to_thread(server.stop)
            status, said, _ = await self.command("restore", copy, "--data", data)
            self.assertEqual(0, status)
            self.assertIn(f"what was there is kept in {data}/chat.db.", said)
            await asyncio.to_thread(server.start)
            gap, again = await heard(reader, 2)
            self.assertEqual(("recreated", False), (gap.reason, gap.exact))
            self.assertEqual("before", again.text)
            history = await reader.history("lobby")
            self.assertEqual(["before"], [message.text for message in history])

    async def command(self, *arguments):
        return await asyncio.to_thread(run, *arguments)

    def test_the_log_of_an_ini_is_copied(self):
        with ChatServer() as server:
            copy = server.folder / "copy.db"
            self.assertEqual((0, "", ""), run("backup", copy, "--ini", server.ini))
            self.assertTrue(copy.exists())

    def test_what_cannot_be_written_is_told_by_the_name_that_was_asked_for(self):
        with ChatServer() as server:
            server.logged("serving on")
            folder = server.folder
            (folder / "folder").mkdir()
            (folder / "file").touch()
            for name, why in (
                ("nowhere/copy.db", "No such file or directory"),
                ("file/copy.db", "Not a directory"),
                ("folder", "Is a directory"),
            ):
                line = f"chatapp: {folder}/{name}: {why}\n"
                self.assertEqual((1, "", line), run("backup", folder / name, "--ini", server.ini))

    def test_a_disk_that_is_full_is_that_of_the_copy(self):
        with ChatServer() as server:
            server.logged("serving on")
            copy = server.folder / "copy.db"
            command = f"ulimit -f 4; exec {BIN}/chatapp backup {copy} --ini {server.ini}"
            ran = subprocess.run(
                ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60
            )
            self.assertEqual(1, ran.returncode)
            self.assertRegex(ran.stderr, f"^chatapp: {copy}: (disk I/O error|.* full)\n$")
            self.assertEqual([], list(server.folder.glob("copy*")))

    def test_what_the_chat_has_is_no_copy(self):
        with ServedByCommand() as server:
            server.logged("serving on")
            data = server.folder / "data"
            for name in ("chat.db-wal", "chat.db-shm", "chat.db.lock", "secret"):
                before = self.begins(data / name)
                for verb in ("backup", "restore"):
                    line = (
                        f"chatapp: {data / name} belongs to the chat: a copy is a file of its own\n"
                    )
                    self.assertEqual((1, "", line), run(verb, data / name, "--data", data))
                self.assertEqual(before, self.begins(data / name))

    def begins(self, path):
        """Which file it is and how it begins; the server may write on behind that."""
        return path.stat().st_ino, path.read_bytes()[:16]

    def test_nor_is_the_ini_or_the_secret_that_it_names(self):
        server = ChatServer(app={"chat.secret_file": "%(here)s/signs"})
        secret = server.folder / "signs"
        secret.touch(0o600)
        secret.write_text("s" * 32)
        with server:
            server.logged("serving on")
            for file in (server.ini, secret):
                line = f"chatapp: {file} belongs to the chat: a copy is a file of its own\n"
                self.assertEqual((1, "", line), run("backup", file, "--ini", server.ini))

    def test_what_cannot_be_copied_is_one_line(self):
        server = ChatServer(app={"chat.log": "memory:"})
        self.addCleanup(server.__exit__)
        self.assertEqual(
            (
                1,
                "",
                f"chatapp: {server.ini}: chat.log is not in SQLite, which alone is copied here\n",
            ),
            run("backup", "copy.db", "--ini", server.ini),
        )
        self.assertEqual(
            (1, "", "chatapp: nowhere.ini: No such file or directory\n"),
            run("backup", "copy.db", "--ini", "nowhere.ini"),
        )
