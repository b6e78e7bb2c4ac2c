"""Whose names are, on every log."""

import unittest

from tests.chatapp.community.contract import OnMemory, OnRedis, OnSQLite
from tests.chatapp.identity.contract import NamesContract
from tests.chatapp.model.contract import Clock, Observer

OPTIONS = {"history": 1000, "max_age": 0.0, "max_rooms": 100}


class NamesCase(NamesContract, unittest.IsolatedAsyncioTestCase):
    async def opened(self):
        self.clock = Clock()
        log = self.make(Observer(), **OPTIONS, clock=self.clock)
        await log.open()
        self.addAsyncCleanup(log.close)
        return log


class MemoryNamesTests(OnMemory, NamesCase):
    pass


class SQLiteNamesTests(OnSQLite, NamesCase):
    pass


class RedisNamesTests(OnRedis, NamesCase):
    pass


del NamesCase
