"""Whose names are, on every log."""

import tempfile
import unittest
from pathlib import Path

from chatapp.model.memory import MemoryLog
from chatapp.model.redis.log import RedisLog
from chatapp.model.sqlite.log import SQLiteLog
from tests.chatapp.identity.contract import NamesContract
from tests.chatapp.model.contract import Clock, Observer
from tests.support.engine import RedisServer

OPTIONS = {"history": 1000, "max_age": 0.0, "max_rooms": 100}


class NamesCase(NamesContract, unittest.IsolatedAsyncioTestCase):
    async def opened(self):
        self.clock = Clock()
        log = self.make(Observer(), **OPTIONS, clock=self.clock)
        await log.open()
        self.addAsyncCleanup(log.close)
        return log


class MemoryNamesTests(NamesCase):
    make = MemoryLog


class SQLiteNamesTests(NamesCase):
    def make(self, observer, **options):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        return SQLiteLog(observer, path=str(Path(folder) / "chat.db"), **options)


class RedisNamesTests(NamesCase):
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


del NamesCase
