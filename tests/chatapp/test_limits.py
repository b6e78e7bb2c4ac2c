"""What one address can take, and that it is given back; that others go on meanwhile."""

import json

from chatapp.lib.metrics import HubCollector
from tests.chatapp.support import ChatCase, Person, texts

OTHER = "192.0.2.2"


class AddressCase(ChatCase):
    """Strangers come from 192.0.2.1 if nothing else is said."""

    def start(self, **options):
        return super().start(**{"push_rate": 5, **options})

    def at(self, address="192.0.2.1", rooms="lobby"):
        person = Person(self.server, rooms=rooms)
        person.address = address
        return person

    def met(self, *where):
        """A stranger who has cookies of the chat."""
        person = self.at(*where)
        person.ask("GET", "/chat/nick")
        return person

    def refusals(self):
        """By option, what was refused."""
        return {
            sample.labels["limit"]: sample.value
            for family in HubCollector(self.hub).collect()
            for sample in family.samples
            if sample.name == "chat_limit_refusals_total" and sample.value
        }

    def check(self, answer, line, retry):
        self.assertEqual((429, {"error": line}), (answer.status, json.loads(answer.body)))
        self.assertEqual(retry, answer.header("Retry-After"))

    def check_newcomer(self, address=OTHER):
        """Somebody gets in, opens a room and speaks there and in the lobby, and is heard."""
        room = f"room-{id(self)}-{self.server.loop.time()}".replace(".", "-")
        ann = self.at(address, rooms=f"lobby,{room}")
        ann.pull()
        self.assertEqual(200, ann.say("hello", room=room).status)
        self.assertEqual(200, ann.say("here").status)
        self.assertEqual({"hello", "here"}, {*texts(ann.pull())})
        ann.rooms = "lobby"


class RoomTests(AddressCase):
    def open(self, count, address="192.0.2.1"):
        ann = self.at(address)
        ann.pull()
        return [ann.say("mine", room=f"{address}-{number}") for number in range(count)]

    def test_one_address_opens_so_many_and_others_go_on(self):
        self.start(push_rate=0, address_rooms=20)
        answers = self.open(25)
        self.assertEqual([200] * 20 + [429] * 5, [answer.status for answer in answers])
        line = "Too many new rooms from your address; try again later."
        self.check(answers[-1], line, "180")
        self.assertEqual({"address_rooms": 5}, self.refusals())
        self.check_newcomer()
        ann = self.at()
        ann.pull()
        self.assertEqual(200, ann.say("again", room="192.0.2.1-3").status)
        self.assertEqual(200, ann.say("hello").status)

    def test_rooms_of_an_address_come_back_by_the_hour(self):
        self.start(push_rate=0, address_rooms=20)
        self.open(20)
        self.pass_time(180)
        ann = self.at()
        ann.pull()
        self.assertEqual([200, 429], [ann.say("a", room=room).status for room in ("x", "y")])
        self.pass_time(3600)
        ann.pull()
        self.assertEqual({200}, {ann.say("a", room=f"z{n}").status for n in range(20)})

    def test_a_message_that_is_sent_again_opens_nothing(self):
        self.start(address_rooms=1)
        ann = self.at()
        for _ in range(4):
            self.assertEqual(200, ann.say("hi", room="garden", nonce="n").status)

    def test_many_addresses_take_no_more_than_silent_rooms(self):
        self.start(push_rate=0, address_rooms=20, max_rooms=50)
        for number in range(10):
            answers = self.open(21, f"198.51.100.{number}")
            self.assertEqual([200] * 20 + [429], [answer.status for answer in answers])
            self.check_newcomer(f"192.0.2.{number}")

    def test_an_address_without_a_limit_opens_as_many_rooms_as_there_may_be(self):
        self.start(push_rate=0, address_rooms=0)
        self.assertEqual({200}, {answer.status for answer in self.open(300)})


