"""The server, its workers, or Redis, are killed or reloaded in the middle of it; what was answered
is there, once, for everybody, and what was refused is not."""

import asyncio
import os
import random
import signal
import time
import unittest

from benchmarks.harness.chat import ChatServer
from benchmarks.procfs import is_running
from chatapp.bots import ChatClient, ChatError, Gap, Message
from tests.support.cluster import workers_of
from tests.support.engine import RedisServer

PUSHERS = 20
PUSHES = 100  # of each
LONGEST = 20  # characters of a message
STUCK_SECONDS = 60  # a start may take half of it
SHUTDOWN_SECONDS = 4


class KillTests(unittest.TestCase):
    def test_every_answered_push_is_in_every_transcript_once(self):
        self.kill_and_compare()

    def test_it_is_with_the_log_in_redis_as_well(self):
        with RedisServer() as redis:
            self.kill_and_compare(redis, **{"chat.log": redis.url})

    def kill_and_compare(self, *others, **options):
        self.break_and_compare(lambda server, rng: ([server, *others] * 4)[:4], **options)

    def break_and_compare(self, faults, workers=1, **options):
        """`faults(server, rng)`: what is killed and started again, in this order."""
        seed = int(os.environ.get("CHAOS_SEED", random.randrange(2**32)))
        rng = random.Random(seed)
        options = {"chat.push_rate": 0, "chat.max_message": LONGEST, **options}
        ends = {"workers": workers, "shutdown_timeout": SHUTDOWN_SECONDS}
        try:
            with ChatServer(app=options, server=ends) as server:
                server.logged("serving on")  # all of its workers do
                run = _Run(server, faults(server, rng), rng)
                asyncio.run(run.watched())
                self.check_stop(server)
            self.compare(run)
        except BaseException as error:
            error.add_note(f"CHAOS_SEED={seed}")
            raise

    def check_stop(self, server):
        """SIGTERM ends all of its processes in time, whatever has happened to them."""
        processes, began = [server.process.pid, *workers_of(server)], time.monotonic()
        server.stop()
        self.assertLess(time.monotonic() - began, SHUTDOWN_SECONDS + 1)
        self.assertEqual([], list(filter(is_running, processes)))

    def compare(self, run):
        self.assertEqual(PUSHERS * PUSHES, len(run.answered))
        self.assertEqual([], run.gaps)
        first = run.transcripts[0]
        for transcript in run.transcripts:
            self.assertEqual(first, transcript)
        self.assertEqual(sorted(run.answered), sorted(text for _, text in first))
        self.assertEqual(list(range(1, len(first) + 1)), [seq for seq, _ in first])
        self.assertEqual([413] * (PUSHERS * PUSHES // 10), run.refusals)
        self.assertEqual(len(run.victims), run.kills)


class ChaosTests(KillTests):
    """CHAOS_SEED=N has the same faults in the same order."""

    def test_every_answered_push_is_in_every_transcript_once(self):
        self.break_and_compare(_faults)

    def test_it_is_with_the_log_in_redis_as_well(self):
        with RedisServer() as redis:
            self.break_and_compare(
                lambda server, rng: [*_faults(server, rng), redis],
                workers=2,
                **{"chat.log": redis.url},
            )


def _faults(server, rng):
    kinds = [_Reload, _FailedReload, _FailedReload, _KilledWorker, _UnreplacedWorker, _Killed]
    return [kind(server) for kind in rng.sample(kinds, len(kinds))]


class _Fault:
    """What goes wrong with `server` at kill(), and is well again when start() has returned."""

    said = ""  # in the log

    def __init__(self, server):
        self.server = server

    def kill(self):
        self.before = self.server.log.count(self.said)
        self.go_wrong()

    def start(self):
        self.server.logged(self.said, self.before + 1)

    def spoil(self):
        """No process that reads the ini from now on starts."""
        self.ini = self.server.ini.read_text()
        self.server.ini.write_text(self.ini.replace("[app:main]", "[app:main]\nunknown = 1"))

    def mend(self):
        self.server.ini.write_text(self.ini)


class _Reload(_Fault):
    said = "a new process serves"

    def go_wrong(self):
        self.server.signal(signal.SIGHUP)


class _FailedReload(_Fault):
    said = "the reload is given up"

    def go_wrong(self):
        self.spoil()
        self.server.signal(signal.SIGHUP)

    def start(self):
        super().start()
        self.mend()


class _KilledWorker(_Fault):
    """If it has any: a process that serves alone has one after a reload."""

    said = "took its place"

    def go_wrong(self):
        self.victims = workers_of(self.server)[-1:]  # others may be ending
        for worker in self.victims:
            os.kill(worker, signal.SIGKILL)

    def start(self):
        if self.victims:
            super().start()


class _UnreplacedWorker(_KilledWorker):
    """No other can be started for a while."""

    def go_wrong(self):
        self.spoil()
        super().go_wrong()

    def start(self):
        time.sleep(1)
        self.mend()
        super().start()


class _Killed(_Fault):
    """Its workers end by themselves, and have the log and the port until then."""

    said = "serving on"  # once all of its workers do

    def go_wrong(self):
        workers = workers_of(self.server)
        self.server.kill()
        deadline = time.monotonic() + STUCK_SECONDS
        while any(map(is_running, workers)):
            assert time.monotonic() < deadline, self.server.log
            time.sleep(0.05)

    def start(self):
        self.server.start()
        super().start()


class _Run:
    """Pushers push and followers follow while `victims` are killed and started again."""

    def __init__(self, server, victims, rng):
        self.server = server
        self.victims = victims
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
        for victim in self.victims:
            goal = self.share * self.kills + self.rng.randrange(self.share // 2)
            while len(self.answered) < goal:
                assert not pushing.done(), pushing.exception()
                await asyncio.sleep(0.005)
            await asyncio.to_thread(victim.kill)
            await asyncio.to_thread(victim.start)
            self.kills += 1
        await pushing
        await asyncio.gather(*following)
        for client in everybody:
            await client.__aexit__()

    @property
    def share(self):
        """Pushes for each kill: no more are made before what was killed is there again."""
        return PUSHERS * PUSHES // len(self.victims)

    async def push(self, number, client):
        for count in range(PUSHES):
            while len(self.answered) > self.share * (self.kills + 1):
                await asyncio.sleep(0.005)
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
