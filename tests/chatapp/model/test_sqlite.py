import asyncio
import contextlib
import hashlib
import os
import resource
import shutil
import sqlite3
import stat
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from chatapp.model import Draft, LogUnavailable, Message, NonceReused, Record, Slice
from chatapp.model.message import FIELDS
from chatapp.model.sqlite.files import Lock
from chatapp.model.sqlite.log import SQLiteLog
from chatapp.model.sqlite.records import FileRecords
from tests.chatapp.model.contract import ROOM, Clock, LogContract, Observer, OwnClockContract, store

FIRST_VERSION = """
create table meta (key text primary key, value text not null) without rowid;
create table messages (
    id integer primary key, room text not null, seq integer not null,
    nick text not null, text text not null, at real not null);
create unique index messages_by_seq on messages (room, seq);
create table heads (room text primary key, seq integer not null) without rowid;
create table nonces (
    id integer primary key, room text not null, sender text not null, nonce text not null,
    seq integer not null, nick text not null, digest blob not null, at real not null);
create unique index nonces_by_name on nonces (room, sender, nonce);
insert into meta values ('epoch', 'old');
insert into messages values (1, 'two', 7, 'Bob', 'b', 20.0), (2, 'one', 5, 'Ann', 'a', 30.0);
insert into heads values ('one', 5), ('two', 7);
pragma user_version = 1;
"""


# As version 2 made it, of three pushes: the second with a nonce, the third before the first.
SECOND_VERSION = """
create table meta (key text primary key, value text not null) without rowid;
create table messages (
    id integer primary key, room text not null, seq integer not null,
    nick text not null, text text not null, at real not null);
create unique index messages_by_seq on messages (room, seq);
create table heads (
    room text primary key, seq integer not null,
    start integer not null default 0, at real not null default 0) without rowid;
create table gone (slot text primary key, seq integer not null) without rowid;
create table nonces (
    id integer primary key, room text not null, sender text not null, nonce text not null,
    seq integer not null, nick text not null, digest blob not null, at real not null);
create table steps (
    id integer primary key, messages integer not null, nonces integer not null,
    seconds real not null);
create unique index nonces_by_name on nonces (room, sender, nonce);
insert into meta values ('epoch', 'second'), ('stored', '3'), ('clock', 'once 1.0 1.0');
insert into messages values
    (1, 'garden', 1, 'Ann', 'a', 10.0), (2, 'garden', 2, 'Bob', 'b', 20.0),
    (3, 'tea', 1, 'Ann', 'c', 30.0);
insert into heads values ('garden', 2, 0, 20.0), ('tea', 1, 0, 30.0);
insert into nonces values (1, 'garden', 'session', 'n1', 2, 'Bob', x'{digest}', 20.0);
pragma user_version = 2;
"""


