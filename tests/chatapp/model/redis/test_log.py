"""The log in a real Redis: the contract, and what becomes of it when the engine fails."""

import asyncio
import contextlib
import hashlib
import os
import shutil
import time
import unittest
from unittest import mock

from chatapp.model import Draft, LogUnavailable, Message, Record, Slice
from chatapp.model.redis import reader as reader_module
from chatapp.model.redis.entries import Id
from chatapp.model.redis.log import RedisLog
from chatapp.redis import engine as engine_module
from chatapp.redis.engine import Engine
from tests.chatapp.model.contract import ROOM, LogContract, Observer, SharedLogContract, store
from tests.support.engine import RedisServer
from tests.support.programs import needs

PATIENCE = 10
FAR = Id(2**60, 0)


async def until(condition):
    """Return when `condition()` is true; the engine is a process and takes its time."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)


class RedisLogTests(SharedLogContract, unittest.IsolatedAsyncioTestCase):
    BINARY = ""

    @classmethod
    def setUpClass(cls):
        cls.server = RedisServer(cls.BINARY)
        cls.server.start()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def setUp(self):
        self.server.command("FLUSHALL")

    def make(self, observer, **options):
        return RedisLog(observer, self.server.url, **options)

    async def expire(self, log):
        """It looks whenever it reads."""

    async def occupy(self, *rooms):
        """As the directory of any worker writes it down."""
        for room in self.occupied:
            self.server.command("DEL", f"chat:directory:room:{room}")
        for room in rooms:
            self.server.command("ZADD", f"chat:directory:room:{room}", "1", "ann")
        self.occupied = rooms

    occupied = ()

    async def keep(self, log, *rooms):
        """As the record of any worker's book has it."""
        for room in rooms:
            await log.records.change({}, {f"room:{room}": Record("{}")})

    async def test_rooms_of_an_older_version_are_the_longest_silent(self):
        log = await self.opened(max_rooms=2)
        await self.spoken(log, "one", "two")
        self.server.command("DEL", "chat:spoken")
        await self.spoken(log, "two", "three")
        self.assertEqual({"two", "three"}, await self.there(log, "one", "two", "three"))

    async def test_nothing_is_left_of_a_room_that_gave_way_but_a_number(self):
        log = await self.opened(max_rooms=1)
        await self.spoken(log, "one", "two", "one")
        command = self.server.command
        self.assertEqual(b"*1", command("KEYS", "chat:room:*"))
        self.assertEqual(b":1", command("HLEN", "chat:starts"))
        self.assertEqual(b":1", command("ZCARD", "chat:spoken"))
        self.assertEqual(b":2", command("HLEN", "chat:gone"))

    async def test_a_room_that_nobody_looks_at_goes_when_its_messages_are_too_old(self):
        log = await self.opened(max_age=60.0)
        await self.say(log, "a")
        self.assertEqual(b":60", self.server.command("TTL", f"chat:room:{ROOM}"))

    async def test_scripts_that_the_engine_has_forgotten_are_sent_again(self):
        log = await self.opened()
        await self.say(log, "a")
        self.server.command("SCRIPT", "FLUSH")
        await self.say(log, "b")
        self.assertEqual(2, (await log.read(ROOM, 0, 10)).last)


@needs("redis-server")
class InstalledRedisLogTests(RedisLogTests):
    """The same in the system's Redis, where the other is Valkey."""

    BINARY = "redis-server"


class FaultCase(unittest.IsolatedAsyncioTestCase):
    """Each test has an engine of its own; looks are frequent."""

    def setUp(self):
        self.server = self.enterContext(RedisServer())
        self.patch(reader_module, "_BLOCK_SECONDS", 0.3)
        self.patch(reader_module, "_LOOK_SECONDS", 0.3)
        self.patch(reader_module, "log", mock.Mock())  # what it says of each fault

    def patch(self, module, name, value):
        self.enterContext(mock.patch.object(module, name, value))

    async def opened(self, url=None, **options):
        observer = Observer()
        options = {**LogContract.OPTIONS, **options}
        log = RedisLog(observer, url or self.server.url, **options)
        await log.open()
        self.addAsyncCleanup(log.close)
        return log, observer

    async def say(self, log, *texts):
        for text in texts:
            await store(log, ROOM, "ann", "Ann", text)

    def texts(self, observer):
        return [message.text for message in observer.messages]

    @contextlib.asynccontextmanager
    async def away(self, log):
        """The reader of `log` does not read meanwhile."""
        reader = log._reader
        reader._following.cancel()
        await asyncio.gather(reader._following, return_exceptions=True)
        yield
        reader.start()


