"""The steps of a poll, and what ends it."""

import itertools
import json

from chatapp.live.held import Ending
from chatapp.live.poll import ANSWER, READ, READ_LIMIT, WAIT, WATCH
from chatapp.live.request import PollRequest
from tests.chatapp.live.states import check_states
from tests.chatapp.support import ChatCase


class PollCase(ChatCase):
    def setUp(self):
        self.start()
        self.ann = self.joined("ann")
        [self.participant] = self.hub.participants.values()
        self.settle()
        self.ann.pull()

    def held(self):
        """A poll that waits, and its answer to come."""
        answer = self.ann.poll()
        self.assertFalse(answer.done)
        return self.participant.clients["tab"].poll, answer


class StepTests(PollCase):
    def poll(self, *rooms, tab="another", held=True):
        request = PollRequest(rooms, tab, None, held, {})
        poll = self.hub.poll(self.participant, request, True, None, {})
        self.addCleanup(self.hub.end, poll)
        return poll

    def watch(self, poll):
        watch = self.server.scheduler.add(poll.client.watch, (poll.at.room,))
        poll.watched(watch)
        poll.know_presence()

    def read(self, poll):
        progress = poll.at
        read = self.hub.log.read(progress.room.name, progress.after, READ_LIMIT)
        poll.read(self.server.loop.run_until_complete(read))

    def test_each_room_is_watched_and_then_read_and_who_joins_is_answered(self):
        poll = self.poll("garden", "attic")
        for room in ("garden", "attic"):
            for step, act in ((WATCH, self.watch), (READ, self.read)):
                self.assertIs(step, poll.step())
                self.assertEqual(room, poll.at.room.name)
                act(poll)
        self.assertIs(ANSWER, poll.step())
        self.assertIn("people", json.loads(poll.answer()))

    def test_who_knows_it_all_waits_and_is_not_held_in_vain(self):
        self.assertIs(WAIT, self.poll("lobby", tab="tab").step())
        self.assertIs(ANSWER, self.poll("lobby", tab="tab", held=False).step())

    def test_what_the_log_gives_to_one_that_is_ended_is_not_taken(self):
        poll = self.poll("lobby")
        self.assertIs(WATCH, poll.step())
        self.watch(poll)
        poll.interrupt(Ending.CLOSING)
        before = poll.cursor
        self.read(poll)
        self.assertEqual((before, ANSWER), (poll.cursor, poll.step()))


class EndingTests(PollCase):
    def test_superseded_counts_more_than_closing(self):
        for endings in itertools.product(Ending, repeat=2):
            with self.subTest(endings):
                check_states(self.hub)
                poll, answer = self.held()
                for ending in endings:
                    poll.interrupt(ending)
                superseded = Ending.SUPERSEDED in endings
                self.assertIs(Ending.SUPERSEDED if superseded else Ending.CLOSING, poll.ended)
                self.server.loop.settle()
                news = self.ann.take(answer)
                if superseded:
                    self.assertEqual({"messages": []}, news)
                else:
                    self.assertGreater(news["advice"]["retry"], 0)

    def test_the_newest_poll_of_a_client_is_the_one_that_is_held(self):
        older, answer = self.held()
        newer, _ = self.held()
        self.assertIs(Ending.SUPERSEDED, older.ended)
        self.assertEqual({"messages": []}, json.loads(answer.look().body))
        self.assertIs(newer, self.participant.clients["tab"].poll)
        check_states(self.hub)
