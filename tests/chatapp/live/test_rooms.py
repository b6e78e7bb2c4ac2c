"""Rooms whose people several workers share: what is told, and who need not be told it."""

import unittest

from chatapp.directory import PRESENCE_LIMIT
from chatapp.directory.redis.directory import RedisDirectory
from chatapp.live.batch import Batch
from chatapp.live.cursor import Cursor
from chatapp.live.figures import Figures
from chatapp.live.hub import Hub
from chatapp.live.participant import Client, Participant, Subscription
from chatapp.live.poll import ANSWER, WAIT, WATCH, Poll
from chatapp.live.request import PollRequest
from chatapp.live.rooms import Room
from chatapp.model import Message
from chatapp.options import ChatOptions
from cogen.core.schedulers import Scheduler
from cogen.testing.clock import FakeClockLoop


class SharedRoomCase(unittest.TestCase):
    def setUp(self):
        self.loop = FakeClockLoop()
        self.addCleanup(self.loop.close)
        self.scheduler = Scheduler(self.loop)
        self.addCleanup(self.scheduler.shutdown)
        self.hub = Hub(ChatOptions(log="memory:"))
        self.directory = RedisDirectory(
            "redis://nowhere",
            self.hub,
            self.hub.options.limits(),
            lease=20.0,
            poll_timeout=10.0,
            fingerprint="",
        )
        self.room = Room("lobby", self.loop, self.directory, lambda room: None)
        self.news = []
        self.room.pubsub.publish_nowait = self.news.append

    def told(self):
        """What was told meanwhile: events and nicks."""
        self.loop.advance(1.0)
        news, self.news[:] = list(self.news), ()
        return [(change["event"], change["nick"]) for each in news for change in each.changes]


class RoomTests(SharedRoomCase):
    def test_the_first_count_is_not_told(self):
        self.room.snapshot({"1": "ann", "2": "bob"}, 7)
        self.assertEqual([], self.told())
        self.assertEqual((7, 7), (self.room.version, self.room.announced))
        self.assertEqual(["ann", "bob"], self.room.people())

    def test_the_first_count_is_told_to_those_who_were_given_a_guess(self):
        me = Participant("1", "ann", None)
        self.assertEqual(["ann"], self.room.people(me))
        self.room.snapshot({"1": "ann", "2": "bob"}, 7)
        self.assertEqual([("join", "ann"), ("join", "bob")], self.told())

    def test_a_later_count_is_told_where_it_differs(self):
        self.room.snapshot({"1": "ann", "2": "bob"}, 7)
        self.room.snapshot({"2": "bob", "3": "eve"}, 9)
        self.assertEqual({("leave", "ann"), ("join", "eve")}, set(self.told()))

    def test_a_change_counts_as_told_once_it_is(self):
        self.room.snapshot({}, 7)
        self.room.present("1", "ann", 8)
        self.assertEqual((8, 7), (self.room.version, self.room.announced))
        self.assertEqual([("join", "ann")], self.told())
        self.assertEqual(8, self.room.announced)
        self.room.present("1", "ann", 9)
        self.assertEqual(9, self.room.announced)

    def test_a_list_names_the_client_that_asks_too(self):
        people = {str(number): f"n{number}" for number in range(PRESENCE_LIMIT + 1)}
        self.room.snapshot(people, 7)
        self.assertNotIn("me", self.room.people())
        listed = self.room.people(Participant("x", "me", None))
        self.assertEqual((PRESENCE_LIMIT, "me"), (len(listed), listed[-1]))


class PollTests(SharedRoomCase):
    def poll(self, since=None, json=True):
        client = Client(Participant("1", "ann", None), "tab", 10, None, Figures())
        client.subscriptions["lobby"] = Subscription(self.room)
        self.hub.log.epoch = "e"
        self.room.head = 5
        asked = PollRequest(("lobby",), "tab", since, held=True, written={})
        poll = Poll(client, [self.room], asked, self.hub.log, json, timeout=10.0, about={})
        self.assertIs(WATCH, poll.step())
        poll.watched(self.scheduler.add(client.watch, (self.room,)))
        poll.know_presence()
        return poll

    def since(self, version):
        return Cursor("e", {"lobby": 5}, {} if version is None else {"lobby": version})

    def answered(self, poll):
        return Cursor.decode(poll.cursor).versions.get("lobby")

    def test_a_client_that_comes_is_given_the_list_and_its_version(self):
        self.room.snapshot({"1": "ann"}, 7)
        poll = self.poll()
        self.assertIs(ANSWER, poll.step())
        self.assertIn(b'"people":{"lobby":["ann"]}', poll.answer())
        self.assertEqual(7, self.answered(poll))

    def test_a_client_of_another_worker_that_missed_nothing_is_held(self):
        self.room.snapshot({"1": "ann"}, 7)
        for version in (7, 8):
            poll = self.poll(self.since(version))
            self.assertIs(WAIT, poll.step())
            self.assertEqual(version, self.answered(poll))

    def test_a_client_of_another_worker_that_missed_a_change_is_given_the_list(self):
        self.room.snapshot({"1": "ann"}, 7)
        for version in (6, None):
            self.assertIs(ANSWER, self.poll(self.since(version)).step())

    def test_what_is_about_to_be_told_is_not_missed(self):
        self.room.snapshot({"1": "ann"}, 7)
        self.room.present("2", "bob", 8)
        poll = self.poll(self.since(7))
        self.assertIs(WAIT, poll.step())
        self.loop.advance(1.0)
        poll.take(self.news)
        self.assertEqual(["bob"], [change["nick"] for change in poll.news])
        self.assertEqual(8, self.answered(poll))

    def test_what_was_told_at_another_worker_is_not_told_again(self):
        self.room.snapshot({"1": "ann"}, 7)
        self.room.present("2", "bob", 8)
        poll = self.poll(self.since(8))
        self.loop.advance(1.0)
        poll.take(self.news)
        self.assertIs(WAIT, poll.step())

    def test_while_nobody_knows_who_is_there_a_poll_is_held(self):
        self.assertIs(ANSWER, self.poll().step())
        self.assertIs(WAIT, self.poll(self.since(0)).step())

    def test_the_one_answer_for_all_has_the_version(self):
        self.room.snapshot({"1": "ann"}, 7)
        batch = Batch(
            "e", "lobby", [Message("lobby", 6, "bob", "hi", 1.0)], 10.0, self.room.announced
        )
        poll = self.poll(self.since(7))
        poll.take([batch])
        self.assertIs(batch.answer, poll.answer())
        self.assertIn(Cursor("e", {"lobby": 6}, {"lobby": 7}).encode().encode(), batch.answer)

    def test_one_process_gives_no_versions(self):
        room = Room("lobby", self.loop, self.hub.directory, lambda room: None)
        room.present("1", "ann")
        self.room = room
        poll = self.poll()
        self.assertIn(b'"people":{"lobby":["ann"]}', poll.answer())
        self.assertIsNone(self.answered(poll))