class ReaderTests(FaultCase):
    async def test_it_goes_on_from_the_last_entry_it_has_seen(self):
        one, observer = await self.opened()
        other, _ = await self.opened()
        await self.say(other, "a")
        await until(lambda: self.texts(observer) == ["a"])
        async with self.away(one):
            await self.say(other, "b", "c")
        await self.say(other, "d")
        await until(lambda: len(observer.messages) >= 4)
        self.assertEqual(list("abcd"), self.texts(observer))

    async def test_what_is_stored_between_two_reads_is_told(self):
        one, observer = await self.opened()
        other, _ = await self.opened()
        wait = one._reader._wait

        async def after_a_message():
            await self.say(other, "between")
            return await wait()

        with mock.patch.object(one._reader, "_wait", after_a_message):
            await until(lambda: len(observer.messages) >= 20)
        numbers = [message.seq for message in observer.messages]
        self.assertEqual(list(range(1, len(numbers) + 1)), numbers)

    async def test_a_stream_trimmed_past_it_is_told_with_where_the_rooms_are(self):
        one, observer = await self.opened()
        other, _ = await self.opened()
        await self.say(other, "a")
        await until(lambda: observer.messages)
        async with self.away(one):
            await self.say(other, *"bcde")
            self.server.command("XTRIM", "chat:stream", "MAXLEN", "=", 2)
        await until(lambda: observer.heads)
        self.assertEqual([{ROOM: 5}], observer.heads)
        await self.say(other, "f")
        await until(lambda: len(observer.messages) >= 2)
        self.assertEqual(["a", "f"], self.texts(observer))
        self.assertEqual([], observer.epochs)

    async def test_an_entry_that_is_no_message_is_passed_over_and_nothing_else_is(self):
        one, observer = await self.opened()
        await self.say(one, "a")
        await until(lambda: observer.messages)
        async with self.away(one):
            await self.say(one, "b")
            self.server.command("XADD", "chat:stream", "*", "who", "knows")
            await self.say(one, "c")
        await until(lambda: observer.heads)
        self.assertEqual([{ROOM: 3}], observer.heads)
        await self.say(one, "d")
        await until(lambda: self.texts(observer)[-1] == "d")

    async def test_a_stream_that_was_deleted_is_told_the_same_way(self):
        one, observer = await self.opened()
        await self.say(one, "a")
        await until(lambda: observer.messages)
        one._reader._cursor = FAR
        self.server.command("DEL", "chat:stream")
        await until(lambda: observer.heads)
        await self.say(one, "b")
        await until(lambda: len(observer.messages) >= 2)
        self.assertEqual([], observer.epochs)

    async def test_a_log_that_was_deleted_begins_anew_for_everybody(self):
        one, observer = await self.opened()
        other, second = await self.opened()
        await self.say(one, "a", "b")
        await until(lambda: len(observer.messages) == len(second.messages) == 2)
        # As if the engine's clock had been set back: its new ids are lower than those seen.
        one._reader._cursor = FAR
        self.server.command("FLUSHALL")
        await self.say(other, "c")
        await until(lambda: "c" in self.texts(observer) and "c" in self.texts(second))
        self.assertEqual(one.epoch, other.epoch)
        self.assertEqual([one.epoch], observer.epochs)
        self.assertEqual([one.epoch], second.epochs)
        self.assertEqual(1, observer.messages[-1].seq)

    async def test_an_engine_put_back_to_an_older_state_begins_another_epoch(self):
        one, observer = await self.opened()
        before = one.epoch
        keys = ("chat:heads", "chat:stream", f"chat:room:{ROOM}")
        await self.say(one, "a", "b")
        for key in keys:
            self.server.command("COPY", key, f"old:{key}")
        await self.say(one, "c")
        await until(lambda: len(observer.messages) == 3)
        async with self.away(one):
            for key in keys:
                self.server.command("RENAME", f"old:{key}", key)
        await until(lambda: observer.epochs)
        self.assertEqual([one.epoch], observer.epochs)
        self.assertNotEqual(before, one.epoch)
        places = [one.continued(before, ROOM, seq) for seq in (1, 2, 3)]
        self.assertEqual([(1, True), (2, True), (2, True)], places)
        self.assertEqual((0, True), one.continued("x", ROOM, 3))
        self.assertEqual((0, True), one.continued(before, "x", 3))
        other, _ = await self.opened()
        self.assertEqual((2, True), other.continued(before, ROOM, 3))
        await self.say(one, "d")
        held = await one.read(ROOM, 0, 10)
        self.assertEqual(["a", "b", "d"], [message.text for message in held.messages])

    async def test_a_push_finds_first_that_an_answered_one_is_lost(self):
        one, observer = await self.opened()
        before = one.epoch
        keys = ("chat:heads", "chat:stream", f"chat:room:{ROOM}")
        await self.say(one, "a")
        await until(lambda: observer.messages)
        for key in keys:
            self.server.command("COPY", key, f"old:{key}")
        async with self.away(one):
            await self.say(one, "lost")
            for key in keys:
                self.server.command("RENAME", f"old:{key}", key)
            stored = await store(one, ROOM, "ann", "Ann", "b")
            self.assertEqual([one.epoch], observer.epochs)
            self.assertEqual((2, True), (stored.seq, before != one.epoch))
            self.assertEqual((1, True), one.continued(before, ROOM, 2))
        await until(lambda: self.texts(observer) == ["a", "b"])

    def promote(self):
        """It becomes a replica, of nobody who answers, and is made the master."""
        self.server.command("REPLICAOF", "127.0.0.1", 1)
        self.server.command("REPLICAOF", "NO", "ONE")

    async def test_a_promoted_engine_goes_on_under_another_epoch_and_tells_of_no_loss(self):
        one, observer = await self.opened()
        before = one.epoch
        await self.say(one, "a", "b")
        await until(lambda: len(observer.messages) == 2)
        self.promote()
        await until(lambda: observer.epochs)
        await self.say(one, "c")
        await until(lambda: len(observer.messages) == 3)
        self.assertEqual((3, "c"), (observer.messages[2].seq, observer.messages[2].text))
        self.assertEqual([one.epoch], observer.epochs)
        self.assertNotEqual(before, one.epoch)
        self.assertEqual((2, False), one.continued(before, ROOM, 2))
        self.assertEqual((2, True), one.continued(before, ROOM, 3))

    async def test_a_push_finds_first_that_the_engine_was_promoted(self):
        one, observer = await self.opened()
        await self.say(one, "a")
        await until(lambda: observer.messages)
        async with self.away(one):
            self.promote()
            self.assertEqual(2, (await store(one, ROOM, "ann", "Ann", "b")).seq)
            self.assertEqual([one.epoch], observer.epochs)

    async def test_a_process_that_comes_later_may_know_what_a_promotion_has_lost(self):
        one, observer = await self.opened()
        other, second = await self.opened()
        before = one.epoch
        keys = ("chat:heads", "chat:stream", f"chat:room:{ROOM}")
        await self.say(one, "a")
        await until(lambda: len(observer.messages) == len(second.messages) == 1)
        for key in keys:
            self.server.command("COPY", key, f"old:{key}")
        async with self.away(other):
            async with self.away(one):
                await self.say(other, "b")  # which only this one knows of
                for key in keys:
                    self.server.command("RENAME", f"old:{key}", key)
                self.promote()
                await self.say(one, "c")
            self.assertEqual((1, False), one.continued(before, ROOM, 1))
        await until(lambda: second.epochs and second.epochs[-1] == one.epoch)
        self.assertEqual((2, 1), (len(observer.epochs), len(second.epochs)))
        for log in (one, other):
            self.assertEqual((1, True), log.continued(before, ROOM, 1))
            self.assertEqual((2, True), log.continued(observer.epochs[0], ROOM, 2))

    async def test_an_epoch_that_another_process_has_begun_is_met_before_it_is_judged(self):
        one, observer = await self.opened()
        other, second = await self.opened()
        await self.say(one, "a")
        await until(lambda: len(observer.messages) == len(second.messages) == 1)
        before = other.epoch
        async with self.away(other):
            self.promote()
            await self.say(one, "b")
            self.assertEqual((0, True), other.continued(one.epoch, ROOM, 2))
            await other.learn_epoch(one.epoch)
            self.assertEqual((one.epoch, [one.epoch]), (other.epoch, second.epochs))
            for epoch in (before, one.epoch, "x"):
                await other.learn_epoch(epoch)
            self.assertEqual([one.epoch], second.epochs)

    async def test_one_that_may_not_ask_about_the_engine_stores_all_the_same(self):
        self.server.command("ACL", "SETUSER", "chat", "on", ">pass", "~*", "&*", "+@all", "-info")
        log, observer = await self.opened(f"redis://chat:pass@127.0.0.1:{self.server.port}/0")
        await self.say(log, "a")
        self.promote()
        await self.say(log, "b")
        await until(lambda: self.texts(observer) == ["a", "b"])
        self.assertEqual([], observer.epochs)

    async def test_a_read_or_a_push_finds_first_that_the_log_is_gone(self):
        one, observer = await self.opened()
        await self.say(one, "a")
        await until(lambda: observer.messages)
        async with self.away(one):
            self.server.command("FLUSHALL")
            self.assertEqual(Slice(1, 0, []), await one.read(ROOM, 0, 10))
            self.assertEqual([one.epoch], observer.epochs)
            self.server.command("FLUSHALL")
            self.assertEqual(1, (await store(one, ROOM, "ann", "Ann", "b")).seq)
            self.assertEqual([one.epoch], observer.epochs[1:])