class PlaceTests(AddressCase):
    def test_one_address_has_so_many_clients_and_others_go_on(self):
        self.start(address_clients=30, max_clients=60)
        held = [self.met() for _ in range(30)]
        for person in held:
            person.pull()
            person.held = person.poll()
        refused = self.met().poll()
        self.check(refused, "Too many clients at your address.", "5")
        self.assertEqual({"address_clients": 1}, self.refusals())
        self.check_newcomer()
        # Who has a place keeps it.
        self.pass_time(11)
        self.assertEqual({200}, {person.held.look().status for person in held})
        self.assertEqual({200}, {person.poll().status or 200 for person in held})

    def test_the_tabs_of_a_session_are_clients(self):
        self.start(address_clients=5)
        ann = self.met()
        ann.pull()
        statuses = []
        for number in range(6):
            ann.tab, ann.cursor = f"{number}", None
            statuses.append(ann.poll().status)
        self.assertEqual([200] * 4 + [429] * 2, statuses)

    def test_places_come_back_once_nobody_polls(self):
        self.start(address_clients=3)
        for _ in range(3):
            self.met().pull()
        self.assertEqual(429, self.met().poll().status)
        self.pass_time(21)
        self.assertEqual(200, self.met().poll().status)
        self.pass_time(60)
        self.assertEqual((0, 0), (len(self.hub._client_places), len(self.hub._session_places)))

    def test_sessions_that_are_known_already_have_places_too(self):
        """Who has collected cookies for hours cannot bring all of them at once."""
        self.start(address_clients=3, address_sessions=100)
        people = [self.at() for _ in range(20)]
        for person in people:
            person.ask("GET", "/")
        statuses = [person.ask("GET", "/chat/nick").status for person in people]
        self.assertEqual([200] * 6 + [429] * 14, statuses)
        self.check(people[-1].ask("GET", "/chat/nick"), "Too many sessions at your address.", "5")
        self.check_newcomer()

    def test_an_office_is_let_in_after_a_restart(self):
        self.start()
        office = [self.at() for _ in range(300)]
        for person in office:
            person.ask("GET", "/")
            person.pull()
        cookies = [person.cookies for person in office]
        data = self.hub.options.data
        self.start(data=data)
        for person, kept in zip(office, cookies, strict=True):
            person.server, person.cookies = self.server, kept
            person.pull()
        self.check_newcomer("192.0.2.1")
        self.assertEqual({}, self.refusals())


class SessionTests(AddressCase):
    def test_one_address_has_so_many_new_sessions_and_others_go_on(self):
        self.start(address_sessions=10)
        answers = [self.at().ask("GET", "/chat/nick") for _ in range(12)]
        self.assertEqual([200] * 10 + [429] * 2, [answer.status for answer in answers])
        line = "Too many new sessions from your address; try again later."
        self.check(answers[-1], line, "360")
        late = self.at()
        late.pull()  # who brings no cookie reads
        self.check(late.poll(), line, "360")
        self.assertEqual({"address_sessions": 3}, self.refusals())
        self.check_newcomer()
        self.pass_time(360)
        self.assertIs(True, late.pull()["you"]["cookie"])

    def test_a_participant_with_a_session_comes_back_as_often_as_they_like(self):
        self.start(address_sessions=1)
        ann = self.at()
        for _ in range(5):
            ann.pull()
            self.pass_time(60)
        ann.cookies.pop(ann.cookie("session"))
        ann.pull()

    def test_the_page_is_there_for_all_and_who_opens_it_is_counted_when_they_come_in(self):
        self.start(address_sessions=2)
        people = [self.at() for _ in range(4)]
        for person in people:
            answer = person.ask("GET", "/")
            self.assertEqual(200, answer.status)
            self.assertIn(b"<html", answer.body)
            self.assertIn("default-src 'none'", answer.header("Content-Security-Policy"))
        self.assertEqual([1] * 4, [len(person.cookies) for person in people])
        statuses = [person.ask("GET", "/chat/nick").status for person in people]
        self.assertEqual([200, 200, 429, 429], statuses)
        again = [person.ask("GET", "/chat/nick").status for person in people]
        self.assertEqual(statuses, again)

    def test_those_who_bring_no_cookie_back_take_nothing_from_who_does(self):
        self.start(address_sessions=3)
        strangers = [self.at() for _ in range(40)]
        for stranger in strangers:
            self.assertEqual(200, stranger.ask("GET", "/").status)
            stranger.cookies.clear()
        polls = [stranger.poll() for stranger in strangers]
        self.pass_time(2)
        self.assertEqual([200] * 40, [poll.look().status for poll in polls])
        newcomer = self.at()
        newcomer.ask("GET", "/")
        self.assertRegex(newcomer.pull()["you"]["nick"], "guest-")
        self.assertEqual(1, self.hub.statistics()["participants"])
        self.assertEqual({}, self.refusals())

    def test_who_collects_greetings_comes_in_no_more_often(self):
        """Whichever way they try: with the token alone, by the page, in a session of their own."""
        self.start(address_sessions=3)
        people = [self.at() for _ in range(12)]
        for person in people:
            person.ask("GET", "/")
        for number, person in enumerate(people):
            for _ in range(number % 3):
                person.ask("GET", "/")
            person.begin("GET", "/chat/pull?client=tab&hold=0")
        statuses = [person.say("hi").status for person in people]
        self.assertEqual(3, statuses.count(200))
        self.assertEqual(9, statuses.count(429))
        self.assertEqual(3, self.hub.statistics()["participants"])

    def test_who_comes_in_by_two_requests_at_once_is_counted_once(self):
        self.start(address_sessions=1)
        ann = self.at()
        ann.ask("GET", "/")
        greeted = dict(ann.cookies)
        ann.ask("GET", "/chat/nick")
        ann.cookies = greeted
        self.assertEqual(200, ann.ask("GET", "/chat/nick").status)
        self.assertEqual(1, self.hub.statistics()["participants"])

    def test_what_is_refused_makes_no_session(self):
        self.start(address_sessions=1)
        self.met().pull()
        for _ in range(3):
            refused = self.at().ask("GET", "/chat/nick")
            self.assertEqual((429, None), (refused.status, refused.header("Set-Cookie")))
        self.assertEqual(1, self.hub.statistics()["participants"])


