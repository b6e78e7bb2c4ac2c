"""A book beside a log, on each kind of log."""

import tempfile
import unittest
from pathlib import Path

from chatapp.community.book import Book
from chatapp.model.memory import MemoryLog
from chatapp.model.redis.log import RedisLog
from chatapp.model.sqlite.log import SQLiteLog
from tests.chatapp.model.contract import Clock, LogContract, Observer
from tests.support.engine import RedisServer

__all__ = ["BookCase", "OnMemory", "OnRedis", "OnSQLite"]


class BookCase(unittest.IsolatedAsyncioTestCase):
    """`self.log` is open, by `self.clock`; `self.book()` makes one more book beside it."""

    async def asyncSetUp(self):
        self.clock = Clock()
        self.log = self.make(Observer(), **LogContract.OPTIONS, clock=self.clock)
        await self.log.open()
        self.addAsyncCleanup(self.log.close)

    def make(self, observer, **options):
        raise unittest.SkipTest("a log is made by the cases of each")

    def book(self, **options):
        return Book(self.log, wall=self.clock.wall, **options)


class OnMemory:
    def make(self, observer, **options):
        return MemoryLog(observer, **options)


class OnSQLite:
    def make(self, observer, **options):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        return SQLiteLog(observer, path=str(Path(folder) / "chat.db"), **options)


class OnRedis:
    @classmethod
    def setUpClass(cls):
        cls.server = RedisServer()
        cls.server.start()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def make(self, observer, **options):
        self.server.command("FLUSHALL")
        return RedisLog(observer, self.server.url, **options)
