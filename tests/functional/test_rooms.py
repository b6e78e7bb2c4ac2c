"""Rooms with members, of two workers over one Redis: what one does the other hears of."""

import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

from tests.functional.test_workers import ENDED_SECONDS, Visitor, WorkersCase


class RoomsTests(WorkersCase):
    app = {"chat.poll_timeout": 30, "chat.push_rate": 0, "chat.lease": 20}

    def come(self, to):
        """Somebody who is in the lobby at that worker, and what they are called."""
        nick = f"n{secrets.token_hex(4)}"
        visitor = Visitor(self.both, "lobby", nick)
        visitor.pull(to)
        return visitor, nick

    def ask(self, person, path, body=None, to=None, status=200):
        if body is None:
            answered = person.ask("GET", path, None, to, Accept="application/json")
        else:
            answered = person.post(path, body, to)
        self.assertEqual(status, answered[0], answered[2])
        return json.loads(answered[2])

    def ends(self, person, to, act):
        """What a held poll of theirs is answered that `act` has ended.

        That somebody else comes or goes, which others hear of late, ends none that counts.
        """
        with ThreadPoolExecutor() as pool:
            while True:
                while self.soon(person, to) is not None:
                    pass
                taken = pool.submit(lambda: (self.news(person, to), time.monotonic()))
                time.sleep(0.3)
                if not taken.done():
                    break
            act()
            acted = time.monotonic()
            told, at = taken.result()
        self.assertLess(at - acted, ENDED_SECONDS)
        return told

    def news(self, person, to):
        """What a poll of theirs is answered; but for who comes and goes."""
        while True:
            told = person.pull(to)
            if told["messages"] or told.get("changed") or not told.get("presence"):
                return told

    def soon(self, person, to):
        """What they are told without waiting, None: nothing."""
        since = f"&since={person.cursor}"
        path = f"/chat/pull/{person.room}?client={person.tab}{since}&hold=0"
        news = person.take(person.begin("GET", path, None, to, Accept="application/json"))
        told = {"messages", "presence", "people", "changed", "gap"} & news.keys()
        return news if any(news[each] for each in told) else None

    def test_who_is_invited_at_one_hears_of_it_at_the_other_and_who_is_removed_is_out(self):
        (ann, _), (bob, bobs) = self.come(self.one), self.come(self.two)
        room = {}

        def make():
            room.update(self.ask(ann, "/chat/rooms", {"title": "x", "people": [bobs]}, self.one))

        self.assertEqual(["rooms"], self.ends(bob, self.two, make)["changed"])
        name = room["room"]
        listed = self.ask(bob, "/chat/rooms", to=self.two)["rooms"]
        self.assertIn((name, 2), [(each["room"], each.get("members")) for each in listed])
        bob.room, bob.cursor = name, None
        bob.pull(self.two)
        ann.room = name
        self.assertEqual(200, ann.say("welcome", self.one)[0])
        self.assertEqual("welcome", bob.pull(self.two)["messages"][0]["text"])
        told = self.ends(
            bob, self.two,
            lambda: self.ask(ann, f"/chat/rooms/{name}/members", {"remove": bobs}, self.one),
        )  # fmt: skip
        self.assertEqual([], told["messages"])
        for server in self.both:
            for path in (f"/chat/history/{name}", f"/chat/pull/{name}", f"/chat/rooms/{name}"):
                told = self.ask(bob, path, None, server, 404)
                self.assertEqual(name, told["room"])

    def test_two_who_write_to_each_other_at_once_meet_in_one_room(self):
        (ann, anns), (bob, bobs) = self.come(self.one), self.come(self.two)
        with ThreadPoolExecutor() as pool:
            begun = [
                pool.submit(self.ask, who, "/chat/direct", {"people": [whom]}, server)
                for who, whom, server in ((ann, bobs, self.one), (bob, anns, self.two))
            ]
            rooms = {each.result()["room"] for each in begun}
        self.assertEqual(1, len(rooms))

    def test_who_is_here_is_counted_over_both(self):
        people = [self.come(server) for server in (self.one, self.two, self.two)]
        room = {"title": "x", "people": [nick for _, nick in people[1:]]}
        name = self.ask(people[0][0], "/chat/rooms", room, self.one)["room"]
        for (person, _), server in zip(people, (self.one, self.two, self.two), strict=True):
            person.room, person.cursor = name, None
            person.pull(server)
        for server in self.both:
            told = 0
            deadline = time.monotonic() + 10
            while told != 3 and time.monotonic() < deadline:
                told = self.ask(people[0][0], f"/chat/rooms/{name}", None, server)["people"]
            self.assertEqual(3, told)
