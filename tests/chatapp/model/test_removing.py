"""A text that was removed is in no file of the SQLite log, nor in a copy made after it."""

import asyncio
import contextlib
import hashlib
import random
import shutil
import sqlite3
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from chatapp.model import Draft, Message, NonceReused, Record, Slice
from chatapp.model.sqlite import store as module
from chatapp.model.sqlite.copies import back_up
from chatapp.model.sqlite.log import SQLiteLog
from tests.chatapp.model.contract import ROOM, Clock, LogContract, Observer, store

PATIENCE = 10

# As version 4 made it, of three pushes, the first with a nonce; and of a record.
FOURTH_VERSION = """
create table gone (slot text primary key, seq integer not null) without rowid;
create table heads (
    room text primary key, seq integer not null,
    start integer not null default 0, at real not null default 0) without rowid;
insert into heads values ('garden', 2, 0, 20.0), ('tea', 1, 0, 30.0);
create table messages (
    id integer primary key, room text not null, seq integer not null, nick text not null,
    text text not null, at real not null, kind text not null default 'said',
    sender text not null default '', nonce text);
insert into messages values
    (1, 'garden', 1, 'Ann', 'a', 10.0, 'said', 'id of ann', 'n1'),
    (2, 'garden', 2, 'Bob', 'b', 20.0, 'said', 'id of bob', null),
    (3, 'tea', 1, 'Ann', 'c', 30.0, 'said', 'id of ann', null);
create table meta (key text primary key, value text not null) without rowid;
insert into meta values ('clock', 'once 1.0 1.0'), ('epoch', 'fourth'), ('stored', '3');
create table nonces (
    id integer primary key, room text not null, session text not null, nonce text not null,
    seq integer not null, nick text not null, digest blob not null, at real not null);
insert into nonces values (1, 'garden', 'session', 'n1', 1, '', x'{digest}', 10.0);
create table records (key text primary key, text text not null, expires real) without rowid;
insert into records values ('k', 'v', null);
create table steps (
    id integer primary key, messages integer not null, nonces integer not null,
    seconds real not null);
create unique index messages_by_seq on messages (room, seq);
create unique index nonces_by_name on nonces (room, session, nonce);
create index records_by_end on records (expires) where expires is not null;
pragma user_version = 4;
"""


