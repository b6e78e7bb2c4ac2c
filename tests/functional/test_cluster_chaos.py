"""Two hosts over one Redis, and whatever can be killed is, while two hundred clients follow: what
each received and what it was told it missed is what was published, in one order, without a
repetition.

A failure prints its seed; CHAOS_SEED=N runs that schedule again, though not the same timing.
"""

import asyncio
import contextlib
import os
import random
import signal
import unittest

import aiohttp

from chatapp.bots import ChatClient, ChatError, Gap, Message, events_of
from chatapp.live.cursor import Cursor
from tests.support.cluster import Cluster, workers_of
from tests.support.programs import needs

FOLLOWERS = 200
PUSHERS = 6
PATIENCE = 240
HISTORY = 8
ROOMS = ("lobby", "garden", "attic", "cellar")
AWAY = (ChatError, aiohttp.ClientError, TimeoutError)


@needs("nginx")
class ClusterChaosTests(unittest.TestCase):
    def test_what_was_received_and_told_to_be_missed_is_what_was_published(self):
        seed = int(os.environ.get("CHAOS_SEED", random.randrange(2**32)))
        try:
            with Cluster(workers=(2, 1), push_rate=0, history=HISTORY, queue_size=3) as cluster:
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
            )
            self.assertEqual(0, missed, note)
        self.assertGreater(sum(sum(f.received.values()) for f in world.followers), 1000, note)
        self.assertGreater(sum(sum(f.lost.values()) for f in world.followers), 0, note)


class _World:
    """`said`: of each room, the text of each seq, as whoever saw it first had it."""

    def __init__(self, cluster, rng):
        self.cluster = cluster
        self.rng = rng
        self.said = {room: {} for room in ROOMS}
        self.heads = None  # known once all has been said
        self.all_said = asyncio.Event()
        self.followers = [_Follower(self, number) for number in range(FOLLOWERS)]

    def published(self):
        return sum(map(len, self.said.values()))

    def saw(self, room, seq, text):
        assert self.said[room].setdefault(seq, text) == text, f"two orders of {room} at {seq}"

    async def run(self):
        await asyncio.gather(*(follower.join() for follower in self.followers))
        following = asyncio.gather(*(follower.follow() for follower in self.followers))
        over = asyncio.Event()
        pushing = asyncio.gather(*(self.push(number, over) for number in range(PUSHERS)))
        await self.break_things()
        over.set()
        await pushing
        self.heads = {room: max(said) for room, said in self.said.items()}
        self.all_said.set()
        await following
        for host in self.cluster.hosts:
            await self.check_history(host.url)

    async def check_history(self, url):
        async with ChatClient(url) as client:
            for room, said in self.said.items():
                held = [(message.seq, message.text) for message in await client.history(room)]
                assert held == sorted(said.items())[-len(held) :], f"{url} has another {room}"

    async def push(self, number, over):
        rng = random.Random(self.rng.random())
        async with ChatClient(self.cluster.url) as client:
            count = 0
            # In every room more than it keeps, for those who are away.
            while not over.is_set() or min(map(len, self.said.values())) < 2 * HISTORY:
                count += 1
                room, text = rng.choice(ROOMS), f"{number}/{count}"
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
        self.slow = number % 5 == 0
        self.away = number % 50 == 1
        self.received = dict.fromkeys(self.rooms, 0)
        self.lost = dict.fromkeys(self.rooms, 0)

    async def join(self):
        self.client = ChatClient(self.world.cluster.url, rooms=self.rooms)
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
            while self.positions != self.goal():
                try:
                    answer = await self.client.poll()
                except AWAY:
                    await asyncio.sleep(self.rng.uniform(0.1, 1.0))
                    continue
                self.take(answer)
                pause = self.rng.uniform(1, 6) if self.slow and self.world.heads is None else 0
                await asyncio.sleep(answer.get("advice", {}).get("retry", pause))

    def goal(self):
        heads = self.world.heads
        return {room: heads[room] for room in self.rooms} if heads else None

    def take(self, answer):
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
