"""What those who are in a room have of a message that is removed, and what those who come later."""

import contextlib
import sqlite3
import tempfile

from chatapp.live.batch import Batch
from chatapp.live.cursor import Cursor
from chatapp.model import Draft, Message
from tests.chatapp.model.test_removing import FOURTH_VERSION
from tests.chatapp.support import ChatCase


def shown(news):
    """Kind, text and what it is about, of each message in an answer."""
    return [(m["kind"], m["text"], m.get("about")) for m in news["messages"]]


class RemovingCase(ChatCase):
    def run_log(self, coroutine):
        return self.server.loop.run_until_complete(coroutine)

    def remove(self, seq, room="lobby", reason="rude"):
        self.run_log(self.hub.log.remove(room, seq, Draft(room, "bob", reason, "id of bob")))
        self.server.loop.settle()


class RemovedMessageTests(RemovingCase):
    def setUp(self):
        self.start()
        self.ann, self.bob = self.joined("ann"), self.joined("bob")
        self.settle()
        self.ann.pull()

    def test_who_waits_is_told_at_once(self):
        self.bob.say("secret")
        self.assertEqual([("said", "secret", None)], shown(self.ann.pull()))
        held = self.ann.poll()
        self.remove(1)
        self.assertEqual([("removal", "rude", 1)], shown(self.ann.take(held)))

    def test_what_waits_for_a_client_has_none_of_the_text_and_no_number_is_missing(self):
        for text in ("a", "secret", "b"):
            self.bob.say(text)
        self.remove(2)
        self.bob.say("c")
        news = self.ann.poll()
        self.assertNotIn(b"secret", news.look().body)
        told = self.ann.take(news)
        self.assertEqual(
            [("said", "a", None), ("removed", "", None), ("said", "b", None),
             ("removal", "rude", 2), ("said", "c", None)],
            shown(told),
        )  # fmt: skip
        self.assertEqual([1, 2, 3, 4, 5], [message["seq"] for message in told["messages"]])

    def test_what_waits_as_text_passes_over_both(self):
        plain = self.person(tab="plain")
        plain.headers["Accept"] = "text/plain"
        plain.ask("GET", "/chat/pull?client=plain")
        for text in ("a", "secret", "b"):
            self.bob.say(text)
        self.remove(2)
        lines = plain.ask("GET", "/chat/pull?client=plain").body
        self.assertEqual(b"bob: a\r\nbob: b\r\n", lines)

    def test_who_comes_back_and_who_reads_history_get_none_of_the_text(self):
        cursor = self.ann.cursor
        for text in ("a", "secret"):
            self.bob.say(text)
        self.ann.pull()
        self.remove(2)
        self.ann.cursor = cursor
        expected = [("said", "a", None), ("removed", "", None), ("removal", "rude", 2)]
        self.assertEqual(expected, shown(self.ann.pull()))
        history = self.ann.ask("GET", "/chat/history/lobby")
        self.assertNotIn(b"secret", history.body)
        self.assertIn(b'"kind":"removed"', history.body)

    def test_a_push_that_is_sent_again_is_the_removed_message_and_brings_nothing_back(self):
        first = self.bob.say("secret", nonce="n1")
        self.remove(1)
        self.assertEqual(first.body, self.bob.say("secret", nonce="n1").body)
        self.assertEqual(409, self.bob.say("other", nonce="n1").status)
        self.assertEqual([("removed", "", None), ("removal", "rude", 1)], shown(self.ann.pull()))

    def test_the_sender_is_told_as_all_are(self):
        self.bob.pull()
        self.bob.say("secret", nonce="n1")
        self.bob.say("more", nonce="n2")
        self.remove(1)
        removed, more, _ = self.bob.pull()["messages"]
        self.assertEqual(("", None, "n2"), (removed["text"], removed.get("nonce"), more["nonce"]))

    def test_what_was_told_is_kept_in_memory_no_longer_than_somebody_waits_for_it(self):
        room = self.hub.rooms["lobby"]
        for text in ("a", "b"):
            self.bob.say(text)
        self.assertEqual(2, len(room._batches))
        for person in (self.ann, self.bob):
            person.pull()
        # Who watches has the last one still, where that is not compiled.
        self.assertLessEqual(len(room._batches), 1)


class AddressTests(RemovingCase):
    def test_a_message_has_the_address_it_was_pushed_from_and_no_client_sees_it(self):
        self.start()
        ann = self.person()
        ann.address = "192.0.2.7"
        ann.say("a")
        [message] = self.run_log(self.hub.log.read("lobby", 0, 9)).messages
        self.assertEqual("192.0.2.7", message.address)
        for path in ("/chat/history/lobby", "/chat/pull?client=x"):
            self.assertNotIn(b"192.0.2.7", ann.ask("GET", path).body)

    def test_of_one_that_nobody_knows_it_is_empty(self):
        self.start()
        ann = self.person()
        ann.address = "127.0.0.1"
        ann.ask("POST", "/chat/push", b"a", X_Forwarded_For="192.0.2.7")
        [message] = self.run_log(self.hub.log.read("lobby", 0, 9)).messages
        self.assertEqual("", message.address)


class KeptRoomTests(RemovingCase):
    def test_a_room_that_is_to_be_kept_gives_way_to_none(self):
        self.start(max_rooms=2)
        self.hub.keeps = {"one"}.__contains__
        ann = self.joined("ann")
        for room in ("one", "two", "three"):
            self.assertEqual(200, ann.say("a", room).status)
        heads = self.run_log(self.hub.log.rooms())
        self.assertEqual({"one", "three"}, {head.name for head in heads})


class UpgradeTests(RemovingCase):
    def test_who_was_connected_to_an_older_version_misses_nothing_and_hears_of_removals(self):
        path = f"{self.enterContext(tempfile.TemporaryDirectory())}/chat.db"
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript(FOURTH_VERSION.format(digest="00" * 16))
        with self.assertLogs("chatapp.model.sqlite.schema", "WARNING"):
            self.start(log=f"sqlite:///{path}")
            self.assertEqual(200, self.person().ask("GET", "/chat/nick").status)
        ann = self.joined("ann", rooms="garden")
        ann.cursor = Cursor("fourth", {"garden": 1}).encode()
        news = ann.pull()
        self.assertEqual(([("said", "b", None)], False), (shown(news), "gap" in news))
        held = ann.poll()
        self.remove(1, "garden")
        self.assertEqual([("removal", "rude", 1)], shown(ann.take(held)))


class BatchTests(ChatCase):
    def test_a_batch_that_was_encoded_has_none_of_a_text_that_is_removed_then(self):
        messages = [Message("lobby", n, "ann", text, 1.5) for n, text in ((7, "a"), (8, "secret"))]
        batch = Batch("epoch", "lobby", messages, 10.0)
        for encoded in ("answer", "json", "text"):
            self.assertIn(b"secret", getattr(batch, encoded))
        for seq in (6, 9):
            batch.empty(seq)
            self.assertIn(b"secret", batch.answer)
        batch.empty(8)
        for encoded in ("answer", "json", "text"):
            self.assertNotIn(b"secret", getattr(batch, encoded))
        self.assertEqual((7, 8), (batch.first, batch.last))
        self.assertEqual(["a", "secret"], [message.text for message in messages])
