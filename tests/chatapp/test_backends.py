"""From `chat.log` to a log, or to one line that says what is wrong."""

import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from chatapp.backends import Backend, backend_of
from chatapp.live.hub import Hub
from chatapp.model.memory import MemoryLog
from chatapp.options import ChatOptions
from tests.chatapp.model.contract import LogContract, Observer

BEGIN = """
import sys
{before}
from chatapp.config.middleware import make_chat
make_chat({{}}, **{{"chat.log": sys.argv[1], "chat.data": sys.argv[2]}})
"""


class BackendTests(unittest.TestCase):
    def test_a_url_names_a_log_and_the_directory_that_goes_with_it(self):
        for url, name in (
            ("memory:", "MemoryLog"),
            ("Memory:", "MemoryLog"),
            ("sqlite:///chat.db", "SQLiteLog"),
            ("SQLite:///chat.db", "SQLiteLog"),
            ("redis://h", "RedisLog"),
            ("REDIS://h", "RedisLog"),
            ("rediss://h:1/2", "RedisLog"),
            ("Rediss://h:1/2", "RedisLog"),
            ("redis+sentinel://h,i/m", "RedisLog"),
            ("Redis+Sentinel://h,i/m", "RedisLog"),
        ):
            with self.subTest(url):
                hub = Hub(ChatOptions(log=url))
                self.assertEqual(name, type(hub.log).__name__)
                self.assertEqual(name == "RedisLog", hub.log.shared)
                self.assertEqual(hub.log.shared, hub.directory.shared)

    def test_a_log_that_is_shared_without_a_directory_that_is_or_the_reverse_is_refused(self):
        class Everywhere(MemoryLog):
            shared = True

        class Half(Backend):
            def __init__(self, log):
                self._kind = log

            def _log(self, observer, **options):
                return self._kind(observer, **options)

        class Shared(Half):
            shared = True

        limits = ChatOptions().limits()
        for backend, wrong in (
            (Half(Everywhere), lambda made: made.log(Observer(), **LogContract.OPTIONS)),
            (Shared(MemoryLog), lambda made: made.log(Observer(), **LogContract.OPTIONS)),
            (Shared(Everywhere), lambda made: made.directory(None, limits, time.monotonic)),
        ):
            with self.assertRaisesRegex(TypeError, "are all shared, or none is"):
                wrong(backend)
        Half(MemoryLog).log(Observer(), **LogContract.OPTIONS)
        Shared(Everywhere).log(Observer(), **LogContract.OPTIONS)

    def test_another_url_is_refused(self):
        for url in (
            "", "memory", "memory:x", "sqlite://", "sqlite:///", "sqlite://host/x", "ftp:", "redis",
        ):  # fmt: skip
            with self.assertRaisesRegex(ValueError, "is no message log: memory:"):
                backend_of(url)

    def test_sqlite_paths_are_relative_or_absolute_and_meant_as_they_are_written(self):
        for path in ("data/chat.db", "/v/c", "a b", "a#b", "a?b=c", "a%20b", "100%", "é", "a;b&c"):
            with self.subTest(path):
                log = backend_of(f"sqlite:///{path}").log(Observer(), **LogContract.OPTIONS)
                self.assertEqual(os.path.realpath(path), log.path)

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
                cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60,
            )  # fmt: skip
        return made.stderr.strip()
