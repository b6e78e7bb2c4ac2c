"""The benchmark itself, on our own servers: few clients, a short time, nothing about speed."""

import asyncio
import unittest

from benchmarks.scenario import Plan, run
from benchmarks.servers import Server, cores
from benchmarks.targets import TARGETS

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