class EngineTests(FaultCase):
    async def test_killed_and_started_again_it_has_lost_nothing(self):
        log, observer = await self.opened()
        other, second = await self.opened()
        epoch = log.epoch
        first = await store(log, ROOM, "ann", "Ann", "a", "n1")
        self.server.kill()
        with self.assertRaises(LogUnavailable):
            await store(log, ROOM, "ann", "Ann", "b", "n2")
        with self.assertRaises(LogUnavailable):
            await log.read(ROOM, 0, 10)
        self.server.start()
        self.assertEqual(first, await store(log, ROOM, "ann", "Ann", "a", "n1"))
        await store(log, ROOM, "ann", "Ann", "b", "n2")
        await until(lambda: len(observer.messages) == len(second.messages) == 2)
        self.assertEqual(["a", "b"], self.texts(observer))
        self.assertEqual(observer.messages, second.messages)
        self.assertEqual((epoch, [], epoch), (log.epoch, observer.epochs, other.epoch))

    async def test_its_figures_tell_whether_the_engine_answers_and_how_late_news_are(self):
        log, observer = await self.opened()
        await until(lambda: log.statistics()["log_up"] == 1.0)
        other, _ = await self.opened()
        self.assertEqual(0.0, log.statistics()["log_lag_seconds"])
        async with self.away(log):
            await self.say(other, "a")
            stored = time.time()
            while time.time() < stored + 0.01:
                await asyncio.sleep(0.005)
        await until(lambda: self.texts(observer) == ["a"])
        self.assertGreaterEqual(log.statistics()["log_lag_seconds"], 0.009)
        self.server.kill()
        await until(lambda: log.statistics()["log_up"] == 0.0)
        self.server.start()
        await until(lambda: log.statistics()["log_up"] == 1.0)

    async def test_started_again_empty_it_begins_another_epoch(self):
        self.server.command("CONFIG", "SET", "appendonly", "no")
        log, observer = await self.opened()
        await self.say(log, "a")
        self.server.kill()
        shutil.rmtree(self.server.folder / "appendonlydir")
        self.server.start()
        await until(lambda: observer.epochs)
        await self.say(log, "b")
        await until(lambda: self.texts(observer)[-1:] == ["b"])
        self.assertEqual(1, observer.messages[-1].seq)

    async def test_away_at_the_start_it_is_waited_for(self):
        self.server.kill()
        log, observer = await self.opened()
        self.assertEqual("", log.epoch)
        with self.assertRaises(LogUnavailable):
            await self.say(log, "a")
        self.server.start()
        await until(lambda: log.epoch)
        await self.say(log, "b")
        await until(lambda: self.texts(observer) == ["b"])

    async def test_full_it_refuses_and_keeps_what_it_has(self):
        log, observer = await self.opened()
        await self.say(log, "a")
        self.server.command("CONFIG", "SET", "maxmemory", 1)
        with self.assertRaisesRegex(LogUnavailable, "maxmemory"):
            await self.say(log, "b")
        self.assertEqual(1, (await log.read(ROOM, 0, 10)).last)
        self.server.command("CONFIG", "SET", "maxmemory", 0)
        await self.say(log, "c")
        await until(lambda: len(observer.messages) == 2)
        self.assertEqual([(1, "a"), (2, "c")], [(m.seq, m.text) for m in observer.messages])

    async def test_a_replica_that_has_to_listen_and_does_not_refuses(self):
        log, _ = await self.opened()
        self.server.command("CONFIG", "SET", "min-replicas-to-write", 1)
        with self.assertRaisesRegex(LogUnavailable, "NOREPLICAS"):
            await self.say(log, "a")
        self.server.command("CONFIG", "SET", "min-replicas-to-write", 0)
        await self.say(log, "b")
        self.assertEqual(1, (await log.read(ROOM, 0, 10)).last)

    async def test_without_an_answer_the_push_fails_and_sent_again_is_stored_once(self):
        self.patch(engine_module, "_ANSWER_SECONDS", 0.3)
        # Of so short a time the usual part is less than a busy machine needs for an answer.
        self.patch(engine_module, "_MORE_PART", 0.9)
        self.patch(reader_module, "_GRACE_SECONDS", 0.3)
        log, observer = await self.opened()
        await self.say(log, "a")
        self.server.freeze()
        with self.assertRaisesRegex(LogUnavailable, "Timeout|no answer in 0.27 s"):
            await store(log, ROOM, "ann", "Ann", "b", "n1")
        self.server.thaw()
        self.assertEqual(2, (await store(log, ROOM, "ann", "Ann", "b", "n1")).seq)
        await self.say(log, "c")
        await until(lambda: len(observer.messages) >= 3)
        self.assertEqual(["a", "b", "c"], self.texts(observer))

    async def test_an_answer_lost_on_the_way_does_not_store_twice(self):
        port = await self.proxy(lambda request: b"first" in request or b"again" in request)
        log, _ = await self.opened(f"redis://127.0.0.1:{port}/0")
        await self.say(log, "a")
        with self.assertRaises(LogUnavailable):
            await self.say(log, "first")
        with self.assertRaises(LogUnavailable):
            await store(log, ROOM, "ann", "Ann", "again", "n1")
        direct, _ = await self.opened()
        self.assertEqual(3, (await store(direct, ROOM, "ann", "Ann", "again", "n1")).seq)
        held = await direct.read(ROOM, 0, 10)
        self.assertEqual(["a", "first", "again"], [message.text for message in held.messages])

    async def proxy(self, cuts):
        """The port of a way to the engine that breaks after a request for which `cuts` holds."""

        async def connected(reader, writer):
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.server.port)

            async def answers(until_end):
                while data := await up_reader.read(65536):
                    if not until_end.is_set():
                        writer.write(data)
                writer.close()
                up_writer.close()

            lost = asyncio.Event()
            answering = asyncio.ensure_future(answers(lost))
            while data := await reader.read(65536):
                if cuts(data):
                    lost.set()
                up_writer.write(data)
                if lost.is_set():
                    up_writer.write_eof()
            up_writer.close()
            await answering

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self.addAsyncCleanup(server.wait_closed)
        self.addCleanup(server.close)
        return server.sockets[0].getsockname()[1]


