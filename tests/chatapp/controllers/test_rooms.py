"""The list of rooms, new ones, who is in them: as a page asks for it."""

import json
from unittest import mock

from chatapp.community.asking import NO_SUCH_ROOM
from chatapp.community.rooms import PRIVATE_NAME, new_private_name
from chatapp.identity.person import Person as Known
from chatapp.model.message import handle
from tests.chatapp.controllers.support import CommunityCase
from tests.chatapp.identity.test_token import TokenCase, token
from tests.chatapp.lib import sites
from tests.chatapp.support import ChatCase, texts


class ListTests(CommunityCase):
    def test_the_lobby_and_rooms_that_somebody_has_spoken_in_are_listed(self):
        self.ann.say("one", "garden")
        self.ann.say("two", "garden")
        listed = self.ask(self.bob, "/chat/rooms")
        self.assertEqual(["open"], listed["may"])
        rooms = {each["room"]: each for each in listed["rooms"]}
        self.assertEqual(["lobby", "garden"], list(rooms))
        garden = rooms["garden"]
        self.assertLess(0, garden.pop("at"))
        self.assertEqual(
            {
                "room": "garden", "title": "garden", "policy": "open", "kind": "room",
                "last": 2, "new": 0, "people": 0, "may": ["speak"],
            }, garden,
        )  # fmt: skip
        self.assertEqual(6, rooms["lobby"]["people"])
        self.assertIsNone(rooms["lobby"]["at"])

    def test_what_is_new_is_counted_from_the_cursor(self):
        self.ann.rooms = "lobby,garden"
        self.ann.pull()
        since = f"?since={self.ann.cursor}"
        for _ in range(3):
            self.bob.say("hello", "garden")
        private = self.made(self.bob, "Ann")["room"]
        self.bob.say("psst", private)
        self.pass_time(1)
        rooms = self.rooms(self.ann, since)
        news = {name: room["new"] for name, room in rooms.items()}
        self.assertEqual({"lobby": 0, "garden": 3, private: 1}, news)
        self.assertIn("since", self.error(self.ann, "/chat/rooms?since=x"))

    def test_keepers_are_told_what_they_may(self):
        self.ann.say("hello")
        listed = self.ask(self.kim, "/chat/rooms")
        self.assertEqual(["open", "mute", "ban", "oversee"], listed["may"])
        acts = ["speak", "expel", "settle", "clear", "oversee"]
        self.assertEqual(acts, listed["rooms"][0]["may"])
        self.assertIn("appoint", self.ask(self.ola, "/chat/rooms")["may"])

    def test_who_is_muted_may_not_speak(self):
        self.assertIsNone(self.ask(self.ann, "/chat/rooms")["muted"])
        told = self.ask(self.kim, "/chat/mute", {"who": "Ann", "seconds": 60, "reason": "loud"})
        self.assertEqual([], self.rooms(self.ann)["lobby"]["may"])
        self.assertEqual(told["muted"], self.ask(self.ann, "/chat/rooms")["muted"])
        with mock.patch.object(self.globals.gate.book, "wall", lambda: told["muted"]["until"]):
            self.assertEqual(["speak"], self.rooms(self.ann)["lobby"]["may"])
            self.assertIsNone(self.ask(self.ann, "/chat/rooms")["muted"])

    def test_who_is_not_known_sees_no_list(self):
        stranger = self.user("")
        self.assertEqual(401, stranger.ask("GET", "/chat/rooms").status)
        self.assertEqual(401, stranger.ask("GET", "/chat/rooms/lobby").status)


