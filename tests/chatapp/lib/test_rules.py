"""A site's own rule: its answers hold for a minute, and what it cannot say is told in one line."""

import asyncio
import threading
import time
import unittest
from unittest import mock

from chatapp.community.acts import READ, SEE, SPEAK
from chatapp.community.rooms import Room
from chatapp.identity.person import Person
from chatapp.lib.rules import (
    HOLDS_SECONDS,
    OWN,
    CannotTell,
    OwnRule,
    Question,
    SiteRule,
    rule_of,
)
from tests.chatapp.lib import sites

ANN, BOB = Person("ann", role="member"), Person("bob", role="member")
LOBBY, STAFF = Room("lobby"), Room("staff")


class SiteRuleTests(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.now = 0.0
        self.asked = []
        self.allowed = True
        self.rule = self.ruled(self.answered)

    def ruled(self, function):
        return SiteRule(function, lambda: self.now)

    async def answered(self, person, room, act):
        self.asked.append((person.id, room.name, act))
        return self.allowed

    async def test_an_answer_holds_for_a_minute(self):
        question = Question(ANN, LOBBY, READ)
        self.assertEqual(
            (None, 0.0), (self.rule.answer(question), self.rule.seconds_left(question))
        )
        await self.rule.ask([question])
        self.allowed = False
        self.assertIs(True, self.rule.answer(question))
        self.now = HOLDS_SECONDS - 1
        self.assertEqual(
            (True, 1.0), (self.rule.answer(question), self.rule.seconds_left(question))
        )
        self.now = HOLDS_SECONDS
        self.assertIsNone(self.rule.answer(question))
        await self.rule.ask([question])
        self.assertIs(False, self.rule.answer(question))

    async def test_it_is_of_one_person_with_one_role_in_one_room_for_one_act(self):
        await self.rule.ask([Question(ANN, LOBBY, READ)])
        for other in (
            Question(BOB, LOBBY, READ), Question(ANN, STAFF, READ), Question(ANN, LOBBY, SPEAK),
            Question(ANN._replace(role="keeper"), LOBBY, READ),
            Question(ANN._replace(groups=("staff",)), LOBBY, READ),
        ):  # fmt: skip
            self.assertIsNone(self.rule.answer(other), other)

    async def test_what_many_ask_at_once_is_asked_once(self):
        question = Question(ANN, LOBBY, READ)
        await asyncio.gather(*(self.rule.ask([question]) for _ in range(20)))
        self.assertEqual([("ann", "lobby", READ)], self.asked)

    async def test_who_goes_away_takes_the_answer_from_nobody(self):
        asked, told = asyncio.Event(), asyncio.Event()

        async def slow(person, room, act):
            asked.set()
            await told.wait()
            return True

        rule, question = self.ruled(slow), Question(ANN, LOBBY, READ)
        one, two = (asyncio.create_task(rule.ask([question])) for _ in range(2))
        await asked.wait()
        one.cancel()
        told.set()
        await two
        self.assertIs(True, rule.answer(question))

    async def test_what_was_forgotten_while_it_was_asked_is_asked_again(self):
        question = Question(ANN, LOBBY, READ)

        async def forgetting(person, room, act):
            rule.forget(room="lobby")
            return True

        rule = self.ruled(forgetting)
        await rule.ask([question])
        self.assertIsNone(rule.answer(question))

    async def test_it_forgets_a_person_a_room_both_or_all(self):
        questions = [Question(p, r, READ) for p in (ANN, BOB) for r in (LOBBY, STAFF)]
        left = {
            ("ann", None): [(BOB, LOBBY), (BOB, STAFF)],
            (None, "lobby"): [(ANN, STAFF), (BOB, STAFF)],
            ("ann", "lobby"): [(ANN, STAFF), (BOB, LOBBY), (BOB, STAFF)],
            (None, None): [],
        }
        for (person, room), known in left.items():
            await self.rule.ask(questions)
            self.rule.forget(person, room)
            here = [q[:2] for q in questions if self.rule.answer(q)]
            self.assertEqual(known, here, (person, room))

    async def test_what_is_known_is_bounded(self):
        people = [Person(str(number)) for number in range(110)]
        with mock.patch("chatapp.lib.rules._MOST_ANSWERS", 100):
            for person in people:
                await self.rule.ask([Question(person, LOBBY, SEE)])
        self.assertIsNone(self.rule.answer(Question(people[0], LOBBY, SEE)))
        self.assertIs(True, self.rule.answer(Question(people[-1], LOBBY, SEE)))
        self.assertEqual(100, len(self.rule._answers))

    async def test_a_plain_function_may_block(self):
        threads = []

        def blocking(person, room, act):
            threads.append(threading.current_thread() is threading.main_thread())
            return person.id == "ann"

        rule = self.ruled(blocking)
        questions = [Question(ANN, LOBBY, READ), Question(BOB, LOBBY, READ)]
        await rule.ask(questions)
        self.assertEqual([True, False], [rule.answer(each) for each in questions])
        self.assertEqual([False, False], threads)

    async def test_one_that_fails_is_told_in_one_line(self):
        rule, question = self.ruled(sites.broken), Question(ANN, LOBBY, READ)
        for _ in range(2):
            with (
                self.assertLogs("chatapp.lib.rules", "ERROR") as said,
                self.assertRaises(CannotTell),
            ):
                await rule.ask([question])
            [line] = [record.getMessage() for record in said.records]
            self.assertRegex(
                line,
                "^chat.allow could not say whether ann may read in lobby: RuntimeError: the "
                r"database is away \(.*sites.py:\d+\)$",
            )
        self.assertIsNone(rule.answer(question))


class NamedTests(unittest.TestCase):
    def test_the_option_names_it(self):
        self.assertIsInstance(rule_of(OWN, time.monotonic), OwnRule)
        self.assertIsInstance(rule_of("tests.chatapp.lib.sites:staff", time.monotonic), SiteRule)
        for name in ("nowhere:may", "tests.chatapp.lib.sites:nothing", "math:pi"):
            with self.assertRaises(ValueError) as caught:
                rule_of(name, time.monotonic)
            self.assertIn(f"chat.allow = {name}: ", str(caught.exception))
