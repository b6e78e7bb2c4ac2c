"""The directory in Redis: the contract, and what several workers see of each other."""

import asyncio
import contextlib
import shutil
import unittest
from unittest import mock

from redis.asyncio.sentinel import MasterNotFoundError

from chatapp.directory import PRESENCE_LIMIT, Cost, DirectoryUnavailable, NickTaken, OtherSecret
from chatapp.directory.redis.directory import RedisDirectory
from chatapp.redis import engine as engine_module
from tests.chatapp.directory.contract import (
    LEASE,
    LIMITS,
    DirectoryContract,
    SharedDirectoryCase,
    SharedDirectoryContract,
    Somebody,
)
from tests.support.engine import RedisServer, replicated, watched_pair
from tests.support.programs import needs

TICK = LEASE / 20


class RedisCase:
    """A server of its own, workers on it whose ticks the test gives, and a clock that it sets."""

    now = 1_700_000_000.0
    binary = ""  # of the server; empty: what RedisServer takes

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # it takes most of the time
        self.url = self.start_engine()
        self.workers = []
        await super().asyncSetUp()

    def start_engine(self):
        """The URL of what the workers share; `server` is the one that they use."""
        self.server = self.enterContext(RedisServer(self.binary, appendonly="no"))
        return self.server.url

    def make(self, observer, limits, fingerprint="f"):
        directory = RedisDirectory(
            self.url, observer, limits, lease=LEASE, poll_timeout=10.0,
            fingerprint=fingerprint, clock=lambda: self.now,
        )  # fmt: skip
        self.workers.append(directory)
        return directory

    async def pass_time(self, seconds):
        await self.tick(round(seconds / TICK))
        await self.settle()

    async def tick(self, count):
        for _ in range(count):
            self.now += TICK
            for worker in self.workers:
                await worker._tick()

    async def calm(self):
        """Return when leases end, as they do not yet at an engine that is new."""
        await self.pass_time(2 * LEASE)

    async def settle(self):
        for worker in self.workers:
            while tasks := [*filter(None, [worker._leases.sending]), *worker._replicas.pending()]:
                await asyncio.wait(tasks)
        for worker in self.workers:
            await self.heard(worker)

    async def heard(self, worker):
        """Return when `worker` has heard all that was told."""
        client = worker._runner.engine.client()
        try:
            for stream in ("chat:directory:news", f"chat:directory:moves:{worker._worker}"):
                last = await client.xrevrange(stream, count=1)
                while last and worker._events._positions.get(stream) != last[0][0].decode():
                    await asyncio.sleep(0.001)
        finally:
            await client.aclose()


class RedisDirectoryTests(RedisCase, DirectoryContract, unittest.IsolatedAsyncioTestCase):
    """One worker."""


@needs("redis-server")
class InstalledRedisDirectoryTests(RedisDirectoryTests):
    """The scripts in Redis beside Valkey."""

    binary = shutil.which("redis-server") or ""


class WorkersCase(RedisCase, SharedDirectoryCase, unittest.IsolatedAsyncioTestCase):
    """Two workers at one server."""


