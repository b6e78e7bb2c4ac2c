"""Who is out of a room: what is held for it ends at once, and nothing of it comes any more."""

from chatapp.live.cursor import Cursor
from tests.chatapp.live.states import check_states
from tests.chatapp.support import ChatCase, texts


class ExpelledTests(ChatCase):
    def setUp(self):
        self.start()
        self.ann = self.joined("ann", "lobby,garden")
        self.bob = self.joined("bob", "lobby,garden")
        self.settle()
        for each in (self.ann, self.bob):
            each.pull()

    def expel(self, person, room="garden"):
        token = person.cookies[person.cookie("token")]
        self.hub.expel(token.rpartition(".")[0], room)

    def test_the_poll_that_is_held_for_it_answers_nothing(self):
        held = self.ann.poll()
        self.assertFalse(held.look().done)
        self.expel(self.ann)
        self.server.loop.settle()
        self.assertEqual({"messages": []}, self.ann.take(held))
        check_states(self.hub)

    def test_what_came_a_moment_before_is_not_answered(self):
        held = self.ann.poll()
        hub, appended = self.hub, self.hub.appended

        def heard(messages):
            appended(messages)  # it is in the queue, and nothing has been answered
            self.expel(self.ann)

        hub.appended = heard
        self.bob.say("of the garden", "garden")
        self.assertEqual({"messages": []}, self.ann.take(held))
        check_states(hub)

    def test_nothing_of_the_room_waits_for_its_next_poll(self):
        self.bob.say("of the garden", "garden")
        self.bob.say("of the lobby", "lobby")
        self.expel(self.ann)
        check_states(self.hub)
        self.ann.rooms = "lobby"
        self.assertEqual(["of the lobby"], texts(self.ann.pull()))
        self.assertEqual({"lobby"}, set(Cursor.decode(self.ann.cursor).seqs))

    def test_of_the_other_rooms_nothing_is_missing_nor_comes_twice(self):
        held = self.ann.poll()
        self.bob.say("one", "lobby")
        self.assertEqual(["one"], texts(self.ann.take(held)))
        self.bob.say("two", "lobby")
        self.expel(self.ann)
        self.bob.say("three", "lobby")
        self.ann.rooms = "lobby"
        self.assertEqual(["two", "three"], texts(self.ann.pull()))

    def test_nobody_else_misses_anything(self):
        held = self.bob.poll()
        self.expel(self.ann)
        self.assertFalse(held.look().done)
        self.joined("joe").say("hello", "garden")
        self.assertEqual(["hello"], texts(self.bob.take(held)))

    def test_all_tabs_are_out_and_others_see_it(self):
        other = self.person("other", "garden")
        other.cookies = self.ann.cookies
        other.pull()
        held = [self.ann.poll(), other.poll()]
        self.expel(self.ann)
        self.settle()
        self.assertEqual([b'{"messages":[]}'] * 2, [each.look().body for each in held])
        self.assertNotIn("garden", {r for c in self.clients("ann") for r in c.subscriptions})
        self.assertEqual(["bob"], self.hub.rooms["garden"].people())
        self.assertEqual(["ann", "bob"], sorted(self.hub.rooms["lobby"].people()))
        left = {"room": "garden", "event": "leave", "nick": "ann"}
        self.assertEqual([left], self.bob.pull()["presence"])

    def test_a_watch_that_starts_after_it_ends(self):
        [client] = self.clients("ann")
        subscription = client.subscriptions["garden"]
        self.expel(self.ann)
        watch = self.server.scheduler.add(client.watch, (subscription.room,))
        client.watched(subscription, watch)
        self.server.loop.settle()
        self.assertFalse(watch.running)
        self.bob.say("of the garden", "garden")
        self.assertTrue(client.messages.empty())
        check_states(self.hub)

    def test_who_is_not_in_it_is_left_alone(self):
        held = self.ann.poll()
        self.expel(self.ann, "attic")
        self.hub.expel("nobody", "garden")
        self.assertFalse(held.look().done)

    def clients(self, nick):
        people = self.hub.participants.values()
        return [client for p in people if p.nick == nick for client in p.clients.values()]
