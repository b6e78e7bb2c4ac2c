"""Copies of the database: whole, private, of one moment; and going on from one."""

import asyncio
import os
import sqlite3
import tempfile
import unittest
from contextlib import closing
from pathlib import Path

from chatapp.model.sqlite.copies import CopyFailed, back_up, restore
from chatapp.model.sqlite.log import SQLiteLog
from tests.chatapp.model.contract import Observer, store


class CopyTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        self.path = str(self.folder / "chat.db")
        self.copy = str(self.folder / "copy.db")

    def opened(self, work):
        """What `work(log)` returns, with the log open meanwhile; and the log's epoch."""

        async def run():
            log = SQLiteLog(Observer(), self.path, 100, 0, 10)
            await log.open()
            try:
                return await work(log), log.epoch
            finally:
                await log.close()

        return asyncio.run(run())

    def say(self, *texts, then=lambda: None):
        async def work(log):
            for text in texts:
                await store(log, "lobby", "somebody", "nick", text)
            then()

        return self.opened(work)[1]

    def texts(self):
        async def work(log):
            held = await log.before("lobby", None, 100)
            return [message.text for message in held.messages]

        return self.opened(work)

    def fails(self, function, *arguments):
        before = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        with self.assertRaises(CopyFailed) as caught:
            function(*arguments)
        after = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        after.pop("chat.db.lock", None)
        before.pop("chat.db.lock", None)
        self.assertEqual(before, after)
        self.assertNotIn("\n", str(caught.exception))
        return str(caught.exception)

    def test_a_copy_while_it_is_written_has_what_was_answered(self):
        epoch = self.say("one", "two", then=lambda: back_up(self.path, self.copy))
        os.replace(self.copy, self.path)
        self.assertEqual((["one", "two"], epoch), self.texts())

    def test_a_copy_is_one_private_file_and_leaves_no_other(self):
        self.say("one")
        back_up(self.path, self.copy)
        self.assertEqual(["chat.db", "chat.db.lock", "copy.db"], sorted(os.listdir(self.folder)))
        self.assertEqual(0o600, os.stat(self.copy).st_mode & 0o777)

    def test_a_copy_replaces_the_one_before(self):
        self.say("one")
        back_up(self.path, self.copy)
        self.say("two")
        back_up(self.path, self.copy)
        os.replace(self.copy, self.path)
        self.assertEqual(["one", "two"], self.texts()[0])

    def test_what_a_crash_left_in_the_write_ahead_log_is_in_the_copy(self):
        crashed = str(self.folder / "crashed.db")

        def crash():
            for suffix in ("", "-wal"):
                Path(crashed + suffix).write_bytes(Path(self.path + suffix).read_bytes())

        self.say("one", then=crash)
        self.assertLess(0, os.stat(f"{crashed}-wal").st_size)
        back_up(crashed, self.copy)
        os.replace(self.copy, self.path)
        self.assertEqual(["one"], self.texts()[0])

    def test_to_go_on_from_a_copy_begins_another_epoch_and_keeps_what_was_there(self):
        epoch = self.say("one")
        back_up(self.path, self.copy)
        self.say("two")
        kept = restore(self.path, self.copy)
        texts, restored = self.texts()
        self.assertEqual(["one"], texts)
        self.assertNotEqual(epoch, restored)
        self.assertEqual(0o600, os.stat(self.path).st_mode & 0o777)
        os.replace(kept, self.path)
        self.assertEqual((["one", "two"], epoch), self.texts())
        self.assertEqual(["chat.db", "chat.db.lock", "copy.db"], sorted(os.listdir(self.folder)))

    def test_a_copy_begins_where_nothing_was(self):
        self.say("one")
        back_up(self.path, self.copy)
        os.remove(self.path)
        self.assertEqual("", restore(self.path, self.copy))
        self.assertEqual(["one"], self.texts()[0])

    def test_what_is_damaged_is_replaced_and_kept(self):
        self.say("one")
        back_up(self.path, self.copy)
        Path(self.path).write_bytes(b"no database any more" * 100)
        kept = restore(self.path, self.copy)
        self.assertEqual(["one"], self.texts()[0])
        self.assertEqual(b"no database any more" * 100, Path(kept).read_bytes())

    def test_a_server_that_has_the_database_is_not_disturbed(self):
        def try_it():
            back_up(self.path, self.copy)
            with self.assertRaisesRegex(CopyFailed, "in use by a server, process .*: stop that"):
                restore(self.path, self.copy)

        self.say("one", then=try_it)
        self.assertEqual(["one"], self.texts()[0])

    def test_what_is_no_database_of_the_chat_is_refused(self):
        self.say("one")
        Path(self.copy).write_bytes(b"something else, of some length" * 20)
        self.assertIn("file is not a database", self.fails(restore, self.path, self.copy))
        os.remove(self.copy)
        with closing(sqlite3.connect(self.copy)) as other:
            other.execute("create table messages (id integer)")
        self.assertIn("of this version", self.fails(restore, self.path, self.copy))
        self.assertIn("of this version", self.fails(back_up, self.copy, f"{self.copy}.2"))

    def test_a_damaged_copy_is_refused(self):
        self.say(*["a text that fills pages" * 100] * 20)
        back_up(self.path, self.copy)
        with open(self.copy, "r+b") as file:
            file.seek(3 * 4096)
            file.write(b"\xff" * 4096)
        self.assertRegex(self.fails(restore, self.path, self.copy), "damaged|malformed")

    def test_what_is_not_there_or_the_same_is_refused(self):
        self.assertIn("chat.db is not there", self.fails(back_up, self.path, self.copy))
        self.assertIn("copy.db is not there", self.fails(restore, self.path, self.copy))
        self.say("one")
        os.symlink(self.path, self.copy)
        self.assertIn("is the database itself", self.fails(back_up, self.path, self.copy))
        self.assertIn("is the database itself", self.fails(restore, self.path, self.copy))
        self.assertIn("No such file", self.fails(back_up, self.path, "/nowhere/copy.db"))

    def test_nothing_of_the_chat_is_taken_for_a_copy_by_whatever_name(self):
        secret, hard = str(self.folder / "secret"), str(self.folder / "hard")
        link = f"{self.enterContext(tempfile.TemporaryDirectory())}/link"
        Path(secret).write_text("a secret")
        os.link(secret, hard)

        def try_all():
            files = [f"{self.path}{suffix}" for suffix in ("", "-wal", "-shm", ".lock")]
            for own in (*files, f"{self.path}-journal", secret):
                folder, name = os.path.split(own)
                os.symlink(own, link)
                names = (
                    own,
                    os.path.relpath(own),
                    f"{folder}/./{name}",
                    f"/proc/self/root{own}",
                    link,
                )
                for each in names:
                    for copy in (back_up, restore):
                        with self.subTest(copy=copy.__name__, file=each):
                            said = self.fails(copy, self.path, each, [secret])
                            self.assertRegex(said, "is the database itself|belongs|is not there")
                os.unlink(link)
            self.assertIn("belongs", self.fails(back_up, self.path, hard, [secret]))

        self.say("one", then=try_all)
        self.assertEqual(["one"], self.texts()[0])

    def test_no_database_takes_the_place_of_something_else_of_the_chat(self):
        self.say("one")
        back_up(self.path, self.copy)
        self.assertIn("something else", self.fails(restore, self.path, self.copy, [self.path]))

    def test_a_copy_replaces_nothing_but_a_copy_or_an_empty_file(self):
        self.say("one")
        for content in (b"[app:main]", Path(self.path).read_bytes()):
            Path(self.copy).write_bytes(content)
            self.assertIn("no copy of a chat", self.fails(back_up, self.path, self.copy))
        os.unlink(self.copy)
        os.mkfifo(self.copy)
        with self.assertRaisesRegex(CopyFailed, "no copy of a chat"):
            back_up(self.path, self.copy)
        os.unlink(self.copy)
        Path(self.copy).touch()
        back_up(self.path, self.copy)
        os.replace(self.copy, self.path)
        self.assertEqual(["one"], self.texts()[0])