class WorkersTests(SharedDirectoryContract, WorkersCase):
    async def test_of_full_buckets_nothing_is_kept(self):
        ann, _ = await self.here("1", "ann", self.one, self.two)
        key = "chat:directory:spent:push_rate:1"
        await self.allowed(self.one, ann, 3)
        left = int(self.server.command("PTTL", key).removeprefix(b":"))
        self.assertTrue(0 < left <= 3000, left)

    async def test_nothing_of_those_who_left_is_kept(self):
        for number in range(20):
            ann = await self.joined(self.one, str(number))
            self.enter(self.one, ann, "lobby")
            await self.one.save_cursor(ann, "tab", "CURSOR")
            await self.settle()
            self.leave(self.one, ann, "lobby")
            self.one.release(ann)
        await self.settle()
        await self.pass_time(2.5 * LEASE)
        client = self.one._runner.engine.client()
        self.addAsyncCleanup(client.aclose)
        keys = {key.decode().removeprefix("chat:directory:") for key in await client.keys("*")}
        self.assertEqual({"arrivals", "news", "secret", "swept", "told"}, keys)
        self.assertEqual(
            (0, 0), (len(self.one._registrations), len(self.one._registrations.unsent))
        )

    async def test_a_worker_tells_the_name_of_a_room_again_that_the_engine_forgot(self):
        ann = await self.joined(self.one, "1", "ann")
        self.enter(self.one, ann, "Tea")
        self.one.observer.alive["1", "tab"] = 1000 * LEASE
        await self.settle()
        client = self.one._runner.engine.client()
        self.addAsyncCleanup(client.aclose)
        await client.flushall()
        await self.pass_time(LEASE)
        self.assertEqual({"tea": "Tea"}, await self.two.canonical_names(["tea"]))

    async def test_names_that_were_only_asked_for_are_few_and_forgotten(self):
        for start in range(0, 12_000, 1000):
            await self.one.canonical_names(
                [f"room{number}" for number in range(start, start + 1000)]
            )
        client = self.one._runner.engine.client()
        self.addAsyncCleanup(client.aclose)
        self.assertLessEqual(await client.hlen("chat:directory:names"), 11_000)
        await self.pass_time(4 * LEASE)
        for key in ("names", "asked"):
            self.assertFalse(await client.exists(f"chat:directory:{key}"), key)

    async def test_without_the_engine_a_new_room_is_called_as_it_is_here(self):
        await self.one._runner.close()
        self.server.stop()
        self.assertEqual({}, await self.one.canonical_names(["Tea"]))

    async def test_the_engines_own_clock_counts(self):
        self.one._runner.clock = None
        ann = await self.joined(self.one, "1", "ann")
        self.enter(self.one, ann, "lobby")
        await self.settle()
        client = self.one._runner.engine.client()
        self.addAsyncCleanup(client.aclose)
        seconds, _ = await client.time()
        score = await client.zscore("chat:directory:leases", "1/tab")
        self.assertAlmostEqual(seconds + LEASE, score / 1000, delta=5.0)

    async def test_a_tick_that_comes_late_renews_for_those_before_it(self):
        for number in range(20):
            ann = await self.joined(self.one, str(number))
            self.enter(self.one, ann, "lobby")
        await self.settle()
        self.now += LEASE / 4
        await self.one._tick(LEASE / 4 / TICK)
        fresh = round((self.now + LEASE) * 1000)
        renewed = self.server.command("ZCOUNT", "chat:directory:leases", fresh, "+inf")
        self.assertEqual(b":10", renewed)

    async def test_the_ticks_that_a_slow_one_took_are_due_at_the_next(self):
        due, ticked = [], asyncio.Event()

        async def tick(ticks):
            due.append(ticks)
            if len(due) == 1:
                await asyncio.sleep(5 * self.one._tick_seconds)
            else:
                ticked.set()

        self.one._ticking.cancel()
        self.one._tick_seconds = 0.01
        with mock.patch.object(self.one, "_tick", tick):
            self.one._ticking = asyncio.create_task(self.one._tick_on())
            await ticked.wait()
            self.one._ticking.cancel()
        self.assertGreaterEqual(due[1], 5.9)

    async def test_another_secret_is_refused(self):
        observer = self.one.observer
        other = self.make(observer, LIMITS, fingerprint="other")
        with self.assertRaisesRegex(OtherSecret, f"127.0.0.1:{self.server.port}/0 sign with an"):
            await other.open()
        self.workers.remove(other)


class CrowdTests(WorkersCase):
    async def test_no_change_of_a_crowded_room_is_published_and_later_all_are_right(
        self,
    ):
        await self.calm()
        people = [Somebody(str(n), f"n{n}") for n in range(PRESENCE_LIMIT + 3)]
        for somebody in people:
            await self.joined(self.one, somebody.id, somebody.nick)
            self.enter(self.one, somebody, "lobby")
        _, told = await self.news()
        self.assertEqual(PRESENCE_LIMIT + 1, len(told))
        self.leave(self.one, people[0], "lobby")
        self.assertEqual([], (await self.news())[1])
        await self.pass_time(LEASE / 2)
        self.assertFalse("0" in self.two.observer.people["lobby"])
        for somebody in people[1:4]:
            self.leave(self.one, somebody, "lobby")
        await self.news()
        expected = {somebody.id: somebody.nick for somebody in people[4:]}
        self.assertEqual(expected, self.two.observer.people["lobby"])
        self.assertEqual(expected, self.one.observer.people["lobby"])


class AwayCase(WorkersCase):
    async def begin_outage(self):
        """Stop the engine and return when the workers have noticed."""
        self.server.kill()
        for worker in self.workers:
            with self.assertRaises(DirectoryUnavailable):
                await worker.people("lobby")
            while worker._events._positions:
                await asyncio.sleep(0.01)

    async def heard_again(self):
        """Return when the workers hear the engine."""
        for worker in self.workers:
            while not worker._events._positions:
                await asyncio.sleep(0.01)


