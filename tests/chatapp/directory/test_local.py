import unittest

from chatapp.directory.local import LocalDirectory
from tests.chatapp.directory.contract import DirectoryContract


class LocalDirectoryTests(DirectoryContract, unittest.IsolatedAsyncioTestCase):
    now = 1000.0

    def make(self, observer, limits):
        return LocalDirectory(observer, limits, clock=lambda: self.now)

    async def pass_time(self, seconds):
        self.now += seconds

    async def settle(self):
        """Everything is told at once."""

    async def test_nothing_of_those_who_left_is_kept(self):
        for number in range(1000):
            ann = await self.joined(self.directory, str(number))
            self.enter(self.directory, ann, "lobby")
            await self.allowed(self.directory, ann, 1)
            self.leave(self.directory, ann, "lobby")
            self.directory.release(ann)
            await self.pass_time(1.0)
        self.assertEqual(({}, {}), (self.directory._owners, self.directory._rooms))
        self.assertLessEqual(len(self.directory._buckets["push_rate"]), 64)