class SQLiteLogTests(OwnClockContract, unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / "deep" / "chat.db"

    def make(self, observer, **options):
        return SQLiteLog(observer, path=str(self.path), **options)

    async def expire(self, log):
        await log._store.thread.run(log._store.writer.forget_old)

    def limit(self, log, max_rooms):
        log._store.writer._max_rooms = max_rooms

    async def reopened(self, log, **options):
        await log.close()
        again = self.make(Observer(), **{**self.OPTIONS, "clock": self.clock, **options})
        await again.open()
        return again

    async def begun(self):
        """An open log that is not closed at the end of the test."""
        self.observer = Observer()
        self.clock = Clock()
        log = self.make(self.observer, **self.OPTIONS, clock=self.clock)
        await log.open()
        return log

    async def test_rooms_of_an_older_version_whose_names_say_the_same_stay_two(self):
        log = await self.begun()
        await self.say(log, "one", room="Tea")
        await log.close()
        with contextlib.closing(sqlite3.connect(self.path)) as database, database:
            database.execute("insert into heads values ('tea', 5, 5, 0)")
        again = await self.reopened(log)
        self.addAsyncCleanup(again.close)
        self.assertEqual(
            {"Tea": "Tea", "tea": "tea", "TEA": "Tea"}, await self.named(again, "Tea", "tea", "TEA")
        )
        messages = [await store(again, name, "x", "X", "hi") for name in ("Tea", "tea", "TEA")]
        self.assertEqual([("Tea", 2), ("tea", 6), ("Tea", 3)], [(m.room, m.seq) for m in messages])

    async def test_a_restart_keeps_messages_numbers_nonces_and_the_epoch(self):
        log = await self.begun()
        await store(log, ROOM, "ann", "Ann", "hi", "n1")
        again = await self.reopened(log)
        self.addAsyncCleanup(again.close)
        self.assertEqual(log.epoch, again.epoch)
        self.assertEqual(1, (await store(again, ROOM, "ann", "Ann", "hi", "n1")).seq)
        self.assertEqual(2, (await store(again, ROOM, "ann", "Ann", "ho", "n2")).seq)

    async def test_a_file_that_was_deleted_begins_another_epoch(self):
        log = await self.begun()
        await store(log, ROOM, "ann", "Ann", "hi")
        await log.close()
        for file in self.path.parent.iterdir():
            file.unlink()
        again = self.make(Observer(), **self.OPTIONS)
        await again.open()
        self.addAsyncCleanup(again.close)
        self.assertNotEqual(log.epoch, again.epoch)
        self.assertEqual(Slice(1, 0, []), await again.read(ROOM, 0, 10))

    async def test_a_restart_keeps_which_room_gives_way_and_where_its_numbers_go_on(self):
        log = await self.begun()
        await self.spoken(log, "one", "two", "three", "two")
        log = await self.reopened(log, max_rooms=2)
        await self.spoken(log, "four")
        self.assertEqual({"two", "four"}, await self.there(log, "one", "two", "three", "four"))
        log = await self.reopened(log, max_rooms=2)
        self.addAsyncCleanup(log.close)
        self.assertEqual(Slice(2, 1, [], 1), await log.read("three", 0, 10))
        await self.spoken(log, "three")
        held = await log.read("three", 0, 10)
        self.assertEqual((2, 2, 1), (held.first, held.last, held.start))

    async def test_a_push_that_fails_makes_no_room_give_way(self):
        log = await self.opened(max_rooms=1)
        await self.spoken(log, "one")
        writer = log._store.writer
        with (
            mock.patch.object(writer, "_trim", side_effect=sqlite3.OperationalError("the disk")),
            self.assertRaises(LogUnavailable),
        ):
            await self.spoken(log, "two")
        self.assertEqual({"one"}, await self.there(log, "one", "two"))
        await self.say(log, "b", room="one")
        self.assertEqual(2, (await log.read("one", 0, 10)).last)

    async def test_a_file_of_the_first_version_goes_on(self):
        self.path.parent.mkdir()
        db = sqlite3.connect(self.path)
        db.executescript(FIRST_VERSION)
        db.close()
        log = await self.opened(max_rooms=2)
        self.assertEqual("old", log.epoch)
        kept = Slice(5, 5, [Message("one", 5, "Ann", "a", 30.0)])
        self.assertEqual(kept, await log.read("one", 0, 9))
        await self.say(log, "b", room="three")
        self.assertEqual({"one", "three"}, await self.there(log, "one", "two", "three"))
        self.assertEqual(Slice(8, 7, [], 7), await log.read("two", 0, 9))

    async def test_a_file_of_the_second_version_goes_on(self):
        self.path.parent.mkdir()
        digest = hashlib.blake2b(b"b", digest_size=16).hexdigest()
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            db.executescript(SECOND_VERSION.format(digest=digest))
        log = await self.opened()
        self.assertEqual("second", log.epoch)
        messages = [Message("garden", 1, "Ann", "a", 10.0), Message("garden", 2, "Bob", "b", 20.0)]
        self.assertEqual(Slice(1, 2, messages), await log.read("garden", 0, 9))
        self.assertEqual(["c"], [m.text for m in (await log.read("tea", 0, 9)).messages])
        retry = Draft("garden", "Bob", "b", "bob's", "n1")
        self.assertEqual(("garden", 2), await log.append(retry, "session"))
        with self.assertRaises(NonceReused):
            await log.append(Draft("garden", "Bob", "x", "bob's", "n1"), "session")
        await log.append(Draft("garden", "Bob", "d", "bob's", "n2"), "session")
        log = await self.reopened(log)
        self.addAsyncCleanup(log.close)
        newest = (await log.read("garden", 2, 9)).messages
        self.assertEqual(
            [("d", "said", "bob's", "n2")], [(m.text, m.kind, m.sender, m.nonce) for m in newest]
        )

    async def test_a_file_of_the_third_version_goes_on_and_has_records(self):
        log = await self.begun()
        await self.say(log, "a")
        await log.close()
        with contextlib.closing(sqlite3.connect(self.path)) as database:
            for field in FIELDS:
                if field.since > 3:
                    database.execute(f"alter table messages drop column {field.name}")
            database.executescript("drop table records; pragma user_version = 3;")
        with self.assertLogs("chatapp.model.sqlite.schema", "WARNING"):
            again = await self.reopened(log)
        self.addAsyncCleanup(again.close)
        self.assertEqual(log.epoch, again.epoch)
        self.assertEqual(["a"], [m.text for m in (await again.read(ROOM, 0, 9)).messages])
        self.assertTrue(await again.records.change({"k": None}, {"k": Record("v")}))
        self.assertEqual({"k": "v"}, await again.records.get(["k"]))

    async def test_records_outlive_a_restart_and_are_changed_from_outside(self):
        log = await self.begun()
        outside = FileRecords(str(self.path), self.clock)
        await log.records.change({}, {"k": Record("v"), "short": Record("s", 5.0)})
        self.assertEqual({"k": "v"}, await outside.get(["k"]))
        self.assertTrue(await outside.change({"k": "v"}, {"k": Record("w")}))
        self.assertFalse(await outside.change({"k": "v"}, {"k": None}))
        self.assertEqual({"k": "w"}, await log.records.get(["k"]))
        await self.say(log, "a")
        again = await self.reopened(log)
        self.addAsyncCleanup(again.close)
        self.assertEqual({"k": "w", "short": "s"}, await again.records.all(""))
        self.clock.advance(6.0)
        self.assertEqual({"k": "w"}, await outside.all(""))
        with self.assertRaisesRegex(LogUnavailable, "unable to open"):
            await FileRecords(str(self.folder / "none.db")).get(["k"])

    async def test_a_file_of_the_second_version_whose_nonces_are_damaged_goes_on(self):
        """The second version served it."""
        for name in ("nonces", "nonces_by_name"):
            with self.subTest(name):
                shutil.rmtree(self.path.parent, ignore_errors=True)
                self.path.parent.mkdir()
                with contextlib.closing(sqlite3.connect(self.path)) as db:
                    db.executescript(SECOND_VERSION.format(digest="00" * 16))
                    page, size = (
                        db.execute(query).fetchone()[0]
                        for query in (
                            f"select rootpage from sqlite_master where name = '{name}'",
                            "pragma page_size",
                        )
                    )
                with self.path.open("r+b") as file:
                    file.seek((page - 1) * size)
                    file.write(b"\xa5" * size)
                log = await self.opened()
                kept = [m.text for m in (await log.read("garden", 0, 9)).messages]
                self.assertEqual(["a", "b"], kept)
                await log.close()

    async def test_what_waits_is_committed_together(self):
        log = await self.opened()
        commits = []
        commit = log._store.writer.commit

        def counted(entries):
            commits.append(len(entries))
            return commit(entries)

        with mock.patch.object(log._store.writer, "commit", counted):
            pushes = [store(log, ROOM, f"s{n}", "Ann", f"{n}") for n in range(500)]
            await asyncio.gather(*pushes)
        self.assertEqual(500, sum(commits))
        self.assertLess(len(commits), 10)

    async def test_closing_stores_what_was_accepted(self):
        log = await self.begun()
        pushes = [asyncio.ensure_future(store(log, ROOM, "s", "Ann", f"{n}")) for n in range(50)]
        await asyncio.sleep(0)
        await log.close()
        self.assertEqual(50, len(await asyncio.gather(*pushes)))

    async def test_a_second_process_is_told_what_to_do(self):
        await self.opened()
        other = self.make(Observer(), **self.OPTIONS, patience=0)
        line = f"in use by process {os.getpid()}: .* another folder, .* --data .*redis://"
        with self.assertRaisesRegex(LogUnavailable, line):
            await other.open()

    async def test_a_second_process_says_at_once_whom_it_waits_for(self):
        first = await self.opened()
        with self.assertLogs("chatapp.model", "WARNING") as said:
            second = self.make(Observer(), **self.OPTIONS)
            self.addAsyncCleanup(second.close)
            opening = asyncio.ensure_future(second.open())
            await asyncio.sleep(0)
        line = f"waiting up to 12 s for {self.path}: process {os.getpid()} has it"
        self.assertEqual([line], [record.getMessage() for record in said.records])
        await first.close()
        await opening

    async def test_one_that_is_free_is_waited_for_in_silence(self):
        first = await self.opened()
        await first.close()
        with self.assertNoLogs("chatapp.model"):
            await self.opened()

    async def test_the_process_that_has_the_file_is_named_only_while_it_lives(self):
        await self.opened()
        lock = Path(f"{self.path}.lock")
        for content in (b"", b"[]", b"{", b'{"pid": "x"}', b'{"pid": 0}', b'{"pid": 4194305}'):
            lock.write_bytes(content)
            self.assertEqual("another process", Lock(str(self.path)).holder())

    async def test_a_disk_that_fails_refuses_the_push_and_keeps_the_rest(self):
        log = await self.opened()
        await self.say(log, "a")
        # SQLite's own limit: it fails as a full disk does.
        run, db = log._store.thread.run, log._store.writer._db
        [pages] = await run(lambda: db.execute("pragma page_count").fetchone())
        await run(db.execute, f"pragma max_page_count = {pages}")
        with self.assertRaisesRegex(LogUnavailable, "full"):
            await self.say(log, "b" * 100_000)
        await run(db.execute, "pragma max_page_count = 1000000")
        await self.say(log, "c")
        held = await log.read(ROOM, 0, 10)
        self.assertEqual([(1, "a"), (2, "c")], [(m.seq, m.text) for m in held.messages])
        self.assertEqual(held.messages, self.observer.messages)

    async def test_after_the_end_the_database_itself_has_everything(self):
        log = await self.begun()
        await store(log, ROOM, "ann", "Ann", "hi", "n1")
        await log.read(ROOM, 0, 10)
        reader = sqlite3.connect(self.path)
        self.addCleanup(reader.close)
        reader.execute("select count(*) from messages").fetchall()
        await log.close()
        # Somebody else has it open still, so the other files stay.
        self.assertEqual(0, self.path.with_name("chat.db-wal").stat().st_size)
        shutil.copy(self.path, self.folder / "copy.db")
        copy = SQLiteLog(Observer(), path=str(self.folder / "copy.db"), **self.OPTIONS)
        await copy.open()
        self.addAsyncCleanup(copy.close)
        self.assertEqual(["hi"], [m.text for m in (await copy.read(ROOM, 0, 10)).messages])

    async def test_after_the_end_nothing_else_is_left_of_it(self):
        log = await self.begun()
        await store(log, ROOM, "ann", "Ann", "hi")
        await log.read(ROOM, 0, 10)
        await log.close()
        self.assertEqual({"chat.db", "chat.db.lock"}, set(self.files()))

    async def test_a_disk_that_is_full_at_the_end_loses_nothing(self):
        log = await self.begun()
        await store(log, ROOM, "ann", "Ann", "hi")
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.path.stat().st_size, limits[1]))
        try:
            with self.assertLogs(level="WARNING") as logs:
                await log.close()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        self.assertIn("the newest messages stay in", logs.output[0])
        again = self.make(Observer(), **self.OPTIONS)
        await again.open()
        self.addAsyncCleanup(again.close)
        self.assertEqual(["hi"], [m.text for m in (await again.read(ROOM, 0, 10)).messages])

    async def test_its_files_are_for_their_owner_alone(self):
        for umask in (0, 0o022, 0o777):
            with self.subTest(umask=oct(umask)):
                self.path = self.folder / f"{umask}" / "chat.db"
                self.path.parent.mkdir()
                before = os.umask(umask)
                try:
                    log = await self.begun()
                    await store(log, ROOM, "ann", "Ann", "hi")
                    await log.read(ROOM, 0, 10)
                    modes = self.files()
                    await log.close()
                finally:
                    os.umask(before)
                self.assertEqual(
                    {"chat.db", "chat.db-wal", "chat.db-shm", "chat.db.lock"}, set(modes)
                )
                self.assertEqual({0o600}, set(modes.values()))

    async def test_files_that_everybody_may_read_become_private_and_those_of_a_group_stay(self):
        for mode, expected in ((0o644, 0o600), (0o666, 0o600), (0o640, 0o640)):
            with self.subTest(mode=oct(mode)):
                self.path = self.folder / f"{mode}" / "chat.db"
                log = await self.begun()
                await store(log, ROOM, "ann", "Ann", "hi")
                # As a crash leaves them.
                left = {name: (self.path.parent / name).read_bytes() for name in self.files()}
                await log.close()
                for name, content in left.items():
                    (self.path.parent / name).write_bytes(content)
                    (self.path.parent / name).chmod(mode)
                log = await self.begun()
                await store(log, ROOM, "ann", "Ann", "hi")
                modes = self.files()
                await log.close()
                self.assertEqual(0o600, modes.pop("chat.db.lock"))
                self.assertEqual({expected}, set(modes.values()), modes)

    def files(self):
        """The mode of each file beside the log."""
        return {file.name: stat.S_IMODE(file.stat().st_mode) for file in self.path.parent.iterdir()}

    async def test_its_name_is_meant_as_it_is_written(self):
        for name in ("a b", "a#b", "a?b=c", "a%20b", "100%", "é", "a;b&c", ":memory:", "file:x"):
            with self.subTest(name):
                self.path = self.folder / "named" / name
                log = await self.begun()
                await store(log, ROOM, "ann", "Ann", name)
                held = await log.read(ROOM, 0, 10)
                self.assertEqual([name], [message.text for message in held.messages])
                await log.close()
                self.assertTrue(self.path.stat().st_size)
        self.assertEqual(18, len(self.files()))

    async def test_one_file_by_two_names_is_one_log(self):
        await self.opened()
        link = self.folder / "link.db"
        link.symlink_to(self.path)
        other = SQLiteLog(Observer(), path=str(link), **self.OPTIONS, patience=0)
        with self.assertRaisesRegex(LogUnavailable, "in use by process"):
            await other.open()

    async def test_a_folder_is_named_and_left_alone(self):
        self.path.mkdir(parents=True)
        mode = self.path.stat().st_mode
        log = self.make(Observer(), **self.OPTIONS)
        with self.assertRaisesRegex(LogUnavailable, "chat.db: "):
            await log.open()
        self.assertEqual(mode, self.path.stat().st_mode)

    async def test_a_file_that_is_no_database_is_named(self):
        self.path.parent.mkdir()
        self.path.write_bytes(b"not a database, but long enough to look at" * 100)
        log = self.make(Observer(), **self.OPTIONS)
        with self.assertRaisesRegex(LogUnavailable, "chat.db: file is not a database"):
            await log.open()

    async def test_a_file_of_a_newer_version_is_refused_in_one_line(self):
        self.path.parent.mkdir()
        db = sqlite3.connect(self.path)
        db.execute("pragma user_version = 99")
        db.close()
        log = self.make(Observer(), **self.OPTIONS)
        line = f"^{self.path}: made by a newer version of the chat .*version 99.*up to 5.*$"
        with self.assertRaisesRegex(LogUnavailable, line):
            await log.open()