class ClockTests(FaultCase):
    async def test_a_host_whose_clock_is_a_day_off_deletes_nothing_and_stamps_as_all_do(self):
        for days in (1, -1):
            with self.subTest(days=days):
                self.server.command("FLUSHALL")
                right, _ = await self.opened(max_age=60.0)
                wrong, _ = await self.opened(max_age=60.0)
                await self.say(right, "a")
                off = time.time() + days * 86400
                with mock.patch("time.time", return_value=off):
                    await wrong.read(ROOM, 0, 10)
                    await wrong.before(ROOM, None, 10)
                    await self.say(wrong, "b")
                held = await right.read(ROOM, 0, 10)
                self.assertEqual(["a", "b"], [message.text for message in held.messages])
                first, second = held.messages
                self.assertLess(abs(second.at - first.at), 60)
                await right.close()
                await wrong.close()


class DamageTests(FaultCase):
    FIELDS = (
        (b"nick", b"Ann", b"text", b"b\xff", b"at", b"1"),
        (b"nick", b"\xc3", b"text", b"b", b"at", b"1"),
        (b"nick", b"Ann", b"text", b"b", b"at", b"when"),
        (b"nick", b"Ann", b"text", b"b", b"at", b"nan"),
        (b"nick", b"Ann", b"text", b"b"),
        (b"nick", b"Ann"),
    )

    async def damaged(self, log, fields):
        """A message that was stored, as a bad byte in the engine's memory would have it."""
        await self.say(log, "a")
        client = Engine(self.server.url).client()
        if fields:
            await client.execute_command("XADD", f"chat:room:{ROOM}", "2-0", *fields)
        await client.hset("chat:heads", ROOM, 2)
        await client.aclose()
        await self.say(log, "c")

    async def test_a_message_that_cannot_be_read_is_named_and_the_rest_is_read(self):
        for fields in (*self.FIELDS, ()):
            with self.subTest(fields=fields):
                self.server.command("FLUSHALL")
                log, _ = await self.opened()
                await self.damaged(log, fields)
                with self.assertLogs("chatapp.model", "ERROR") as logs:
                    for reading in (log.read(ROOM, 0, 10), log.before(ROOM, None, 10)):
                        held = await reading
                        self.assertEqual(["a", "c"], [message.text for message in held.messages])
                        self.assertEqual((2,), held.damaged)
                self.assertEqual(1, len(logs.output))
                self.assertIn(f"of room {ROOM} message 2 is damaged, and lost", logs.output[0])
                await log.close()

    async def test_a_stamp_that_is_damaged_keeps_nobody_from_reading_and_writing(self):
        log, _ = await self.opened(max_age=60.0)
        await self.damaged(log, (b"nick", b"Ann"))
        self.server.command("XDEL", f"chat:room:{ROOM}", "1-0")
        held = await log.read(ROOM, 0, 10)
        self.assertEqual((3, ["c"]), (held.first, [message.text for message in held.messages]))

    async def test_what_a_nonce_was_used_for_may_be_damaged(self):
        log, _ = await self.opened()
        await store(log, ROOM, "ann", "Ann", "a", "n1")
        client = Engine(self.server.url).client()
        self.addAsyncCleanup(client.aclose)
        [key] = await client.keys("chat:nonce:*")
        for number, value in enumerate((b"", b"\xff\xff", b"0 x 1 Ann"), 2):
            await client.set(key, value)
            self.assertEqual(number, (await store(log, ROOM, "ann", "Ann", "a", "n1")).seq)

    async def test_what_an_older_version_has_stored_goes_on(self):
        first, _ = await self.opened()
        await store(first, "other", "ann", "Ann", "begun")
        client = Engine(self.server.url).client()
        self.addAsyncCleanup(client.aclose)
        words = ("nick", "Ann", "text", "a", "at", "1700000000.500")
        await client.execute_command("XADD", f"chat:room:{ROOM}", "1-0", *words)
        await client.execute_command("XADD", "chat:stream", "*", "room", ROOM, "seq", 1, *words)
        await client.hset("chat:heads", ROOM, 1)
        fold = ROOM.casefold()
        key = hashlib.blake2b(f"{fold}\0session\0n1".encode(), digest_size=16).hexdigest()
        digest = hashlib.blake2b(b"a", digest_size=16).hexdigest()
        await client.set(f"chat:nonce:{key}", f"{digest} 1 1700000000.500 Ann")
        log, observer = await self.opened()
        retried = Draft(ROOM, "Ann", "a", "ann's", "n1")
        self.assertEqual((ROOM, 1), await log.append(retried, "session"))
        await log.append(Draft(ROOM, "Ann", "b", "ann's", "n2"), "session")
        held = (await log.read(ROOM, 0, 10)).messages
        old = Message(ROOM, 1, "Ann", "a", 1700000000.5)
        self.assertEqual(
            [old, ("b", "ann's", "n2")], [held[0], (held[1].text, held[1].sender, held[1].nonce)]
        )
        await until(lambda: observer.messages)
        self.assertEqual(held[1:], observer.messages)

    async def test_an_entry_has_the_time_where_an_older_version_looks_for_it(self):
        log, _ = await self.opened()
        await log.append(Draft(ROOM, "Ann", "a", "ann's", "n1"), "session")
        client = Engine(self.server.url).client()
        self.addAsyncCleanup(client.aclose)
        [(_, fields)] = await client.xrange(f"chat:room:{ROOM}")
        self.assertEqual([b"nick", b"text", b"at"], list(fields)[:3])
        [key] = await client.keys("chat:nonce:*")
        self.assertRegex(await client.get(key), rb"^[0-9a-f]+ 1 [0-9.]+ ")

    async def test_a_nonce_of_an_older_version_is_known_by_the_name_as_it_was_written(self):
        log, _ = await self.opened()
        first = await store(log, "Tea", "ann", "Ann", "a", "n1")
        client = Engine(self.server.url).client()
        self.addAsyncCleanup(client.aclose)
        [key] = await client.keys("chat:nonce:*")
        digest = hashlib.blake2b(b"Tea\0ann\0n1", digest_size=16).hexdigest()
        await client.rename(key, f"chat:nonce:{digest}")
        self.assertEqual(first, await store(log, "Tea", "ann", "Ann", "a", "n1"))
        self.assertNotEqual(first, await store(log, "tea", "ann", "Ann", "a", "n2"))

    async def test_an_entry_of_the_stream_that_is_damaged_is_one_line_and_passed_over(self):
        log, observer = await self.opened()
        client = Engine(self.server.url).client()
        self.addAsyncCleanup(client.aclose)
        reader_module.log.reset_mock()
        words = ("room", ROOM, "seq", 1, "nick", "Ann", "text", b"\xff", "at", 1)
        await client.execute_command("XADD", "chat:stream", "*", *words)
        await until(lambda: observer.heads)
        await self.say(log, "b")
        await until(lambda: self.texts(observer) == ["b"])
        self.assertEqual(1, reader_module.log.error.call_count)
        reader_module.log.exception.assert_not_called()


