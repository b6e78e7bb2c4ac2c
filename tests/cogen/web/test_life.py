"""What applications register: when it is called, whatever stands around them."""

import unittest

from benchmarks.harness.server import ServerThread
from cogen.core.schedulers import Scheduler
from cogen.web import life
from cogen.web.life import Life, OnLoop, register, take_lives
from cogen.web.options import Options
from cogen.web.server import Server
from tests.cogen.web.support import Records, echo


def recorded(name, said, **hooks):
    """A life whose hooks are told to `said`."""

    async def start(environ):
        said.append(f"{name} starts, {environ['wsgi.multiprocess']}")

    async def stopping():
        said.append(f"{name} stopping")

    async def stop():
        said.append(f"{name} stops")

    return Life(**{"start": start, "stopping": stopping, "stop": stop, **hooks})


class LifeTest(unittest.TestCase):
    def setUp(self):
        take_lives()
        self.addCleanup(take_lives)

    def test_all_that_registered_are_taken_once(self):
        one, two = Life(), Life()
        register(echo, one)
        register(echo, two)
        self.assertEqual(take_lives(), [one, two])
        self.assertEqual(take_lives(), [])

    def test_what_is_registered_is_served_as_it_is_if_it_blocks(self):
        self.assertIs(register(echo, Life()), echo)
        self.assertIsInstance(register(echo, Life(), blocks=False), OnLoop)

    def test_hooks_run_in_order_and_in_its_reverse_at_the_stop(self):
        said = []
        with ServerThread(echo, lives=[recorded("a", said), recorded("b", said)]) as server:
            server.get()
        self.assertEqual(
            said,
            [
                "a starts, False",
                "b starts, False",
                "b stopping",
                "a stopping",
                "b stops",
                "a stops",
            ],
        )

    def test_a_start_that_fails_stops_those_before(self):
        said = []

        async def fail(environ):
            raise LookupError("no database")

        scheduler = Scheduler()
        self.addCleanup(scheduler.shutdown)
        lives = [recorded("a", said), recorded("b", said, start=fail)]
        server = Server(echo, scheduler, Options(), lives)
        with self.assertRaisesRegex(LookupError, "no database"):
            scheduler.loop.run_until_complete(server.start([]))
        self.assertEqual(said, ["a starts, False", "a stops"])

    def test_what_the_hooks_of_a_stop_raise_is_logged_and_it_goes_on(self):
        said = []

        async def fail():
            raise LookupError("no database")

        lives = [recorded("a", said), recorded("b", said, stopping=fail, stop=fail)]
        with Records() as records, ServerThread(echo, lives=lives):
            """It starts and stops."""
        self.assertEqual(said[2:], ["a stopping", "a stops"])
        self.assertEqual(records.text.count("of an application failed"), 2)

    def test_one_without_hooks_is_served(self):
        with ServerThread(echo, lives=[Life()]) as server:
            self.assertEqual(server.get().status, 200)

    def test_it_is_known_whether_a_server_takes_them(self):
        self.addCleanup(setattr, life, "_expected", life._expected)
        life._expected = False
        self.assertFalse(life.served())
        life.expect_lives()
        self.assertTrue(life.served())
