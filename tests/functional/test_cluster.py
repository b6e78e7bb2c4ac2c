"""Two hosts over one Redis: what one is told the other knows, and what each fault does."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp

from benchmarks.harness.chat import ROOT, ChatServer, free_port
from benchmarks.harness.server import eventually
from benchmarks.procfs import descendants, is_running
from chatapp.bots import ChatClient, ChatError, Gap, Message
from tests.support.cluster import Cluster
from tests.support.engine import RedisServer, replicated, watched_pair
from tests.support.programs import needs

PATIENCE = 120
BIN = Path(sys.executable).parent


def run(steps):
    asyncio.run(asyncio.wait_for(steps, PATIENCE))


async def following(client, count):
    """The next `count` messages and gaps that `client` is told of."""
    events = []
    async for event in client.follow():
        if isinstance(event, Message | Gap):
            events.append(event)
            if len(events) == count:
                return events


@contextlib.asynccontextmanager
async def clients(*urls):
    async with contextlib.AsyncExitStack() as stack:
        joined = [await stack.enter_async_context(ChatClient(url)) for url in urls]
        for client in joined:
            await _joined(client)
        yield joined


async def _joined(client):
    """Workers come up after their host listens."""
    while True:
        try:
            return await client.join()
        except (ChatError, aiohttp.ClientError):
            await asyncio.sleep(0.1)


def free_ports(count):
    """The first of `count` ports in a row that nobody listens on."""
    while True:
        first = free_port()
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + count):
                sock = stack.enter_context(socket.socket())
                sock.bind(("127.0.0.1", port))
            return first


class SeveralWorkersTests(unittest.TestCase):
    def test_a_log_of_one_process_refuses_with_a_line_that_says_what_to_do(self):
        server = ChatServer(app={"chat.log": "memory:"}, server={"workers": 2})
        try:
            with contextlib.suppress(AssertionError):
                server.start()
            self.assertEqual(1, server.process.wait(PATIENCE))
            lines = [line for line in server.log.splitlines() if line.startswith("chatapp:")]
            self.assertEqual(1, len(lines), server.log)
            self.assertRegex(lines[0], "chat.log = memory:.*workers = 1.*redis://")
        finally:
            shutil.rmtree(server.folder)


@needs("nginx")
class HostsTests(unittest.TestCase):
    def test_any_host_serves_any_request(self):
        with Cluster() as cluster:
            run(self.talk(cluster))

    async def talk(self, cluster):
        first, second = (host.url for host in cluster.hosts)
        async with clients(first, second, cluster.url) as (ann, bob, carol):
            followed = [asyncio.create_task(following(c, 20)) for c in (ann, bob, carol)]
            for number in range(20):
                await (ann, bob, carol)[number % 3].send(f"{number}")
            transcripts = await asyncio.gather(*followed)
            self.assertEqual([f"{n}" for n in range(20)], [m.text for m in transcripts[0]])
            self.assertEqual(list(range(1, 21)), [m.seq for m in transcripts[0]])
            self.assertEqual(transcripts[0], transcripts[1])
            self.assertEqual(transcripts[0], transcripts[2])
            self.assertEqual(transcripts[0], await carol.history())
            # A client of one host goes on at the other from its cursor.
            await bob.send("more")
            async with ChatClient(second, cursor=ann.cursor) as moved:
                self.assertEqual(["more"], [m.text for m in await following(moved, 1)])


@needs("nginx")
class FaultTests(unittest.TestCase):
    def test_killed_redis_holds_polls_refuses_pushes_and_loses_nothing(self):
        with Cluster(poll_timeout=20) as cluster:
            run(self.outage(cluster))

    async def outage(self, cluster):
        first, second = (host.url for host in cluster.hosts)
        async with clients(first, second) as (ann, bob):
            await ann.poll()
            began = asyncio.get_running_loop().time()
            held = asyncio.create_task(ann.poll())
            await asyncio.sleep(0.2)
            cluster.redis.kill()
            async with bob.session.post(f"{second}chat/push", data=b"x") as answer:
                self.assertEqual(503, answer.status)
                self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
                self.assertRegex(await answer.text(), "does not answer")
            with self.assertRaises(ChatError):
                await bob.history()
            sending = asyncio.create_task(bob.send("through"))
            await asyncio.sleep(1)
            self.assertFalse(held.done())
            cluster.redis.start()
            self.assertEqual(1, await sending)
            news = await held
            self.assertEqual(["through"], [m["text"] for m in news["messages"]])
            self.assertNotIn("gap", news)
            self.assertLess(asyncio.get_running_loop().time() - began, 15)

    def test_redis_that_comes_back_empty_is_a_gap_that_is_told(self):
        with Cluster(redis=RedisServer(appendonly="no")) as cluster:
            run(self.emptied(cluster))

    async def emptied(self, cluster):
        first, second = (host.url for host in cluster.hosts)
        async with clients(first, second) as (ann, bob):
            followed = [asyncio.create_task(following(c, 3)) for c in (ann, bob)]
            await ann.send("before")
            await asyncio.sleep(0.5)
            cluster.redis.kill()
            cluster.redis.start()
            await bob.send("after")
            for said in await asyncio.gather(*followed):
                self.assertEqual("before", said[0].text)
                self.assertEqual(("recreated", False), (said[1].reason, said[1].exact))
                self.assertEqual((1, "after"), (said[2].seq, said[2].text))

    def test_absent_at_the_start_redis_is_waited_for(self):
        redis = RedisServer()
        redis.start()
        redis.kill()
        try:
            with ChatServer(app={"chat.log": redis.url}) as server:
                run(self.late(server, redis))
        finally:
            redis.close()

    async def late(self, server, redis):
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{server.url}chat/pull") as answer:
                self.assertEqual(503, answer.status)
                self.assertIn("Retry-After", answer.headers)
            async with session.get(server.url) as page:
                self.assertEqual(200, page.status)
        redis.start()
        async with clients(server.url) as (ann,):
            self.assertEqual(1, await ann.send("hello"))

    def test_a_promoted_replica_serves_and_what_it_lacks_is_told(self):
        with (
            watched_pair() as (master, replica, sentinel),
            Cluster(redis=master, log=sentinel.url) as cluster,
        ):
            run(self.failover(cluster, master, replica))

    async def failover(self, cluster, master, replica):
        first, second = (host.url for host in cluster.hosts)
        async with clients(first, second) as (ann, bob):
            followed = [asyncio.create_task(following(c, 4)) for c in (ann, bob)]
            await ann.send("kept")
            await asyncio.to_thread(replicated, master, replica)
            # The replica hears no more: what comes now is lost with the master.
            replica.freeze()
            master.command("CLIENT", "KILL", "TYPE", "replica")
            await ann.send("lost")
            await asyncio.sleep(0.3)
            master.kill()
            replica.thaw()
            await bob.send("after", tries=50)
            for said in await asyncio.gather(*followed):
                self.assertEqual(["kept", "lost"], [m.text for m in said[:2]])
                self.assertEqual("recreated", said[2].reason)
                self.assertEqual("after", said[-1].text)

    def test_a_number_that_a_promoted_replica_gives_out_again_is_told_to_who_had_it(self):
        with (
            watched_pair() as (master, replica, sentinel),
            Cluster(redis=master, log=sentinel.url) as cluster,
        ):
            run(self.given_again(cluster, master, replica))

    async def given_again(self, cluster, master, replica):
        async with clients(*(host.url for host in cluster.hosts), cluster.url) as (ann, bob, carol):
            await ann.send("kept")
            for client in (bob, carol):
                self.assertEqual(["kept"], [m.text for m in await following(client, 1)])
            await asyncio.to_thread(replicated, master, replica)
            replica.freeze()
            master.command("CLIENT", "KILL", "TYPE", "replica")
            await ann.send("lost")
            self.assertEqual(["lost"], [m.text for m in await following(carol, 1)])
            # Nobody but Carol knows of it, and she is away.
            for host in cluster.hosts:
                host.kill()
            master.kill()
            replica.thaw()
            for host in cluster.hosts:
                await asyncio.to_thread(host.start)
            self.assertEqual(2, await ann.send("instead", tries=50))
            gap, *said = await following(carol, 2)
            self.assertEqual(("recreated", False), (gap.reason, gap.exact))
            self.assertEqual([(2, "instead")], [(m.seq, m.text) for m in said])
            # Bob has had all that there is.
            self.assertEqual([(2, "instead")], [(m.seq, m.text) for m in await following(bob, 1)])


class ReplicationTests(unittest.TestCase):
    def test_what_a_replica_has_not_read_yet_is_waited_for(self):
        master = self.enterContext(RedisServer(repl_diskless_sync_delay=0))
        replica = self.enterContext(RedisServer(replicaof=f"127.0.0.1 {master.port}"))
        threads = self.enterContext(ThreadPoolExecutor())
        replicated(master, replica)
        replica.freeze()
        try:
            master.command("SET", "key", "value")
            waiting = threads.submit(replicated, master, replica)
            with self.assertRaises(TimeoutError):
                waiting.result(0.1)
        finally:
            replica.thaw()
        waiting.result(PATIENCE)
        self.assertEqual(b"value", replica.command("GET", "key"))


@needs("nginx")
class ScriptTests(unittest.TestCase):
    def test_make_cluster_serves_one_chat_from_two_hosts(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        os.chmod(folder, 0o755)
        port = free_ports(4)
        environment = {
            **os.environ,
            "PORT": str(port),
            "PYTHONWARNINGS": "ignore:pkg_resources is deprecated:UserWarning",
        }
        process = subprocess.Popen(
            [ROOT / "scripts/cluster", BIN, folder], cwd=ROOT, env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            run(self.talk(port))
        finally:
            processes = descendants(process.pid)
            process.terminate()
            self.assertEqual(0, process.wait(PATIENCE))
            # A worker that was still starting goes on for a moment, and writes into the folder.
            eventually(lambda: list(filter(is_running, processes)), [])

    async def talk(self, port):
        proxy, second = (f"http://127.0.0.1:{n}/" for n in (port, port + 2))
        async with clients(proxy, second) as (ann, bob):
            followed = asyncio.create_task(following(bob, 3))
            for text in ("one", "two", "three"):
                await ann.send(text)
            self.assertEqual(["one", "two", "three"], [m.text for m in await followed])