class DatabaseTests(unittest.IsolatedAsyncioTestCase):
    async def test_one_that_does_not_exist_ends_the_start(self):
        server = self.enterContext(RedisServer())
        url = f"redis://127.0.0.1:{server.port}/99"
        log = RedisLog(Observer(), url, **LogContract.OPTIONS)
        with self.assertRaisesRegex(LogUnavailable, f"{url}: DB index is out of range"):
            await log.open()


class PasswordTests(unittest.IsolatedAsyncioTestCase):
    async def test_a_wrong_password_ends_the_start_and_a_right_one_does_not(self):
        with RedisServer() as server:
            server.command("CONFIG", "SET", "requirepass", "s3cret")
            for password in ("", "wrong"):
                log = RedisLog(
                    Observer(),
                    f"redis://:{password}@127.0.0.1:{server.port}",
                    **LogContract.OPTIONS,
                )
                with self.assertRaisesRegex(LogUnavailable, "(?i)auth|pass"):
                    await log.open()
            url = f"redis://:s3cret@127.0.0.1:{server.port}"
            log = RedisLog(Observer(), url, **LogContract.OPTIONS)
            await log.open()
            self.assertTrue(log.epoch)
            await log.close()

    async def test_a_password_that_the_url_does_not_have_is_the_environments(self):
        with RedisServer() as server:
            server.command("CONFIG", "SET", "requirepass", "s3cret")
            for password, url in (
                ("s3cret", f"redis://127.0.0.1:{server.port}"),
                ("wrong", f"redis://:s3cret@127.0.0.1:{server.port}"),
            ):
                with mock.patch.dict(os.environ, CHAT_REDIS_PASSWORD=password):
                    log = RedisLog(Observer(), url, **LogContract.OPTIONS)
                await log.open()
                await log.close()