class FileTests(unittest.IsolatedAsyncioTestCase):
    """What is done to the file behind the server's back."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / "chat.db"

    async def opened(self, name="chat.db", **options):
        self.observer = Observer()
        options = {**LogContract.OPTIONS, **options}
        log = SQLiteLog(self.observer, str(self.folder / name), **options)
        await log.open()
        self.addAsyncCleanup(log.close)
        return log

    async def say(self, log, *texts):
        for text in texts:
            await store(log, ROOM, "ann", "Ann", text)

    async def said(self, log):
        return [message.text for message in (await log.read(ROOM, 0, 1000)).messages]

    async def refused(self, log, line):
        """Pushes are, with that line, once."""
        with self.assertLogs("chatapp.model", "ERROR") as logs:
            for _ in range(3):
                with self.assertRaisesRegex(LogUnavailable, line):
                    await self.say(log, "into the void")
        self.assertEqual(1, len(logs.output))
        self.assertRegex(logs.output[0], line)

    async def test_a_folder_in_the_place_of_a_file_is_named(self):
        for name in ("chat.db.lock", "chat.db"):
            with self.subTest(name):
                (self.folder / name).mkdir()
                with self.assertRaisesRegex(
                    LogUnavailable, rf"{name}: [Ii]s a directory|{name}: un"
                ):
                    await self.opened()
                (self.folder / name).rmdir()

    async def test_one_that_was_removed_or_replaced_takes_nothing_until_it_is_back(self):
        for name in ("chat.db", "chat.db-wal"):
            with self.subTest(name):
                log = await self.opened()
                await self.say(log, "a")
                file, away = self.folder / name, self.folder / "away"
                file.rename(away)
                await self.refused(log, f"{name} was removed while it is in use")
                file.write_bytes(b"")
                await self.refused(log, f"{name} was replaced while it is in use")
                away.rename(file)
                with self.assertLogs("chatapp.model", "WARNING") as logs:
                    await self.say(log, "b")
                self.assertIn("is back", logs.output[0])
                await log.close()
                log = await self.opened()
                self.assertEqual(["a", "b"], await self.said(log))
                await log.close()
                self.path.unlink()

    async def test_what_is_wrong_with_it_is_written_again_after_a_minute(self):
        log = await self.opened()
        Path(self.path).unlink()
        line = "was removed while it is in use"
        await self.refused(log, line)
        with self.assertNoLogs("chatapp.model", "ERROR"), self.assertRaises(LogUnavailable):
            await self.say(log, "into the void")
        log._store.writer._files._told -= 60
        await self.refused(log, line)

    async def test_one_that_is_removed_during_a_commit_answers_nobody(self):
        log = await self.opened()
        writer = log._store.writer
        trim = writer._trim

        def removed_meanwhile(rooms):
            trim(rooms)
            self.path.unlink()

        with (
            mock.patch.object(writer, "_trim", removed_meanwhile),
            self.assertLogs("chatapp.model", "ERROR"),
            self.assertRaisesRegex(LogUnavailable, "was removed"),
        ):
            await self.say(log, "a")

    async def test_the_lock_is_taken_again_where_its_file_was_removed(self):
        log = await self.opened()
        (self.folder / "chat.db.lock").unlink()
        await self.say(log, "a")
        with self.assertRaisesRegex(LogUnavailable, "in use by process"):
            await self.opened(patience=0)

    async def test_one_whose_lock_another_process_has_taken_writes_nothing_more(self):
        log = await self.opened()
        await self.say(log, "a")
        (self.folder / "chat.db.lock").unlink()
        other = await self.opened()
        await self.refused(log, "another process has taken .*chat.db")
        await self.say(other, "b")
        self.assertEqual(["a", "b"], await self.said(log))

    async def test_one_with_another_name_is_not_opened(self):
        log = await self.opened()
        os.link(self.path, self.folder / "other.db")
        with self.assertRaisesRegex(LogUnavailable, "other.db has another name too"):
            await self.opened("other.db")
        await self.say(log, "a")

    async def test_one_that_went_back_in_time_begins_another_epoch(self):
        log = await self.opened()
        await self.say(log, "a")
        await log.close()
        shutil.copy(self.path, self.folder / "copy.db")
        log = await self.opened()
        epoch = log.epoch
        await self.say(log, "b")
        await log.close()
        shutil.copy(self.folder / "copy.db", self.path)
        with self.assertLogs("chatapp.model", "WARNING") as logs:
            log = await self.opened()
        self.assertIn("went back in time: it lacks 1 message at its end", logs.output[0])
        self.assertNotEqual(epoch, log.epoch)
        self.assertEqual(["a"], await self.said(log))
        epoch = log.epoch
        await self.say(log, "c")
        await log.close()
        self.assertEqual(epoch, (await self.opened()).epoch)

    async def test_one_that_is_missing_or_empty_at_the_start_is_told_with_what_it_had(self):
        log = await self.opened()
        await log.close()
        for texts, had in ((["a", "b"], "2 messages"), (["c"], "1 message")):
            with self.assertNoLogs("chatapp.model", "WARNING"):
                log = await self.opened()
            await self.say(log, *texts)
            await log.close()
            Path(self.path).unlink()
            if had == "1 message":
                Path(self.path).touch()
            with self.assertLogs("chatapp.model", "WARNING") as logs:
                await (await self.opened()).close()
            [line] = logs.output
            self.assertIn(f"{self.path} is missing or empty, and has stored {had} (epoch ", line)
            self.assertIn(log.epoch, line)

    async def test_one_that_had_nothing_is_missed_by_nobody(self):
        await (await self.opened()).close()
        Path(self.path).unlink()
        with self.assertNoLogs("chatapp.model", "WARNING"):
            await self.opened()

    async def test_one_whose_newest_messages_were_cut_off_begins_another_epoch(self):
        """The end of the write-ahead log is lost, as by a disk that had only promised it."""
        log = await self.opened()
        await self.say(log, "a", "b")
        left = {suffix: Path(f"{self.path}{suffix}").read_bytes() for suffix in ("", "-wal")}
        lock = Path(f"{self.path}.lock").read_bytes()
        crashed = self.folder / "crashed"
        crashed.mkdir()
        (crashed / "chat.db").write_bytes(left[""])
        (crashed / "chat.db-wal").write_bytes(left["-wal"][:-100])
        (crashed / "chat.db.lock").write_bytes(lock)
        with self.assertLogs("chatapp.model", "WARNING"):
            again = await self.opened("crashed/chat.db")
        self.assertNotEqual(log.epoch, again.epoch)
        self.assertEqual(["a"], await self.said(again))
        await self.say(again, "c")
        self.assertEqual(["a", "c"], await self.said(again))

    async def test_one_whose_log_was_cut_off_or_overwritten_takes_nothing_and_stays_whole(self):
        """Else SQLite would copy zeros, or what was put there, into the database."""
        for change in (
            lambda log: log[:0],
            lambda log: log[: len(log) // 2],
            lambda log: b"\xaa" * len(log),
            lambda log: b"\xaa" * (2 * len(log)),
        ):
            log = await self.opened()
            await self.say(log, "kept")
            await log.close()
            log = await self.opened()
            await self.say(log, *"abcdefgh")
            file = Path(f"{self.path}-wal")
            written = file.read_bytes()
            file.write_bytes(change(written))
            await self.refused(log, "chat.db-wal was cut off or overwritten while it is in use")
            await log.close()
            with self.assertLogs("chatapp.model", "WARNING") as logs:
                again = await self.opened()
            self.assertIn("went back in time", logs.output[0])
            self.assertNotEqual(log.epoch, again.epoch)
            self.assertEqual("kept", (await self.said(again))[0])
            await self.say(again, "goes on")
            await again.close()
            with contextlib.closing(sqlite3.connect(self.path)) as db:
                self.assertEqual([("ok",)], db.execute("pragma integrity_check").fetchall())
            self.path.unlink()

    async def test_what_the_engine_says_of_a_read_that_fails_is_told(self):
        log = await self.opened()
        await self.say(log, *["of some length" * 100] * 200)
        for _ in range(9):
            await log.read(ROOM, 0, 1)  # each reader has begun, and has not read all
        log._is_open = False  # as after it was handed over: nobody here can say what was done to it
        os.truncate(f"{self.path}-wal", 0)
        try:
            with self.assertRaisesRegex(LogUnavailable, "disk I/O error|malformed"):
                await log.before(ROOM, None, 200)
        finally:
            log._is_open = True

    async def test_one_that_another_has_put_there_keeps_its_write_ahead_log(self):
        """A folder was moved away under a server, and a new one serves in its place."""
        log = await self.opened()
        await self.say(log, "a")
        away = self.folder / "away"
        away.mkdir()
        for file in self.folder.glob("chat.db*"):
            file.rename(away / file.name)
        other = await self.opened()
        await self.say(other, "b")
        await log.close()
        await self.say(other, "c")
        self.assertEqual(["b", "c"], await self.said(other))

    async def test_a_copy_with_a_write_ahead_log_that_is_put_there_stays_whole(self):
        log = await self.opened()
        await self.say(log, "a")
        copy = self.folder / "copy"
        copy.mkdir()
        for name in ("chat.db", "chat.db-wal"):
            shutil.copy(self.path.with_name(name), copy)
        await self.say(log, "b")
        for file in self.folder.glob("chat.db*"):
            file.rename(f"{file}.away")
        for name in ("chat.db", "chat.db-wal"):
            shutil.copy(copy / name, self.folder)
        await log.close()
        self.assertEqual(["a"], await self.said(await self.opened()))

    @contextlib.contextmanager
    def no_descriptor(self):
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 50, limits[1])
        )
        taken = []
        try:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(os.open(os.devnull, os.O_RDONLY))
            yield
        finally:
            for each in taken:
                os.close(each)
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    async def test_a_moment_without_a_descriptor_is_no_log_that_was_cut_off(self):
        log = await self.opened()
        await self.say(log, "a")
        with self.no_descriptor():
            await self.say(log, "b")
        await self.say(log, "c")
        self.assertEqual(["a", "b", "c"], await self.said(log))

    async def test_one_that_is_closed_without_a_descriptor_while_it_is_read_stays_whole(self):
        log = await self.opened()
        await self.say(log, "a")
        other = self.enterContext(contextlib.closing(sqlite3.connect(self.path)))
        other.execute("begin")
        other.execute("select count(*) from messages").fetchall()
        await self.say(log, *"bcdefgh")
        with self.no_descriptor():
            await log.close()
        other.close()
        again = await self.opened()
        self.assertEqual([*"abcdefgh"], await self.said(again))

    async def test_one_whose_log_was_cut_off_when_all_of_it_was_copied_stays_whole(self):
        """What is left of it is older than the database then."""
        for part in (9, 5, 1):
            with self.subTest(part):
                name = f"{part}.db"
                path = self.folder / name
                log = await self.opened(name)
                await self.pushed(log, range(300))
                await log.close()
                log = await self.opened(name)
                await self.pushed(log, range(300, 350))
                with contextlib.closing(sqlite3.connect(path)) as other:
                    copied = other.execute("pragma wal_checkpoint(passive)").fetchone()
                self.assertEqual(copied[1], copied[2])
                file = Path(f"{path}-wal")
                os.truncate(file, file.stat().st_size * part // 10)
                await self.refused(log, f"{name}-wal was cut off")
                await log.close()
                again = await self.opened(name)
                said = len(await self.said(again))
                await again.close()
                with contextlib.closing(sqlite3.connect(path)) as db:
                    self.assertEqual([("ok",)], db.execute("pragma integrity_check").fetchall())
                self.assertEqual(350, said)

    async def pushed(self, log, numbers):
        for number in numbers:
            await log.append(Draft(ROOM, "Ann", f"{number}", "ann", f"n{number}"), "session")

    async def test_old_messages_that_cannot_all_be_deleted_keep_nobody_from_pushing(self):
        """What was written before something failed is no log that was cut off."""
        clock = Clock()
        log = await self.opened(clock=clock)
        await log.append(Draft(ROOM, "Ann", "old", "ann", "n1"), "session")
        await log.close()
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            [page] = db.execute(
                "select rootpage from sqlite_master where name = 'nonces'"
            ).fetchone()
            [size] = db.execute("pragma page_size").fetchone()
        with self.path.open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xa5" * size)
        clock.advance(100.0)
        log = await self.opened(max_age=60.0, clock=clock)
        with contextlib.suppress(LogUnavailable):
            await log._store.thread.run(log._store.writer.forget_old)
        await self.say(log, "new")
        self.assertEqual(["new"], await self.said(log))

    async def test_a_disk_that_was_full_when_old_messages_were_to_be_deleted_takes_messages_again(
        self,
    ):
        log = await self.opened(max_age=60.0, clock=(clock := Clock()))
        await self.say(log, "old")
        with contextlib.closing(sqlite3.connect(self.path)) as other:
            other.execute("pragma wal_checkpoint(truncate)")
        clock.advance(100.0)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        # The head of the write-ahead log finds room, what follows does not.
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
        try:
            for _ in range(2):
                with self.assertRaises(LogUnavailable):
                    await log._store.thread.run(log._store.writer.forget_old)
                with self.assertRaises(LogUnavailable):
                    await self.say(log, "in vain")
            with self.assertRaises(LogUnavailable):
                await log._store.thread.run(log._store.writer.forget_old)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        await self.say(log, "new")
        self.assertEqual("new", (await self.said(log))[-1])

    async def test_one_that_is_cut_off_is_noticed_though_somebody_else_has_written_before(self):
        log = await self.opened()
        await self.say(log, *"abcdefgh")
        with contextlib.closing(sqlite3.connect(self.path)) as other, other:
            other.execute("create table notes (text)")
        await self.say(log, *"ijkl")
        file = Path(f"{self.path}-wal")
        os.truncate(file, file.stat().st_size // 2)
        await self.refused(log, "chat.db-wal was cut off")
        await log.close()
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            self.assertEqual([("ok",)], db.execute("pragma integrity_check").fetchall())

    async def test_one_whose_log_is_put_back_as_it_was_goes_on(self):
        log = await self.opened()
        await self.say(log, "a")
        file = Path(f"{self.path}-wal")
        written = file.read_bytes()
        file.write_bytes(b"")
        await self.refused(log, "chat.db-wal was cut off")
        file.write_bytes(written)
        with self.assertLogs("chatapp.model", "WARNING") as logs:
            await self.say(log, "b")
        self.assertIn("is back", logs.output[0])
        await log.close()
        self.assertEqual(["a", "b"], await self.said(await self.opened()))

    async def test_what_somebody_else_does_by_sqlite_is_no_reason_to_refuse(self):
        log = await self.opened()
        other = self.enterContext(contextlib.closing(sqlite3.connect(self.path)))
        other.isolation_level = None
        texts = []
        for mode in ("passive", "full", "restart", "truncate") * 3:
            for statement in (
                f"pragma wal_checkpoint({mode})",
                "insert or replace into meta values ('somebody', random())",
            ):
                with self.subTest(statement):
                    other.execute(statement).fetchall()
                    texts += [f"{len(texts)}", f"{len(texts) + 1}"]
                    with self.assertNoLogs("chatapp.model", "WARNING"):
                        await self.say(log, *texts[-2:])
        self.assertEqual(texts, await self.said(log))

    async def test_marks_that_cannot_be_read_keep_nobody_from_starting(self):
        for content in (b"", b"[]", b"{", b'{"a": "b"}', b"\xff" * 9000):
            with self.subTest(content=content[:9]):
                Path(f"{self.path}.lock").write_bytes(content)
                log = await self.opened()
                await self.say(log, "a")
                await log.close()

    async def test_a_message_with_a_bad_byte_is_lost_and_the_rest_is_read(self):
        log = await self.opened()
        await self.say(log, "a", "b", "c", "d", "e")
        run, db = log._store.thread.run, log._store.writer._db
        for column, value in (
            ("text", "cast(x'62ff' as text)"),
            ("nick", "x'c3'"),
            ("at", "'when'"),
        ):
            await run(db.execute, f"update messages set {column} = {value} where seq in (2, 5)")
            holes = log._readers._holes
            holes._told.clear()
            with self.assertLogs("chatapp.model", "ERROR") as logs:
                for reading in (log.read(ROOM, 0, 9), log.before(ROOM, None, 9)):
                    held = await reading
                    self.assertEqual(["a", "c", "d"], [message.text for message in held.messages])
                    self.assertEqual((2, 5), held.damaged)
            self.assertEqual(1, len(logs.output))
            self.assertIn(f"of room {ROOM} message 2 to 5 (2) is damaged", logs.output[0])
            with self.assertNoLogs("chatapp.model"):
                self.assertEqual((5,), (await log.read(ROOM, 3, 2)).damaged)
                self.assertEqual((), (await log.read(ROOM, 2, 2)).damaged)
                self.assertEqual((2,), (await log.before(ROOM, 4, 2)).damaged)
        await self.say(log, "f")
        self.assertEqual("f", self.observer.messages[-1].text)

    async def test_what_a_nonce_was_used_for_may_be_damaged(self):
        log = await self.opened()
        await store(log, ROOM, "ann", "Ann", "a", "n1")
        run, db = log._store.thread.run, log._store.writer._db
        await run(db.execute, "update nonces set seq = cast(x'62ff' as text)")
        for _ in range(2):
            self.assertEqual(2, (await store(log, ROOM, "ann", "Ann", "a", "n1")).seq)

    async def test_a_damaged_page_is_a_gap_and_the_rest_is_read(self):
        log = await self.opened()
        await self.say(log, *(f"{n}" * 900 for n in range(10, 40)))
        await log.close()
        content = bytearray(self.path.read_bytes())
        at = content.index(b"25" * 900) // 4096 * 4096
        content[at : at + 4096] = b"\xff" * 4096
        self.path.write_bytes(content)
        log = await self.opened()
        with self.assertLogs("chatapp.model", "ERROR") as logs:
            held = await log.read(ROOM, 0, 100)
        self.assertEqual(1, len(logs.output))
        self.assertEqual(30, len(held.messages) + len(held.damaged))
        self.assertIn(16, held.damaged)
        self.assertLess(len(held.damaged), 5)
        await self.say(log, "new")
        self.assertEqual("new", (await log.read(ROOM, 30, 10)).messages[0].text)

    async def test_a_clock_that_was_set_while_it_was_closed_deletes_nothing_that_is_younger(self):
        clock = Clock()
        for step in (86400, -86400, 0):
            with self.subTest(step=step):
                log = await self.opened(max_age=60.0, clock=clock)
                await self.say(log, "a")
                await log.close()
                clock.advance(30)
                clock.now += step
                with (
                    self.assertLogs("chatapp.model", "WARNING")
                    if step
                    else contextlib.nullcontext()
                ):
                    log = await self.opened(max_age=60.0, clock=clock)
                    await log._store.thread.run(log._store.writer.forget_old)
                self.assertEqual(["a"], await self.said(log))
                await log.close()
                clock.advance(31)
                log = await self.opened(max_age=60.0, clock=clock)
                await log._store.thread.run(log._store.writer.forget_old)
                self.assertEqual([], await self.said(log))
                await log.close()

    async def test_a_machine_that_was_started_anew_with_its_clock_behind_deletes_nothing(
        self,
    ):
        clock = Clock()
        log = await self.opened(max_age=60.0, clock=clock)
        await self.say(log, "a")
        await log.close()
        clock.boot, clock.now, clock._passed = "again", clock.now - 86400, 1.0
        with self.assertLogs("chatapp.model", "WARNING"):
            log = await self.opened(max_age=60.0, clock=clock)
            await self.say(log, "b")
            clock.now += 86400
            await log._store.thread.run(log._store.writer.forget_old)
        self.assertEqual(["a", "b"], await self.said(log))

    async def test_a_step_of_the_clock_that_could_not_be_kept_is_noticed_again(self):
        clock = Clock()
        log = await self.opened(max_age=60.0, clock=clock)
        await self.say(log, "a")
        run, writer = log._store.thread.run, log._store.writer
        for table in ("insert on steps", "update on heads"):
            with self.subTest(table):
                full = f"create trigger full before {table} begin select raise(abort, 'full'); end"
                await run(writer._db.execute, full)
                clock.now += 86400
                with self.assertLogs("chatapp.model", "WARNING"):
                    with self.assertRaisesRegex(LogUnavailable, "full"):
                        await run(writer.forget_old)
                    await run(writer._db.execute, "drop trigger full")
                    await run(writer.forget_old)
                self.assertEqual(["a"], await self.said(log))
                [at] = await run(lambda: writer._db.execute("select at from heads").fetchone())
                self.assertEqual(clock.now, at)
                self.assertEqual(at, writer._heads[ROOM].at)

    async def test_a_stamp_that_is_damaged_ends_no_sweep(self):
        log = await self.opened(max_age=60.0)
        await self.say(log, "a", "b")
        run, writer = log._store.thread.run, log._store.writer
        await run(writer._db.execute, "update messages set at = 'when' where seq = 1")
        await run(writer.forget_old)
        self.assertEqual(["b"], await self.said(log))

    async def test_a_head_that_is_damaged_is_made_anew_from_the_messages(self):
        for damage in ("room = cast(x'67ff' as text)", "seq = 'x'", "at = 'when'", "start = x'00'"):
            with self.subTest(damage):
                log = await self.opened()
                await self.say(log, "a", "b")
                await store(log, "other", "ann", "Ann", "kept")
                epoch, last = log.epoch, (await log.read(ROOM, 0, 0)).last
                await log.close()
                with contextlib.closing(sqlite3.connect(self.path)) as database, database:
                    database.execute(f"update heads set {damage} where room = ?", (ROOM,))
                with self.assertLogs("chatapp.model", "ERROR"):
                    log = await self.opened()
                self.assertNotEqual(epoch, log.epoch)
                message = await store(log, ROOM, "ann", "Ann", "c")
                self.assertEqual(last + 1, message.seq)
                self.assertEqual((), (await log.read("other", 0, 10)).damaged)
                await log.close()
                with self.assertNoLogs("chatapp.model"):
                    await (await self.opened()).close()

    async def test_whatever_fails_in_a_commit_answers_those_who_wait(self):
        log = await self.opened()
        fails = mock.patch.object(log._store.writer, "_trim", side_effect=TypeError("of course"))
        with fails, self.assertLogs("chatapp.model", "ERROR"):
            outcomes = await asyncio.gather(
                *(self.say(log, f"{n}") for n in range(3)), return_exceptions=True
            )
        self.assertEqual({LogUnavailable}, {type(outcome) for outcome in outcomes})
        await self.say(log, "a")
        self.assertEqual(["a"], await self.said(log))
