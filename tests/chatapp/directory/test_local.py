import unittest

from chatapp.directory.local import LocalDirectory
from tests.chatapp.directory.contract import DirectoryContract


class LocalDirectoryTests(DirectoryContract, unittest.IsolatedAsyncioTestCase):
    now = 1000.0

    def make(self, observer, rate, burst):
        return LocalDirectory(observer, rate, burst, clock=lambda: self.now)

    async def pass_time(self, seconds):
        self.now += seconds

    async def settle(self):
        """Everything is told at once."""

    async def test_nothing_of_those_who_left_is_kept(self):
        for number in range(100):
            ann = await self.joined(self.directory, str(number))
            self.enter(self.directory, ann, "lobby")
            await self.charged(self.directory, ann, 1)
            self.leave(self.directory, ann, "lobby")
            self.directory.part(ann)
        kept = {name: value for name, value in vars(self.directory).items() if value}
        self.assertEqual(
            {}, {name: kept[name] for name in ("_owners", "_rooms", "_buckets") if name in kept}
        )

    async def test_addresses_that_are_remembered_are_bounded(self):
        for number in range(11_000):
            self.directory.charge_address(str(number))
        self.assertEqual(10_000, len(self.directory._addresses))
