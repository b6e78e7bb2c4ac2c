"""From process to process: the SQLite log is handed over, taken, and taken back."""

import asyncio
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from chatapp.model import (
    Draft,
    LogUnavailable,
    NonceReused,
    NoSuchMessage,
    NoSuchRoom,
    Record,
    RoomLimit,
)
from chatapp.model.sqlite import log as module
from chatapp.model.sqlite import succession
from chatapp.model.sqlite.log import SQLiteLog
from cogen.web.peers import ChannelClosed, RequestError, UnknownRequest
from tests.chatapp.model.contract import ROOM, LogContract, Observer, store


class Processes:
    """The processes of a server, as their logs ask each other: `current` answers, once there is."""

    def __init__(self):
        self.current = None
        self.asked = 0
        self.changed = asyncio.Event()

    def serves(self, log):
        self.current = log
        self.changed.set()

    async def ask(self, name, data):
        self.asked += 1
        while self.current is None:
            self.changed.clear()
            await self.changed.wait()
        answer = self.current.answers().get(name)
        if answer is None:
            raise UnknownRequest(name)
        # As it comes over a channel.
        return json.loads(json.dumps(await answer(json.loads(json.dumps(data)))))


class SuccessionTests(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.processes = Processes()

    def made(self, path="chat.db", **options):
        log = SQLiteLog(Observer(), str(self.folder / path), **{**LogContract.OPTIONS, **options})
        log.observer = log._store._observer
        return log

    async def opened(self, path="chat.db", **options):
        log = self.made(path, **options)
        await log.open()
        self.addAsyncCleanup(log.close)
        return log

    async def handed_over(self, **options):
        """An old log that has handed over, and a new one that has taken."""
        old = await self.opened(**options)
        await old.hand_over(self.processes.ask)
        new = await self.opened(**options)
        self.processes.serves(new)
        return old, new

    async def test_a_push_without_a_nonce_is_stored_without_one(self):
        old, new = await self.handed_over()
        await store(old, ROOM, "ann", "Ann", "a")
        [message] = (await new.read(ROOM, 0, 9)).messages
        self.assertIsNone(message.nonce)

    async def test_a_process_of_an_older_version_has_its_pushes_stored(self):
        log = await self.opened()
        self.processes.serves(log)
        [name, _] = log.answers()
        asked = [ROOM, "session", "Ann", "a", "n1", True]
        for _ in range(2):
            reply = await self.processes.ask(name, asked)
            self.assertEqual((ROOM, 1, "Ann"), (reply["room"], reply["seq"], reply["nick"]))
            self.assertIsInstance(reply["at"], float)
        refused = await self.processes.ask(name, [ROOM, "session", "Ann", "b", "n1", True])
        self.assertEqual("NonceReused", refused["refused"])
        self.assertEqual([(1, "a")], await self.said(log))

    async def test_records_that_a_process_changes_are_those_of_the_one_that_has_the_file(self):
        old, new = await self.handed_over()
        self.assertTrue(await old.records.change({"k": None}, {"k": Record("v"), "x": None}))
        self.assertFalse(await old.records.change({"k": None}, {"k": Record("w")}))
        self.assertEqual({"k": "v"}, await new.records.get(["k"]))
        self.assertEqual({"k": "v"}, await old.records.all("k"))
        self.assertTrue(await new.records.change({"k": "v"}, {"k": Record("w", 60.0)}))
        self.assertEqual({"k": "w"}, await old.records.get(["k"]))

    async def test_what_is_to_be_removed_at_the_old_one_is_removed_by_the_new_one(self):
        old, new = await self.handed_over()
        await store(new, ROOM, "ann", "Ann", "secret", "n")
        self.assertEqual((ROOM, 2), await old.remove(ROOM, 1, Draft(ROOM, "Bob", "rude")))
        with self.assertRaisesRegex(NoSuchMessage, "garden has no message 1"):
            await old.remove(ROOM, 1, Draft(ROOM, "Bob", "rude"))
        self.assertEqual([(1, ""), (2, "rude")], await self.said(old))
        self.assertEqual(["secret", "rude"], [m.text for m in new.observer.messages])
        self.assertEqual(1, new.observer.messages[-1].about)
        self.assertEqual(await new.rooms(), await old.rooms())
        for file in self.folder.iterdir():
            self.assertNotIn(b"secret", file.read_bytes())

    async def test_one_that_ended_without_an_answer_has_removed_it_once(self):
        old, new = await self.handed_over()
        await store(new, ROOM, "ann", "Ann", "secret")
        answer, [name, _] = new._answer, new.answers()
        told = []

        async def ends(asked):
            told.append(await answer(asked))
            raise ChannelClosed("the other process is gone")

        self.enterContext(mock.patch.object(succession, "_RETRY_SECONDS", 0))
        with mock.patch.object(new, "answers", lambda: {name: ends}):
            removal = asyncio.ensure_future(old.remove(ROOM, 1, Draft(ROOM, "Bob", "rude")))
            while len(told) < 3:
                await asyncio.sleep(0.001)
        self.assertEqual((ROOM, 2), await removal)
        self.assertEqual([(1, ""), (2, "rude")], await self.said(new))

    async def said(self, log):
        return [(m.seq, m.text) for m in (await log.read(ROOM, 0, 1000)).messages]

    async def test_what_is_appended_to_the_old_one_is_stored_by_the_new_one(self):
        old, new = await self.handed_over()
        first = await store(old, ROOM, "ann", "Ann", "a")
        second = await store(new, ROOM, "ann", "Ann", "b", "n")
        third = await store(old, ROOM, "ann", "Ann", "c\n🌠", "m")
        self.assertEqual([1, 2, 3], [first.seq, second.seq, third.seq])
        held = (await new.read(ROOM, 0, 9)).messages
        self.assertEqual(["a", "b", "c\n🌠"], [message.text for message in held])
        self.assertEqual(["ann"] * 3, [message.sender for message in held])
        self.assertEqual(held, new.observer.messages)
        self.assertEqual([], old.observer.messages)
        self.assertEqual(old.epoch, new.epoch)

    async def test_what_is_on_its_way_when_it_hands_over_is_stored_in_order(self):
        old = await self.opened()
        pushes = [asyncio.ensure_future(store(old, ROOM, "s", "S", f"{n}")) for n in range(300)]
        await asyncio.sleep(0)
        handing = asyncio.ensure_future(old.hand_over(self.processes.ask))
        await asyncio.sleep(0)
        late = [asyncio.ensure_future(store(old, ROOM, "s", "S", f"late {n}")) for n in range(300)]
        await handing
        self.assertEqual(300, len(await asyncio.gather(*pushes)))
        self.assertEqual([False], list({push.done() for push in late}))
        new = await self.opened()
        self.processes.serves(new)
        await asyncio.gather(*late)
        texts = [f"{n}" for n in range(300)] + [f"late {n}" for n in range(300)]
        self.assertEqual(list(enumerate(texts, 1)), await self.said(new))

    async def test_both_read_on(self):
        old, new = await self.handed_over()
        await store(new, ROOM, "ann", "Ann", "a")
        self.assertEqual([(1, "a")], await self.said(old))
        self.assertEqual([(1, "a")], await self.said(new))

    async def test_one_reads_while_nobody_writes(self):
        old = await self.opened()
        await store(old, ROOM, "ann", "Ann", "a")
        await old.hand_over(self.processes.ask)
        self.assertEqual([(1, "a")], await self.said(old))

    async def test_a_nonce_counts_across_processes(self):
        old, new = await self.handed_over()
        first = await store(new, ROOM, "ann", "Ann", "a", "n")
        self.assertEqual(first, await store(old, ROOM, "ann", "Ann", "a", "n"))
        with self.assertRaisesRegex(NonceReused, "nonce 'n' was used"):
            await store(old, ROOM, "ann", "Ann", "b", "n")

    async def test_what_the_new_one_refuses_is_refused(self):
        old, new = await self.handed_over(max_rooms=1)
        await store(old, "one", "ann", "Ann", "a")
        new.observer.rooms = {"one"}
        with self.assertRaisesRegex(RoomLimit, "all that there may be are in use"):
            await store(old, "two", "ann", "Ann", "a")
        with self.assertRaises(NoSuchRoom):
            await store(old, "two", "ann", "Ann", "a", opens=False)

    async def test_what_the_new_one_cannot_answer_makes_the_log_unavailable(self):
        old, _ = await self.handed_over()

        async def fail(name, data):
            raise RequestError("it is upside down")

        await old.hand_over(fail)
        with self.assertRaisesRegex(LogUnavailable, "it is upside down"):
            await store(old, ROOM, "ann", "Ann", "a")

    async def test_over_three_processes(self):
        old, new = await self.handed_over()
        await new.hand_over(self.processes.ask)
        third = await self.opened()
        self.processes.serves(third)
        await store(old, ROOM, "ann", "Ann", "a")
        await store(new, ROOM, "ann", "Ann", "b")
        self.assertEqual([(1, "a"), (2, "b")], await self.said(third))

    async def test_what_was_asked_of_a_process_that_has_handed_over_by_then_goes_on(self):
        old, new = await self.handed_over()
        await new.hand_over(self.processes.ask)
        self.processes.current = None
        [answer, _] = new.answers().values()
        late = asyncio.ensure_future(answer([ROOM, "ann", "Ann", "a", "n"]))
        third = await self.opened()
        self.processes.serves(third)
        self.assertEqual(1, (await late)["seq"])
        self.assertEqual([(1, "a")], await self.said(old))

    async def test_one_that_ended_without_an_answer_has_stored_it_once(self):
        old, new = await self.handed_over()
        answer, [name, _] = new._answer, new.answers()
        told = []

        async def ends(asked):
            told.append(await answer(asked))
            raise ChannelClosed("the other process is gone")

        self.enterContext(mock.patch.object(succession, "_RETRY_SECONDS", 0))
        for nonce in (None, "n"):
            with mock.patch.object(new, "answers", lambda: {name: ends}):
                push = asyncio.ensure_future(store(old, ROOM, "ann", "Ann", "a", nonce))
                while len(told) < 3:
                    await asyncio.sleep(0.001)
            message = await push
            self.assertEqual({message.seq}, {each["seq"] for each in told})
            told.clear()
        self.assertEqual([(1, "a"), (2, "a")], await self.said(new))

    async def test_one_that_stays_away_makes_the_log_unavailable(self):
        old, _ = await self.handed_over()

        async def gone(name, data):
            raise ChannelClosed("the other process is gone")

        await old.hand_over(gone)
        self.enterContext(mock.patch.object(succession, "_PATIENCE_SECONDS", -1))
        with self.assertRaisesRegex(LogUnavailable, "the other process is gone"):
            await store(old, ROOM, "ann", "Ann", "a")

    async def test_one_that_does_not_come_leaves_all_as_before(self):
        old = await self.opened()
        for number in range(3):
            await old.hand_over(self.processes.ask)
            self.processes.current = None
            waits = asyncio.ensure_future(store(old, ROOM, "ann", "Ann", f"{2 * number}"))
            await asyncio.sleep(0)
            await old.take_back()
            self.processes.serves(old)
            await waits
            await store(old, ROOM, "ann", "Ann", f"{2 * number + 1}")
        self.assertEqual([(n + 1, f"{n}") for n in range(6)], await self.said(old))
        self.assertEqual(6, len(old.observer.messages))

    async def test_one_whose_log_is_elsewhere_leaves_this_one_here(self):
        old = await self.opened()
        await old.hand_over(self.processes.ask)
        self.processes.serves(await self.opened("other.db"))
        await asyncio.gather(*(store(old, ROOM, "ann", "Ann", "a", f"{n}") for n in range(50)))
        self.assertEqual(50, len(await self.said(old)))
        self.assertEqual([], await self.said(self.processes.current))

    async def test_a_file_that_cannot_be_taken_back_is_tried_again_at_a_push(self):
        old = await self.opened()
        await old.hand_over(self.processes.ask)
        thief = await self.opened()
        with self.assertRaisesRegex(LogUnavailable, "in use by process"):
            await old.take_back()
        with self.assertRaisesRegex(LogUnavailable, "in use by process"):
            await store(old, ROOM, "ann", "Ann", "a")
        await thief.hand_over(self.processes.ask)
        self.enterContext(mock.patch.object(module, "_REOPEN_SECONDS", 0))
        await store(old, ROOM, "ann", "Ann", "b")
        self.assertEqual([(1, "b")], await self.said(old))

    async def test_an_old_one_that_ends_before_the_new_one_leaves_it_the_file(self):
        old = self.made()
        await old.open()
        await store(old, ROOM, "ann", "Ann", "a")
        await old.hand_over(self.processes.ask)
        new = self.made()
        await new.open()
        await self.said(old)
        await store(new, ROOM, "ann", "Ann", "b")
        await old.close()
        await store(new, ROOM, "ann", "Ann", "c")
        await new.close()
        self.assertEqual(["chat.db", "chat.db.lock"], sorted(f.name for f in self.folder.iterdir()))
