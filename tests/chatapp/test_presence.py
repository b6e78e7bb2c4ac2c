"""Who is there: told once, right across reloads, tabs and renaming."""

from tests.chatapp.support import ChatCase, texts


class PresenceTests(ChatCase):
    def setUp(self):
        self.start()
        self.ann = self.joined("ann")
        self.heard()

    def heard(self):
        """What ann has been told of others since the last time."""
        self.settle()
        answer = self.ann.poll()
        if not answer.look().done:
            answer.hang_up()
            self.server.loop.settle()
            return []
        told = self.ann.take(answer).get("presence", [])
        return [tuple(change.values())[1:] for change in told]

    def keep_polling(self, seconds, *people):
        """`people` poll on and on, as a page does."""
        held = {}
        for _ in range(int(seconds)):
            for person in people:
                if person not in held or held[person].look().done:
                    if person in held:
                        person.take(held[person])
                    held[person] = person.poll()
            self.pass_time(1.0)
        for answer in held.values():
            answer.hang_up()
        self.server.loop.settle()

    def test_coming_and_going_are_told_once(self):
        bob = self.joined("bob")
        self.assertEqual([("join", "bob")], self.heard())
        self.keep_polling(60, self.ann, bob)
        self.assertEqual([], self.heard())
        self.keep_polling(40, self.ann)
        self.assertEqual(["ann"], self.hub.rooms["lobby"].people())

    def test_a_leave_is_told(self):
        self.joined("bob")
        self.assertEqual([("join", "bob")], self.heard())
        told = []
        for _ in range(30):
            told += self.heard()
        self.assertEqual([("leave", "bob")], told)

    def test_a_participant_who_leaves_is_gone_at_once_and_the_nick_is_free(self):
        bob = self.joined("bob", rooms="lobby,garden")
        self.heard()
        held = bob.poll()
        left = bob.ask("DELETE", "/chat/nick")
        self.assertEqual((200, b'{"nick":null}'), (left.status, left.body))
        self.assertEqual([], bob.take(held)["messages"])
        self.assertEqual([("leave", "bob")], self.heard())
        self.assertEqual({"lobby": ["ann"]}, {n: r.people() for n, r in self.hub.rooms.items()})
        self.joined("bob")

    def test_a_participant_who_is_not_here_may_leave(self):
        stranger = self.person()
        for _ in range(2):
            self.assertEqual(200, stranger.ask("DELETE", "/chat/nick").status)
            stranger.ask("GET", "/chat/nick")
        self.assertEqual([], self.heard())

    def test_a_participant_who_has_left_comes_back_under_the_nick_of_before(self):
        bob = self.joined("bob")
        bob.ask("DELETE", "/chat/nick")
        bob.pull()
        self.assertEqual(b'{"nick":"bob"}', bob.ask("GET", "/chat/nick").body)

    def test_a_name_is_kept_for_a_lease_after_its_owner_has_gone_without_a_word(self):
        self.joined("bob")
        taker = self.person()
        for seconds, status in ((39, 409), (2, 200)):
            self.keep_polling(seconds, self.ann)
            self.assertEqual(status, taker.post("/chat/nick", {"nick": "bob"}).status)

    def test_a_reload_is_not_told(self):
        bob = self.joined("bob")
        self.heard()
        bob.tab, bob.cursor = "reloaded", None
        bob.pull()
        self.assertEqual([], self.heard())

    def test_a_second_tab_is_not_told_nor_that_it_closes(self):
        bob = self.joined("bob")
        self.heard()
        other = self.person(tab="second")
        other.cookies = bob.cookies
        other.pull()
        self.keep_polling(40, bob, self.ann)
        self.assertEqual([], self.heard())
        self.assertEqual(["ann", "bob"], self.hub.rooms["lobby"].people())

    def test_a_rename_is_told_in_every_room(self):
        bob = self.joined("bob", rooms="lobby,garden")
        self.heard()
        bob.post("/chat/nick", {"nick": "robert"})
        self.assertEqual([("nick", "robert", "bob")], self.heard())
        self.assertEqual(["robert"], self.hub.rooms["garden"].people())

    def test_a_guest_who_takes_a_name_before_being_told_is_told_by_it(self):
        bob = self.joined()
        bob.post("/chat/nick", {"nick": "bob"})
        self.assertEqual([("join", "bob")], self.heard())

    def test_a_list_that_was_given_while_changes_waited_is_put_right(self):
        eve = self.joined("eve")  # her joining is not told yet
        bob = self.joined("bob")
        self.assertEqual(["ann", "eve", "bob"], bob.people["lobby"])
        eve.post("/chat/nick", {"nick": "evelyn"})
        self.settle()
        news = bob.pull()
        self.assertEqual({"lobby": ["ann", "evelyn", "bob"]}, news["people"])
        self.assertEqual([("join", "evelyn"), ("join", "bob")], self.heard())
        self.assertNotIn("people", bob.pull() if eve.say("hi") else {})

    def test_ones_own_name_in_such_a_list_is_put_right(self):
        bob = self.joined()
        bob.post("/chat/nick", {"nick": "bob"})
        self.settle()
        self.assertEqual({"lobby": ["ann", "bob"]}, bob.pull()["people"])

    def test_a_participant_who_was_away_for_a_moment_is_in_such_a_list_again(self):
        bob, eve = self.joined("bob"), self.person()
        self.heard()
        bob.rooms = "garden"
        bob.pull()
        eve.post("/chat/nick", {"nick": "eve"})
        self.assertEqual(["ann", "eve"], eve.pull()["people"]["lobby"])
        bob.rooms = "lobby"
        bob.pull()
        self.settle()
        self.assertEqual({"ann", "eve", "bob"}, set(eve.pull()["people"]["lobby"]))

    def test_one_that_stayed_right_is_not_given_again(self):
        bob, eve = self.joined("bob"), self.joined("eve")
        for person in (bob, eve):
            self.settle()
            self.assertNotIn("people", person.pull())

    def test_people_are_listed_by_a_request_too(self):
        self.joined("bob")
        answer = self.ann.ask("GET", "/chat/people/lobby")
        self.assertEqual(b'{"room":"lobby","people":["ann","bob"]}', answer.body)
        self.assertIn(b"[]", self.ann.ask("GET", "/chat/people/nowhere").body)

    def test_messages_are_not_held_up_by_presence(self):
        bob = self.joined("bob")
        bob.say("hi")
        self.assertEqual(["hi"], texts(self.ann.pull()))

    def test_a_text_poll_is_not_ended_by_presence(self):
        plain = self.person()
        plain.headers.pop("Accept")
        plain.begin("GET", "/chat/pull").hang_up()
        held = plain.begin("GET", "/chat/pull")
        self.joined("bob")
        self.settle()
        self.assertFalse(held.look().done)
