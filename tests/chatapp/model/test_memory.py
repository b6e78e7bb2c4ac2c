import unittest

from chatapp.model.memory import MemoryLog
from tests.chatapp.model.contract import OwnClockContract


class MemoryLogTests(OwnClockContract, unittest.IsolatedAsyncioTestCase):
    def make(self, observer, **options):
        return MemoryLog(observer, **options)

    async def expire(self, log):
        """It looks whenever it reads."""

    async def test_each_log_has_an_epoch_of_its_own(self):
        self.assertNotEqual((await self.opened()).epoch, (await self.opened()).epoch)
