"""From `chat.log` to a log, or to one line that says what is wrong."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from chatapp.model import open_log
from tests.chatapp.model.contract import LogContract, Observer

BEGIN = """
import sys
{before}
from chatapp.config.middleware import make_app
make_app({{}}, **{{"chat.log": sys.argv[1], "chat.data": sys.argv[2]}})
"""


class OpeningTests(unittest.TestCase):
    def test_a_url_names_a_log(self):
        for url, name in (
            ("memory:", "MemoryLog"),
            ("sqlite:///chat.db", "SQLiteLog"),
            ("redis://h", "RedisLog"),
            ("rediss://h:1/2", "RedisLog"),
            ("redis+sentinel://h,i/m", "RedisLog"),
        ):
            log = open_log(url, Observer(), **LogContract.OPTIONS)
            self.assertEqual(name, type(log).__name__)
            self.assertEqual(name == "RedisLog", log.shared)

    def test_another_url_is_refused(self):
        for url in ("", "memory", "memory:x", "sqlite://", "sqlite:///", "sqlite://host/x", "ftp:"):
            with self.assertRaisesRegex(ValueError, "is no message log: memory:"):
                open_log(url, Observer(), **LogContract.OPTIONS)

    def test_sqlite_paths_are_relative_or_absolute(self):
        for url, path in (("sqlite:///data/chat.db", "data/chat.db"), ("sqlite:////v/c", "/v/c")):
            log = open_log(url, Observer(), **LogContract.OPTIONS)
            self.assertEqual(Path(path), log._path)

    def test_a_wrong_url_of_redis_ends_the_start_with_one_line(self):
        self.assertEqual(
            "chatapp: redis://h/x: the database is a number, 0 without one; the form is "
            "redis://[USER:PASSWORD@]HOST[:PORT][/DB]",
            self.start("redis://:secret@h/x"),
        )

    def test_without_its_client_redis_is_refused_with_what_to_install(self):
        self.assertEqual(
            "chatapp: a log in redis:// needs the client: pip install 'redis[hiredis]>=8.1,<9'",
            self.start("redis://h", "sys.modules['redis'] = None"),
        )
        self.assertEqual("", self.start("memory:", "sys.modules['redis'] = None"))

    def start(self, url, before=""):
        """What a program says that makes the application, in a process of its own."""
        with tempfile.TemporaryDirectory() as folder:
            made = subprocess.run(
                [sys.executable, "-c", BEGIN.format(before=before), url, folder],
                cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=60,
            )  # fmt: skip
        return made.stderr.strip()
