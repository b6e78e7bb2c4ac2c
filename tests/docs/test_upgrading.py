"""What the guide to upgrading promises of the database."""

import re
import sqlite3
import tempfile
import unittest
from contextlib import closing
from pathlib import Path

from chatapp.model.sqlite.schema import VERSIONS
from tests.chatapp.command.program import ServedByCommand, run
from tests.docs.pages import DOCS


class PromiseTests(unittest.TestCase):
    def test_the_table_has_every_version(self):
        rows = re.findall(r"^\| ([\d, ]+) \|", (DOCS / "upgrading.md").read_text(), re.MULTILINE)
        told = [int(number) for row in rows for number in row.split(",")]
        self.assertEqual(list(VERSIONS), told)

    def test_the_way_back_from_a_newer_version(self):
        """One that nobody has made yet stands for it."""
        copies = Path(self.enterContext(tempfile.TemporaryDirectory()))
        with ServedByCommand() as server:
            data = server.folder / "data"
            path = data / "chat.db"
            self.assertEqual(0, run("backup", copies / "copy", "--data", data)[0])
            server.stop()
            with closing(sqlite3.connect(path)) as database:
                database.execute(f"pragma user_version = {VERSIONS[-1] + 1}")
            before = path.read_bytes()
            arguments = ("serve", "--port", server.port, "--data", data)
            status, _, said = run(*arguments)
            self.assertEqual(1, status)
            self.assertRegex(said, "made by a newer version of the chat")
            self.assertEqual(before, path.read_bytes())
            status, said, _ = run("restore", copies / "copy", "--data", data)
            self.assertEqual(0, status)
            self.assertRegex(said, "^what was there is kept in ")
            server.start()
            server.logged("serving on", 2)
