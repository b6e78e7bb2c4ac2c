"""Who is banned or put out of a room is out at both workers, with held polls."""

import asyncio
import json
import math
import random
import threading
import time

from chatapp.community.book import Book
from chatapp.community.edits import Edit
from chatapp.community.rooms import MEMBERS, Room
from chatapp.community.standings import Ban, Standing
from chatapp.model.redis.log import RedisLog
from tests.chatapp.identity.test_token import KEY, token
from tests.chatapp.model.contract import Observer
from tests.functional.test_workers import ENDED_SECONDS, Visitor, WorkersCase

SECOND = 1.0


class Known(Visitor):
    """Somebody whom a token names."""

    def __init__(self, servers, room, user):
        super().__init__(servers, room)
        self.bearer = f"Bearer {token(sub=user, name=user)}"

    def begin(self, method, path, body=None, to=None, **headers):
        return super().begin(method, path, body, to, Authorization=self.bearer, **headers)


class EvictedTests(WorkersCase):
    app = {
        "chat.identity": "token", "chat.token_key": KEY, "chat.poll_timeout": 30, "chat.lease": 30,
        "chat.push_rate": 0,
    }  # fmt: skip

    def setUp(self):
        super().setUp()
        letters = random.choices("abcdefghijklmnopqrstuvwxyz", k=16)
        self.private = "~" + "".join(letters)
        self.users = [f"{name}-{self.name}" for name in ("ann", "bob")]
        self.keep(*self.users)
        self.ann, self.bob = (Known(self.both, self.private, user) for user in self.users)

    def change(self, **edit):
        asyncio.run(self.changed(Edit(**edit)))

    async def changed(self, edit):
        log = RedisLog(Observer(), url=self.engine.url, history=10, max_age=0.0, max_rooms=100)
        await log.open()
        self.assertTrue(await Book(log).change(lambda: edit))
        await log.close()

    def keep(self, *members):
        self.change(rooms=[Room(self.private, MEMBERS, members=dict.fromkeys(members, "x"))])

    def ban(self):
        self.change(standings={self.users[0]: Standing(banned_until=math.inf, ban_reason="spam")})

    def held(self, person, server):
        """A poll that is held at that worker."""
        for _ in range(6):  # until it knows of all that there is
            path = f"/chat/pull/{self.private}?client={person.tab}&hold=0"
            since = f"&since={person.cursor}" if person.cursor else ""
            person.take(person.begin("GET", path + since, None, server, Accept="application/json"))
            time.sleep(0.1)
        return person.poll(server)

    def refused(self, person, server):
        """Status and line of a poll, of what is asked for, and of a push."""
        headers = {"Accept": "application/json"}
        path = f"/chat/pull/{self.private}?client={person.tab}&hold=0&since={person.cursor}"
        answers = [person.ask("GET", path, None, server, **headers)]
        answers.append(person.ask("GET", f"/chat/history/{self.private}", None, server, **headers))
        answers.append(person.ask("GET", f"/chat/people/{self.private}", None, server, **headers))
        path = f"/chat/push/{self.private}"
        answers.append(person.ask("POST", path, b"x", server, Content_Type="text/plain", **headers))
        return {
            (status, "" if status == 200 else json.loads(body)["error"])
            for status, _, body in answers
        }

    def assert_out(self, act, status, line):
        for server in self.both:
            with self.subTest(server=server.port):
                self.keep(*self.users)
                self.change(standings={self.users[0]: Standing()})
                time.sleep(SECOND)
                poll = self.held(self.ann, server)
                news = []
                taking = threading.Thread(target=lambda poll=poll, news=news: news.append(
                    (self.ann.take(poll), time.monotonic())
                ))  # fmt: skip
                taking.start()
                time.sleep(0.1)
                self.assertEqual([], news, "the poll is not held")
                act()
                acted = time.monotonic()
                taking.join()
                [(answer, at)] = news
                self.assertEqual([], answer["messages"])
                self.assertLess(at - acted, ENDED_SECONDS)
                self.until_refused(status, line)
                self.assertEqual(200, self.bob.say("after that")[0])
                for each in self.both:
                    self.assertEqual({(status, line)}, self.refused(self.ann, each))

    def until_refused(self, status, line):
        for server in self.both:
            self.until(lambda server=server: self.refused(self.ann, server) == {(status, line)})

    def test_who_is_banned(self):
        self.assert_out(self.ban, 403, "You are banned: spam")

    def test_who_is_put_out_of_the_room(self):
        line = "There is no such room, or it is not yours to see."
        self.assert_out(lambda: self.keep(self.users[1]), 404, line)

    def test_all_who_are_at_an_address(self):
        polls = [
            self.held(each, server)
            for each, server in zip((self.ann, self.bob), self.both, strict=True)
        ]
        self.addCleanup(lambda: self.change(bans={"127.0.0.1": None}))
        self.change(bans={"127.0.0.1": Ban(math.inf, "spam")})
        acted = time.monotonic()
        for person, poll in zip((self.ann, self.bob), polls, strict=True):
            self.assertEqual([], person.take(poll)["messages"])
        self.assertLess(time.monotonic() - acted, ENDED_SECONDS)
        self.until_refused(403, "You are banned: spam")

    def test_nothing_comes_after_the_answer_that_says_so_and_there_is_no_hole_before_it(self):
        for _ in range(3):
            self.keep(*self.users)
            time.sleep(SECOND)
            self.held(self.ann, self.one).close()
            first = self.ann.pull(self.two)
            stop, said = threading.Event(), []

            def speak(stop=stop, said=said):
                while not stop.is_set():
                    said.append(json.loads(self.bob.say(f"{len(said)}")[2])["seq"])

            speaking = threading.Thread(target=speak)
            speaking.start()
            got = [message["seq"] for message in first["messages"]]
            out = deadline = putting_out = None
            while deadline is None or time.monotonic() < deadline:
                if len(got) >= 3 and putting_out is None:
                    putting_out = threading.Thread(target=lambda: self.keep(self.users[1]))
                    putting_out.start()
                if out is not None and deadline is None:
                    deadline = time.monotonic() + 2 * SECOND
                server = next(self.ann.turns)
                status, _, body = self.ann.end(self.ann.poll(server))
                told = json.loads(body)
                if status == 200:
                    self.ann.cursor = told.get("cursor", self.ann.cursor)
                    new = [message["seq"] for message in told["messages"]]
                    self.assertFalse(out and new, f"{new} after {out}")
                    got += new
                else:
                    out = out or (status, server.port)
            stop.set()
            speaking.join()
            putting_out.join()
            self.assertEqual(list(range(got[0], got[0] + len(got))), got)

    def test_who_is_invited_is_told(self):
        self.keep(self.users[1])
        self.ann.room = self.bob.room = self.room
        time.sleep(SECOND)
        for server in self.both:
            self.private = self.room
            poll = self.held(self.ann, server)
            self.private = f"~{''.join(random.choices('abcdefghijklmnop', k=16))}"
            self.keep(*self.users)
            acted = time.monotonic()
            self.assertEqual(["rooms"], self.ann.take(poll)["changed"])
            self.assertLess(time.monotonic() - acted, ENDED_SECONDS)
