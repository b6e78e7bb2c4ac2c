"""Requests and replies between two processes, both ends in one loop."""

import asyncio
import contextlib
import logging
import socket
import unittest

from cogen.core.schedulers import new_event_loop
from cogen.web.peers import ChannelClosed, Peers, RequestError, UnknownRequest
from cogen.web.processes.channel import Channel
from tests.cogen.web.support import LOOPS, Records


@contextlib.asynccontextmanager
async def pair(ours, theirs):
    ends = [Channel(ours), Channel(theirs)]
    for end, sock in zip(ends, socket.socketpair(), strict=True):
        await end.open(sock)
    try:
        yield ends
    finally:
        for end in ends:
            await end.close()


async def echo(data):
    return data


class ChannelTest(unittest.TestCase):
    def run_on_each(self, test):
        for proactor in LOOPS:
            with self.subTest(proactor=proactor):
                loop = new_event_loop(proactor)
                try:
                    loop.run_until_complete(asyncio.wait_for(test(), 20))
                finally:
                    loop.close()

    def test_both_ends_ask_and_answer(self):
        async def test():
            async with pair({"a": echo}, {"b": echo}) as (one, other):
                data = {"text": "line\nend é 🌠", "list": [1, None, 2.5]}
                self.assertEqual(await one.ask("b", data), data)
                self.assertEqual(await other.ask("a", data), data)
                self.assertIsNone(await one.ask("b"))

        self.run_on_each(test)

    def test_requests_begin_in_order_and_replies_come_in_any(self):
        async def test():
            begun = []
            last = asyncio.Event()

            async def answer(number):
                begun.append(number)
                if number == 99:
                    last.set()
                await last.wait()
                return number

            async with pair({}, {"n": answer}) as (one, _):
                asked = [one.ask("n", number) for number in range(100)]
                self.assertEqual(await asyncio.gather(*asked), list(range(100)))
                self.assertEqual(begun, list(range(100)))

        self.run_on_each(test)

    def test_a_reply_of_some_megabytes_is_whole(self):
        async def test():
            async with pair({}, {"b": echo}) as (one, _):
                text = "x" * (5 << 20)
                self.assertEqual(await one.ask("b", text), text)

        self.run_on_each(test)

    def test_what_cannot_be_answered_says_why(self):
        async def refuse(data):
            raise RequestError("not today")

        async def fail(data):
            raise ValueError("wrong")

        async def test():
            async with pair({}, {"refuse": refuse, "fail": fail}) as (one, _):
                with self.assertRaisesRegex(UnknownRequest, "nothing answers requests named 'x'"):
                    await one.ask("x")
                with self.assertRaisesRegex(RequestError, "not today"):
                    await one.ask("refuse")
                with Records(level=logging.ERROR) as records:
                    with self.assertRaisesRegex(RequestError, "ValueError: wrong"):
                        await one.ask("fail")
                    self.assertIn("the request 'fail' of another process failed", records.text)

        self.run_on_each(test)

    def test_the_kind_of_error_passes_through_a_process_between(self):
        async def test():
            async with pair({}, {}) as (far, _), pair({}, {"b": far.ask}) as (one, _):
                with self.assertRaises(UnknownRequest):
                    await one.ask("b", "x")
                await far.close()
                with self.assertRaises(ChannelClosed):
                    await one.ask("b", "x")

        self.run_on_each(test)

    def test_the_end_of_the_other_fails_what_was_asked_and_what_is_asked(self):
        async def test():
            async with pair({}, {"never": lambda _: asyncio.Event().wait()}) as (one, other):
                asked = asyncio.ensure_future(one.ask("never"))
                await asyncio.sleep(0)
                await other.close()
                with self.assertRaises(ChannelClosed):
                    await asked
                await one.wait_closed()
                with self.assertRaises(ChannelClosed):
                    await one.ask("never")
                one.tell("never")

        self.run_on_each(test)

    def test_who_gives_up_waiting_takes_nothing_back(self):
        async def test():
            done = asyncio.Queue()
            async with pair({}, {"put": done.put}) as (one, _):
                asked = asyncio.ensure_future(one.ask("put", 1))
                await asyncio.sleep(0)
                asked.cancel()
                self.assertEqual(await done.get(), 1)
                await one.ask("put", 2)

        self.run_on_each(test)

    def test_what_is_told_is_not_answered(self):
        async def test():
            told = asyncio.Queue()
            async with pair({}, {"put": told.put}) as (one, _):
                one.tell("put")
                one.tell("nobody")
                self.assertIsNone(await told.get())
                await one.ask("put", 1)

        self.run_on_each(test)


class PeersTest(unittest.IsolatedAsyncioTestCase):
    async def test_a_process_by_itself_asks_itself(self):
        peers = Peers()
        peers.answer("echo", echo)
        self.assertEqual(await peers.ask_current("echo", 5), 5)
        self.assertEqual(await peers.ask_all("echo", 5), {1: 5})
        self.assertEqual(await peers.ask_all("nothing"), {})
        with self.assertRaises(UnknownRequest):
            await peers.ask_current("nothing")

    async def test_what_fails_is_said_and_written_down(self):
        async def fail(data):
            raise KeyError("x")

        peers = Peers()
        peers.answer("fail", fail)
        with (
            Records(level=logging.ERROR) as records,
            self.assertRaisesRegex(RequestError, "KeyError: 'x'"),
        ):
            await peers.ask_current("fail")
        self.assertIn("the request 'fail' of another process failed", records.text)
