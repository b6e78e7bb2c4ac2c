import asyncio
import sqlite3
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from chatapp.model import LogUnavailable
from chatapp.model import sqlite as module
from chatapp.model.sqlite import SQLiteLog
from tests.chatapp.model.contract import ROOM, LogContract, Observer


class SQLiteLogTests(LogContract, unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / "deep" / "chat.db"

    def make(self, observer, **options):
        return SQLiteLog(observer, path=str(self.path), **options)

    async def expire(self, log):
        await log._in(log._write_thread, log._writer.forget_old)

    async def reopened(self, log, **options):
        await log.close()
        again = self.make(Observer(), **{**self.OPTIONS, "clock": self.clock, **options})
        await again.open()
        return again

    async def begun(self):
        """An open log that is not closed at the end of the test."""
        self.observer = Observer()
        log = self.make(self.observer, **self.OPTIONS)
        self.clock = log._writer._clock
        await log.open()
        return log

    async def test_a_restart_keeps_messages_numbers_nonces_and_the_epoch(self):
        log = await self.begun()
        await log.append(ROOM, "ann", "Ann", "hi", "n1")
        again = await self.reopened(log)
        self.addAsyncCleanup(again.close)
        self.assertEqual(log.epoch, again.epoch)
        self.assertEqual(1, (await again.append(ROOM, "ann", "Ann", "hi", "n1")).seq)
        self.assertEqual(2, (await again.append(ROOM, "ann", "Ann", "ho", "n2")).seq)

    async def test_a_file_that_was_deleted_begins_another_epoch(self):
        log = await self.begun()
        await log.append(ROOM, "ann", "Ann", "hi")
        await log.close()
        for file in self.path.parent.iterdir():
            file.unlink()
        again = self.make(Observer(), **self.OPTIONS)
        await again.open()
        self.addAsyncCleanup(again.close)
        self.assertNotEqual(log.epoch, again.epoch)
        self.assertEqual((1, 0, []), await again.read(ROOM, 0, 10))

    async def test_what_waits_is_committed_together(self):
        log = await self.opened()
        commits = []
        commit = log._writer.commit

        def counted(entries):
            commits.append(len(entries))
            return commit(entries)

        with mock.patch.object(log._writer, "commit", counted):
            pushes = [log.append(ROOM, f"s{n}", "Ann", f"{n}") for n in range(500)]
            await asyncio.gather(*pushes)
        self.assertEqual(500, sum(commits))
        self.assertLess(len(commits), 10)

    async def test_closing_stores_what_was_accepted(self):
        log = await self.begun()
        pushes = [asyncio.ensure_future(log.append(ROOM, "s", "Ann", f"{n}")) for n in range(50)]
        await asyncio.sleep(0)
        await log.close()
        self.assertEqual(50, len(await asyncio.gather(*pushes)))

    async def test_a_second_process_is_told_what_to_do(self):
        await self.opened()
        other = self.make(Observer(), **self.OPTIONS)
        self.enterContext(mock.patch.object(module, "_LOCK_SECONDS", 0))
        with self.assertRaisesRegex(LogUnavailable, "in use by another process.*redis://"):
            await other.open()

    async def test_a_disk_that_fails_refuses_the_push_and_keeps_the_rest(self):
        log = await self.opened()
        await self.say(log, "a")
        # SQLite's own limit: it fails as a full disk does.
        pages = log._write_thread.submit(
            lambda: log._writer._db.execute("pragma page_count").fetchone()[0]
        ).result()
        log._write_thread.submit(
            lambda: log._writer._db.execute(f"pragma max_page_count = {pages}")
        ).result()
        with self.assertRaisesRegex(LogUnavailable, "full"):
            await self.say(log, "b" * 100_000)
        log._write_thread.submit(
            lambda: log._writer._db.execute("pragma max_page_count = 1000000")
        ).result()
        await self.say(log, "c")
        held = await log.read(ROOM, 0, 10)
        self.assertEqual([(1, "a"), (2, "c")], [(m.seq, m.text) for m in held.messages])
        self.assertEqual(held.messages, self.observer.messages)

    async def test_a_file_that_is_no_database_is_named(self):
        self.path.parent.mkdir()
        self.path.write_bytes(b"not a database, but long enough to look at" * 100)
        log = self.make(Observer(), **self.OPTIONS)
        with self.assertRaisesRegex(LogUnavailable, "chat.db: file is not a database"):
            await log.open()

    async def test_a_file_of_another_version_is_left_alone(self):
        self.path.parent.mkdir()
        db = sqlite3.connect(self.path)
        db.execute("pragma user_version = 99")
        db.close()
        log = self.make(Observer(), **self.OPTIONS)
        with self.assertRaisesRegex(LogUnavailable, "another version"):
            await log.open()