class RemovingCase(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / "chat.db"

    async def opened(self, **options):
        self.observer, self.clock = Observer(), Clock()
        log = SQLiteLog(
            self.observer, str(self.path), **{**LogContract.OPTIONS, "clock": self.clock, **options}
        )
        await log.open()
        self.addAsyncCleanup(log.close)
        return log

    def remove(self, log, seq, room=ROOM):
        return log.remove(room, seq, Draft(room, "Bob", "rude", "id of bob"))

    def make_fourth(self, *more):
        """A file of the fourth version, and what is done to it by more statements."""
        digest = hashlib.blake2b(b"a", digest_size=16).hexdigest()
        with contextlib.closing(sqlite3.connect(self.path)) as database:
            database.execute("pragma secure_delete = off")
            database.executescript(FOURTH_VERSION.format(digest=digest))
            for statement in more:
                database.executescript(statement)

    def holding(self, *texts):
        """The names of files that have one of the texts in them."""
        found = {}
        for file in self.folder.iterdir():
            content = file.read_bytes()
            some = [text for text in texts if text.encode() in content]
            if some:
                found[file.name] = some
        return found

    async def gone(self, *texts):
        """Return when no file has any of them."""
        async with asyncio.timeout(PATIENCE):
            while self.holding(*texts):
                await asyncio.sleep(0.005)


class FilesTests(RemovingCase):
    async def test_a_removed_text_is_in_no_file_and_in_no_copy_made_after_it(self):
        log = await self.opened()
        marks = ["short secret", "secret over pages", "secret of a page"]
        texts = [mark * times for mark, times in zip(marks, (1, 1000, 200), strict=True)]
        for number, text in enumerate(texts):
            await store(log, ROOM, "ann", "Ann", text, f"n{number}")
            await store(log, ROOM, "ann", "Ann", "kept")
        self.assertEqual({"chat.db-wal": marks}, self.holding(*marks))
        for seq in (1, 3, 5):
            await self.remove(log, seq)
        self.assertEqual({}, self.holding(*marks))
        back_up(str(self.path), str(self.folder / "copy.db"))
        await store(log, ROOM, "ann", "Ann", texts[0], "n0")
        self.assertEqual({}, self.holding(*marks))
        await log.close()
        self.assertEqual({}, self.holding(*marks))

    async def test_whatever_came_before_nothing_is_left_of_it(self):
        """Rows are moved from page to page as others come and go."""
        seed = random.randrange(2**32)
        rng = random.Random(seed)
        log = await self.opened(history=rng.randrange(5, 60), max_rooms=4)
        removed = []
        for number in range(600):
            room = rng.choice("abcdef")
            text = f"<{number}>{'x' * rng.choice([0, 20, 300, 3000])}<{number}>"
            await store(log, room, "ann", "Ann", text)
            if rng.random() < 0.1:
                message = rng.choice((await log.read(room, 0, 100)).messages)
                if message.kind == "said":
                    await self.remove(log, message.seq, room)
                    removed.append(message.text.partition(">")[0] + ">")
                    self.assertEqual({}, self.holding(*removed), f"seed {seed}")

    async def test_one_that_is_removed_as_it_is_stored_is_told_to_nobody(self):
        log = await self.opened()
        await asyncio.gather(store(log, ROOM, "ann", "Ann", "secret"), self.remove(log, 1))
        told = [(message.kind, message.text) for message in self.observer.messages]
        self.assertEqual([("removed", ""), ("removal", "rude")], told)
        self.assertEqual({}, self.holding("secret"))

    async def test_who_reads_the_database_meanwhile_holds_up_the_erasing_and_no_push(self):
        self.enterContext(mock.patch.object(module, "_FIRST_DELAY", 0.001))
        log = await self.opened()
        await store(log, ROOM, "ann", "Ann", "secret")
        with contextlib.closing(sqlite3.connect(self.path)) as reader:
            reader.execute("begin")
            reader.execute("select count(*) from messages").fetchone()
            with self.assertLogs("chatapp.model.sqlite.store", "WARNING") as logs:
                await self.remove(log, 1)
            self.assertIn("while somebody reads it", logs.output[0])
            await store(log, ROOM, "ann", "Ann", "more")
            self.assertEqual({"chat.db-wal": ["secret"]}, self.holding("secret"))
            self.assertEqual(
                ["", "rude", "more"], [m.text for m in (await log.read(ROOM, 0, 9)).messages]
            )
        await self.gone("secret")

    async def test_what_a_crash_kept_from_being_erased_is_erased_at_the_start(self):
        log = await self.opened()
        await store(log, ROOM, "ann", "Ann", "secret")
        with (
            mock.patch.object(log._store.writer, "erase", return_value=False),
            self.assertLogs("chatapp.model.sqlite.store", "WARNING"),
        ):
            await self.remove(log, 1)
        crashed = self.folder / "crashed"
        crashed.mkdir()
        for suffix in ("", "-wal"):
            shutil.copy(f"{self.path}{suffix}", crashed)
        await log.close()
        self.folder, self.path = crashed, crashed / "chat.db"
        self.assertEqual({"chat.db-wal": ["secret"]}, self.holding("secret"))
        again = await self.opened()
        await self.gone("secret")
        self.assertEqual(["", "rude"], [m.text for m in (await again.read(ROOM, 0, 9)).messages])

    async def test_an_erasing_that_fails_is_told_and_tried_again(self):
        self.enterContext(mock.patch.object(module, "_FIRST_DELAY", 0.001))
        log = await self.opened()
        await store(log, ROOM, "ann", "Ann", "secret")
        erase, fails = log._store.writer.erase, [sqlite3.OperationalError("the disk"), TypeError()]

        def erased():
            if fails:
                raise fails.pop(0)
            return erase()

        with (
            mock.patch.object(log._store.writer, "erase", erased),
            self.assertLogs("chatapp.model.sqlite.store", "WARNING") as logs,
        ):
            await self.remove(log, 1)
            await self.gone("secret")
        self.assertIn("the disk", logs.output[0])

    async def test_closing_ends_the_erasing_that_begins_while_the_last_is_stored(self):
        log = await self.opened()
        await store(log, ROOM, "ann", "Ann", "secret")
        with (
            mock.patch.object(log._store.writer, "erase", return_value=False),
            self.assertLogs("chatapp.model.sqlite.store", "WARNING"),
        ):
            removing = asyncio.ensure_future(self.remove(log, 1))
            while log._store._committing is None:
                await asyncio.sleep(0)
            before = asyncio.all_tasks()
            await log.close()
            await removing
        await asyncio.sleep(0)
        self.assertEqual(set(), asyncio.all_tasks() - before)


class UpgradeTests(RemovingCase):
    async def test_a_file_of_the_fourth_version_goes_on(self):
        self.make_fourth()
        with self.assertLogs("chatapp.model.sqlite.schema", "WARNING") as logs:
            log = await self.opened()
        self.assertIn("of version 5 from now on, and were of 4", logs.output[0])
        self.assertEqual("fourth", log.epoch)
        ann = Message("garden", 1, "Ann", "a", 10.0, "said", "id of ann", "n1")
        bob = Message("garden", 2, "Bob", "b", 20.0, "said", "id of bob")
        self.assertEqual(Slice(1, 2, [ann, bob]), await log.read("garden", 0, 9))
        self.assertEqual({"k": "v"}, await log.records.get(["k"]))
        self.assertTrue(await log.records.change({"k": "v"}, {"k": Record("w")}))
        retry = Draft("garden", "Ann", "a", "id of ann", "n1")
        self.assertEqual(("garden", 1), await log.append(retry, "session"))
        with self.assertRaises(NonceReused):
            await log.append(Draft("garden", "Ann", "x", "id of ann", "n1"), "session")
        await log.append(Draft("garden", "Ann", "d", "id of ann", address="192.0.2.1"), "session")
        await self.remove(log, 1)
        await log.close()
        again = await self.opened()
        held = (await again.read("garden", 0, 9)).messages
        self.assertEqual(
            [("removed", "", ""), ("said", "b", ""), ("said", "d", "192.0.2.1"),
             ("removal", "rude", "")],
            [(message.kind, message.text, message.address) for message in held],
        )  # fmt: skip
        self.assertEqual(1, held[-1].about)

    async def test_what_an_older_version_left_in_free_space_goes_with_the_first_removal(self):
        self.make_fourth(
            "insert into messages values (4, 'garden', 3, 'Ann', 'a secret of old', 40.0, 'said', "
            "'', null); update heads set seq = 3 where room = 'garden';",
            # As where a page was made two, or two became one.
            "insert into records select 'copy', text, null from messages where id = 4;"
            "delete from records where key = 'copy';",
        )
        self.assertEqual(2, self.path.read_bytes().count(b"a secret of old"))
        log = await self.opened()
        with self.assertLogs("chatapp.model.sqlite.removing", "WARNING") as logs:
            await self.remove(log, 3)
        self.assertIn("written anew", logs.output[0])
        self.assertEqual({}, self.holding("a secret of old"))
        with self.assertNoLogs("chatapp.model.sqlite.removing"):
            await self.remove(log, 2)
        self.assertEqual(
            ["a", "", "", "rude", "rude"], [m.text for m in (await log.read(ROOM, 0, 9)).messages]
        )

    async def test_a_file_that_is_new_is_not_written_anew(self):
        log = await self.opened()
        await store(log, ROOM, "ann", "Ann", "a")
        with self.assertNoLogs("chatapp.model.sqlite.removing"):
            await self.remove(log, 1)