class OutageTests(AwayCase):
    async def back(self):
        """Start the engine again and return when the workers hear it."""
        self.server.start()
        await self.heard_again()

    async def test_without_the_engine_people_stay_and_pushes_do_not(self):
        with self.assertLogs("chatapp.directory", "WARNING"):
            [ann] = await self.here("1", "ann", self.one)
            await self.begin_outage()
            self.assertEqual("bob", await self.one.join("2", "bob"))
            self.enter(self.one, Somebody("2", "bob"), "lobby")
            await self.one.subscribe("lobby")
            await self.one.save_cursor(ann, "tab", "CURSOR")
            for waiting in (
                self.one.consume([], ann), self.one.rename(ann, "x"),
                self.one.people("lobby"), self.one.load_cursor(ann, "tab"), self.one._tick(),
            ):  # fmt: skip
                with self.assertRaises(DirectoryUnavailable):
                    await waiting
            self.assertIsNone(await self.one.consume([Cost("address_sessions", "10.0.0.1")]))
            self.assertEqual("ann", self.one.observer.people["lobby"]["1"])
            self.assertEqual([], self.two.observer.news())

    async def test_an_engine_that_stands_still_is_waited_for_once(self):
        self.enterContext(mock.patch.object(engine_module, "_ANSWER_SECONDS", 0.5))
        with self.assertLogs("chatapp.directory", "ERROR"):
            [ann] = await self.here("1", "ann", self.one)
            self.server.freeze()
            try:
                self.assertEqual("bob", await self.one.join("2", "bob"))
                for waiting in (self.one.consume([], ann), self.one.load_cursor(ann, "tab")):
                    with self.assertRaisesRegex(DirectoryUnavailable, "no answer in 0.02 s"):
                        await waiting
            finally:
                self.server.thaw()
            await self.heard_again()
            while self.one._runner.engine.patience < 0.4:
                with contextlib.suppress(DirectoryUnavailable):
                    await self.one.people("lobby")
            self.assertIsNone(await self.one.consume([], ann))

    async def test_an_engine_that_comes_back_is_told_everything_and_nobody_flaps(self):
        with self.assertLogs("chatapp.directory", "WARNING"):
            await self.here("1", "ann", self.one)
            await self.here("2", "bob", self.two)
            await self.begin_outage()
            await self.back()
            await self.pass_time(2 * LEASE)
        self.assertEqual([[], []], await self.news())
        self.assertEqual({"ann", "bob"}, set(await self.one.people("lobby")))
        self.assertRegex((await self.joined(self.one, "3", "bob")).nick, "guest-")

    async def test_leases_that_ran_out_while_the_engine_was_away_are_not_counted(self):
        with self.assertLogs("chatapp.directory", "WARNING"):
            await self.here("1", "ann", self.one)
            await self.here("2", "bob", self.two)
            await self.begin_outage()
            self.now += 10 * LEASE
            await self.back()
            await self.pass_time(2 * LEASE)
        self.assertEqual([[], []], await self.news())

    async def test_who_is_at_a_worker_that_comes_back_late_has_not_left(self):
        with self.assertLogs("chatapp.directory", "WARNING"):
            await self.here("1", "ann", self.one)
            await self.here("2", "bob", self.two)
            await self.begin_outage()
            self.now += 10 * LEASE
            await self.back()
            await self.tick_one(19)
            await self.pass_time(2 * LEASE)
        self.assertEqual([[], []], await self.news())
        self.assertEqual({"ann", "bob"}, set(await self.one.people("lobby")))

    async def tick_one(self, count):
        """Time in which the other worker does nothing."""
        for _ in range(count):
            self.now += TICK
            await self.one._tick()

    async def test_who_came_meanwhile_is_told_before_a_lease_is_over(self):
        with self.assertLogs("chatapp.directory", "WARNING"):
            await self.begin_outage()
            ann = await self.joined(self.one, "1", "ann")
            self.enter(self.one, ann, "lobby")
            await self.back()
            await self.pass_time(LEASE / 2)
        self.assertEqual([[("lobby", "1", "ann")]] * 2, await self.news())

    async def test_leases_that_ran_out_while_all_stood_still_do_not_end(self):
        await self.calm()
        await self.here("1", "ann", self.one)
        await self.here("2", "bob", self.two)
        self.now += 10 * LEASE
        await self.tick_one(19)
        await self.pass_time(2 * LEASE)
        self.assertEqual([[], []], await self.news())

    async def test_a_lease_ends_although_all_stand_still_often(self):
        await self.calm()
        await self.here("2", "bob", self.two)
        await self.news()
        for _ in range(16):
            self.now += 0.3 * LEASE
            await self.one._tick()
        self.workers.remove(self.two)
        self.assertEqual([[("lobby", "2", None)]], await self.news())

    async def test_two_who_took_the_same_nick_meanwhile_end_with_two(self):
        with self.assertLogs("chatapp.directory", "WARNING"):
            await self.begin_outage()
            people = []
            for worker, identity in ((self.one, "1"), (self.two, "2")):
                somebody = await self.joined(worker, identity, "ann")
                self.enter(worker, somebody, "lobby")
                people.append(somebody)
            self.assertEqual(["ann", "ann"], [somebody.nick for somebody in people])
            await self.back()
            await self.pass_time(LEASE)
        first, second = sorted(somebody.nick for somebody in people)
        self.assertEqual("ann", first)
        self.assertRegex(second, "guest-")
        self.assertEqual({first, second}, set(self.one.observer.people["lobby"].values()))
        self.assertEqual({first, second}, set(self.two.observer.people["lobby"].values()))

    async def test_events_that_are_missing_are_made_up_for(self):
        await self.calm()
        await self.here("1", "ann", self.one)
        self.server.command("INCR", "chat:directory:told")
        self.server.command("ZREM", "chat:directory:room:lobby", "1")
        bob = await self.joined(self.one, "2", "bob")
        self.enter(self.one, bob, "lobby")
        await self.pass_time(LEASE)
        self.assertEqual({"2": "bob"}, self.two.observer.people["lobby"])

    async def test_an_engine_that_was_put_back_gives_no_number_twice(self):
        await self.here("1", "ann", self.one)
        before = self.two._events.highest
        self.server.command("SET", "chat:directory:told", before - 1)
        await self.tick(5)
        bob = await self.joined(self.one, "2", "bob")
        self.enter(self.one, bob, "lobby")
        await self.settle()
        self.assertEqual(before + 1, self.two._events.highest)
        self.assertEqual({"1": "ann", "2": "bob"}, self.two.observer.people["lobby"])

    async def test_a_worker_that_hears_nothing_any_more_listens_again(self):
        await self.calm()
        self.two._events._task.cancel()
        ann = await self.joined(self.one, "1", "ann")
        self.enter(self.one, ann, "lobby")
        with self.assertLogs("chatapp.directory", "WARNING"):
            await self.tick(20)
        await self.settle()
        self.assertEqual({"1": "ann"}, self.two.observer.people["lobby"])

    async def test_a_worker_starts_without_the_engine_and_is_there_when_it_is(self):
        with self.assertLogs("chatapp.directory", "WARNING"):
            await self.begin_outage()
            three = await self.opened()
            ann = await self.joined(three, "1", "ann")
            self.enter(three, ann, "lobby")
            await self.back()
            await self.pass_time(LEASE)
        self.assertEqual({"1": "ann"}, self.two.observer.people["lobby"])

    async def test_a_script_that_the_engine_forgot_is_sent_again(self):
        self.server.command("SCRIPT", "FLUSH")
        await self.here("1", "ann", self.one)
        self.assertEqual({"1": "ann"}, self.two.observer.people["lobby"])


