"""Everything that can go wrong, at random: what a client received and what it was told it missed
is what was published, in order, without a repetition.

People are banned, put out of a private room and renamed meanwhile: who is out gets nothing more of
it, and has no hole once they are back; nobody else misses anything.

A failure prints its seed; CHAOS_SEED=N runs that one again, CHAOS_RUNS=N runs more of them.
"""

import asyncio
import json
import math
import os
import random
import shutil
import tempfile
import unittest
from pathlib import Path

from chatapp.community.edits import Edit
from chatapp.community.rooms import MEMBERS, Room
from chatapp.community.standings import NO_STANDING, Standing
from chatapp.config.middleware import make_chat
from chatapp.lib.identity import Signer
from chatapp.lib.secret import derived_key, load_secret
from chatapp.live.cursor import Cursor
from chatapp.model import Draft
from chatapp.model.clock import Clock
from cogen.testing.memory import Answer, MemoryServer, MemoryTransport
from tests.chatapp.live.states import check_states
from tests.chatapp.model.contract import store
from tests.chatapp.support import Person

ROOMS = ("lobby", "garden", "attic")
PRIVATE = "~" + "plan" * 4
STEPS = 150


class Truth:
    """What the log has announced: texts by seq, of each room, in each epoch."""

    def __init__(self):
        self.rooms = {}

    def heard(self, epoch, messages):
        for message in messages:
            texts = self.rooms.setdefault((epoch, message.room), [])
            assert message.seq == len(texts) + 1, f"{message} after {len(texts)}"
            texts.append(message.text)

    def head(self, epoch, room):
        return len(self.rooms.get((epoch, room), ()))


class Follower:
    """A client that believes its cursor only, and checks each answer against the truth."""

    def __init__(self, world, rooms):
        self.world = world
        self.rooms = rooms
        self.person = Person(
            world.server, tab=f"t{world.rng.randrange(10**9)}", rooms=",".join(rooms)
        )
        self.positions = None  # by room, in `epoch`
        self.epoch = None
        self.held = []  # polls under way, with the cursor they went on from
        self.lost = self.received = 0
        self.heard = []  # what it took, in order: (room, seq), or (room, "gap", lost)
        self.is_stubborn = (
            world.rng.random() < 0.5
        )  # asks for a room that it is out of all the time
        self.is_banned = self.is_out = False
        self.allowed = set()  # held polls that were answered before it was banned or out
        self.refused = 0
        assert self.person.ask("GET", "/chat/nick").status == 200

    @property
    def id(self):
        [signed] = [v for k, v in self.person.cookies.items() if k.startswith("chat_token_")]
        return self.world.signer.sender(signed.rpartition(".")[0])

    @property
    def is_member(self):
        return PRIVATE in self.rooms and not self.is_out

    def forbid(self):
        """From now on it is to get nothing but what is written already."""
        self.allowed |= {answer for _, answer in self.held if answer.look().done}

    def permit(self):
        """It may get everything again: what it got until now has to be what it was allowed."""
        for _, answer in self.held:
            if answer.look().done:
                self.judge(answer)
                self.allowed.add(answer)

    def judge(self, answer):
        """Nothing of a room comes to somebody who is out of it."""
        if answer in self.allowed or answer.status != 200:
            return
        got = {message["room"] for message in json.loads(answer.body)["messages"]}
        assert not (self.is_banned and got), f"banned, and was given {got}"
        assert not (self.is_out and PRIVATE in got), "out, and was given what is said there"

    def poll(self):
        self.person.server = self.world.server
        if self.is_member and PRIVATE not in self.asked:
            self.ask_for(self.rooms)
        self.held.append((self.person.cursor, self.person.poll()))

    @property
    def asked(self):
        return self.person.rooms.split(",")

    def ask_for(self, rooms):
        self.person.rooms = ",".join(rooms)

    def look(self, cut=False):
        """Take the answers that have come; with `cut`, they break off before their end."""
        for since, answer in list(self.held):
            if not answer.look().done:
                continue
            self.held.remove((since, answer))
            answer.transport.close()
            self.judge(answer)
            self.allowed.discard(answer)
            if answer.status in (403, 404):
                self.take_refusal(answer)
            elif cut:
                assert not self.broken_off(answer).done, "an answer without its end looks whole"
            elif answer.status == 200 and since == self.person.cursor:
                self.take(json.loads(answer.body))

    def broken_off(self, answer):
        """The same answer, cut at some byte."""
        written = answer.transport.written
        cut = Answer(self.person, MemoryTransport(self.world.server.loop, asyncio.Protocol()))
        cut.transport.written += written[: self.world.rng.randrange(len(written))]
        return cut.look()

    def give_up(self):
        for _, answer in self.held:
            answer.hang_up()
        self.held.clear()

    def take_refusal(self, answer):
        self.refused += 1
        told = json.loads(answer.body)
        if answer.status == 403:
            assert told == {"error": "You are banned."}, told
            return
        assert told["room"] == PRIVATE, told
        if not self.is_stubborn and self.is_out and PRIVATE in self.asked:
            # As the page does; it comes back to what is said there then.
            self.ask_for([room for room in self.rooms if room != PRIVATE])

    def take(self, news):
        if self.positions is None:
            self.person.cursor = news["cursor"]
            self.epoch, seqs, _ = Cursor.decode(news["cursor"])
            self.positions = dict(seqs)
            return
        gap = news.get("gap")
        if gap:
            self.take_gap(gap, news)
        for message in news["messages"]:
            room, seq = message["room"], message["seq"]
            expected = self.positions.get(room, seq - 1) + 1
            assert seq == expected, f"{room}: got {seq}, expected {expected}"
            assert message["text"] == self.world.truth.rooms[self.epoch, room][seq - 1]
            self.positions[room] = seq
            self.received += 1
            self.heard.append((room, seq))
        if "cursor" in news:
            epoch, seqs, _ = Cursor.decode(news["cursor"])
            if PRIVATE in seqs:
                self.positions.setdefault(PRIVATE, seqs[PRIVATE])  # it is back
            elif self.refused and not self.is_stubborn:
                self.positions.pop(PRIVATE, None)
            assert (epoch, dict(seqs)) == (self.epoch, self.positions), (seqs, self.positions)
            self.person.cursor = news["cursor"]

    def take_gap(self, gap, news):
        if gap["reason"] == "recreated":
            epoch = Cursor.decode(news["cursor"]).epoch
            assert epoch != self.epoch, "nothing was recreated"
            self.epoch = epoch
            self.positions = dict.fromkeys(self.positions, 0)
        for room, lost in gap["rooms"].items():
            self.positions[room] += lost
            self.lost += lost
            self.heard.append((room, "gap", lost))
            assert not self.world.holds(self.epoch, room, self.positions[room]), (room, gap)

    def at_head(self):
        truth = self.world.truth
        return all(truth.head(self.epoch, room) == at for room, at in self.positions.items())


