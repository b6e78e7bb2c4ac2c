"""The figures of the chat after what they count has happened."""

from chatapp.lib.metrics import HubCollector
from chatapp.model import LogUnavailable
from tests.chatapp.support import ChatCase, texts


class FigureTests(ChatCase):
    def figures(self):
        return {
            (sample.name.removeprefix("chat_"), *sample.labels.values()): sample.value
            for family in HubCollector(self.hub).collect()
            for sample in family.samples
        }

    def changed(self, before):
        now = self.figures()
        return {
            name: now[name] - before[name]
            for name in now
            if now[name] != before[name] and "commit_seconds" not in name[0]
        }

    def test_a_client_that_is_slow_and_the_gap_that_it_is_told_of(self):
        self.start(queue_size=2, history=5)
        ann, bob = self.joined("ann"), self.person()
        before = self.figures()
        for number in range(8):
            bob.say(f"{number}")
        self.assertEqual(["3", "4", "5", "6", "7"], texts(ann.pull()))
        changed = self.changed(before)
        self.assertEqual(8, changed.pop(("messages_total",)))
        self.assertEqual(1, changed.pop(("full_queues_total",)))
        self.assertEqual(1, changed.pop(("gaps_total",)))
        self.assertEqual(3, changed.pop(("gap_messages_total",)))
        self.assertEqual({("participants",): 1}, changed)

    def test_pushes_that_were_stored_or_not(self):
        self.start(push_rate=1, push_burst=5, max_rooms=1)
        ann = self.joined("ann")
        self.joined("bob", rooms="one")
        before = self.figures()
        self.assertEqual(200, ann.say("one", nonce="n").status)
        self.assertEqual(409, ann.say("two", nonce="n").status)
        self.assertEqual(200, ann.say("a", room="one").status)
        self.assertEqual(503, ann.say("three", room="other").status)

        async def fails(*arguments):
            raise LogUnavailable("the disk is full")

        self.hub.log.append = fails
        with self.assertLogs("chatapp"):
            self.assertEqual(503, ann.say("four").status)
        self.assertEqual(429, ann.say("five").status)
        changed = self.changed(before)
        self.assertEqual(
            {
                ("messages_total",): 2,
                ("log_refusals_total", "nonce"): 1,
                ("log_refusals_total", "rooms"): 1,
                ("log_refusals_total", "unavailable"): 1,
                ("throttled_pushes_total",): 1,
                ("limit_refusals_total", "push_rate"): 1,
            },
            changed,
        )
        self.assertEqual(2, self.figures()["commit_seconds_count",])

    def test_it_is_ready_once_the_log_has_been_reached(self):
        self.start()
        ready = self.app.life.ready
        self.assertEqual("", ready())
        self.hub.log.epoch = ""
        self.assertEqual("the message log has not been reached yet", ready())
