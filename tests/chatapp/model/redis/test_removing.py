"""A text that was removed is in no key of Redis, and nobody who follows the log loses anything."""

import asyncio
import contextlib
from unittest import mock

from chatapp.model import Draft, LogUnavailable, NoSuchMessage, Stored
from chatapp.model.redis import log as log_module
from chatapp.model.redis import reader as reader_module
from chatapp.model.redis import removing as module
from chatapp.model.redis.removing import Removals
from chatapp.redis.engine import Engine
from tests.chatapp.model.contract import ROOM, store
from tests.chatapp.model.redis.test_log import FaultCase, until
from tests.support.engine import RedisServer
from tests.support.programs import needs

SECRET = "what nobody is to read"


class RemovingCase(FaultCase):
    BINARY = ""

    def setUp(self):
        super().setUp()
        self.server = self.enterContext(RedisServer(self.BINARY, rdbcompression="no"))

    def remove(self, log, seq, room=ROOM):
        return log.remove(room, seq, Draft(room, "Bob", "rude", "id of bob"))

    def client(self):
        client = Engine(self.server.url).client()
        self.addAsyncCleanup(client.aclose)
        return client

    async def texts_in(self, log, room=ROOM):
        return [message.text for message in (await log.read(room, 0, 2000)).messages]


class KeysTests(RemovingCase):
    def snapshot(self):
        """What the engine has, as it writes it to the disk."""
        self.assertEqual(b"+OK", self.server.command("SAVE"))
        return (self.server.folder / "dump.rdb").read_bytes()

    def append_only_file(self):
        content = b""
        for file in (self.server.folder / "appendonlydir").iterdir():
            with contextlib.suppress(FileNotFoundError):  # it was rewritten just now
                content += file.read_bytes()
        return content

    async def test_a_removed_text_is_in_no_key_and_in_the_append_only_file_until_its_rewrite(self):
        log, _ = await self.opened()
        for number in range(5):
            await store(log, ROOM, "ann", "Ann", f"kept {number}")
        await store(log, ROOM, "ann", "Ann", SECRET, "n1")
        for number in range(5):
            await store(log, ROOM, "ann", "Ann", f"kept {number}")
        self.assertIn(SECRET.encode(), self.snapshot())
        await self.remove(log, 6)
        self.assertNotIn(SECRET.encode(), self.snapshot())
        self.assertIn(SECRET.encode(), self.append_only_file())
        self.server.command("BGREWRITEAOF")
        await until(lambda: SECRET.encode() not in self.append_only_file())
        self.assertEqual(Stored(ROOM, 6), await store(log, ROOM, "ann", "Ann", SECRET, "n1"))
        self.assertNotIn(SECRET.encode(), self.snapshot())

    async def test_all_else_is_as_it_was(self):
        log, observer = await self.opened(max_age=60.0)
        for number in range(4):
            await store(log, ROOM, "ann", "Ann", f"{number}", f"n{number}")
        await store(log, "other", "ann", "Ann", "x")
        await until(lambda: len(observer.messages) == 5)
        client = self.client()
        room = f"chat:room:{ROOM}"
        before = await client.xrange(room), await client.xrange("chat:stream")
        await self.remove(log, 2)
        after = await client.xrange(room), await client.xrange("chat:stream")
        for old, new in zip(before, after, strict=True):
            self.assertEqual([entry for entry, _ in old], [entry for entry, _ in new][:-1])
            for (_, had), (_, has) in zip(old, new, strict=False):
                if had.get(b"text") == b"1":
                    had = {**had, b"text": b"", b"kind": b"removed"}
                    del had[b"nonce"]
                self.assertEqual((list(had), had), (list(has), has))
        self.assertEqual(60, await client.ttl(room))
        self.assertEqual(set(), {key for key in await client.keys() if b"anew" in key})

    async def test_where_no_memory_is_left_one_can_be_removed(self):
        log, _ = await self.opened()
        for number in range(3):
            await store(log, ROOM, "ann", "Ann", f"{number}")
        self.server.command("CONFIG", "SET", "maxmemory", 1)
        with self.assertRaisesRegex(LogUnavailable, "maxmemory"):
            await store(log, ROOM, "ann", "Ann", "3")
        await self.remove(log, 2)
        self.assertEqual(["0", "", "2", "rude"], await self.texts_in(log))

    async def test_an_entry_of_an_older_version_is_removed_too(self):
        log, _ = await self.opened()
        await store(log, ROOM, "ann", "Ann", "begun")
        words = ("nick", "Ann", "text", SECRET, "at", "1700000000.500")
        client = self.client()
        await client.execute_command("XADD", f"chat:room:{ROOM}", "2-0", *words)
        await client.execute_command("XADD", "chat:stream", "*", "room", ROOM, "seq", 2, *words)
        await client.hset("chat:heads", ROOM, 2)
        await self.remove(log, 2)
        self.assertNotIn(SECRET.encode(), self.snapshot())
        [_, removed, removal] = (await log.read(ROOM, 0, 9)).messages
        self.assertEqual(
            ("removed", "", "Ann", 1700000000.5, ""),
            (removed.kind, removed.text, removed.nick, removed.at, removed.sender),
        )
        self.assertEqual(("removal", 2), (removal.kind, removal.about))

    async def test_an_older_version_finds_what_it_looks_for(self):
        """It takes the time from behind nick and text, and passes over kinds that it does not know.

        Of the stream it wants the entry that it knows last to be there as it was.
        """
        log, _ = await self.opened()
        await store(log, ROOM, "ann", "Ann", "a")
        client = self.client()
        [(newest, _)] = await client.xrevrange("chat:stream", count=1)
        await self.remove(log, 1)
        for _, fields in await client.xrange(f"chat:room:{ROOM}"):
            self.assertEqual([b"nick", b"text", b"at"], list(fields)[:3])
        [(_, fields)] = await client.xrange("chat:stream", newest, newest)
        self.assertEqual((ROOM.encode(), b"1"), (fields[b"room"], fields[b"seq"]))