class PrivateTests(CommunityCase):
    def setUp(self):
        super().setUp()
        self.room = self.made(self.ann, "Bob")["room"]

    def test_a_room_is_made_with_its_members_whom_it_is_listed_for(self):
        self.assertRegex(self.room, PRIVATE_NAME)
        told = self.ask(self.bob, f"/chat/rooms/{self.room}")
        self.assertEqual(
            ("Lunch", "members", "room"), (told["title"], told["policy"], told["kind"])
        )
        members = [(each["sender"], each["nick"], each["role"]) for each in told["members"]]
        self.assertEqual(
            [(handle("ann"), "Ann", "member"), (handle("bob"), "Bob", "member")], members
        )
        self.assertEqual(handle("ann"), told["by"])
        self.assertEqual(2, self.rooms(self.bob)[self.room]["members"])
        self.assertNotIn(self.room, self.rooms(self.cat))
        self.assertNotIn('ann"', json.dumps(told))

    def test_who_is_invited_is_told_at_once(self):
        self.settle()
        self.cat.pull()
        held = self.cat.poll()
        self.assertFalse(held.look().done)
        self.ask(self.bob, f"/chat/rooms/{self.room}/members", {"add": handle("cat")})
        self.server.loop.settle()
        self.assertEqual(["rooms"], self.cat.take(held)["changed"])
        self.assertIn(self.room, self.rooms(self.cat))
        self.cat.rooms = f"lobby,{self.room}"
        self.cat.pull()
        self.bob.say("welcome", self.room)
        self.assertEqual(["welcome"], texts(self.cat.pull()))

    def test_who_is_removed_is_told_and_out(self):
        self.bob.rooms = f"lobby,{self.room}"
        self.bob.pull()
        self.settle()
        self.bob.pull()
        held = self.bob.poll()
        told = self.ask(self.ann, f"/chat/rooms/{self.room}/members", {"remove": "Bob"})
        self.assertEqual(["Ann"], [each["nick"] for each in told["members"]])
        self.server.loop.settle()
        self.bob.take(held)
        answer = self.bob.poll().look()
        refused = {"error": NO_SUCH_ROOM, "room": self.room}
        self.assertEqual((404, refused), (answer.status, json.loads(answer.body)))
        self.bob.rooms = "lobby"
        self.assertEqual(["rooms"], self.bob.pull()["changed"])

    def test_who_is_not_known_any_more_is_removed_by_the_sender(self):
        invited = self.globals.keeping.invite(Known("ann", "Ann"), self.room, Known("gus", "Gus"))
        self.done(invited)
        path = f"/chat/rooms/{self.room}/members"
        self.error(self.ann, path, {"remove": "Gus"}, 404)
        self.error(self.cat, path, {"remove": handle("gus")}, 404)
        told = self.ask(self.ann, path, {"remove": handle("gus")})
        self.assertEqual(["Ann", "Bob"], [each["nick"] for each in told["members"]])

    def test_who_leaves_is_out(self):
        told = self.ask(self.bob, f"/chat/rooms/{self.room}/members", {"leave": True})
        self.assertEqual({"room": self.room}, told)
        self.assertNotIn(self.room, self.rooms(self.bob))
        self.assertEqual(404, self.bob.say("hello", self.room).status)

    def test_a_room_that_one_may_not_see_and_one_that_is_not_there_are_alike(self):
        self.bob.say("a secret", self.room)
        other = new_private_name()
        asked = [
            ("", None), ("", {"title": "x"}), ("", {"policy": "closed"}),
            ("/members", {"add": "Cat"}), ("/members", {"remove": "Ann"}),
            ("/members", {"leave": True}),
        ]  # fmt: skip
        paths = [(f"/chat/rooms/%s{end}", body) for end, body in asked]
        paths += [
            ("/chat/remove/%s", {"seq": 1}),
            ("/chat/message/%s/1", None),
            ("/chat/history/%s", None),
            ("/chat/people/%s", None),
        ]
        for person in (self.cat, self.kim, self.ola):
            for path, body in paths:
                told = [self.ask(person, path % name, body, 404) for name in (self.room, other)]
                lines = [(each.pop("room"), each) for each in told]
                refused = {"error": NO_SUCH_ROOM}
                self.assertEqual([(self.room, refused), (other, refused)], lines, path)

    def test_it_is_renamed_closed_and_opened_by_who_made_it(self):
        path = f"/chat/rooms/{self.room}"
        self.assertIn("may not", self.error(self.bob, path, {"title": "x"}, 403))
        told = self.ask(
            self.ann, path, {"title": "Old lunch", "policy": "closed", "reason": "done"}
        )
        self.assertEqual(
            ("Old lunch", "closed", "members", "done"),
            tuple(told[each] for each in ("title", "policy", "was", "reason")),
        )
        self.assertEqual([], self.rooms(self.bob)[self.room]["may"])
        answer = self.bob.say("hello", self.room)
        self.assertEqual(
            (403, b"This room is closed: done"),
            (answer.status, json.loads(answer.body)["error"].encode()),
        )
        self.assertEqual(200, self.bob.ask("GET", f"/chat/history/{self.room}").status)
        self.assertEqual("members", self.ask(self.ann, path, {"policy": "open"})["policy"])
        self.assertIn("stays one", self.error(self.ann, path, {"policy": "announce"}, 409))


