"""Two hosts over one Redis, and whatever can be killed is, while two hundred clients follow: what
each received and what it was told it missed is what was published, in one order, without a
repetition. Some are banned, put out of a private room or renamed meanwhile: who is out gets nothing
after the answer that says so, had no hole before it, and nobody else misses anything.

A failure prints its seed; CHAOS_SEED=N runs that schedule again, though not the same timing.
"""

import asyncio
import contextlib
import math
import os
import random
import signal
import types
import unittest

import aiohttp

from chatapp.bots import ChatClient, ChatError, Gap, Message, events_of
from chatapp.community.book import Book
from chatapp.community.edits import Edit
from chatapp.community.rooms import MEMBERS, Room
from chatapp.community.standings import Standing
from chatapp.live.cursor import Cursor
from chatapp.model import LogUnavailable
from chatapp.model.redis.calls import Calls
from chatapp.model.redis.records import RedisRecords
from chatapp.redis.engine import Engine
from tests.chatapp.identity.test_token import KEY, token
from tests.support.cluster import Cluster, workers_of
from tests.support.programs import needs

FOLLOWERS = 200
PUSHERS = 6
PATIENCE = 240
HISTORY = 8
ROOMS = ("lobby", "garden", "attic", "cellar")
PRIVATE = "~" + "plan" * 4
AWAY = (ChatError, aiohttp.ClientError, TimeoutError)


def bearer(user, name):
    return f"Bearer {token(sub=user, name=name)}"


@needs("nginx")
class ClusterChaosTests(unittest.TestCase):
    def test_what_was_received_and_told_to_be_missed_is_what_was_published(self):
        seed = int(os.environ.get("CHAOS_SEED", random.randrange(2**32)))
        try:
            options = {"push_rate": 0, "history": HISTORY, "queue_size": 3}
            known = {"identity": "token", "token_key": KEY, "address_push_rate": 0}
            with Cluster(workers=(2, 1), **options, **known) as cluster:
                world = _World(cluster, random.Random(seed))
                asyncio.run(asyncio.wait_for(world.run(), PATIENCE))
        except BaseException as error:
            error.add_note(f"CHAOS_SEED={seed}")
            raise
        note = f"CHAOS_SEED={seed}"
        self.assertGreater(world.published(), 50, note)
        for room, said in world.said.items():
            self.assertEqual(list(range(1, len(said) + 1)), sorted(said), f"{room} {note}")
        for follower in world.followers:
            missed = sum(
                world.heads[room] - joined - follower.received[room] - follower.lost[room]
                for room, joined in follower.joined.items()
                if follower.may_read(room)
            )
            self.assertEqual(0, missed, note)
        self.assertGreater(sum(f.refusals for f in world.followers), 10, note)
        for follower in world.followers:
            self.assertEqual(follower.is_banned or follower.is_put_out, follower.refusals > 0, note)
        self.assertGreater(sum(sum(f.received.values()) for f in world.followers), 1000, note)
        self.assertGreater(sum(sum(f.lost.values()) for f in world.followers), 0, note)


