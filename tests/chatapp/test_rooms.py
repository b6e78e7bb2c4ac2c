# ruff: noqa: RUF001
"""Rooms whose names say the same are one, which is called as it was first."""

import json
from unicodedata import normalize
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from chatapp.live.cursor import Cursor
from tests.chatapp.model.contract import store
from tests.chatapp.scripts import NAMES
from tests.chatapp.support import ChatCase, texts


class NamesCase(ChatCase):
    def setUp(self):
        self.start()
        self.bob = self.joined("bob", rooms="elsewhere")

    def at(self, room, tab="tab"):
        person = self.joined(rooms=quote(room))
        person.tab = tab
        return person

    def pushed(self, name, text="hi"):
        return json.loads(self.bob.say(text, name).body)["room"]

    def held(self, name):
        return json.loads(self.bob.ask("GET", f"/chat/history/{quote(name)}").body)


class NamesTests(NamesCase):
    def test_a_new_name_goes_to_the_room_that_says_the_same(self):
        self.assertEqual("Tea", self.pushed("Tea"))
        for name in ("tea", "TEA", "ｔｅａ", "t\u200dea"):
            self.assertEqual("Tea", self.pushed(name, name))
            self.assertEqual("Tea", self.held(name)["room"])
        self.assertEqual(5, len(self.held("tea")["messages"]))
        self.assertEqual({"Tea"}, {each["room"] for each in self.held("tea")["messages"]})
        self.assertEqual("téa", self.pushed("téa"))
        self.assertEqual("tеa", self.pushed("tеa"))  # look-alikes are other rooms
        self.assertEqual("lobby", self.pushed("LOBBY"))

    def test_a_poll_is_told_what_the_room_is_called(self):
        self.pushed("Tea")
        ann = self.person(rooms="tea,lobby")
        ann.post("/chat/nick", {"nick": "ann"})
        news = ann.pull()
        self.assertEqual({"tea": "Tea"}, news["names"])
        self.assertEqual({"Tea", "lobby"}, set(news["people"]))
        self.settle()
        ann.pull()
        held = ann.poll()
        self.assertFalse(held.look().done)
        self.pushed("ＴＥＡ", "one")
        news = ann.take(held)
        self.assertEqual([("Tea", "one")], [(m["room"], m["text"]) for m in news["messages"]])
        self.assertEqual({"tea": "Tea"}, news["names"])

    def test_clients_that_come_before_anybody_spoke_are_in_one_room(self):
        ann, eve = self.joined("ann", rooms="Tea"), self.person(rooms="tea")
        eve.post("/chat/nick", {"nick": "eve"})
        news = eve.pull()
        self.assertEqual({"tea": "Tea"}, news["names"])
        self.assertEqual({"Tea": ["ann", "eve"]}, news["people"])
        self.assertEqual("Tea", self.pushed("TEA", "hello"))
        for person in (ann, eve):
            self.assertEqual(["hello"], texts(person.pull()))
        people = json.loads(self.bob.ask("GET", "/chat/people/tEA").body)
        self.assertEqual({"room": "Tea", "people": ["ann", "eve"]}, people)

    def test_names_of_one_poll_that_say_the_same_are_one_room(self):
        ann = self.person(rooms="tea,Tea,TEA")
        news = ann.take(ann.begin("GET", "/chat/pull/tea,Tea,TEA?client=tab"))
        self.assertEqual({"Tea": "tea", "TEA": "tea"}, news["names"])
        self.assertEqual(["tea"], list(news["people"]))

    def test_two_old_rooms_stay_two(self):
        log = self.hub.log
        for name in ("Tea", "tea"):
            log._rooms[name] = log._opened(name, True, 0.0)
        for name in ("Tea", "tea"):
            self.assertEqual(name, self.pushed(name, name))
            self.assertEqual([name], texts(self.held(name)))
        ann = self.person(rooms="Tea,tea")
        ann.cursor = Cursor(log.epoch, {"Tea": 0, "tea": 0}).encode()
        ann.post("/chat/nick", {"nick": "ann"})
        news = ann.pull()
        self.assertNotIn("names", news)
        told = {(message["room"], message["text"]) for message in news["messages"]}
        self.assertEqual({("Tea", "Tea"), ("tea", "tea")}, told)
        self.assertIn(self.pushed("TEA"), ("Tea", "tea"))

    def test_a_room_that_is_opened_elsewhere_by_another_name_is_found(self):
        ann = self.joined("ann", rooms="tea")
        self.settle()
        ann.pull()
        held = ann.poll()
        # As another worker has it, which knows nothing of who is here.
        self.server.loop.run_until_complete(store(self.hub.log, "Tea", "x", "eve", "hello"))
        self.assertEqual({"messages": []}, ann.take(held))
        news = ann.pull()
        self.assertEqual(({"tea": "Tea"}, ["hello"]), (news["names"], texts(news)))
        self.assertEqual(["Tea"], [name for name in self.hub.rooms if name != "elsewhere"])
        self.settle()
        self.assertEqual(["ann"], self.hub.rooms["Tea"].people())

    def test_who_is_in_a_room_that_was_forgotten_goes_over_to_the_next_of_that_name(self):
        self.start(max_rooms=1)
        ann, bob = self.joined("ann", rooms="tea"), self.joined("bob")
        loop, log = self.server.loop, self.hub.log
        self.settle()
        ann.pull()
        held = ann.poll()
        loop.run_until_complete(store(log, "Tea", "x", "eve", "opens one that ann is not in"))
        self.assertEqual({"messages": []}, ann.take(held))
        loop.run_until_complete(store(log, "garden", "x", "eve", "opens one, and Tea gives way"))
        # Before she asks again, somebody else is there.
        bob.rooms, bob.cursor = "tea", None
        bob.pull()
        ann.pull()
        self.settle()
        ann.pull()
        held = ann.poll()
        bob.say("hi", room="tea")
        self.assertEqual(["hi"], texts(ann.take(held)))

    def test_a_room_that_everybody_left_leaves_no_name_behind(self):
        self.joined("ann", rooms="Tea")
        self.pass_time(100)
        self.assertEqual(({}, {}), (self.hub.rooms, self.hub._names))
        self.assertEqual("tea", self.pushed("tea"))


class ScriptTests(NamesCase):
    def test_names_of_every_script_in_all_their_forms(self):
        for script, name in NAMES.items():
            first = normalize("NFC", name)
            self.assertEqual(first, self.pushed(name), script)
            for form in ("NFC", "NFD", "NFKD"):
                written = (
                    normalize(form, name).swapcase() if form == "NFKD" else normalize(form, name)
                )
                ann = self.at(written)
                self.assertEqual(first, self.pushed(written, form), script)
                news = ann.pull()
                self.assertIn(form, texts(news), script)
                self.assertEqual({first}, {message["room"] for message in news["messages"]})
                if written != first:
                    self.assertEqual({written: first}, news["names"])
                self.assertEqual(first, self.held(written)["room"])
            self.pass_time(100)

    @settings(max_examples=50, deadline=None)
    @given(st.text(st.characters(categories=["L", "M", "Nd"]), min_size=1, max_size=20))
    def test_whatever_is_taken_is_one_room_in_all_its_forms(self, name):
        pushed = self.bob.say("hi", quote(name))
        if pushed.status == 400:
            self.assertEqual(name, json.loads(pushed.body)["room"])
            return
        room = json.loads(pushed.body)["room"]
        for form in ("NFC", "NFD"):
            self.assertEqual(room, self.held(normalize(form, name))["room"])
