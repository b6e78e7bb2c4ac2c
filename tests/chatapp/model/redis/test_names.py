"""Rooms of an older version, which knew of no names that say the same."""

import unittest

from chatapp.model.redis.log import RedisLog
from tests.chatapp.model.contract import LogContract, Observer, store
from tests.support.engine import RedisServer
from tests.support.programs import needs


@needs("redis-server")
class NamesTests(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.server = RedisServer()
        self.server.start()
        self.addCleanup(self.server.close)

    async def opened(self):
        log = RedisLog(Observer(), self.server.url, **LogContract.OPTIONS)
        await log.open()
        self.addAsyncCleanup(log.close)
        return log

    async def test_they_are_found_and_those_that_say_the_same_stay_two(self):
        log = await self.opened()
        for name in ("Tea", "Coffee"):
            await store(log, name, "x", "X", "hi")
        self.server.command("HSET", "chat:heads", "tea", "5")
        self.server.command("DEL", "chat:names", "chat:folds")
        log = await self.opened()
        found = {"Tea": "Tea", "tea": "tea", "COFFEE": "Coffee"}
        self.assertEqual(found, await log.canonical_names(["Tea", "tea", "COFFEE", "cake"]))
        messages = [await store(log, name, "x", "X", "hi") for name in ("Tea", "tea", "coffee")]
        self.assertEqual(
            [("Tea", 2), ("tea", 6), ("Coffee", 2)], [(m.room, m.seq) for m in messages]
        )
        self.assertIn((await log.canonical_names(["TEA"]))["TEA"], ("Tea", "tea"))
