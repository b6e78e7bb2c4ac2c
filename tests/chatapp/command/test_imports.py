"""`chatapp export` and `chatapp import`: all of a chat goes on in another one, or nothing does."""

import asyncio
import contextlib
import sqlite3
import tempfile
import unittest
from pathlib import Path

from chatapp.model import Draft
from chatapp.model.sqlite.log import SQLiteLog
from tests.chatapp.command.program import run
from tests.chatapp.model.contract import LogContract, Observer


async def filled(folder, *said):
    """A chat in which that was said, and what was said first in each room was removed."""
    log = SQLiteLog(Observer(), path=str(folder / "chat.db"), **LogContract.OPTIONS)
    await log.open()
    for room, text in said:
        await log.append(Draft(room, "Ann", text, "A"), "session")
    for room in {room for room, _ in said}:
        await log.remove(room, 1, Draft(room, "Kim", "rude", "K"))
    await log.close()


async def read(folder, room):
    """The first number, and those that are held and that are damaged."""
    log = SQLiteLog(Observer(), path=str(folder / "chat.db"), **LogContract.OPTIONS)
    await log.open()
    try:
        held = await log.read(room, 0, 100)
    finally:
        await log.close()
    return held.first, ([message.seq for message in held.messages], held.damaged)


class ImportTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.one, self.two = self.folder / "one", self.folder / "two"
        self.one.mkdir()
        self.file = self.folder / "export"

    def done(self, *arguments):
        status, said, error = run(*arguments)
        self.assertEqual((0, ""), (status, error))
        return said

    def refused(self, pattern, *arguments):
        status, said, error = run(*arguments)
        self.assertEqual((1, ""), (status, said))
        self.assertRegex(error, rf"\Achatapp: .*{pattern}.*\n\Z")

    def exported(self):
        asyncio.run(filled(self.one, ("tea", "secret"), ("tea", "b"), ("lobby", "c")))
        self.done("rename", "tea", "Tea and cake", "--data", self.one)
        self.done("export", self.file, "--data", self.one)
        self.assertEqual(0o600, self.file.stat().st_mode & 0o777)
        return self.file.read_text()

    def test_what_was_exported_goes_on_with_its_numbers(self):
        before = self.exported()
        self.assertNotIn("secret", before)
        said = self.done("import", self.file, "--data", self.two, "--reason", "a new machine")
        self.assertEqual("taken in: rooms 2, messages 5\n", said)
        after = self.done("export", "-", "--data", self.two)
        self.assertEqual(before.splitlines()[1:], after.splitlines()[1:])
        deeds = self.done("deeds", "--data", self.two)
        self.assertRegex(deeds, "\timport\t.*\ta new machine\n")
        asyncio.run(filled(self.two, ("den", "x")))
        self.assertIn("tea\topen\t0\t3\tTea and cake", self.done("rooms", "--data", self.two))

    def test_a_message_that_is_damaged_is_lost_and_the_others_are_taken_in(self):
        asyncio.run(filled(self.one, *(("tea", text) for text in "abcd")))
        with contextlib.closing(sqlite3.connect(self.one / "chat.db")) as database, database:
            database.execute("update messages set text = cast(x'ff' as text) where seq = 3")
        status, _, error = run("export", self.file, "--data", self.one)
        self.assertEqual(0, status, error)
        self.assertNotIn('"seq":3', self.file.read_text())
        said = self.done("import", self.file, "--data", self.two)
        self.assertEqual("taken in: rooms 1, messages 4\n", said)
        with self.assertLogs("chatapp.model", "ERROR"):
            first, rest = asyncio.run(read(self.two, "tea"))
        self.assertEqual((1, [1, 2, 4, 5], (3,)), (first, *rest))

    def test_messages_of_a_room_that_are_not_in_order_are_refused(self):
        head, room, *messages = self.exported().splitlines()
        for again in (messages[0], messages[1]):
            self.file.write_text("\n".join([head, room, messages[0], messages[1], again]))
            self.refused("line 5 is none .* comes after 2", "import", self.file, "--data", self.two)

    def test_a_room_that_is_there_refuses_all(self):
        self.exported()
        long = ("--reason", "x" * 201, "--data", self.two)
        self.refused("A reason is at most 200", "import", self.file, *long)
        self.two.mkdir()
        asyncio.run(filled(self.two, ("TEA", "x")))
        before = self.done("export", "-", "--data", self.two).splitlines()[1:]
        self.refused("a room called TEA already", "import", self.file, "--data", self.two)
        self.assertEqual(before, self.done("export", "-", "--data", self.two).splitlines()[1:])

    def test_what_is_no_export_is_refused_whole(self):
        lines = self.exported().splitlines()
        self.two.mkdir()
        for number, text in ((1, "{}"), (2, "x"), (4, '{"room":"lobby","seq":9}')):
            self.file.write_text("\n".join([*lines[: number - 1], text, *lines[number:]]))
            self.refused(f"line {number} is", "import", self.file, "--data", self.two)
        self.refused("No such file", "import", self.folder / "no", "--data", self.two)
        self.assertFalse((self.two / "chat.db").exists())
