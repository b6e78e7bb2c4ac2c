"""What clients are told when the log was begun anew, or stored more than it told."""

import tempfile
import unittest

from chatapp.config.middleware import make_chat
from chatapp.live.cursor import Cursor
from tests.chatapp.model.contract import store
from tests.chatapp.support import ChatCase, texts, untold


class RecreatedTests(ChatCase):
    """The log under the hub is emptied while polls are held."""

    def setUp(self):
        self.start()
        self.ann, self.bob = self.joined("ann"), self.joined("bob")
        for number in range(3):
            self.ann.say(f"old {number}")
        self.settle()
        self.ann.pull()

    def recreate(self):
        log = self.hub.log
        log._rooms.clear()
        log._nonces.clear()
        log.epoch = "another"
        self.hub.recreated("another")

    def test_a_held_poll_is_answered_and_the_next_one_tells_of_the_gap(self):
        held = self.ann.poll()
        self.recreate()
        self.server.loop.settle()
        news = self.ann.take(held)
        self.assertEqual([], news["messages"])
        self.assertGreater(news["advice"]["retry"], 0)
        self.bob.say("new")
        news = self.ann.pull()
        self.assertEqual(["new"], texts(news))
        self.assertEqual(("recreated", False), (news["gap"]["reason"], news["gap"]["exact"]))
        self.assertNotIn("gap", self.ann.take(self.poll_with(self.ann, "next")))

    def poll_with(self, person, text):
        poll = person.poll()
        self.bob.say(text)
        return poll

    def test_a_client_that_was_not_there_is_told_the_same(self):
        self.recreate()
        self.bob.say("new")
        news = self.ann.pull()
        self.assertEqual(["new"], texts(news))
        self.assertEqual("recreated", news["gap"]["reason"])

    def test_a_client_that_is_in_the_new_log_before_this_process_heard_of_it_misses_nothing(self):
        async def heard(epoch):
            self.assertEqual("another", epoch)
            self.recreate()
            await store(self.hub.log, "lobby", "bob", "bob", "had")

        for tab in (self.ann.tab, "new"):
            self.hub.log.epoch = "before"
            self.ann.tab, self.ann.cursor = tab, Cursor("another", {"lobby": 1}).encode()
            self.hub.log.learn_epoch = heard
            news = self.ann.pull()
            self.assertEqual(([], False), (texts(news), "gap" in news))
            news = self.ann.take(self.poll_with(self.ann, "new"))
            self.assertEqual((["new"], False), (texts(news), "gap" in news))

    def test_one_that_gives_no_cursor_gets_all_of_the_new_log(self):
        self.recreate()
        for text in ("n1", "n2", "n3", "n4", "n5"):
            self.bob.say(text)
        self.ann.cursor = None
        news = self.ann.pull()
        self.assertEqual(["n1", "n2", "n3", "n4", "n5"], texts(news))
        self.assertEqual("recreated", news["gap"]["reason"])

    def test_a_read_under_way_is_not_taken_for_the_new_log(self):
        self.ann.say("unread")
        log, read = self.hub.log, self.hub.log.read
        hub = self.hub

        async def recreated_meanwhile(*arguments):
            log.read = read
            self.recreate()
            await store(log, "lobby", "bob", "bob", "new")
            return await read(*arguments)

        carol = self.person()
        carol.cookies = self.ann.cookies
        carol.tab, carol.cursor = "other", self.ann.cursor
        log.read = recreated_meanwhile
        news = carol.pull()
        self.assertEqual([], news["messages"])
        self.assertEqual(["new"], texts(carol.pull()))
        self.assertEqual("another", hub.log.epoch)


class MissedTests(ChatCase):
    def test_held_polls_read_what_is_stored_and_was_not_told(self):
        self.start(history=3)
        ann, bob = self.joined("ann"), self.joined("bob")
        self.settle()
        ann.pull()
        held = ann.poll()
        with untold(self.hub.log):
            for number in range(5):
                bob.say(f"m{number}")
        self.assertFalse(held.look().done)
        self.hub.missed({"lobby": 5})
        self.server.loop.settle()
        news = ann.take(held)
        self.assertEqual(["m2", "m3", "m4"], texts(news))
        self.assertEqual(2, news["gap"]["lost"])

    def test_a_client_that_missed_nothing_stays_held(self):
        self.start()
        ann = self.joined("ann")
        ann.say("a")
        self.settle()
        ann.pull()
        held = ann.poll()
        self.hub.missed({"lobby": 1})
        self.server.loop.settle()
        self.assertFalse(held.look().done)


class AbsentTests(ChatCase):
    def test_while_the_log_was_never_reached_everything_is_asked_to_come_again(self):
        self.start()
        self.hub.log.epoch = ""
        person = self.person()
        answer = person.poll().look()
        self.assertEqual(503, answer.status)
        self.assertIn(("retry-after", "2"), [(k.lower(), v) for k, v in answer.headers])


class SeveralWorkersTests(unittest.IsolatedAsyncioTestCase):
    async def test_a_log_that_is_not_shared_refuses_and_says_what_to_do(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        for url in ("memory:", "sqlite:///chat.db"):
            app = make_chat({}, **{"chat.log": url, "chat.data": folder})
            with self.assertRaisesRegex(SystemExit, f"{url}.*workers = 1.*redis://"):
                await app.life.start({"wsgi.multiprocess": True})
