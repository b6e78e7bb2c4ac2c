"""What another process changes beside the log is known here within a second."""

import asyncio
from unittest import mock

from chatapp.community.book import Book
from chatapp.community.edits import Edit
from chatapp.community.rooms import Room
from chatapp.model import LogUnavailable
from pylons import config
from tests.chatapp.support import ChatCase


class FollowingTests(ChatCase):
    def setUp(self):
        self.start()
        self.pass_time(0.1)
        self.ours = config["pylons.app_globals"].book

    def change(self, name):
        others = Book(self.hub.log)
        asyncio.run(others.change(lambda: Edit([Room(name, "announce")])))

    def test_a_room_that_another_process_records_is_known(self):
        self.assertTrue(self.ours.is_known)
        self.change("hall")
        self.assertFalse(self.ours.keeps("hall"))
        self.pass_time(0.6)
        self.assertTrue(self.ours.keeps("hall"))

    def test_a_log_that_does_not_answer_is_asked_again(self):
        self.change("hall")
        records = self.hub.log.records
        away = mock.patch.object(records, "get", side_effect=LogUnavailable("it is away"))
        with away, self.assertLogs("chatapp.lib.following", "INFO") as said:
            self.pass_time(1.1)
        self.assertEqual(1, len(said.records))
        self.assertFalse(self.ours.keeps("hall"))
        self.pass_time(0.6)
        self.assertTrue(self.ours.keeps("hall"))

    def test_a_record_that_cannot_be_read_is_told_and_ends_nothing(self):
        records = self.hub.log.records
        damaged = mock.patch.object(records, "get", side_effect=ValueError("no JSON"))
        with damaged, self.assertLogs("chatapp.lib.following", "ERROR"):
            self.pass_time(0.6)
        self.change("hall")
        self.pass_time(0.6)
        self.assertTrue(self.ours.keeps("hall"))
