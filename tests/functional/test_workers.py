"""Any worker serves any poll: two servers on one engine, and requests that go to either."""

import contextlib
import http.client
import itertools
import json
import secrets
import subprocess
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from benchmarks.harness.chat import ROOT, ChatServer
from tests.support.engine import RedisServer

LEASE = 1.0
RATE, BURST = 0.2, 30  # more at once than the other tests push on a machine that is slow
APP = {
    "chat.lease": LEASE,
    "chat.poll_timeout": 0.5,
    "chat.push_rate": RATE,
    "chat.push_burst": BURST,
}
# Of a poll that is held for 30: one that ends sooner was ended. How soon: benchmarks/evictions.py.
ENDED_SECONDS = 15.0


class Visitor:
    """A browser whose requests go to one server after the other, or where it is told."""

    def __init__(self, servers, room, nick=None):
        self.servers = servers
        self.room = room
        self.cookies = {}
        self.cursor = None
        self.tab = secrets.token_hex(4)
        self.turns = itertools.cycle(servers)
        self.people = []
        self.told = []
        self.messages = []
        self.polls = 0  # that were answered
        if nick is not None:
            self.post("/chat/nick", {"nick": nick})

    def begin(self, method, path, body=None, to=None, **headers):
        server = to or next(self.turns)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=15)
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{key}={value}" for key, value in self.cookies.items())
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        connection.request(method, path, body, headers)
        return connection

    def end(self, connection):
        """Status, headers and content of the answer."""
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        content = answer.read()
        connection.close()
        return answer.status, answer.headers, content

    def ask(self, method, path, body=None, to=None, **headers):
        return self.end(self.begin(method, path, body, to, **headers))

    def post(self, path, data, to=None):
        body = json.dumps(data).encode()
        return self.ask("POST", path, body, to, Content_Type="application/json")

    def say(self, text, to=None):
        return self.post(f"/chat/push/{self.room}", {"text": text}, to)

    def poll(self, to=None):
        """Begin a poll, which may be held."""
        since = f"&since={self.cursor}" if self.cursor else ""
        path = f"/chat/pull/{self.room}?client={self.tab}{since}"
        return self.begin("GET", path, None, to, Accept="application/json")

    def take(self, poll):
        status, _, content = self.end(poll)
        assert status == 200, content
        news = json.loads(content)
        self.polls += 1
        self.messages += news["messages"]
        self.cursor = news.get("cursor", self.cursor)
        self.people = news.get("people", {}).get(self.room, self.people)
        for change in news.get("presence", ()):
            self.told.append((change["event"], change["nick"]))
            self.people = [nick for nick in self.people if nick != change["nick"]]
            if change["event"] == "join":
                self.people.append(change["nick"])
        return news

    def pull(self, to=None):
        return self.take(self.poll(to))

    @contextlib.contextmanager
    def staying(self, to=None):
        """Meanwhile one poll follows the other, as those of a page do, whatever else is done."""
        ended = Event()

        def poll_on():
            while not ended.is_set():
                self.pull(to)

        with ThreadPoolExecutor(1) as thread:
            polling = thread.submit(poll_on)
            try:
                yield self
            finally:
                ended.set()
                polling.result()