@needs("redis-server")
class InstalledKeysTests(KeysTests):
    """The same in the system's Redis, where the other is Valkey."""

    BINARY = "redis-server"


class FollowingTests(RemovingCase):
    async def test_who_has_not_read_it_yet_reads_what_is_left_of_it(self):
        one, observer = await self.opened()
        other, _ = await self.opened()
        await store(other, ROOM, "ann", "Ann", "a")
        await until(lambda: observer.messages)
        async with self.away(one):
            await store(other, ROOM, "ann", "Ann", SECRET)
            await self.remove(other, 2)
        await until(lambda: len(observer.messages) == 3)
        told = [(message.seq, message.kind, message.text) for message in observer.messages]
        expected = [(1, "said", "a"), (2, "removed", ""), (3, "removal", "rude")]
        self.assertEqual((expected, [], []), (told, observer.heads, observer.epochs))

    async def test_who_is_further_behind_than_what_is_kept_is_told_where_the_rooms_are(self):
        one, observer = await self.opened()
        other, _ = await self.opened()
        await store(other, ROOM, "ann", "Ann", "a")
        await until(lambda: observer.messages)
        wait, acts = one._reader._wait, [self.remove(other, 1)]
        self.patch(log_module, "FOLLOWED", 10)

        async def after_them():
            if acts:
                for number in range(15):
                    await store(other, "other", "ann", "Ann", f"{number}")
                await acts.pop()
            return await wait()

        with mock.patch.object(one._reader, "_wait", after_them):
            await until(lambda: observer.heads)
        self.assertEqual([{ROOM: 2, "other": 15}], observer.heads)
        self.assertLess(module.FOLLOWED, reader_module._READ_COUNT)
        self.assertEqual([], observer.epochs)
        await store(other, ROOM, "ann", "Ann", "b")
        await until(lambda: observer.messages[-1].text == "b")

    async def test_one_that_writes_finds_its_last_message_where_it_was(self):
        one, observer = await self.opened()
        async with self.away(one):
            await store(one, ROOM, "ann", "Ann", SECRET)
            await self.remove(one, 1)
            await store(one, ROOM, "ann", "Ann", "b")
        await until(lambda: len(observer.messages) == 3)
        self.assertEqual(([], ["", "rude", "b"]), (observer.epochs, self.texts(observer)))

    async def test_a_removal_finds_first_that_the_log_is_gone(self):
        one, observer = await self.opened()
        await store(one, ROOM, "ann", "Ann", "a")
        async with self.away(one):
            self.server.command("FLUSHALL")
            with self.assertRaises(NoSuchMessage):
                await self.remove(one, 1)
            self.assertEqual([one.epoch], observer.epochs)


