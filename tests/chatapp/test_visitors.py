"""Who brings no cookie reads, and is not here for others; who brings one back is."""

from cogen.testing.memory import Browser
from tests.chatapp.support import ChatCase, texts

NOBODY = {"nick": None, "sender": None, "cookie": False, "role": "guest", "may": []}


class VisitorCase(ChatCase):
    def stranger(self, **headers):
        """One who keeps no cookie."""
        person = self.person()
        person.headers.update(headers)
        person.cookies = _Blocked()
        return person


class _Blocked(dict):
    def __setitem__(self, name, value):
        """Nothing is kept."""

    def update(self, *args, **kwargs):
        """Nothing is kept."""


class VisitorTests(VisitorCase):
    def setUp(self):
        self.start()

    def counts(self):
        return {**self.hub.statistics(), **self.server.scheduler.statistics()}

    def test_nobody_is_here_before_a_cookie_comes_back(self):
        bob, ann = self.joined("bob"), self.person()
        self.settle()
        bob.pull()
        news = ann.pull()
        self.assertEqual(NOBODY, news["you"])
        self.assertEqual({"lobby": ["bob"]}, news["people"])
        self.settle()
        self.assertEqual(["bob"], self.hub.rooms["lobby"].people())
        news = ann.pull()
        self.assertRegex(news["you"]["nick"], "^guest-")
        self.assertIs(True, news["you"]["cookie"])
        self.assertEqual(["bob", news["you"]["nick"]], news["people"]["lobby"])
        self.settle()
        self.assertEqual(["join"], [event["event"] for event in bob.pull()["presence"]])

    def test_a_visitor_who_chose_a_nick_is_here_at_the_first_poll(self):
        ann = self.person()
        ann.post("/chat/nick", {"nick": "ann"})
        news = ann.pull()
        self.assertEqual(("ann", True), (news["you"]["nick"], news["you"]["cookie"]))
        self.assertEqual({"lobby": ["ann"]}, news["people"])

    def test_a_visitor_who_never_brings_a_cookie_is_held_and_reads(self):
        bob, ann = self.joined("bob"), self.stranger()
        ann.pull()
        before = self.counts()
        for text in ("one", "two"):
            held = ann.poll()
            self.pass_time(5)
            self.assertFalse(held.look().done)
            self.assertEqual((before["participants"], before["clients"]), self.places())
            bob.say(text)
            news = ann.take(held)
            self.assertEqual([text], texts(news))
            self.assertEqual(NOBODY, news["you"])
            self.assertEqual({"lobby": ["bob"]}, news["people"])
        held = ann.poll()
        self.pass_time(10.1)
        self.assertEqual([], texts(ann.take(held)))
        self.assertNotIn("presence", bob.pull() if bob.say("x") else {})

    def places(self):
        counts = self.counts()
        return counts["participants"], counts["clients"]

    def test_changes_of_presence_do_not_end_its_poll(self):
        ann = self.stranger()
        ann.pull()
        held = ann.poll()
        self.joined("bob")
        self.settle()
        self.assertFalse(held.look().done)
        self.pass_time(10)
        news = ann.take(held)
        self.assertEqual({"lobby": ["bob"]}, news["people"])
        self.assertNotIn("presence", news)

    def test_it_takes_no_place_and_leaves_nothing_behind(self):
        before = self.counts()
        people = [self.stranger() for _ in range(30)]
        for person in people:
            person.pull()
        held = [person.poll() for person in people]
        self.assertEqual((0, 0), self.places())
        for number, answer in enumerate(held):
            if number % 2:
                answer.hang_up()
        self.pass_time(11)
        self.assertEqual({200}, {answer.look().status for answer in held[::2]})
        self.pass_time(100)
        self.assertEqual(before, self.counts())
        self.assertEqual(0, len(self.hub._visitors))

    def test_it_is_told_to_come_back_when_the_server_stops(self):
        ann = self.stranger()
        ann.pull()
        held = ann.poll()
        self.server.loop.run_until_complete(self.server.server.stop())
        self.assertLess(0, ann.take(held)["advice"]["retry"])

    def test_an_address_that_polls_again_and_again_without_a_cursor_is_held_for_a_second(self):
        bob = self.joined("bob")
        for kind in ("application/json", "text/plain"):
            ann = self.stranger(Accept=kind)
            ann.address = f"192.0.2.{len(kind)}"
            at_once = 0
            held = ann.begin("GET", "/chat/pull")
            while held.look().done:
                at_once += 1
                held = ann.begin("GET", "/chat/pull")
            self.assertEqual(100, at_once)
            bob.say("hi")
            self.assertIn(b"hi", held.look().body)
            held = ann.begin("GET", "/chat/pull")
            self.pass_time(0.9)
            self.assertFalse(held.look().done)
            self.pass_time(0.2)
            self.assertEqual(200, held.look().status)
            self.assertRegex(held.header("Set-Cookie"), "^chat_")
        self.assertEqual(200, self.joined("ann").say("hello").status)

    def test_between_the_first_poll_and_the_next_nothing_is_lost(self):
        bob, plain = self.joined("bob"), Browser(self.server)
        plain.ask("GET", "/chat/pull?client=shell")
        bob.say("meanwhile")
        answer = plain.ask("GET", "/chat/pull?client=shell")
        self.assertEqual(b"bob: meanwhile\r\n", answer.body)

    def test_a_visitor_who_loses_the_cookies_is_given_others(self):
        ann = self.joined("ann")
        ann.cookies.clear()
        held = ann.poll()
        self.pass_time(10.1)
        self.assertIs(False, ann.take(held)["you"]["cookie"])
        self.assertRegex(ann.pull()["you"]["nick"], "^guest-")

    def test_cookies_of_another_chat_are_none(self):
        ann = self.person()
        ann.cookies[self.joined().cookie("token")] = "c29tZWJvZHk.c2lnbmF0dXJl"
        self.assertIs(False, ann.pull()["you"]["cookie"])
        self.assertEqual(1, self.hub.statistics()["participants"])


class FullTests(VisitorCase):
    def test_where_there_is_no_place_one_may_still_read(self):
        self.start(max_clients=1)
        self.joined("bob").poll()
        ann = self.stranger()
        ann.pull()
        held = ann.poll()
        self.assertFalse(held.look().done)

    def test_one_address_reads_so_often_at_once_and_others_go_on(self):
        self.start(address_clients=3)
        people = [self.stranger() for _ in range(4)]
        for person in people:
            person.pull()
        held = [person.poll() for person in people]
        self.assertEqual([False] * 3 + [True], [answer.look().done for answer in held])
        self.assertEqual(429, held[3].status)
        other = self.stranger()
        other.address = "192.0.2.77"
        other.pull()
        self.assertFalse(other.poll().look().done)
        held[0].hang_up()
        self.settle()
        self.assertFalse(people[3].poll().look().done)
        self.pass_time(30)
        self.assertEqual(0, len(self.hub._visitor_places))

    def test_a_visitor_whose_address_has_no_session_left_reads_on_from_a_cursor(self):
        self.start(address_sessions=1)
        ann, bob = self.stranger(), self.joined("bob")
        ann.pull()
        held = ann.poll()
        self.assertFalse(held.look().done)
        bob.say("hi")
        self.assertEqual(["hi"], texts(ann.take(held)))
