"""The server, or Redis, is killed in the middle of it; what was answered is there, once, for
everybody, and what was refused is not."""

import asyncio
import itertools
import random
import unittest

from chatapp.client import ChatClient, ChatError, Gap, Message
from tests.support.engine import RedisServer
from tests.support.server import ChatServer

PUSHERS = 20
PUSHES = 100  # of each
LONGEST = 20  # characters of a message
STUCK_SECONDS = 60  # a start may take half of it


class KillTests(unittest.TestCase):
    def test_every_answered_push_is_in_every_transcript_once(self):
        self.kill_and_compare()

    def test_it_is_with_the_log_in_redis_as_well(self):
        with RedisServer() as redis:
            self.kill_and_compare(redis, **{"chat.log": redis.url})

    def kill_and_compare(self, *others, **options):
        seed = random.randrange(2**32)
        options = {"chat.push_rate": 0, "chat.max_message": LONGEST, **options}
        try:
            with ChatServer(app=options) as server:
                run = _Run(server, others, random.Random(seed))
                asyncio.run(run.watched())
            self.compare(run)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise

    def compare(self, run):
        self.assertEqual(PUSHERS * PUSHES, len(run.answered))
        self.assertEqual([], run.gaps)
        first = run.transcripts[0]
        for transcript in run.transcripts:
            self.assertEqual(first, transcript)
        self.assertEqual(sorted(run.answered), sorted(text for _, text in first))
        self.assertEqual(list(range(1, len(first) + 1)), [seq for seq, _ in first])
        self.assertEqual([413] * (PUSHERS * PUSHES // 10), run.refusals)
        self.assertGreaterEqual(run.kills, 3)


class _Run:
    """Pushers push and followers follow while the server and `others` are killed and started
    again."""

    def __init__(self, server, others, rng):
        self.server = server
        self.victims = itertools.cycle([server, *others])
        self.rng = rng
        self.answered = []
        self.refusals = []  # statuses
        self.transcripts = [[] for _ in range(PUSHERS)]
        self.gaps = []
        self.kills = 0

    async def watched(self):
        """Run it for as long as it gets on."""
        running = asyncio.create_task(self.run())
        while not running.done():
            before = self.progress
            await asyncio.wait([running], timeout=STUCK_SECONDS)
            stuck = not running.done() and self.progress == before
            assert not stuck, f"nothing happens any more: {before}\n{self.server.log[-2000:]}"
        await running

    @property
    def progress(self):
        """Kills, pushes that were answered, messages in each transcript."""
        return self.kills, len(self.answered), [len(each) for each in self.transcripts]

    async def run(self):
        everybody = [ChatClient(self.server.url) for _ in range(PUSHERS)]
        for client in everybody:
            await client.join()
        following = [
            asyncio.create_task(self.follow(client, transcript))
            for client, transcript in zip(everybody, self.transcripts, strict=True)
        ]
        pushing = asyncio.gather(*(self.push(n, c) for n, c in enumerate(everybody)))
        while not pushing.done():
            goal = len(self.answered) + self.rng.randrange(100, 500)
            while len(self.answered) < goal and not pushing.done():
                await asyncio.sleep(0.005)
            if not pushing.done() and self.kills < 4:
                victim = next(self.victims)
                await asyncio.to_thread(victim.kill)
                self.kills += 1
                await asyncio.to_thread(victim.start)
        await pushing
        await asyncio.gather(*following)
        for client in everybody:
            await client.__aexit__()

    async def push(self, number, client):
        for count in range(PUSHES):
            text = f"{number}/{count}"
            await client.send(text, tries=50)
            self.answered.append(text)
            if count % 10 == 0:
                await self.be_refused(client, text)

    async def be_refused(self, client, text):
        try:
            await client.send(text.ljust(LONGEST + 1, "!"), tries=50)
        except ChatError as error:
            self.refusals.append(error.status)

    async def follow(self, client, transcript):
        async for event in client.follow():
            if isinstance(event, Gap):
                self.gaps.append(event)
            elif isinstance(event, Message):
                transcript.append((event.seq, event.text))
            if len(transcript) >= PUSHERS * PUSHES:
                return