class WorldClock(Clock):
    """It goes on with the server's, and is set now and then."""

    def __init__(self, world):
        self.boot = "once"
        self.shift = 0.0
        self.world = world

    def wall(self):
        return 1_700_000_000.0 + self.passed() + self.shift

    def passed(self):
        server = self.world.server
        return server.loop.time() if server is not None else 0.0


class World:
    """The chat, its clients and what may happen to them."""

    def __init__(self, seed, scheme):
        self.rng = random.Random(seed)
        self.scheme = scheme
        self.folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        self.history = self.rng.choice([3, 20, 600])
        self.max_age = self.rng.choice([0.0, 0.0, 60.0])
        self.truth = Truth()
        self.clock = WorldClock(self)
        self.server = None
        self.pushes = self.renames = 0
        self.answered = {}
        self.followers = []
        self.speaker = None
        self.start()
        self.speaker = Person(self.server)
        self.speaker.ask("GET", "/chat/nick")
        count = self.rng.randrange(2, 7)
        for _ in range(count):
            private = [PRIVATE] if self.rng.random() < 0.6 else []
            rooms = [*self.rng.sample(ROOMS, self.rng.randrange(1, 4)), *private]
            self.followers.append(Follower(self, rooms))
        self.write_book()
        for follower in self.followers:
            follower.poll()
            follower.look()

    def start(self):
        log = "memory:" if self.scheme == "memory" else f"sqlite:///{self.folder}/chat.db"
        settings = {
            "log": log, "data": self.folder / "data", "push_rate": 0, "history": self.history,
            "max_age": self.max_age, "queue_size": 4,
        }  # fmt: skip
        app = make_chat({}, **{f"chat.{name}": str(value) for name, value in settings.items()})
        self.hub = hub = app.hub
        appended = hub.appended

        def heard(messages):
            self.truth.heard(hub.log.epoch, messages)
            appended(messages)

        hub.appended = heard
        writer = hub.log._store.writer if self.scheme == "sqlite" else hub.log
        writer._clock = self.clock
        if self.scheme == "sqlite":
            writer._ages._clock = self.clock
        self.server = MemoryServer(app, lives=[app.life])
        self.book = app._app._gate.book
        secret = load_secret(self.folder / "data" / "secret")
        self.signer = Signer(derived_key(secret, "token"), "")
        self.stopped = False
        if self.speaker is not None:
            self.write_book()  # it may have been lost with the log

    def write_book(self):
        """Who is in the private room, and who is banned, as it is to be."""
        members = {each.id: "x" for each in self.followers if each.is_member}
        [signed] = [v for k, v in self.speaker.cookies.items() if k.startswith("chat_token_")]
        members[self.signer.sender(signed.rpartition(".")[0])] = "speaker"
        banned = Standing(banned_until=math.inf)
        standings = {each.id: banned if each.is_banned else NO_STANDING for each in self.followers}
        edit = Edit(rooms=[Room(PRIVATE, MEMBERS, members=members)], standings=standings)
        assert self.server.loop.run_until_complete(self.book.change(lambda: edit))

    def holds(self, epoch, room, seq):
        """Whether the log, if it is that one still, has the message."""
        log = self.hub.log
        if self.stopped or epoch != log.epoch:
            return False
        return self.server.loop.run_until_complete(log.read(room, 2**53, 0)).first <= seq

    # What may happen.

    def push(self):
        self.pushes += 1
        room, nonce = self.rng.choice([*ROOMS, PRIVATE]), f"n{self.pushes}"
        self.speaker.server = self.server
        for _ in range(self.rng.choice([1, 1, 1, 2, 3])):
            answer = self.speaker.say(f"message {self.pushes}", room, nonce)
            assert answer.status == 200, answer.body
            seq = json.loads(answer.body)["seq"]
            assert self.answered.setdefault((self.hub.log.epoch, nonce), seq) == seq

    def push_and_leave(self):
        self.pushes += 1
        self.push_raw().close()
        self.server.loop.settle()

    def push_twice_at_once(self):
        self.pushes += 1
        pushes = [self.push_raw() for _ in range(2)]
        self.server.loop.settle()
        answers = {bytes(push.written).rpartition(b"\r\n")[2] for push in pushes}
        assert len(answers) == 1, answers
        for push in pushes:
            push.close()

    def push_raw(self):
        """A push that has been sent, and has not run yet."""
        body = json.dumps({"text": f"message {self.pushes}", "nonce": f"n{self.pushes}"}).encode()
        transport = self.server.connect()
        cookies = "; ".join(f"{key}={value}" for key, value in self.speaker.cookies.items())
        transport.protocol.data_received(
            b"POST /chat/push/lobby HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Cookie: %b\r\nContent-Length: %d\r\n\r\n%b" % (cookies.encode(), len(body), body)
        )
        return transport

    def flood(self):
        """More than two answers take from the log, in commits of any size."""
        loop, room = self.server.loop, self.rng.choice([*ROOMS, PRIVATE])
        for _ in range(self.rng.randrange(8, 20)):
            size = self.rng.randrange(1, 60)
            loop.run_until_complete(self.store(room, size))
            loop.settle()

    async def store(self, room, size):
        await asyncio.gather(
            *(store(self.hub.log, room, "x", "x", f"{room} {number}") for number in range(size))
        )

    def remove(self):
        """Who is answered from now on has none of the text, and misses no number for that."""
        log, room, loop = self.hub.log, self.rng.choice(ROOMS), self.server.loop
        held = loop.run_until_complete(log.before(room, None, 20)).messages
        said = [message.seq for message in held if message.kind == "said"]
        if said:
            for follower in self.followers:
                follower.look()
            seq = self.rng.choice(said)
            loop.run_until_complete(log.remove(room, seq, Draft(room, "x", "removed", "x")))
            self.truth.rooms[log.epoch, room][seq - 1] = ""

    def burst(self):
        for _ in range(self.rng.randrange(5, 15)):
            self.push()

    def poll(self):
        self.rng.choice(self.followers).poll()

    def take(self):
        self.rng.choice(self.followers).look()

    def cut(self):
        self.rng.choice(self.followers).look(cut=True)

    def give_up(self):
        self.rng.choice(self.followers).give_up()
        self.server.loop.settle()

    def wait(self):
        self.server.loop.advance(self.rng.choice([0.1, 1.0, 11.0, 30.0]))

    def ban(self):
        follower = self.rng.choice(self.followers)
        follower.forbid()
        follower.is_banned = True
        self.write_book()

    def unban(self):
        follower = self.rng.choice(self.followers)
        follower.permit()
        follower.is_banned = False
        self.write_book()

    def put_out(self):
        follower = self.rng.choice(self.followers)
        if PRIVATE in follower.rooms:
            follower.forbid()
            follower.is_out = True
            self.write_book()

    def let_in(self):
        follower = self.rng.choice(self.followers)
        follower.permit()
        follower.is_out = False
        self.write_book()

    def rename(self):
        follower = self.rng.choice(self.followers)
        self.renames += 1
        follower.person.server = self.server
        status = follower.person.post("/chat/nick", {"nick": f"name {self.renames}"}).status
        assert status == (403 if follower.is_banned else 200), status

    def step_clock(self):
        self.clock.shift += self.rng.choice([-86400.0, -5.0, 5.0, 3600.0])

    def restart(self, recreate=False):
        for follower in self.followers:
            if self.rng.random() < 0.5:
                follower.give_up()
        self.server.close()
        self.stopped = True
        for follower in self.followers:
            follower.look()
            follower.held.clear()
        if recreate:
            for file in self.folder.glob("chat.db*"):
                file.unlink()
        self.start()

    def recreate(self):
        self.restart(recreate=True)

    def run(self):
        weights = {
            self.push: 30, self.poll: 30, self.take: 25, self.cut: 5, self.give_up: 4,
            self.wait: 8, self.burst: 3, self.push_and_leave: 4, self.step_clock: 2,
            self.push_twice_at_once: 2, self.remove: 3, self.flood: 0.7, self.restart: 1,
            self.recreate: 0.5, self.ban: 1.5, self.unban: 2, self.put_out: 2.5, self.let_in: 3,
            self.rename: 1.5,
        }  # fmt: skip
        for step in self.rng.choices(list(weights), list(weights.values()), k=STEPS):
            step()
            self.server.loop.settle()
            check_states(self.hub)
        for follower in self.followers:
            follower.permit()
            follower.is_banned = follower.is_out = False
        self.write_book()
        for follower in self.followers:
            follower.give_up()
            self.server.loop.settle()
            for _ in range(100):
                follower.poll()
                follower.look()
                if follower.held:
                    follower.give_up()
                    break
            assert follower.at_head(), f"{follower.positions} is not the head"

    def close(self):
        self.server.close()
        shutil.rmtree(self.folder)


