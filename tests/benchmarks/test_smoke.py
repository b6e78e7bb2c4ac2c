"""The benchmark itself, on our own servers: few clients, a short time, nothing about speed."""

import asyncio
import contextlib
import dataclasses
import unittest

from benchmarks.scenario import Plan, run
from benchmarks.servers import Server, cores
from benchmarks.targets import TARGETS
from benchmarks.turns import HELD_SECONDS, in_turns

CLIENTS = 20
PLAN = Plan(alone=5, warm=0.1, closed=0.5, fixed=0.5, idle=0.1, settle=0.1, patience=10)


class SmokeTests(unittest.TestCase):
    def test_each_of_ours_delivers_every_message_to_every_client_once(self):
        server_cores, client_cores = cores()
        for target in TARGETS:
            if not target.ours or target.missing():
                continue
            with self.subTest(target.name), Server(target, server_cores) as server:
                result = asyncio.run(run(server, CLIENTS, PLAN, client_cores, lambda text: None))
                self.assertEqual("", result.error)
                self.assertGreaterEqual(result.messages, 8)
                self.assertEqual(result.messages * CLIENTS, result.deliveries)
                self.assertEqual((0, 0, 0), (result.lost, result.repeated, result.reconnects))
                for measured in (
                    result.cpu_us, result.held_kib, result.p99_ms, result.idle_cpu, result.rate,
                    result.reached_ms, result.push_p99_ms, result.alone_p99_ms,
                ):  # fmt: skip
                    self.assertIsNotNone(measured)

    def test_those_in_turns_have_every_message_delivered_to_every_client_of_theirs(self):
        server_cores, client_cores = cores()
        with contextlib.ExitStack() as stack:
            servers = [
                stack.enter_context(Server(target, server_cores, poll_seconds=HELD_SECONDS))
                for target in TARGETS
                if target.name in ("bare", "chat")
            ]
            plan = dataclasses.replace(PLAN, closed=1.2)
            steps = in_turns(servers, CLIENTS, plan, client_cores, lambda text: None)
            results = asyncio.run(steps)
        self.assertEqual(["bare", "chat"], [result.target for result in results])
        for result in results:
            self.assertEqual("", result.error)
            self.assertEqual(result.messages * CLIENTS, result.deliveries)
            self.assertEqual((0, 0, 0), (result.lost, result.empty, result.reconnects))
            self.assertGreater(result.cpu_us, 0)
            self.assertIsNone(result.p99_ms)

    def test_one_that_ends_takes_no_turn_from_the_others(self):
        server_cores, client_cores = cores()
        targets = {target.name: target for target in TARGETS}
        with contextlib.ExitStack() as stack:
            bare, chat = (
                stack.enter_context(Server(targets[name], server_cores))
                for name in ("bare", "chat")
            )
            bare._processes[0].kill()
            bare._processes[0].wait()
            steps = in_turns([bare, chat], CLIENTS, PLAN, client_cores, lambda text: None)
            ended, other = asyncio.run(steps)
        self.assertIn("Connect", ended.error)
        self.assertEqual("", other.error)
        self.assertEqual(other.messages * CLIENTS, other.deliveries)