class DirectTests(CommunityCase):
    def test_two_who_write_to_each_other_meet_in_one_room(self):
        rooms = [self.ask(self.ann, "/chat/direct", {"people": ["Bob"]})]
        rooms.append(self.ask(self.bob, "/chat/direct", {"people": [handle("ann")]}))
        self.assertEqual(rooms[0]["room"], rooms[1]["room"])
        self.assertEqual(["Bob", "Ann"], [each["title"] for each in rooms])
        self.assertEqual(["direct"] * 2, [each["kind"] for each in rooms])
        self.assertEqual(["speak"], rooms[0]["may"])
        self.assertNotIn(rooms[0]["room"], self.rooms(self.cat))

    def test_a_group_has_the_names_of_the_others(self):
        told = self.ask(self.ann, "/chat/direct", {"people": ["Bob", "Cat"]})
        self.assertEqual("Bob, Cat", told["title"])
        self.assertEqual("Ann, Cat", self.rooms(self.bob)[told["room"]]["title"])

    def test_nobody_else_and_too_many_are_no_group(self):
        for people in ([], ["Ann"]):
            self.assertIn("1 to 8", self.error(self.ann, "/chat/direct", {"people": people}))
        nine = [f"n{number}" for number in range(9)]
        self.assertIn("at most 8", self.error(self.ann, "/chat/direct", {"people": nine}))
        told = self.error(self.ann, "/chat/direct", {"people": ["Dan"]}, 404)
        self.assertEqual("There is nobody called Dan here.", told)


class PublicTests(CommunityCase):
    def test_a_room_that_all_see_is_named_after_its_title(self):
        told = self.made(self.ann, "Bob", policy="announce", title="The news: today!")
        self.assertEqual(("The-news-today", "The news: today!"), (told["room"], told["title"]))
        self.assertEqual(["Ann", "Bob"], [each["nick"] for each in told["members"]])
        self.assertIn("The-news-today", self.rooms(self.cat))
        answer = self.cat.say("hello", "the-news-TODAY")
        self.assertEqual(403, answer.status)
        self.assertIn(b"Only some speak", answer.body)
        self.assertEqual(
            {"room": "The-news-today", "seq": 1},
            json.loads(self.bob.say("hi", "the-news-TODAY").body),
        )
        again = {"title": "the news today", "policy": "open"}
        self.assertIn("already", self.error(self.bob, "/chat/rooms", again, 409))
        for title in ("!!!", "..."):
            body = {"title": title, "policy": "open"}
            self.assertIn("needs a letter", self.error(self.ann, "/chat/rooms", body))

    def test_an_open_room_is_everybodys(self):
        told = self.made(self.ann, policy="open", title="Tea")
        self.assertNotIn("members", told)
        self.assertEqual(200, self.cat.say("hello", "Tea").status)
        self.assertEqual("Tea", self.rooms(self.bob)["Tea"]["title"])
        body = {"title": "x", "policy": "open", "people": ["Bob"]}
        self.assertIn("no members", self.error(self.ann, "/chat/rooms", body))

    def test_a_room_that_somebody_has_spoken_in_is_settled_by_keepers(self):
        self.ann.say("hello", "Garden")
        path = "/chat/rooms/garden"
        self.assertIn("may not", self.error(self.ann, path, {"policy": "closed"}, 403))
        told = self.ask(self.kim, path, {"policy": "closed", "title": "Winter garden"})
        self.assertEqual(
            ("Garden", "Winter garden", "open"), (told["room"], told["title"], told["was"])
        )
        self.assertEqual(403, self.bob.say("hello", "GARDEN").status)
        self.ask(self.kim, path, {"policy": "open"})
        self.assertEqual(200, self.bob.say("hello", "garden").status)


