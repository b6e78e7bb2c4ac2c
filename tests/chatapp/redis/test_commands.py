import asyncio
import unittest
from unittest import mock

from chatapp.redis import engine as engine_module
from chatapp.redis.commands import Commands, Script
from chatapp.redis.engine import Engine, EngineUnavailable
from tests.support.engine import RedisServer

APPEND = Script("return redis.call('RPUSH', KEYS[1], ARGV[1])")
READ = Script("return redis.call('LRANGE', KEYS[1], 0, -1)")
FAIL = Script("return redis.error_reply('no such luck')")


class CommandsTests(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.server = self.enterContext(RedisServer())
        self.commands = Commands(Engine(self.server.url))
        self.addAsyncCleanup(self.commands.close)

    async def test_what_is_asked_at_once_is_answered_in_order(self):
        asked = [self.commands.run(APPEND, ["l"], [n]) for n in range(1200)]
        self.assertEqual(list(range(1, 1201)), await asyncio.gather(*asked))
        self.assertEqual([b"%d" % n for n in range(1200)], await self.commands.run(READ, ["l"]))

    async def test_what_is_asked_at_once_travels_together(self):
        exchange = self.commands._exchange
        sizes = []

        async def counted(command, batch):
            sizes.append(len(batch))
            return await exchange(command, batch)

        await self.commands.run(APPEND, ["l"], ["x"])
        with mock.patch.object(self.commands, "_exchange", counted):
            await asyncio.gather(*(self.commands.run(APPEND, ["l"], [n]) for n in range(400)))
        self.assertEqual(400, sum(sizes))
        self.assertLess(len(sizes), 4)

    async def test_a_forgotten_script_is_sent_in_full_and_runs_once(self):
        await self.commands.run(APPEND, ["l"], ["a"])
        self.server.command("SCRIPT", "FLUSH")
        asked = [self.commands.run(APPEND, ["l"], [n]) for n in "bcd"]
        self.assertEqual([2, 3, 4], await asyncio.gather(*asked))

    async def test_a_call_that_fails_fails_alone(self):
        asked = [self.commands.run(s, ["l"], ["x"]) for s in (APPEND, FAIL, APPEND)]
        first, failed, third = await asyncio.gather(*asked, return_exceptions=True)
        self.assertEqual((1, 2), (first, third))
        self.assertIsInstance(failed, EngineUnavailable)
        self.assertRegex(str(failed), "no such luck")

    async def test_text_that_is_no_unicode_fails_its_own_call(self):
        asked = [self.commands.run(APPEND, ["l"], [text]) for text in ("a", "\ud800", "b")]
        first, failed, third = await asyncio.gather(*asked, return_exceptions=True)
        self.assertEqual((1, 2), (first, third))
        self.assertIsInstance(failed, UnicodeEncodeError)

    async def test_an_error_that_nobody_expects_fails_what_was_sent_and_ends_nothing(self):
        broken = mock.patch.object(self.commands._client, "pipeline", side_effect=KeyError("odd"))
        with broken, self.assertLogs("chatapp.redis.commands", "ERROR") as logs:
            asked = [self.commands.run(APPEND, ["l"], [n]) for n in range(2)]
            async with asyncio.timeout(5):
                outcomes = await asyncio.gather(*asked, return_exceptions=True)
        self.assertEqual([EngineUnavailable] * 2, [type(outcome) for outcome in outcomes])
        self.assertEqual(1, len(logs.output))
        self.assertEqual(1, await self.commands.run(APPEND, ["l"], ["a"]))

    async def test_an_engine_that_is_gone_is_named_and_one_that_is_back_is_used(self):
        await self.commands.run(APPEND, ["l"], ["a"])
        self.server.kill()
        with self.assertRaisesRegex(EngineUnavailable, f"127.0.0.1:{self.server.port}"):
            await self.commands.run(APPEND, ["l"], ["b"])
        self.server.start()
        await self.commands.run(APPEND, ["l"], ["c"])
        self.assertEqual([b"a", b"c"], await self.commands.run(READ, ["l"]))

    async def test_every_call_to_an_engine_that_stands_still_waits_no_longer_than_the_first(self):
        self.enterContext(mock.patch.object(engine_module, "_ANSWER_SECONDS", 0.5))
        self.commands = Commands(Engine(self.server.url))
        self.addAsyncCleanup(self.commands.close)
        await self.commands.run(APPEND, ["l"], ["a"])
        self.server.freeze()
        first = asyncio.ensure_future(self.commands.run(APPEND, ["l"], ["b"]))
        await asyncio.sleep(0.05)
        second = asyncio.ensure_future(self.commands.run(APPEND, ["l"], ["c"]))
        done, _ = await asyncio.wait([second], timeout=0.9)
        self.assertEqual({second}, done)
        for each in (first, second):
            with self.assertRaises(EngineUnavailable):
                await each

    async def test_what_was_refused_before_it_was_sent_is_not_sent_later(self):
        exchange = self.commands._exchange
        gate = asyncio.Event()

        async def held(*arguments):
            await gate.wait()
            return await exchange(*arguments)

        with (
            mock.patch.object(engine_module, "_ANSWER_SECONDS", 0.05),
            mock.patch.object(self.commands, "_exchange", held),
        ):
            first = asyncio.ensure_future(self.commands.run(APPEND, ["l"], ["a"]))
            while not first.done() and (self.commands._waiting or not self.commands._sending):
                await asyncio.sleep(0)
            with self.assertRaisesRegex(EngineUnavailable, "no answer in 0.045 s"):
                await self.commands.run(APPEND, ["l"], ["b"])
            gate.set()
            await asyncio.gather(first, return_exceptions=True)
            while self.commands._sending is not None:
                await asyncio.sleep(0)
        self.assertEqual([b"a"], await self.commands.run(READ, ["l"]))

    async def test_a_call_whose_caller_is_cancelled_is_made_all_the_same(self):
        leaving = asyncio.ensure_future(self.commands.run(APPEND, ["l"], ["a"]))
        await asyncio.sleep(0)
        leaving.cancel()
        await self.commands.run(APPEND, ["l"], ["b"])
        self.assertEqual([b"a", b"b"], await self.commands.run(READ, ["l"]))

    async def test_closing_sends_what_was_accepted(self):
        commands = Commands(Engine(self.server.url))
        asked = [asyncio.ensure_future(commands.run(APPEND, ["l"], [n])) for n in range(50)]
        await asyncio.sleep(0)
        await commands.close()
        self.assertEqual(list(range(1, 51)), await asyncio.gather(*asked))