class _World:
    """`said`: of each room, the text of each seq, as whoever saw it first had it."""

    def __init__(self, cluster, rng):
        self.cluster = cluster
        self.rng = rng
        self.said = {room: {} for room in (*ROOMS, PRIVATE)}
        self.heads = None  # known once all has been said
        self.all_said = asyncio.Event()
        self.followers = [_Follower(self, number) for number in range(FOLLOWERS)]

    def published(self):
        return sum(map(len, self.said.values()))

    def saw(self, room, seq, text):
        assert self.said[room].setdefault(seq, text) == text, f"two orders of {room} at {seq}"

    def client(self, user, **options):
        """Of somebody whom a token names so."""
        session = aiohttp.ClientSession(
            headers={"Accept": "application/json", "Authorization": bearer(user, user)},
            cookie_jar=aiohttp.CookieJar(unsafe=True),
        )
        self.sessions.append(session)
        return ChatClient(options.pop("url", self.cluster.url), session=session, **options)

    async def decide(self, **edit):
        """Those in charge have it so, once the engine answers."""
        calls = Calls(Engine(self.cluster.redis.url))
        records = RedisRecords(calls)
        try:
            while True:
                with contextlib.suppress(LogUnavailable):
                    book = Book(types.SimpleNamespace(records=records))
                    assert await book.change(lambda: Edit(**edit))
                    return
                await asyncio.sleep(0.1)
        finally:
            await calls.close()

    async def keep(self):
        users = [each.user for each in self.followers if each.may_read(PRIVATE)]
        members = dict.fromkeys([*users, *map(str, range(PUSHERS)), "judge"], "x")
        await self.decide(rooms=[Room(PRIVATE, MEMBERS, members=members)])

    async def evict(self, over):
        """Somebody is put out of the private room, banned or renamed, again and again."""
        rng = random.Random(self.rng.random())
        left = [each for each in self.followers if not each.away]
        rng.shuffle(left)
        while left and not over.is_set():
            follower = left.pop()
            if PRIVATE in follower.rooms and rng.random() < 0.7:
                follower.is_put_out = True
                await self.keep()
            elif rng.random() < 0.5:
                follower.is_banned = True
                await self.decide(standings={follower.user: Standing(banned_until=math.inf)})
            else:
                name = f"{follower.user} again"
                follower.client.session.headers["Authorization"] = bearer(follower.user, name)
            await asyncio.sleep(rng.uniform(0.05, 0.4))

    async def run(self):
        self.sessions = []
        try:
            await self.keep()
            await self.go()
        finally:
            for session in self.sessions:
                await session.close()

    async def go(self):
        await asyncio.gather(*(follower.join() for follower in self.followers))
        following = asyncio.gather(*(follower.follow() for follower in self.followers))
        over = asyncio.Event()
        pushing = asyncio.gather(*(self.push(number, over) for number in range(PUSHERS)))
        evicting = asyncio.create_task(self.evict(over))
        await self.break_things()
        over.set()
        await evicting
        await pushing
        self.heads = {room: max(said) for room, said in self.said.items()}
        self.all_said.set()
        await following
        for host in self.cluster.hosts:
            await self.check_history(host.url)

    async def check_history(self, url):
        async with self.client("judge", url=url) as client:
            for room, said in self.said.items():
                held = [(message.seq, message.text) for message in await client.history(room)]
                assert held == sorted(said.items())[-len(held) :], f"{url} has another {room}"

    async def push(self, number, over):
        rng = random.Random(self.rng.random())
        async with self.client(str(number)) as client:
            count = 0
            # In every room more than it keeps, for those who are away.
            while not over.is_set() or min(map(len, self.said.values())) < 2 * HISTORY:
                count += 1
                room, text = rng.choice([*ROOMS, PRIVATE]), f"{number}/{count}"
                self.saw(room, await self.send(client, text, room), text)
                await asyncio.sleep(rng.uniform(0.05, 0.8))

    async def send(self, client, text, room):
        """Under one nonce, until there is an answer."""
        while True:
            with contextlib.suppress(*AWAY):
                return await asyncio.wait_for(client.send(text, room, tries=100), 60)

    async def break_things(self):
        faults = [
            self.kill_worker, self.kill_host, self.kill_redis, self.freeze_redis,
            self.forget_scripts, self.cut_connections,
        ]  # fmt: skip
        faults += self.rng.choices(faults, k=2)
        self.rng.shuffle(faults)
        await asyncio.sleep(1)
        for fault in faults:
            await fault()
            await asyncio.sleep(self.rng.uniform(0.3, 1.5))

    async def kill_worker(self):
        workers = await asyncio.to_thread(workers_of, self.cluster.hosts[0])
        if workers:
            os.kill(self.rng.choice(workers), signal.SIGKILL)

    async def kill_host(self):
        host = self.cluster.hosts[1]
        await asyncio.to_thread(host.kill)
        await asyncio.sleep(self.rng.uniform(0, 1))
        await asyncio.to_thread(host.start)

    async def kill_redis(self):
        await asyncio.to_thread(self.cluster.redis.kill)
        await asyncio.sleep(self.rng.uniform(0, 1))
        await asyncio.to_thread(self.cluster.redis.start)

    async def freeze_redis(self):
        self.cluster.redis.freeze()
        await asyncio.sleep(self.rng.uniform(0.2, 2))
        self.cluster.redis.thaw()

    async def forget_scripts(self):
        await asyncio.to_thread(self.cluster.redis.command, "SCRIPT", "FLUSH")

    async def cut_connections(self):
        await asyncio.to_thread(self.cluster.redis.command, "CLIENT", "KILL", "TYPE", "normal")