class InputTests(CommunityCase):
    def test_bad_input_gets_a_line(self):
        make = "/chat/rooms"
        settle, members = "/chat/rooms/lobby", "/chat/rooms/lobby/members"
        long, odd = "x" * 65, "a\u0000b"
        cases = [
            (make, {}), (make, {"title": 1}), (make, {"title": long}), (make, {"title": ""}),
            (make, {"title": odd}), (make, {"title": "x", "policy": "closed"}),
            (make, {"title": "x", "policy": 5}), (make, {"title": "x", "people": "Bob"}),
            (make, {"title": "x", "people": [1]}), (make, {"title": "x", "people": ["x"] * 101}),
            (make, {"title": "a\u202eb"}), (make, [1]),
            ("/chat/direct", {}), ("/chat/direct", {"people": {}}),
            ("/chat/direct", {"people": [long]}), (settle, {}), (settle, {"title": long}),
            (settle, {"policy": "x"}), (settle, {"policy": 1}),
            (settle, {"title": "x", "reason": "x" * 201}), (settle, {"title": "x", "reason": 1}),
            (members, {"leave": True, "reason": "x"}), (members, {"add": "Ann", "reason": 1}),
            (members, {}), (members, {"add": 1}), (members, {"add": "Ann", "leave": True}),
            (members, {"leave": 1}), (members, {"expel": "Ann"}), (members, {"remove": long}),
        ]  # fmt: skip
        for path, body in cases:
            self.error(self.kim, path, body)
        for path in (make, "/chat/direct", settle, members):
            answer = self.ann.ask("POST", path, b"{", Content_Type="application/json")
            self.assertEqual(400, answer.status)
            answer = self.ann.ask("POST", path, b"x" * 100_000)
            self.assertEqual(413, answer.status)
            self.assertEqual(403, self.ann.ask("POST", path, b"{}", Origin="http://evil").status)
        for path in ("/chat/rooms/%20", "/chat/rooms/~x", "/chat/rooms/a%2Fb/members"):
            self.assertIn(self.ann.ask("GET", path).status, (400, 404, 405))
        self.assertEqual(405, self.ann.ask("DELETE", make).status)

    def test_rooms_of_an_address_and_of_a_person_are_limited(self):
        self.begin(address_rooms=2, max_private_rooms=1)
        ann, bob = self.came("ann"), self.came("bob")
        self.made(ann)
        self.assertIn("made 1 private room", self.error(ann, "/chat/rooms", {"title": "x"}, 403))
        self.assertIn("Too many new rooms", self.error(bob, "/chat/rooms", {"title": "x"}, 429))

    def test_a_known_direct_room_costs_no_share_of_new_ones(self):
        self.begin(address_rooms=1)
        ann, _ = self.came("ann"), self.came("bob")
        for _ in range(3):
            self.ask(ann, "/chat/direct", {"people": ["Bob"]})

    def test_acts_cost_as_much_as_messages(self):
        self.begin(push_rate=0.1, push_burst=3)
        ann = self.came("ann")
        for _ in range(3):
            self.error(ann, "/chat/direct", {"people": ["Dan"]}, 404)
        answer = ann.post("/chat/direct", {"people": ["Dan"]})
        self.assertEqual(429, answer.status)
        self.assertIsNotNone(answer.header("Retry-After"))


class KeptTests(CommunityCase):
    def test_a_private_room_gives_way_to_none(self):
        self.begin(max_rooms=2)
        ann, bob = self.came("ann"), self.came("bob")
        private = self.made(ann, "Bob")["room"]
        ann.say("kept", private)
        for name in ("one", "two", "three"):
            self.assertEqual(200, bob.say("hello", name).status)
        held = self.ask(ann, f"/chat/history/{private}")["messages"]
        self.assertEqual(["kept"], [each["text"] for each in held])
        self.assertEqual(["lobby", "three"], [each for each in self.rooms(bob) if each != private])


class SiteTests(ChatCase):
    """Where a site says who may what."""

    def test_a_room_that_it_lets_nobody_see_is_in_no_list(self):
        self.start(allow="tests.chatapp.lib.sites:replaced")
        self.enterContext(mock.patch.dict(sites.answers))
        ann = self.joined("ann")
        for room in ("garden", "news", "attic"):
            ann.say("hello", room)
        sites.answers["ann", "attic", "see"] = False
        self.pass_time(61)
        ann.pull()
        listed = json.loads(ann.ask("GET", "/chat/rooms").body)["rooms"]
        told = {each["room"]: each["may"] for each in listed}
        self.assertEqual({"lobby", "garden"}, told.keys() - {"news"})
        self.assertIn("speak", told["garden"])

    def test_a_site_that_fails_is_told_in_a_line(self):
        self.start(allow="tests.chatapp.lib.sites:broken")
        ann = self.person()
        ann.ask("GET", "/chat/nick")
        with self.assertLogs("chatapp.lib.rules", "ERROR"):
            answer = ann.ask("GET", "/chat/rooms")
        self.assertEqual(503, answer.status)
        with self.assertLogs("chatapp.lib.rules", "ERROR"):
            answer = ann.post("/chat/rooms", {"title": "x"})
        self.assertEqual(503, answer.status)


