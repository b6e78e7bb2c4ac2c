"""After whatever clients and applications did to a connection, all is as before."""

import os
import random
import threading
import time
import unittest

from benchmarks.harness.encounters import Encounter, application, set_out
from benchmarks.harness.server import ServerThread
from tests.cogen.web.support import Records

# How many clients come, so many at a time. The seed of a run that failed is in its message.
COUNT = int(os.environ.get("ENCOUNTERS", "96"))
AT_ONCE = 8
AS_BEFORE = {
    "connections": 0,
    "exchanges": 0,
    "coroutines": 0,
    "ready": 0,
    "signal_waiters": 0,
    "spooled_bytes": 0,
}


class EncountersTest(unittest.TestCase):
    threads = "0"

    def test_all_is_as_before(self):
        seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
        options = {"health_path": "/healthz", "header_timeout": 0.2, "body_timeout": 0.2}
        before = threading.active_count()
        with (
            Records() as records,
            ServerThread(application, threads=self.threads, **options) as server,
        ):
            for number in range(0, COUNT, AT_ONCE):
                clients = [Encounter(seed + number + each) for each in range(AT_ONCE)]
                told = f"SEED={seed + number} threads={self.threads}"
                self.meet(server, clients, told)
            counts = {**AS_BEFORE, "threads_busy": 0} if self.threads != "0" else AS_BEFORE
            server.settled(**counts)
            crashes = [each.getMessage() for each in records.records if each.name == "asyncio"]
        self.assertEqual(crashes, [], seed)
        self.assertLessEqual(threading.active_count(), before, "threads are left")

    def test_a_stop_amid_them_ends_in_time(self):
        """Graceful or not: nothing that they do keeps the server from its end."""
        seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
        for number in range(0, COUNT // 4, AT_ONCE):
            clients = [Encounter(seed + number + each) for each in range(AT_ONCE)]
            options = {"shutdown_timeout": 0.2, "close_timeout": 0.2}
            with (
                Records(),
                ServerThread(application, threads=self.threads, **options) as server,
                set_out(clients, server.address),
            ):
                time.sleep(random.Random(seed + number).random() / 10)
                began = time.monotonic()
                server.stop()
                took = time.monotonic() - began
            told = f"SEED={seed + number} threads={self.threads}"
            # So long it takes at the most where the machine has nothing else to do.
            self.assertLess(took, 0.2 + 1, told)

    def meet(self, server, clients, told):
        with set_out(clients, server.address):
            pass
        try:
            server.settled(**AS_BEFORE)
            self.assertEqual(server.get().body, b"well")
        except AssertionError as error:
            left = server.call(
                lambda: [self.state(each) for each in server.server.shared.exchanges]
            )
            stories = "\n".join(f"{n}: {client.story}" for n, client in enumerate(clients))
            raise AssertionError(f"{told}: {error}\n{left}\n{stories}") from None

    def state(self, exchange):
        connection = exchange._connection
        names = ("left", "closing", "ended", "waits", "head_sent", "runner")
        flags = {name: getattr(exchange, name) for name in names}
        more = ("write_paused", "eof", "closing", "_reading_paused", "_intake", "_transport")
        flags |= {f"connection.{name}": getattr(connection, name) for name in more}
        return f"{exchange}: {exchange.operation} {flags}"


class ThreadedEncountersTest(EncountersTest):
    threads = "auto"