class KeptOutageTests(OutageTests):
    """The same where the engine comes back with what it had."""

    def start_engine(self):
        self.server = self.enterContext(RedisServer(self.binary))
        return self.server.url


class FailoverTests(AwayCase):
    def start_engine(self):
        self.server, self.replica, sentinel = self.enterContext(watched_pair())
        return sentinel.url

    async def test_people_and_nicks_outlive_a_promotion_and_go_on_changing(self):
        ann, _ = await self.here("1", "ann", self.one, self.two)
        await asyncio.to_thread(replicated, self.server, self.replica)
        # The replica hears no more: who comes now is lost with the master.
        self.replica.freeze()
        self.server.command("CLIENT", "KILL", "TYPE", "replica")
        [bob] = await self.here("2", "bob", self.two)
        with self.assertLogs("chatapp.directory", "WARNING"):
            await self.begin_outage()
            self.replica.thaw()
            await self.promoted()
            await self.pass_time(2 * LEASE)
        self.assertEqual([[], []], await self.news())
        self.assertEqual({"ann", "bob"}, set(await self.one.people("lobby")))
        for taken in ("ann", "bob"):
            self.assertRegex((await self.joined(self.two, "3", taken)).nick, "guest-")
            with self.assertRaises(NickTaken):
                await self.one.rename(Somebody("3"), taken)
        await self.two.rename(bob, "bobby")
        self.leave(self.one, ann, "lobby")
        changes = {("lobby", "2", "bobby"), ("lobby", "1", None)}
        self.assertEqual([changes, changes], [set(news) for news in await self.news()])

    async def heard(self, worker):
        """A Sentinel with little CPU holds the new master for dead at times."""
        while True:
            try:
                return await super().heard(worker)
            except MasterNotFoundError:
                await asyncio.sleep(0.05)

    async def promoted(self):
        """Return when the workers use the replica, which is the master by now."""
        while b"role:master" not in self.replica.command("INFO", "replication"):
            await asyncio.sleep(0.05)
        for worker in self.workers:
            while worker._runner.down:
                with contextlib.suppress(DirectoryUnavailable):
                    await worker._tick()
                await asyncio.sleep(0.05)
        await self.heard_again()