class PushTests(AddressCase):
    def test_one_address_says_so_much_however_many_sessions_it_makes(self):
        self.start(address_push_rate=2, address_push_burst=10)
        people = [self.at() for _ in range(15)]
        for person in people:
            person.pull()
        answers = [person.say("hi") for person in people]
        self.assertEqual([200] * 10 + [429] * 5, [answer.status for answer in answers])
        self.check(answers[-1], "Too many messages from your address; wait a moment.", "1")
        self.assertEqual({"address_push_rate": 5}, self.refusals())
        self.check_newcomer()
        self.pass_time(1)
        self.assertEqual([200, 200, 429], [person.say("hi").status for person in people[:3]])

    def test_one_address_writes_so_many_bytes_a_day_and_others_go_on(self):
        self.start(address_bytes=10_000)
        ann = self.at()
        ann.pull()
        statuses = [ann.say("\u20ac" * 1000).status for _ in range(4)]
        self.assertEqual([200, 200, 200, 429], statuses)
        answer = ann.say("\u20ac" * 1000)
        line = "Too much was written from your address; try again later."
        self.assertEqual({"error": line}, json.loads(answer.body))
        self.assertEqual({"address_bytes": 2}, self.refusals())
        self.assertEqual(200, ann.say("short").status)
        self.check_newcomer()
        self.pass_time(int(answer.header("Retry-After")) + 2000)
        ann.pull()
        self.assertEqual(200, ann.say("\u20ac" * 1000).status)

    def test_a_refused_push_makes_no_session(self):
        self.start(address_push_rate=2, address_push_burst=1)
        self.assertEqual([200, 429], [self.at().say("hi").status for _ in range(2)])
        self.assertEqual(1, self.hub.statistics()["participants"])

    def test_names_are_changed_as_often_as_is_pushed(self):
        self.start(address_push_rate=2, address_push_burst=3)
        ann = self.at()
        statuses = [ann.post("/chat/nick", {"nick": f"ann{number}"}).status for number in range(4)]
        self.assertEqual([200, 200, 200, 429], statuses)

    def test_polls_are_never_counted(self):
        self.start(address_push_rate=1, address_push_burst=1, address_sessions=1, address_rooms=1)
        ann = self.at(rooms="a,b,c")
        ann.pull()
        ann.say("hi", room="a")
        for number in range(50):
            ann.rooms = f"room{number}"
            answer = ann.poll()
            self.assertIn(answer.status, (0, 200))
        self.assertEqual({}, self.refusals())

    def test_an_office_speaks(self):
        self.start()
        office = [self.met() for _ in range(300)]
        for person in office:
            person.pull()
        for turn in range(5):
            for person in office[turn * 18 : turn * 18 + 18]:
                self.assertEqual(200, person.say("hi").status)
            self.pass_time(1)
        self.assertEqual({}, self.refusals())


class ProxyTests(AddressCase):
    def test_behind_a_proxy_that_is_not_trusted_nobody_is_counted(self):
        self.start(address_clients=2, address_sessions=2, address_rooms=1, address_push_burst=1)
        with self.assertLogs("chatapp", "WARNING") as logs:
            for address in ("127.0.0.1", "127.0.0.1", "127.0.0.1", "", "", ""):
                ann = self.at(address)
                ann.headers["X-Forwarded-For"] = "203.0.113.7"
                ann.pull()
                self.assertEqual(200, ann.say("hi", room=f"a{id(ann)}").status)
        self.assertEqual(1, len(logs.records))
        self.assertEqual({}, self.refusals())

    def test_elsewhere_the_header_changes_nothing(self):
        self.start(address_sessions=2)
        statuses = []
        for number in range(4):
            ann = self.at()
            ann.headers["X-Forwarded-For"] = f"203.0.113.{number}"
            statuses.append(ann.ask("GET", "/chat/nick").status)
        self.assertEqual([200, 200, 429, 429], statuses)
