"""Whatever is done in whatever order: polls, pushes, renames, and all that ends a poll.

Who polls gets each message once and in order, knows who is there, and everything is in a state
that there may be.
"""

import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from chatapp.live.cursor import Cursor
from chatapp.model import Draft
from tests.chatapp.live.states import check_states
from tests.chatapp.model.contract import store
from tests.chatapp.support import ChatCase, Person

ROOMS = ("lobby", "garden")
NICKS = ("ann", "bob", "eve", "joe")


class Talker(Person):
    """Somebody with one poll at most that is not superseded, who believes the answers."""

    def __init__(self, server, tab):
        super().__init__(server, tab)
        self.held = None
        self.hurried = False  # whether what it asks waits to be run
        self.positions = {}
        self.present = {}  # by room: the nicks of those who are there, as they were told

    def ask_news(self):
        self.since = self.positions
        self.held = self.poll()

    def run(self):
        if not self.hurried:
            super().run()

    def hang_up(self):
        if self.held is not None:
            self.held.hang_up()
            self.held = None

    def look(self, truth):
        """Take the answer in, if there is one."""
        if self.held is None or not self.held.look().done:
            return
        held, self.held = self.held, None
        news = self.take(held)
        if "cursor" not in news:
            assert news == {"messages": []}, news  # superseded
            return
        assert "gap" not in news, news
        self.positions = dict(Cursor.decode(news["cursor"]).seqs)
        assert set(self.positions) == set(self.rooms.split(",")), (self.positions, self.rooms)
        for room, position in self.positions.items():
            begin = self.since.get(room)
            if begin is None:
                begin = position - sum(each["room"] == room for each in news["messages"])
            told = [each["text"] for each in news["messages"] if each["room"] == room]
            assert told == truth[room][begin:position], (room, begin, position, told)
        self.keep_present(news)

    def keep_present(self, news):
        for change in news.get("presence", ()):
            nicks = self.present.setdefault(change["room"], set())
            nicks -= {change["was"] if change["event"] == "nick" else change["nick"]}
            if change["event"] != "leave":
                nicks.add(change["nick"])
        for room, nicks in news.get("people", {}).items():
            self.present[room] = set(nicks)


class Chat(RuleBasedStateMachine):
    """The chat in memory; `people` are three browsers, one of them with two tabs."""

    def __init__(self):
        super().__init__()
        self.case = ChatCase()
        self.server = self.case.start(queue_size=3, lease=20)
        self.truth = {room: [] for room in ROOMS}
        self.people = [Talker(self.server, "one") for _ in range(3)]
        self.people.append(Talker(self.server, "two"))

    @initialize()
    def come(self):
        for person in self.people[:3]:
            assert person.ask("GET", "/chat/nick").status == 200
        self.people[3].cookies = self.people[0].cookies

    who = st.integers(0, 3)
    rooms = st.sampled_from(["lobby", "garden", "lobby,garden", "garden,lobby"])

    @rule(who=who, rooms=rooms, new=st.booleans())
    def poll(self, who, rooms, new):
        """Whether or not one is held, which is superseded then; in other rooms if it is `new`."""
        person = self.people[who]
        if new:
            person.rooms = rooms
        person.ask_news()

    @rule(who=who, room=st.sampled_from(ROOMS), count=st.integers(1, 5))
    def push(self, who, room, count):
        for _ in range(count):
            text = f"message {len(self.truth[room]) + 1}"
            self.truth[room].append(text)
            assert self.people[who].say(text, room).status == 200

    @rule(room=st.sampled_from(ROOMS), seq=st.integers(1, 12))
    def remove(self, room, seq):
        """Who is answered from now on has none of the text."""
        told = self.truth[room]
        if seq <= len(told) and told[seq - 1].startswith("message"):
            draft = Draft(room, "x", "removed", "x")
            self.server.loop.run_until_complete(self.case.hub.log.remove(room, seq, draft))
            told[seq - 1] = ""
            told.append("removed")

    @rule(who=who, nick=st.sampled_from(NICKS))
    def rename(self, who, nick):
        assert self.people[who].post("/chat/nick", {"nick": nick}).status in (200, 409)

    @rule(who=who)
    def hang_up(self, who):
        self.people[who].hang_up()

    @rule(who=who)
    def leave(self, who):
        assert self.people[who].ask("DELETE", "/chat/nick").status == 200

    @rule(who=who)
    def move(self, who):
        """The client polls at another worker, which this one is told of."""
        person = self.people[who]
        token = person.cookies[person.cookie("token")]
        self.case.hub.moved(token.rpartition(".")[0], person.tab)

    @rule(who=who, room=st.sampled_from(ROOMS))
    def expel(self, who, room="lobby"):
        """Out of the room at once; who asks for it again is let in again."""
        person = self.people[who]
        token = person.cookies[person.cookie("token")]
        self.case.hub.expel(token.rpartition(".")[0], room)

    @rule(
        acts=st.lists(st.tuples(who, st.sampled_from(["poll", "hang_up", "move", "push", "expel"])))
    )
    def at_once(self, acts):
        """None of them has run when the next comes."""
        for who, act in acts:
            person = self.people[who]
            if act == "poll":
                person.hurried = True
                person.ask_news()
                person.hurried = False
            elif act == "push":
                self.server.loop.create_task(self.speak("lobby"))
            else:
                getattr(self, act)(who)

    async def speak(self, room):
        self.truth[room].append(f"message {len(self.truth[room]) + 1}")
        await store(self.case.hub.log, room, "x", "x", self.truth[room][-1])

    @rule(seconds=st.sampled_from([0.1, 1.0, 11.0, 25.0]))
    def wait(self, seconds):
        self.server.loop.advance(seconds)

    @invariant()
    def nothing_is_wrong(self):
        self.server.loop.settle()
        for person in self.people:
            person.look(self.truth)
        check_states(self.case.hub)

    @precondition(lambda self: any(person.held for person in self.people))
    @rule()
    def all_know_who_is_there(self):
        """Who waits long enough has been told it all."""
        self.server.loop.advance(1.0)
        for person in self.people:
            person.look(self.truth)
            for _ in range(5):
                if person.held is None:
                    person.ask_news()
                    person.look(self.truth)
                self.server.loop.advance(1.0)
                person.look(self.truth)
        self.server.loop.advance(1.0)
        for person in self.people:
            person.look(self.truth)
            for room in person.rooms.split(",") if person.held else ():
                self.know(person, room)

    def know(self, person, room):
        people = set(self.case.hub.rooms[room].people())
        assert person.present[room] == people, (room, person.present, people)

    def teardown(self):
        """A stop answers all who wait, and says when to come back."""
        loop = self.server.loop
        loop.settle()
        for person in self.people:
            person.look(self.truth)
        held = [person.held for person in self.people if person.held is not None]
        loop.run_until_complete(self.case.hub.shutdown())
        loop.settle()
        for answer in held:
            assert json.loads(answer.look().body)["advice"]["retry"] > 0
            answer.hang_up()
        self.case.doCleanups()


Chat.TestCase.settings = settings(max_examples=25, stateful_step_count=40)


class ChatTests(Chat.TestCase):
    """unittest finds it here."""