class ChaosTests(unittest.TestCase):
    def once(self, seed, scheme):
        """Run that seed; the world after it. What fails tells the seed."""
        world = World(seed, scheme)
        try:
            world.run()
        except BaseException as error:
            error.add_note(f"CHAOS_SEED={seed} ({scheme})")
            raise
        finally:
            world.close()
        return world

    def chaos(self, scheme, runs):
        given = os.environ.get("CHAOS_SEED")
        runs = int(os.environ.get("CHAOS_RUNS", runs))
        seeds = [int(given)] if given else [random.randrange(2**32) for _ in range(runs)]
        followers = [each for seed in seeds for each in self.once(seed, scheme).followers]
        self.assertGreater(sum(follower.received for follower in followers), 0)
        if not given:
            self.assertGreater(sum(follower.refused for follower in followers), 0)
        if not given:
            self.assertGreater(sum(follower.lost for follower in followers), 0)

    def test_in_memory(self):
        self.chaos("memory", 30)

    def test_in_sqlite(self):
        self.chaos("sqlite", 15)

    def test_a_seed_runs_the_same_again(self):
        seed = random.randrange(2**32)
        for scheme in ("memory", "sqlite"):
            runs = [self.once(seed, scheme) for _ in range(2)]
            one, two = ([each.heard for each in run.followers] for run in runs)
            self.assertEqual(one, two, f"CHAOS_SEED={seed} ({scheme})")