class RemovalsTests(RemovingCase):
    async def test_those_of_a_room_that_come_together_are_one_copy_of_it(self):
        log, _ = await self.opened()
        for number in range(30):
            await store(log, ROOM, "ann", "Ann", f"{number}")
        with mock.patch.object(log._removals, "_remove", wraps=log._remove) as remove:
            await asyncio.gather(*(self.remove(log, seq) for seq in range(1, 31)))
        self.assertEqual(1, remove.call_count)
        self.assertEqual([""] * 30 + ["rude"] * 30, await self.texts_in(log))

    async def test_after_a_copy_it_rests_for_as_long_as_it_may_take_in_all(self):
        asked = asyncio.Queue()

        async def remove(room, removals):
            asked.put_nowait([seq for seq, _ in removals])
            return [Stored(room, seq) for seq, _ in removals]

        rests = []
        removals = Removals(remove)
        draft = Draft(ROOM, "Bob", "rude")
        rested = asyncio.Event()

        async def rest(seconds):
            rests.append(seconds)
            await rested.wait()

        with mock.patch.object(removals, "_rest", rest):
            first = asyncio.ensure_future(removals.remove(ROOM, 1, draft))
            self.assertEqual([1], await asked.get())
            await first
            others = [asyncio.ensure_future(removals.remove(ROOM, seq, draft)) for seq in (2, 3)]
            await asyncio.sleep(0)
            self.assertTrue(asked.empty())
            rested.set()
            self.assertEqual([2, 3], await asked.get())
            await asyncio.gather(*others)
        self.assertTrue(all(0 <= seconds <= 5 for seconds in rests), rests)

    async def test_more_than_may_wait_are_refused_and_the_others_done_at_the_end(self):
        done = []

        async def remove(room, removals):
            done.extend(seq for seq, _ in removals)
            return [Stored(room, seq) for seq, _ in removals]

        removals = Removals(remove)
        draft = Draft(ROOM, "Bob", "rude")
        await removals.remove(ROOM, 0, draft)
        many = range(1, module._MOST_WAITING + 1)
        asked = [asyncio.ensure_future(removals.remove(f"r{n}", n, draft)) for n in many]
        await asyncio.sleep(0)
        with self.assertRaisesRegex(LogUnavailable, "too many"):
            await removals.remove(ROOM, 1, draft)
        await removals.close()
        await asyncio.gather(*asked)
        self.assertEqual([0, *many], done)

    async def test_one_that_fails_is_told_to_all_who_wait_for_it(self):
        async def remove(room, removals):
            raise LogUnavailable("it is away")

        removals = Removals(remove)
        asked = [removals.remove(ROOM, seq, Draft(ROOM, "Bob", "rude")) for seq in (1, 2)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        self.assertEqual([LogUnavailable] * 2, [type(outcome) for outcome in outcomes])
        await removals.close()

    async def test_an_error_that_nobody_expects_is_told_to_who_waits_and_ends_nothing(self):
        errors = [KeyError("odd")]

        async def remove(room, removals):
            if errors:
                raise errors.pop()
            return [Stored(room, seq) for seq, _ in removals]

        removals = Removals(remove)
        draft = Draft(ROOM, "Bob", "rude")
        async with asyncio.timeout(5):
            with (
                self.assertLogs("chatapp.model.redis.removing", "ERROR") as logs,
                self.assertRaises(LogUnavailable),
            ):
                await removals.remove(ROOM, 1, draft)
            self.assertEqual(1, len(logs.output))
            self.assertEqual(Stored(ROOM, 2), await removals.remove(ROOM, 2, draft))
        await removals.close()