class _Follower:
    """Believes its cursor only and checks each answer; some are slow, and some are away until all
    has been said."""

    def __init__(self, world, number):
        self.world = world
        self.rng = random.Random(world.rng.random())
        self.rooms = self.rng.sample(ROOMS, self.rng.choice([1, 1, 2]))
        if self.rng.random() < 0.4:
            self.rooms.append(PRIVATE)
        self.user = f"follower-{number}"
        self.is_put_out = self.is_banned = False
        self.refusals = 0
        self.slow = number % 5 == 0
        self.away = number % 50 == 1
        self.received = dict.fromkeys(self.rooms, 0)
        self.lost = dict.fromkeys(self.rooms, 0)

    def may_read(self, room):
        is_out = self.is_put_out and room == PRIVATE
        return room in self.rooms and not self.is_banned and not is_out

    async def join(self):
        self.client = self.world.client(self.user, rooms=self.rooms)
        while self.client.cursor is None:
            try:
                await self.client.join()
            except AWAY:
                await asyncio.sleep(self.rng.uniform(0.1, 0.5))
        self.epoch, seqs, _ = Cursor.decode(self.client.cursor)
        self.positions = dict(seqs)
        self.joined = dict(seqs)

    async def follow(self):
        if self.away:
            await self.world.all_said.wait()
        async with self.client:
            while not self.is_over():
                # Who is out asks for the room now and then all the same.
                is_trying = self.refusals and self.rng.random() < 0.2
                rooms = self.client.rooms
                self.client.rooms = self.rooms if is_trying else rooms
                try:
                    answer = await self.client.poll()
                    assert not is_trying, "what was refused is answered again"
                except AWAY as error:
                    self.client.rooms = rooms
                    if getattr(error, "status", 0) in (403, 404):
                        self.take_refusal(error)
                    await asyncio.sleep(self.rng.uniform(0.1, 1.0))
                    continue
                self.take(answer)
                pause = self.rng.uniform(1, 6) if self.slow and self.world.heads is None else 0
                await asyncio.sleep(answer.get("advice", {}).get("retry", pause))

    def is_over(self):
        """Whether it has all that it is to get, and was told what it is not."""
        heads = self.world.heads
        if heads is None or bool(self.refusals) != (self.is_banned or self.is_put_out):
            return False
        return self.is_banned or self.positions == {
            room: heads[room] for room in self.rooms if self.may_read(room)
        }

    def take_refusal(self, error):
        if error.status == 403:
            assert self.is_banned, error
        else:
            assert self.is_put_out, error
            self.client.rooms = tuple(room for room in self.rooms if room != PRIVATE)
            self.positions.pop(PRIVATE, None)
        self.refusals += 1

    def take(self, answer):
        assert not (self.is_banned and self.refusals), "banned, told so, and answered"
        for event in events_of(answer):
            if isinstance(event, Gap):
                assert (event.reason, event.exact) == ("trimmed", True), event
                for room, lost in event.rooms.items():
                    self.positions[room] += lost
                    self.lost[room] += lost
            elif isinstance(event, Message):
                expected = self.positions[event.room] + 1
                assert event.seq == expected, f"{event.room}: {event.seq}, not {expected}"
                self.world.saw(event.room, event.seq, event.text)
                self.positions[event.room] = event.seq
                self.received[event.room] += 1
        if "cursor" in answer:
            epoch, seqs, _ = Cursor.decode(answer["cursor"])
            assert (epoch, dict(seqs)) == (self.epoch, self.positions), (seqs, self.positions)