class WorkersCase(unittest.TestCase):
    app = {}

    @classmethod
    def setUpClass(cls):
        with contextlib.ExitStack() as stack:
            cls.engine = stack.enter_context(RedisServer())
            cls.one = stack.enter_context(cls.server(secret_from=None))
            cls.two = stack.enter_context(cls.server(secret_from=cls.one))
            cls.running = stack.pop_all()
        cls.both = (cls.one, cls.two)

    @classmethod
    def tearDownClass(cls):
        cls.running.close()

    @classmethod
    def server(cls, secret_from):
        app = {**APP, "chat.log": cls.engine.url, **cls.app}
        if secret_from is not None:
            app["chat.secret_file"] = secret_from.folder / "data" / "secret"
        return ChatServer(app=app)

    def setUp(self):
        self.room = f"room-{secrets.token_hex(4)}"
        self.name = secrets.token_hex(4)

    def visitor(self, nick=None):
        return Visitor(self.both, self.room, None if nick is None else f"{nick}-{self.name}")

    def until(self, condition, seconds=15.0):
        """Do what `condition` does until it is true."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)  # it may wait for what a thread does


class WorkersTests(WorkersCase):
    def test_a_client_gets_every_message_once_wherever_it_polls(self):
        ann, bob = self.visitor("ann"), self.visitor("bob")
        news = ann.pull()
        self.assertEqual({self.room: [f"ann-{self.name}"]}, news["people"])
        got = []
        for number in range(6):
            poll = ann.poll()
            self.assertEqual(200, bob.say(f"m{number}")[0])
            got += ann.take(poll)["messages"]
            while len(got) <= number:
                got += ann.pull()["messages"]
        self.assertEqual([f"m{n}" for n in range(6)], [m["text"] for m in got])
        self.assertEqual(list(range(1, 7)), [m["seq"] for m in got])

    def test_a_client_without_a_cursor_goes_on_where_it_was(self):
        ann, bob = self.visitor("ann"), self.visitor("bob")
        path = f"/chat/pull/{self.room}"
        ann.ask("GET", path)
        lines = []
        for number in range(6):
            self.assertEqual(200, bob.say(f"m{number}")[0])
            lines += ann.ask("GET", path)[2].decode().splitlines()
        self.assertEqual([f"bob-{self.name}: m{n}" for n in range(6)], lines)
        self.assertEqual(b"", ann.ask("GET", path)[2])

    def test_polls_that_move_are_no_coming_and_going(self):
        ann, bob = self.visitor("ann"), self.visitor("bob")
        bob.pull()
        ann.pull()
        started = time.monotonic()
        rounds = 0
        while time.monotonic() - started < 2 * LEASE:
            polls = ann.poll(), bob.poll()
            ann.take(polls[0])
            bob.take(polls[1])
            rounds += 1
        self.assertEqual([f"bob-{self.name}", f"ann-{self.name}"], bob.people)
        self.assertEqual([], [event for event in ann.told + bob.told if event[0] != "join"])
        self.assertLess(rounds, 10)  # they are held, wherever they go

    def test_a_reload_at_another_server_is_not_told(self):
        ann, bob = self.visitor("ann"), self.visitor("bob")
        bob.pull(self.one)
        ann.pull(self.one)
        ann.tab, ann.cursor = "reloaded", None
        ann.pull(self.two)
        started = time.monotonic()
        while time.monotonic() - started < 2 * LEASE:
            polls = ann.poll(self.two), bob.poll(self.one)
            ann.take(polls[0])
            bob.take(polls[1])
        self.assertEqual([("join", f"ann-{self.name}")], bob.told)

    def test_who_stays_away_is_told_once_at_each(self):
        ann, bob, eve = self.visitor("ann"), self.visitor("bob"), self.visitor("eve")
        ann.pull()
        for each, server in ((bob, self.one), (eve, self.two)):
            each.pull(server)

        def both_know():
            polls = bob.poll(self.one), eve.poll(self.two)
            bob.take(polls[0])
            eve.take(polls[1])
            return all(("leave", f"ann-{self.name}") in each.told for each in (bob, eve))

        self.until(both_know)
        both_know()
        for each in (bob, eve):
            self.assertEqual(1, each.told.count(("leave", f"ann-{self.name}")), each.told)
            self.assertEqual(1, sum(event == "leave" for event, _ in each.told), each.told)

    def test_a_poll_supersedes_that_of_the_same_tab_at_another_server(self):
        ann = self.visitor("ann")
        ann.pull(self.one)

        def superseded():
            held = ann.poll(self.one)
            newer = ann.poll(self.two)
            content = ann.end(held)[2]
            ann.take(newer)
            return content == b'{"messages":[]}'

        self.until(superseded)

    def test_a_name_is_taken_everywhere(self):
        ann, bob = self.visitor("ann"), self.visitor("bob")
        for server in self.both:
            status, _, content = bob.post("/chat/nick", {"nick": f"ann-{self.name}"}, server)
            self.assertEqual(409, status, content)
        for server in (*self.both, *self.both):
            name = f"{server.port}-{self.name}"
            self.assertEqual(200, ann.post("/chat/nick", {"nick": name}, server)[0])
            other = self.two if server is self.one else self.one
            bob.ask("GET", f"/chat/pull/{self.room}", None, other)
            self.assertEqual(200, ann.say("hi", other)[0])
            line = bob.ask("GET", f"/chat/pull/{self.room}", None, other)[2]
            self.assertEqual(f"{name}: hi\r\n".encode(), line)

    def test_pushes_are_limited_over_all(self):
        ann = self.visitor("ann")
        started = time.monotonic()
        answers = [ann.say("hi") for _ in range(BURST + 10)]
        statuses = [status for status, _, _ in answers]
        stored = statuses.count(200)
        self.assertGreater(stored, 5)
        self.assertLessEqual(stored, BURST + RATE * (time.monotonic() - started) + 1, statuses)
        self.assertEqual(BURST + 10, stored + statuses.count(429))
        self.assertGreaterEqual(int(answers[-1][1]["Retry-After"]), 1)
        for _ in range(8):
            self.assertEqual(200, ann.ask("GET", f"/chat/people/{self.room}")[0])

    def test_people_are_listed_by_a_server_that_has_none_of_them(self):
        ann = self.visitor("ann")
        ann.pull(self.one)
        people = lambda: json.loads(ann.ask("GET", f"/chat/people/{self.room}", None, self.two)[2])  # noqa: E731
        self.until(lambda: people()["people"] == [f"ann-{self.name}"])

    def test_a_new_room_written_in_two_ways_is_one_at_both(self):
        ann, bob = self.visitor("ann"), self.visitor("bob")
        called, bob.room = self.room, self.room.upper()
        ann.pull(self.one)
        bob.ask("GET", f"/chat/pull/{bob.room}?client={bob.tab}", None, self.two)
        self.assertEqual(200, bob.say("hello", self.two)[0])
        news = bob.pull(self.two)
        self.assertEqual({bob.room: called}, news["names"])
        both = [f"ann-{self.name}", f"bob-{self.name}"]
        self.until(lambda: ann.pull(self.one) and sorted(ann.people) == both)
        path = f"/chat/people/{bob.room}"
        for server in self.both:
            people = json.loads(bob.ask("GET", path, None, server)[2])
            self.assertEqual((called, both), (people["room"], sorted(people["people"])))
        self.assertEqual(["hello"], self.texts(ann, f"/chat/history/{bob.room}"))

    def texts(self, visitor, path):
        return [each["text"] for each in json.loads(visitor.ask("GET", path)[2])["messages"]]

    def test_a_server_with_another_secret_does_not_start(self):
        other = self.server(secret_from=None)
        self.addCleanup(other.__exit__)
        paster = f"{sys.executable.rpartition('/')[0]}/paster"
        done = subprocess.run(
            [paster, "serve", other.ini], cwd=ROOT, capture_output=True, text=True, timeout=30,
            check=False,
        )  # fmt: skip
        self.assertNotEqual(0, done.returncode)
        lines = [line for line in done.stdout.splitlines() if "secret" in line]
        self.assertEqual(1, len(lines), done.stdout + done.stderr)
        self.assertIn(f"redis://127.0.0.1:{self.engine.port}/0", lines[0])
        self.assertIn("chat.secret_file or CHAT_SECRET", lines[0])
        self.assertNotIn("chatapp", done.stderr)


class FaultTests(WorkersCase):
    app = {"chat.push_rate": 0}

    def setUp(self):
        super().setUp()
        self.stays = self.enterContext(contextlib.ExitStack())

    def come(self, nick, to=None):
        """A visitor who stays and knows who is there."""
        visitor = self.stays.enter_context(self.visitor(nick).staying(to))
        self.until(lambda: f"{nick}-{self.name}" in visitor.people)
        return visitor

    def test_the_people_of_a_killed_server_are_gone_after_their_lease(self):
        bob = self.come("bob", self.two)
        ann = self.visitor("ann")
        with ann.staying(self.one):
            self.until(lambda: bob.told)
        held = ann.poll(self.one)
        self.one.kill()
        self.addCleanup(self.one.start)
        self.until(lambda: len(bob.told) > 1)
        held.close()
        names = [("join", f"ann-{self.name}"), ("leave", f"ann-{self.name}")]
        self.assertEqual(names, bob.told)

    def test_without_the_engine_polls_are_held_and_pushes_refused_and_then_all_is_as_before(self):
        bob = self.come("bob", self.two)
        ann = self.come("ann", self.one)
        self.until(lambda: len(bob.told) == 1)
        eve = self.come("eve")
        self.until(lambda: len(bob.told) == 2)
        self.engine.kill()
        started, before = time.monotonic(), [each.polls for each in (ann, bob, eve)]
        while time.monotonic() - started < 2 * LEASE:
            status, headers, _ = ann.say("lost?")
            self.assertEqual((503, "2"), (status, headers["Retry-After"]))
            time.sleep(0.1)
        for each, polls in zip((ann, bob, eve), before, strict=True):
            self.assertEqual([], each.messages)
            self.assertGreater(each.polls, polls)
            self.assertLess(each.polls - polls, 10)  # they are held, wherever they go
        self.engine.start()
        self.until(lambda: ann.say("back")[0] == 200)
        started = time.monotonic()
        self.until(lambda: time.monotonic() - started > 2 * LEASE)
        self.stays.close()
        self.assertEqual([("join", f"{nick}-{self.name}") for nick in ("ann", "eve")], bob.told)
        self.assertEqual([], [event for event in ann.told + eve.told if event[0] != "join"])
        for each in (ann, bob, eve):
            self.assertEqual("back", each.messages[0]["text"])