class TokenTests(TokenCase):
    def test_who_is_let_into_some_rooms_alone_is_listed_those_and_makes_none(self):
        self.begin()
        bob = self.bearer(token(sub="8", name="Bob"))
        for room in ("garden", "attic"):
            bob.say("hello", room)
        ann = self.bearer(token(rooms=["Garden", "lunch"]))
        told = json.loads(ann.ask("GET", "/chat/rooms").body)
        self.assertEqual(["garden"], [each["room"] for each in told["rooms"]])
        self.assertEqual([], told["may"])
        ann.rooms = "garden"
        self.assertEqual([], ann.pull()["you"]["may"])
        for room in {"title": "x"}, {"title": "lunch", "policy": "open"}:
            self.assertEqual(403, ann.post("/chat/rooms", room).status)
        self.assertEqual(404, ann.ask("GET", "/chat/rooms/attic").status)


class OpenTests(ChatCase):
    """Where a name is all it takes."""

    def setUp(self):
        self.start()
        self.ann, self.bob = self.joined("ann"), self.joined("bob")

    def test_guests_write_to_each_other_by_the_names_they_have(self):
        answer = self.ann.post("/chat/direct", {"people": ["bob"]})
        self.assertEqual(200, answer.status, answer.body)
        told = json.loads(answer.body)
        self.assertEqual("bob", told["title"])
        self.assertEqual(["guest", "guest"], [each["role"] for each in told["members"]])
        self.bob.rooms = told["room"]
        self.bob.cursor = None
        self.bob.pull()
        self.ann.say("hello", told["room"])
        self.assertEqual(["hello"], texts(self.bob.pull()))
        sender = told["members"][1]["sender"]
        again = json.loads(self.ann.post("/chat/direct", {"people": [sender]}).body)
        self.assertEqual(told["room"], again["room"])

    def test_a_guest_who_never_chose_a_name_is_found_too(self):
        guest = self.joined()
        nick = json.loads(guest.ask("GET", "/chat/nick").body)["nick"]
        answer = self.ann.post("/chat/rooms", {"title": "x", "people": [nick]})
        self.assertEqual(200, answer.status, answer.body)

    def test_who_is_in_a_room_by_another_spelling_than_its_record_goes_over(self):
        self.ann.rooms, self.ann.cursor = "tea", None
        self.ann.pull()
        self.settle()
        self.ann.pull()
        held = self.ann.poll()
        answer = self.bob.post("/chat/rooms", {"title": "Tea", "policy": "open"})
        self.assertEqual("Tea", json.loads(answer.body)["room"])
        self.ann.take(held)
        self.assertEqual({"tea": "Tea"}, self.ann.pull()["names"])
        self.bob.rooms, self.bob.cursor = "Tea", None
        self.bob.pull()
        self.assertEqual({"room": "Tea", "seq": 1}, json.loads(self.ann.say("one", "tea").body))
        for person in (self.ann, self.bob):
            self.assertEqual(["one"], texts(person.pull()))
        self.settle()
        self.bob.pull()
        self.assertEqual(["ann", "bob"], sorted(self.hub.rooms["Tea"].people()))
        self.assertNotIn("tea", self.hub.rooms)

    def test_a_room_that_somebody_asks_about_is_in_nobodys_list(self):
        self.ann.ask("GET", "/chat/rooms")
        for number in range(3):
            self.bob.ask("GET", f"/chat/rooms/nothing{number}")
        listed = json.loads(self.ann.ask("GET", "/chat/rooms").body)
        self.assertEqual(["lobby"], [each["room"] for each in listed["rooms"]])

    def test_who_the_ini_names_by_the_sender_is_a_keeper(self):
        sender = json.loads(self.ann.ask("GET", "/chat/me").body)["sender"]
        self.start(data=self.hub.options.data, keepers=sender)
        for person, role in ((self.ann, "keeper"), (self.bob, "guest")):
            person.server = self.server
            self.assertEqual(role, json.loads(person.ask("GET", "/chat/me").body)["role"])

    def test_who_only_looks_on_sees_what_all_see(self):
        self.ann.post("/chat/rooms", {"title": "secret"})
        visitor = self.person()
        listed = json.loads(visitor.ask("GET", "/chat/rooms").body)
        self.assertEqual(["lobby"], [each["room"] for each in listed["rooms"]])
        self.assertEqual([], listed["may"])
